"""Posts as evidence: text made safe to show, the words that decided marked, a link to the platform."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from config.text import fold, folded_with_offsets
from store.records import Annotation, Post
from store.search.request import Mark

LONGEST, BEFORE = 1200, 200
UNSHOWABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufff9-\ufffb]")


@dataclass(frozen=True, slots=True)
class Evidence:
    """One post ready for the page: ``parts`` are its text in pieces, True where a word is marked."""

    post: Post
    annotation: Annotation | None
    parts: tuple[tuple[str, bool], ...]
    cut: bool
    link: str | None
    incident: str | None = None


def evidence(
    post: Post, annotation: Annotation | None, marks: Sequence[Mark] = (), incident: str | None = None
) -> Evidence:
    """``post`` with its understanding, ready to show. The words that decided are marked, or where ``marks`` are given
    these, and the text is shown from shortly before the first of them."""
    text = readable(post.text)
    if marks:
        parts, cut = found(post.text, marks)
    else:
        parts, cut = marked(text[:LONGEST], annotation.why if annotation else ()), len(text) > LONGEST
    return Evidence(post, annotation, tuple(parts), cut, link(post), incident)


def readable(text: str) -> str:
    """``text`` without what no screen can show: NUL, controls and lone surrogates become U+FFFD."""
    return UNSHOWABLE.sub("\ufffd", text).strip()


def found(text: str, marks: Sequence[Mark]) -> tuple[list[tuple[str, bool]], bool]:
    """``text`` cut into (piece, is marked) pairs, and whether some of it is left out at the end.

    ``marks`` count the code points of the text as it is stored; of a long one that part is shown where they begin."""
    shown = UNSHOWABLE.sub("\ufffd", text)
    begin, end = len(shown) - len(shown.lstrip()), len(shown.rstrip())
    if marks[0].start - begin > LONGEST - BEFORE:
        begin = marks[0].start - BEFORE
    last = min(end, begin + LONGEST)
    pieces, done = [("… " if shown[:begin].strip() else "", False)], begin
    for mark in marks:
        start, stop = max(done, mark.start), min(last, mark.end)
        if start < stop:
            pieces += [(shown[done:start], False), (shown[start:stop], True)]
            done = stop
    pieces.append((shown[done:last], False))
    return [piece for piece in pieces if piece[0]], last < end


def marked(text: str, terms: Iterable[str]) -> list[tuple[str, bool]]:
    """``text`` cut into (piece, is one of ``terms``) pairs; accents and case do not matter."""
    folded, offsets = folded_with_offsets(text)
    wanted = sorted({fold(term) for term in terms if term.strip()}, key=len, reverse=True)
    if not wanted:
        return [(text, False)] if text else []
    pieces: list[tuple[str, bool]] = []
    done = 0
    for hit in re.finditer(rf"(?<!\w)(?:{'|'.join(map(re.escape, wanted))})(?!\w)", folded):
        start, end = offsets[hit.start()], offsets[hit.end() - 1] + 1
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
