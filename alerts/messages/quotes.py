"""Short quotes from posts for a message: without author names, links or anything that could disguise the text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from config.text import fold
from store.records import Post

LONGEST = 90
MOST = 2
_LINK = re.compile(r"(?:https?://|www\.|t\.co/)\S+|\b[\w.-]+\.(?:com|fr|org|net|ly|io|co|gl)/\S*", re.IGNORECASE)
_RETWEET = re.compile(r"^\s*RT\s+@\w+\s*:?\s*")
_NAMED = re.compile(r"[@＠][\w.@-]+")


def quotes(posts: Iterable[Post], most: int = MOST) -> dict[str, str]:
    """Id of a post → its cleaned text of at most 90 characters, for at most ``most`` in the order given, none saying
    the same as another."""
    found: dict[str, tuple[str, str]] = {}
    for post in posts:
        text = clean(post.text)
        if len(text) >= 10:
            found.setdefault(fold(text)[:40], (post.id, text))
    return dict(list(found.values())[:most])


def clean(text: str, longest: int = LONGEST) -> str:
    """One line of plain text: no links, no account names, no control or direction marks, cut at a word with ``…``."""
    bare = _NAMED.sub("@…", _RETWEET.sub("", _LINK.sub("", text)))
    visible = "".join(one if unicodedata.category(one)[0] not in "CZ" else _blank(one) for one in bare)
    line = " ".join(visible.split())
    return line if len(line) <= longest else cut(line, longest)


def cut(text: str, longest: int) -> str:
    """``text`` in at most ``longest`` characters, cut after a word, with ``…`` where something is missing."""
    if len(text) <= longest:
        return text
    short = text[: longest - 1]
    words = short.rsplit(" ", 1)[0]
    return (words if len(words) > longest // 2 else short).rstrip(" ,;:·") + "…"


def _blank(one: str) -> str:
    return "" if unicodedata.category(one) in ("Cf", "Cs", "Co", "Cn") else " "
