"""Posts as evidence: text made safe to show, the words that decided marked, a link to the platform."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from config.text import fold, folded_with_offsets
from store.records import Annotation, Post

LONGEST = 1200
UNSHOWABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufff9-\ufffb]")


@dataclass(frozen=True, slots=True)
class Evidence:
    """One post ready for the page: ``parts`` are its text in pieces, True where a ``why`` term is."""

    post: Post
    annotation: Annotation | None
    parts: tuple[tuple[str, bool], ...]
    cut: bool
    link: str | None


def evidence(post: Post, annotation: Annotation | None, sought: Collection[str] = ()) -> Evidence:
    """``post`` with its understanding, ready to show; words that begin with one ``sought`` are marked instead."""
    text = readable(post.text)
    shown = text[:LONGEST]
    parts = marked(shown, sought, beginnings=True) if sought else marked(shown, annotation.why if annotation else ())
    return Evidence(post, annotation, tuple(parts), len(text) > LONGEST, link(post))


def readable(text: str) -> str:
    """``text`` without what no screen can show: NUL, controls and lone surrogates become U+FFFD."""
    return UNSHOWABLE.sub("\ufffd", text).strip()


def marked(text: str, terms: Iterable[str], *, beginnings: bool = False) -> list[tuple[str, bool]]:
    """``text`` cut into (piece, is one of ``terms``) pairs; accents and case do not matter.

    With ``beginnings`` a word that begins with a term is marked whole.
    """
    folded, offsets = folded_with_offsets(text)
    wanted = sorted({fold(term) for term in terms if term.strip()}, key=len, reverse=True)
    if not wanted:
        return [(text, False)] if text else []
    pieces: list[tuple[str, bool]] = []
    done = 0
    end_of_word = r"\w*" if beginnings else r"(?!\w)"
    for found in re.finditer(rf"(?<!\w)(?:{'|'.join(map(re.escape, wanted))}){end_of_word}", folded):
        start, end = offsets[found.start()], offsets[found.end() - 1] + 1
        if start < done:
            continue
        pieces += [(text[done:start], False), (text[start:end], True)]
        done = end
    pieces.append((text[done:], False))
    return [piece for piece in pieces if piece[0]]


def link(post: Post) -> str | None:
    """Where the platform shows this post, for platforms whose addresses are known; a drill's posts are nowhere."""
    if post.status == "Actual" and post.platform == "x" and post.native_id.isascii() and post.native_id.isdigit():
        return f"https://x.com/i/web/status/{post.native_id}"
    return None
