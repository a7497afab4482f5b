"""What is known beside a post: where the agency is at home, and which places are on everybody's lips.

In an open crisis most posts about it give the place's name, and many nothing else that a model could know them by.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from nlp.reading import Reading
from nlp.text import fold

RAISED = {"about": 2.0, "relevance": 1.0}
"""What a post's log-odds gain by the name of a place where something is going on."""
SHORTEST = 4
"""Letters of a name for it to say something."""
NOTHING = r"(?!)"
"""What no text holds."""


@dataclass(frozen=True, slots=True)
class Context:
    """``home``: codes of the départements that the agency cares for, which homonyms lean to; ``hot``: names of places
    and hashtags of what is going on, as written."""

    home: frozenset[str] = frozenset()
    hot: frozenset[str] = frozenset()

    def names_what_goes_on(self, reading: Reading) -> bool:
        """Whether a post gives one of the hot names, as a word or inside a hashtag."""
        return bool(self.hot) and _names(self.hot).search(reading.plain) is not None

    def raised(self, reading: Reading) -> None:
        """Raise the odds of a post that gives a hot name and whose language is scored."""
        if reading.known and self.names_what_goes_on(reading):
            for head, more in RAISED.items():
                reading.odds[head] += more


NOWHERE = Context()
"""Nothing is known."""


@lru_cache(maxsize=64)
def _names(hot: frozenset[str]) -> re.Pattern[str]:
    told = [fold(name.removeprefix("#")).text for name in sorted(hot)]
    told = [name for name in told if len(name) >= SHORTEST]
    alone = "|".join(map(re.escape, told)) or NOTHING
    joined = "|".join(re.sub(r"[\W_]", "", name) for name in told) or NOTHING
    return re.compile(rf"(?<![^\W_])(?:{alone})(?![^\W_])|#\w*(?:{joined})")
