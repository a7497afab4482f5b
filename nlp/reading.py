"""One post while it is being read: what the fast path found, what the deep path corrects."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from nlp.automaton import Hit
from nlp.text import Folded
from store.records import Location, Quantity, Scored

EMPTY_ODDS = -6.0


@dataclass(slots=True)
class Reading:
    """``plain`` is the folded text without links and mentions, of the same length; ``odds`` are calibrated log-odds
    of the binary heads; ``meant``: family → class → probability by a second look, None without one; ``known`` says
    whether the language is one that is scored; ``drill`` that the post itself belongs to an exercise, so that the word
    says nothing."""

    id: str
    text: str
    folded: Folded
    plain: str
    lang: str
    known: bool
    hits: list[Hit] = field(default_factory=list)
    odds: dict[str, float] = field(default_factory=dict)
    meant: dict[str, dict[str, float]] | None = None
    need: Scored | None = None
    source: str = "unknown"
    stance: str | None = None
    when: str | None = None
    refuted: bool = False
    hazard: Scored | None = None
    quantities: tuple[Quantity, ...] = ()
    locations: tuple[Location, ...] = ()
    why: tuple[str, ...] = ()
    depth: Literal["fast", "full"] = "fast"
    drill: bool = False
    near: tuple[float, float] | None = None

    def concepts(self) -> set[str]:
        """The names of the hazards and cues found."""
        return {hit.term.concept for hit in self.hits}

    def original(self, start: int, end: int) -> str:
        """The post's own words at a span of the folded text."""
        first, last = self.folded.span(start, end)
        return self.text[first:last]
