"""The query language of X: text in, a term that can be asked out, or an error in X's words.

query  := branch ("OR" branch)*
branch := term+                       side by side means AND, which binds tighter than OR
term   := "-"? (word | "phrase" | #tag | @name | operator:value | "(" query ")")
"""

from __future__ import annotations

import re
from collections.abc import Callable

from listeners.standin.terms import (
    KM_PER_MILE,
    And,
    Hashtag,
    Not,
    Or,
    Simple,
    Term,
    Words,
    distance_km,
    in_box,
    in_radius,
)
from listeners.standin.tweet import Tweet, plain, tokens

MAX_RADIUS_KM = 25 * KM_PER_MILE
MAX_DEPTH = 30

_LEXEME = re.compile(
    r"""\s*(?:
      (?P<open>\() | (?P<close>\)) |
      (?P<minus>-(?=[^\s)])) |
      (?P<operator>[a-z_]+):(?P<value>\[[^\]]*\]|"[^"]*"|[^\s()"]*) |
      "(?P<phrase>[^"]*)" |
      (?P<word>[^\s()"]+)
    )""",
    re.VERBOSE,
)


class QueryError(ValueError):
    """A query that X would refuse; the message says why and where."""


def parse(text: str) -> Term:
    """The term that a query or rule means. Raises QueryError."""
    parser = _Parser(text)
    term = parser.query(0)
    if parser.kind:
        raise QueryError(f"extraneous input '{parser.lexeme}' expecting <EOF> (at position {parser.at + 1})")
    if not term.alone:
        raise QueryError(
            "Rules must contain at least one positive, stand-alone clause in every OR branch: operators such as "
            "has:, is: and lang:, and negations, need a keyword, phrase, account or place beside them"
        )
    return term


class _Parser:
    """Reads one lexeme ahead: ``kind`` is empty at the end of the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.advance()

    def advance(self) -> None:
        """Reads the next lexeme."""
        rest = len(self.text) - len(self.text[self.position :].lstrip())
        found = _LEXEME.match(self.text, self.position)
        self.at = rest if not found else found.end() - len(found.group().lstrip())
        if not found:
            if rest < len(self.text):
                raise QueryError(f"no viable alternative at character '{self.text[rest]}' (at position {rest + 1})")
            self.kind, self.lexeme, self.value = "", "<EOF>", ""
            return
        self.position = found.end()
        self.kind = "operator" if found["operator"] else str(found.lastgroup)
        self.lexeme = found.group().strip()
        self.value = found["value"] if found["operator"] else found.group(self.kind)

    def query(self, depth: int) -> Term:
        """Branches joined with OR."""
        if depth > MAX_DEPTH:
            raise QueryError(f"parentheses are nested more than {MAX_DEPTH} deep (at position {self.at + 1})")
        branches = [self.branch(depth)]
        while self.kind == "word" and self.lexeme == "OR":
            self.advance()
            branches.append(self.branch(depth))
        return branches[0] if len(branches) == 1 else Or(branches)

    def branch(self, depth: int) -> Term:
        """Terms side by side."""
        terms = []
        while self.kind and self.kind != "close" and self.lexeme != "OR":
            terms.append(self.term(depth))
        if not terms:
            raise QueryError(f"no viable alternative at '{self.lexeme}' (at position {self.at + 1})")
        return terms[0] if len(terms) == 1 else And(terms)

    def term(self, depth: int) -> Term:
        """One term, negated or not."""
        if self.kind == "minus":
            self.advance()
            return Not(self.term(depth + 1)) if depth < MAX_DEPTH else self.query(depth + 1)
        if self.kind == "open":
            return self.group(depth)
        if self.kind == "operator":
            term = _operator(self.lexeme.partition(":")[0], self.value, self.at)
        else:
            term = _words(self.kind, self.value, self.at)
        self.advance()
        return term

    def group(self, depth: int) -> Term:
        """A query between parentheses."""
        self.advance()
        term = self.query(depth + 1)
        if self.kind != "close":
            raise QueryError(f"missing ')' at '{self.lexeme}' (at position {self.at + 1})")
        self.advance()
        return term


def _words(kind: str, text: str, at: int) -> Term:
    if kind == "word":
        if text.lower() in ("or", "and"):
            instead = "capitalized OR to disjoin" if text == "or" else "a space to join"
            raise QueryError(
                f"Ambiguous use of {text} as a keyword. Use {instead} two clauses, "
                f'or "{text}" to find the word in text (at position {at + 1})'
            )
        if text[0] in "#＃@＠" and tokens(text):
            name = text[1:].lower()
            return Hashtag(name) if text[0] in "#＃" else Simple(lambda tweet: name in tweet.mentions)
    if term := Words.of(text):
        return term
    raise QueryError(f"no viable alternative at '{text}': a keyword needs a letter or a digit (at position {at + 1})")


def _operator(name: str, value: str, at: int) -> Term:
    if name not in _OPERATORS:
        raise QueryError(
            f"Reference to invalid operator '{name}'. Operator is not available in current product or product "
            f"packaging. Please refer to complete available operator list (at position {at + 1})"
        )
    value = value.strip().strip('"').strip()
    if not value:
        raise QueryError(f"no viable alternative: operator '{name}' needs a value (at position {at + 1})")
    return _OPERATORS[name](value)


def _lang(value: str) -> Term:
    if not re.fullmatch(r"[a-z]{2,3}", value):
        raise QueryError(f"Reference to invalid language '{value}' of operator 'lang'")
    return Simple(lambda tweet: tweet.lang == value, alone=False)


def _choice(name: str, looks: dict[str, Callable[[Tweet], bool]]) -> Callable[[str], Term]:
    def build(value: str) -> Term:
        if value not in looks:
            raise QueryError(f"Reference to invalid value '{value}' of operator '{name}': it takes {', '.join(looks)}")
        return Simple(looks[value], alone=False)

    return build


def _account(value: str) -> str:
    name = value.removeprefix("@").lower()
    if not re.fullmatch(r"\w{1,20}", name):
        raise QueryError(f"'{value}' is not a user name or user id")
    return name


def _from(value: str) -> Term:
    name = _account(value)
    return Simple(lambda tweet: name in (tweet.user.id, tweet.user.username.lower()))


def _to(value: str) -> Term:
    name = _account(value)

    def look(tweet: Tweet) -> bool:
        other = tweet.reply_to.user if tweet.reply_to else None
        return other is not None and name in (other.id, other.username.lower())

    return Simple(look)


def _place(value: str) -> Term:
    wanted = plain(" ".join(tokens(value)))

    def look(tweet: Tweet) -> bool:
        if tweet.place is None:
            return False
        name = plain(" ".join(tokens(tweet.place.full_name)))
        return value == tweet.place.id or wanted == name or name.startswith(f"{wanted} ")

    return Simple(look)


def _country(value: str) -> Term:
    if not re.fullmatch(r"[A-Za-z]{2}", value):
        raise QueryError(f"'{value}' is not an ISO alpha-2 country code of operator 'place_country'")
    code = value.upper()
    return Simple(lambda tweet: tweet.place is not None and tweet.place.country_code == code)


def _radius(value: str) -> Term:
    found = re.fullmatch(r"\[\s*(\S+)\s+(\S+)\s+([\d.]+)(km|mi)\s*\]", value)
    if not found:
        raise QueryError(f"point_radius must be [longitude latitude radius], the radius in km or mi, not {value}")
    lon, lat = _position(found[1], found[2], "point_radius")
    km = _number(found[3], "point_radius") * (KM_PER_MILE if found[4] == "mi" else 1)
    if not 0 < km <= MAX_RADIUS_KM:
        raise QueryError(
            f"the radius of point_radius must be more than 0 and at most 25mi (40.2km), not {found[3]}{found[4]}"
        )
    return Simple(in_radius(lon, lat, km))


def _box(value: str) -> Term:
    found = re.fullmatch(r"\[\s*(\S+)\s+(\S+)\s+(\S+)\s+(\S+)\s*\]", value)
    if not found:
        raise QueryError(f"bounding_box must be [west south east north], not {value}")
    west, south = _position(found[1], found[2], "bounding_box")
    east, north = _position(found[3], found[4], "bounding_box")
    if not (west < east and south < north):
        raise QueryError("bounding_box must go from west to east and from south to north")
    middle = (south + north) / 2
    if max(distance_km(middle, west, middle, east), distance_km(south, west, north, west)) > MAX_RADIUS_KM:
        raise QueryError("the width and height of bounding_box must be at most 25mi (40.2km)")
    return Simple(in_box(west, south, east, north))


def _position(lon: str, lat: str, name: str) -> tuple[float, float]:
    x, y = _number(lon, name), _number(lat, name)
    if not (-180 <= x <= 180 and -90 <= y <= 90):
        raise QueryError(f"{name}: longitude must be within ±180 and latitude within ±90, and longitude comes first")
    return x, y


def _number(text: str, name: str) -> float:
    if not re.fullmatch(r"[+-]?\d{1,9}(\.\d{0,15})?", text):
        raise QueryError(f"{name}: '{text}' is not a number")
    return float(text)


_OPERATORS: dict[str, Callable[[str], Term]] = {
    "lang": _lang,
    "from": _from,
    "to": _to,
    "place": _place,
    "place_country": _country,
    "point_radius": _radius,
    "bounding_box": _box,
    "has": _choice(
        "has",
        {
            "geo": lambda tweet: tweet.box is not None,
            "hashtags": lambda tweet: bool(tweet.hashtags),
            "mentions": lambda tweet: bool(tweet.mentions),
            "links": lambda tweet: tweet.has_link,
        },
    ),
    "is": _choice(
        "is",
        {
            "retweet": lambda tweet: tweet.retweet_of is not None,
            "reply": lambda tweet: tweet.reply_to is not None,
            "quote": lambda tweet: tweet.quote_of is not None,
        },
    ),
}
