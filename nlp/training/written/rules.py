"""What the labels of a post must say together, and what posts must be to each other. Each rule gives faults."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from config.faults import Fault
from nlp.training.written.lists import ENGLISH, FRENCH, ORDINARY
from nlp.training.written.post import Written
from nlp.training.written.read import Corpus

STORY_POSTS = (15, 60)
MEMORIES = 0.2
"""Largest share of ordinary neighbours that may be memories or sympathy (about 1)."""
ALONE = 0.02
"""Share of ordinary posts that may stand without a crisis post, as the third beside a pair."""
SPEAKERS = {
    "eyewitness": ("eyewitness",), "relative": ("relative",), "authority": ("authority",), "local_paper": ("media",),
    "volunteer": ("volunteer",),
}  # fmt: skip


def labels(one: Written) -> Iterator[Fault]:
    """Where the labels of one post contradict each other."""
    for rule in (_nothing, _happening, _tagged, _claims, _voices, _registers):
        yield from rule(one)


def _nothing(one: Written) -> Iterator[Fault]:
    """What a post that is about no real harm cannot say."""
    if one.about:
        return
    told: dict[str, object] = {"relevance": one.relevance, "hazard": one.hazard, "urgency": one.urgency}
    told["need"] = one.need if one.need != "not_humanitarian" else None
    told["tags"] = [tag for tag in one.tags if tag != "rumour"]
    for key in (key for key, value in told.items() if value):
        yield one.fault(key, f"about is 0 and yet {key} is {told[key]!r}", f"leave {key} out, or set about to 1")
    if one.when in ("now", "imminent", "past"):
        yield one.fault("when", f"about is 0 and yet {one.when}", "when tells of harm: leave it out, or set about to 1")


def _happening(one: Written) -> Iterator[Fault]:
    """What relevance, urgency, when and moment say of each other."""
    if one.relevance and one.when not in ("now", "imminent"):
        yield one.fault("when", f"relevance is 1 and when is {one.when}", "relevant is what is now or imminent")
    if one.when == "exercise" and one.about:
        yield one.fault("about", "an exercise is about no real harm", "about 0 for a drill")
    if one.moment == "anniversary" and (one.relevance or one.when != "past"):
        yield one.fault("moment", "an anniversary is past and not relevant", "when past, relevance 0")
    if one.urgency >= 0.5 and not one.relevance:
        yield one.fault("urgency", "nobody could act, and yet it is urgent", "relevance 1, or urgency 0 or 0.25")
    if one.relevance and not one.urgency:
        yield one.fault("urgency", "relevant, and yet nothing to do", "0.25 is worth knowing", warning=True)
    if one.relevance and one.need in ("sympathy_and_support", "not_humanitarian"):
        yield one.fault("need", f"relevant, and yet it gives mainly {one.need}", "read it again", warning=True)
    if one.about and not one.hazard:
        yield one.fault("hazard", "about a real harm without a hazard", 'name it, or "other"', warning=True)


def _tagged(one: Written) -> Iterator[Fault]:
    if "emerging_incident" in one.tags and one.about:
        if not one.relevance:
            yield one.fault("relevance", "an emerging incident that is not relevant", "read it again", warning=True)
        if one.when not in ("now", "imminent"):
            yield one.fault("when", f"an emerging incident that is {one.when}", "it is now or imminent")
    if "rumour" in one.tags and (one.refuted or one.stance in ("denies", "asks")):
        yield one.fault("tags", "denies or asks, and yet is a rumour", "a denial or a question is no rumour")


def _claims(one: Written) -> Iterator[Fault]:
    if one.refuted and one.stance != "denies":
        yield one.fault("stance", "refuted without denying", "refuted goes with stance denies")
    wanted = {"denial": (one.stance == "denies" and one.refuted, "refuted true and stance denies")}
    wanted["doubt"] = (one.stance == "asks", "stance asks")
    wanted["rumour"] = ("rumour" in one.tags, "tag rumour")
    kept, advice = wanted.get(one.voice, (True, ""))
    if not kept:
        yield one.fault("voice", f"the voice is {one.voice}, the labels say otherwise", advice)


def _voices(one: Written) -> Iterator[Fault]:
    if one.voice != ORDINARY and not one.about:
        yield one.fault("voice", f"about is 0 and the voice is {one.voice}", 'voice "ordinary"')
    if one.voice == ORDINARY and one.relevance:
        yield one.fault("voice", "relevant, and yet an ordinary voice", "say who speaks")
    remembers = one.when == "past" or one.moment == "anniversary" or one.need == "sympathy_and_support"
    if one.voice == ORDINARY and one.about and not one.relevance and not remembers:
        yield one.fault("voice", "an ordinary voice about harm that is no memory", "commenter?", warning=True)
    expected = SPEAKERS.get(one.voice)
    if expected and one.source not in expected:
        told = f"the voice is {one.voice}, the source {one.source}"
        yield one.fault("source", told, f"read it again: {' or '.join(expected)}?", warning=True)


def _registers(one: Written) -> Iterator[Fault]:
    if (one.register in FRENCH and one.lang != "fr") or (one.register in ENGLISH and one.lang != "en"):
        yield one.fault("register", f"{one.register} in {one.lang}", "choose a register of the language")


def ids(corpus: Corpus) -> Iterator[Fault]:
    """Ids and texts that are there twice (a story may repeat a text: a bot does), sheets that are named and missing."""
    for key in ("id", "text"):
        first: dict[str, Written] = {}
        for one in corpus.posts:
            told = getattr(one, key)
            flood = key == "text" and told in first and one.story and one.story == first[told].story
            if told in first and not flood:
                yield one.fault(key, f"the same {key} as {first[told].file}:{first[told].line}", "write another")
            first.setdefault(told, one)
    sheets = {sheet.id: sheet for sheet in corpus.sheets}
    for one in corpus.posts:
        if one.sheet and one.sheet not in sheets:
            yield one.fault("sheet", f"{one.sheet} is no sheet", "name one of sheets-*.jsonl")


def pairs(corpus: Corpus) -> Iterator[Fault]:
    """Neighbours that do not name each other, or are not alike; crisis posts without one."""
    by_id = corpus.by_id()
    for one in corpus.posts:
        if one.neighbour:
            yield from _pair(one, by_id.get(one.neighbour))
        elif not one.story and one.crisis:
            yield one.fault("neighbour", "has no neighbour", "write one in the same style, or name it")
    yield from _alone(corpus)
    yield from _memories(corpus, by_id)


def _alone(corpus: Corpus) -> Iterator[Fault]:
    """Ordinary posts beside no crisis post, where they are more than a few."""
    ordinary = [one for one in corpus.posts if one.voice == ORDINARY and not one.story]
    alone = [one for one in ordinary if not one.neighbour]
    if len(alone) > ALONE * len(ordinary):
        for one in alone:
            yield one.fault("neighbour", "has no neighbour", "write one in the same style, or name it")


def _pair(one: Written, other: Written | None) -> Iterator[Fault]:
    if other is None:
        yield one.fault("neighbour", f"{one.neighbour} is not there", "both posts of a pair stand in one part")
        return
    if other.neighbour != one.id:
        yield one.fault("neighbour", f"{other.id} names {other.neighbour}", "both posts name each other")
    for key in ("lang", "register", "part"):
        if getattr(one, key) != getattr(other, key) and one.id < other.id:
            yield one.fault(key, f"differs from its neighbour {other.id}", "the two of a pair share language and style")
    if one.crisis and _meaning(one) == _meaning(other) and one.id < other.id:
        yield one.fault("neighbour", f"{other.id} has the same labels", "a pair differs in what it means")


def _meaning(one: Written) -> tuple[object, ...]:
    return one.about, one.relevance, sorted(one.tags), one.refuted, one.when


def _memories(corpus: Corpus, by_id: Mapping[str, Written]) -> Iterator[Fault]:
    for part in ("test", "train"):
        named = (by_id.get(one.neighbour or "") for one in corpus.part(part) if one.crisis)
        beside = [one for one in named if one and not one.crisis]
        remembering = sum(one.about for one in beside)
        if remembering > MEMORIES * len(beside):
            told = f"{remembering} of {len(beside)} ordinary neighbours are memories or sympathy"
            yield Fault(part, 0, "neighbour", told, "at most one in five", "error")


def stories(corpus: Corpus) -> Iterator[Fault]:
    """Stories that are too short or long, without minutes or authors, or in two parts."""
    told: dict[str, list[Written]] = defaultdict(list)
    for one in corpus.posts:
        if one.story:
            told[one.story].append(one)
            missing = [key for key in ("minute", "author") if getattr(one, key) is None]
            if missing:
                yield one.fault(missing[0], f"in a story without {' and '.join(missing)}", "say when and by whom")
    for name, posts in told.items():
        least, most = STORY_POSTS
        if not least <= len(posts) <= most:
            yield posts[0].fault("story", f"{name} has {len(posts)} posts", f"{least} to {most}", warning=True)
        if len({one.part for one in posts}) > 1:
            yield posts[0].fault("story", f"{name} is in both parts", "a story stands in one part")
        minutes = [one.minute for one in posts if one.minute is not None]
        if minutes and min(minutes) > 0:
            yield posts[0].fault("minute", f"{name} has no post of minute 0", "count from its first post", warning=True)


def each_label(corpus: Corpus) -> Iterator[Fault]:
    """The faults of :func:`labels`, post by post."""
    for one in corpus.posts:
        yield from labels(one)


RULES: tuple[Callable[[Corpus], Iterator[Fault]], ...] = (each_label, ids, pairs, stories)
