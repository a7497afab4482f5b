"""The closed lists of the written corpus; those that the rest of Vigie shares come from ``config/vocabulary.yaml``."""

from __future__ import annotations

from config.vocabulary import HAZARDS, LEVELS, LISTS, NEEDS
from store.records import TAGS

LANGS = ("fr", "en")
ORDINARY = "ordinary"
VOICES = (
    "eyewitness", "call_for_help", "relative", "passer_by", "local_paper", "authority", "volunteer", "expert",
    "commenter", "logistics", "rumour", "doubt", "denial", ORDINARY,
)  # fmt: skip
FRENCH = ("quebec", "belgium", "switzerland", "antilles", "reunion", "maghreb")
ENGLISH = ("british", "american", "irish", "australian", "indian")
REGISTERS = (
    "careful", "plain", "sms", "no_accents", "capitals", "emoji", "hashtags", "typos", "dictation", "learner",
    *FRENCH, *ENGLISH,
)  # fmt: skip
MOMENTS = ("before", "first_minute", "hours", "days", "anniversary")
URGENCIES = (0.0, 0.25, 0.5, 0.75, 1.0)
ROLES = ("event", "direction", "origin", "mention")
OPS = ("exactly", "at_least", "at_most", "about")
KINDS = (
    "injured", "dead", "missing", "evacuated", "trapped", "people", "households", "vehicles", "firefighters",
    "hectares", "speed_kmh", "water_m", "water_cm",
)  # fmt: skip
CHOICES: dict[str, tuple[str, ...]] = {
    "lang": LANGS,
    "voice": VOICES,
    "register": REGISTERS,
    "moment": MOMENTS,
    "hazard": tuple(HAZARDS),
    "need": tuple(NEEDS),
    "source": tuple(LISTS["sources"]),
    "stance": tuple(LISTS["stances"]),
    "when": tuple(LISTS["whens"]),
}
"""The keys of a post that hold one name of a closed list."""
LISTED = {"tags": TAGS, "level": tuple(LEVELS), "role": ROLES, "kind": KINDS, "op": OPS}
KEYS = (
    "id", "lang", "voice", "register", "moment", "text", "about", "relevance", "tags", "hazard", "need", "urgency",
    "source", "stance", "when", "refuted", "story", "minute", "author", "neighbour", "sheet", "group",
)  # fmt: skip
"""The keys of a post in the order in which they are written."""
