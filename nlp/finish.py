"""From a reading to the annotation: probabilities, labels, urgency and the words that moved the decision."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate

from nlp.fast import FastPath, probability
from nlp.features import TOKEN, concept_keys
from nlp.reading import Reading
from nlp.stopwords import stopwords
from store.records import TAGS, Annotation

WHY_TERMS = 5
WHY_FLOOR = 0.3
URGENT = {
    "help_call": 0.3,
    "trapped": 0.25,
    "injured": 0.2,
    "dead": 0.1,
    "here_now": 0.15,
    "panic": 0.1,
    "caution": 0.1,
}


def finish(reading: Reading, fast: FastPath) -> Annotation:
    """The annotation of a reading; scores are None for a language that is not scored."""
    if not reading.known:
        return Annotation(reading.id, reading.lang, reading.depth, None, None, dict.fromkeys(TAGS))
    p = {head: round(probability(odds), 4) for head, odds in reading.odds.items()}
    labels = tuple(tag for tag in TAGS if p[tag] >= _least(reading, fast, tag))
    return Annotation(
        post_id=reading.id,
        lang=reading.lang,
        depth=reading.depth,
        about=p["about"],
        relevance=p["relevance"],
        tags={tag: p[tag] for tag in TAGS},
        labels=labels,
        hazard=reading.hazard,
        need=reading.need,
        urgency=_urgency(reading, p),
        source=reading.source,
        stance=reading.stance,
        when=reading.when,
        refuted=reading.refuted,
        quantities=reading.quantities,
        locations=reading.locations,
        why=why(reading, fast) if max(p[head] for head in ("relevance", *TAGS)) >= WHY_FLOOR else (),
    )


def _least(reading: Reading, fast: FastPath, tag: str) -> float:
    """The probability from which a post carries a label: what looked at it last says so."""
    if reading.meant is None:
        return fast.heads.threshold(tag, reading.lang)
    from nlp.second import second  # loads the encoder's engine, which a fast reading does without

    return second().threshold(tag, reading.lang)


def _urgency(reading: Reading, p: dict[str, float]) -> float:
    """How soon somebody should act, 0 to 1: a likely emergency, raised by cries for help, people hurt, now."""
    raised = sum(weight for cue, weight in URGENT.items() if cue in reading.concepts())
    timed = {"now": 0.1, "imminent": 0.1, "past": -0.4, "hypothetical": -0.4, "exercise": -0.5}.get(
        reading.when or "", 0.0
    )
    return round(min(1.0, max(0.0, max(p["emerging_incident"], p["public_order_threat"]) * (0.5 + raised + timed))), 3)


def why(reading: Reading, fast: FastPath) -> tuple[str, ...]:
    """The terms that raised the decision most, in the post's own words, the strongest first, none inside another;
    a function word says nothing alone."""
    head = max(("emerging_incident", "public_order_threat", "rumour"), key=lambda name: reading.odds[name])
    column = fast.heads.names.index(head)
    tokens = list(TOKEN.finditer(reading.plain))
    keys = [key for hit in reading.hits for key in concept_keys(hit)]
    pulls = fast.pulls([token.group() for token in tokens] + keys, column)
    told = [token.group() not in stopwords() for token in tokens]
    spans = {token.span(): pull for token, pull, telling in zip(tokens, pulls, told, strict=False) if telling}
    starts = [token.start() for token in tokens]
    sums = [0.0, *accumulate(pulls[: len(tokens)])]
    for index, hit in enumerate(reading.hits):
        words = sums[bisect_left(starts, hit.end)] - sums[bisect_left(starts, hit.start)]
        first = len(tokens) + 2 * index
        pull = words + pulls[first] + pulls[first + 1]
        spans[hit.start, hit.end] = max(pull, spans.get((hit.start, hit.end), pull))
    return tuple(_strongest(reading, spans))


def _strongest(reading: Reading, spans: dict[tuple[int, int], float]) -> list[str]:
    taken: list[tuple[int, int]] = []
    terms: list[str] = []
    for _, (start, end) in sorted((-pull, span) for span, pull in spans.items() if pull > 0):
        if len(terms) == WHY_TERMS:
            break
        if any(start < last and first < end for first, last in taken):
            continue
        taken.append((start, end))
        term = reading.original(start, end)
        if term not in terms:
            terms.append(term)
    return terms
