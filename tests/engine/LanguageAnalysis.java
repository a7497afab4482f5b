import java.io.Reader;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.CharArraySet;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.en.EnglishAnalyzer;
import org.apache.lucene.analysis.en.EnglishPossessiveFilter;
import org.apache.lucene.analysis.fr.FrenchAnalyzer;
import org.apache.lucene.analysis.miscellaneous.ASCIIFoldingFilter;
import org.apache.lucene.analysis.pattern.PatternReplaceCharFilter;
import org.apache.lucene.analysis.snowball.SnowballFilter;
import org.apache.lucene.analysis.util.ElisionFilter;
import org.elasticsearch.common.settings.Settings;
import org.elasticsearch.index.IndexSettings;
import org.elasticsearch.index.analysis.*;
import org.elasticsearch.indices.analysis.AnalysisModule.AnalysisProvider;
import org.elasticsearch.plugins.AnalysisPlugin;
import org.elasticsearch.plugins.Plugin;
import org.tartarus.snowball.ext.EnglishStemmer;
import org.tartarus.snowball.ext.FrenchStemmer;

/**
 * What Vigie's templates ask of the analysis-common module, which is not published to Maven: Lucene's own classes under
 * the module's names and settings (the french and english analyzers; the filters asciifolding, elision, stemmer; the
 * character filter pattern_replace).
 */
public class LanguageAnalysis extends Plugin implements AnalysisPlugin {
  @Override public Map<String, AnalysisProvider<AnalyzerProvider<? extends Analyzer>>> getAnalyzers() {
    return Map.of("french", of("french", new FrenchAnalyzer()), "english", of("english", new EnglishAnalyzer()));
  }

  @Override public Map<String, AnalysisProvider<TokenFilterFactory>> getTokenFilters() {
    return Map.of(
        "asciifolding", (i, e, name, s) -> folding(name),
        "elision", needing((i, e, name, s) -> filter(name, elision(s))),
        "stemmer", needing((i, e, name, s) -> filter(name, stemmer(s.get("language", "english")))));
  }

  @Override public Map<String, AnalysisProvider<CharFilterFactory>> getCharFilters() {
    return Map.of("pattern_replace", needing((i, e, name, s) -> replacing(name, s)));
  }

  private static CharFilterFactory replacing(String name, Settings settings) {
    Pattern pattern = Pattern.compile(settings.get("pattern"));
    String replacement = settings.get("replacement", "");
    return new NormalizingCharFilterFactory() {
      @Override public String name() { return name; }
      @Override public Reader create(Reader in) { return new PatternReplaceCharFilter(pattern, replacement, in); }
    };
  }

  private static Function<TokenStream, TokenStream> elision(Settings settings) {
    List<String> articles = settings.getAsList("articles");
    if (articles.isEmpty()) throw new IllegalArgumentException("elision filter requires [articles] or [articles_path]");
    CharArraySet set = new CharArraySet(articles, settings.getAsBoolean("articles_case", false));
    return in -> new ElisionFilter(in, set);
  }

  private static Function<TokenStream, TokenStream> stemmer(String language) {
    return switch (language) {
      case "french" -> in -> new SnowballFilter(in, new FrenchStemmer());
      case "english" -> in -> new SnowballFilter(in, new EnglishStemmer());
      case "possessive_english" -> EnglishPossessiveFilter::new;
      default -> throw new IllegalArgumentException("this test module knows no stemmer for [" + language + "]");
    };
  }

  private static TokenFilterFactory filter(String name, Function<TokenStream, TokenStream> made) {
    return new AbstractTokenFilterFactory(name) {
      @Override public TokenStream create(TokenStream in) { return made.apply(in); }
    };
  }

  private static <T> AnalysisProvider<T> needing(AnalysisProvider<T> made) {
    return new AnalysisProvider<>() {
      @Override public T get(IndexSettings i, org.elasticsearch.env.Environment e, String n, Settings s) throws java.io.IOException {
        return made.get(i, e, n, s);
      }
      @Override public boolean requiresAnalysisSettings() { return true; }
    };
  }

  private static TokenFilterFactory folding(String name) { // of a beginning too: `FUMÉ*` is looked up as `fume*`
    return new AbstractTokenFilterFactory(name) {
      @Override public TokenStream create(TokenStream in) { return new ASCIIFoldingFilter(in); }
      @Override public TokenStream normalize(TokenStream in) { return create(in); }
    };
  }

  private static AnalysisProvider<AnalyzerProvider<? extends Analyzer>> of(String n, Analyzer a) {
    return (i, e, name, s) -> new PreBuiltAnalyzerProvider(n, AnalyzerScope.INDICES, a);
  }
}
