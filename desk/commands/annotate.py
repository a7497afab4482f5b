"""``vigie annotate``: what Vigie understands of each post of a file or a pipe."""

from __future__ import annotations

import io
import os
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import cache, partial
from itertools import count
from pathlib import Path
from typing import IO, BinaryIO

import click

from nlp.annotate import Annotator, Depth
from nlp.context import Context
from nlp.wire import LONGEST, Answer, answer

BATCH = 512
CHUNK = 1 << 20
Work = Callable[[list[bytes]], list[Answer]]


@click.command()
@click.argument("source", metavar="[IN]", type=click.File("rb"), default="-")
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    type=click.Path(dir_okay=False, writable=True, allow_dash=True),
    default="-",
    help="File to write; standard output without it.",
)
@click.option(
    "--depth", type=click.Choice(["fast", "full"]), default="full", show_default=True, help="How deeply to read."
)
@click.option(
    "--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes to share the work."
)
@click.option(
    "--hot",
    metavar="NAME",
    multiple=True,
    help="A place or hashtag of what is going on: posts that give it are likelier to be about it. Repeat for more.",
)
@click.option("--json", "_json", is_flag=True, help="Accepted for symmetry: the output is always JSON lines.")
def command(source: BinaryIO, output: str, depth: Depth, workers: int, hot: tuple[str, ...], _json: bool) -> None:
    """Annotate posts: JSON lines in (id, text; optional created_at, lang, author, geo), one JSON line a post out.

    A bad line is told on standard error, keeps its place as {"id": …, "error": …}, and makes the exit status 1.

    Example: echo '{"id": "1", "text": "Explosion à Cholet, fumée noire"}' | vigie annotate
    """
    if _same(source, output):
        raise click.ClickException(f"{output} is the file to read: give another one to write")
    with click.open_file(output, "wb") as out:
        bad = _annotate(source, out, partial(_work, depth=depth, context=Context(hot=frozenset(hot))), workers)
    if bad:
        sys.exit(1)


def _same(source: BinaryIO, output: str) -> bool:
    """Whether the file to write is the one that is read."""
    try:
        return Path(output).is_file() and os.path.samestat(os.stat(output), os.fstat(source.fileno()))
    except io.UnsupportedOperation:
        return False


def _annotate(source: BinaryIO, out: IO[bytes], work: Work, workers: int) -> int:
    """Writes a line for each line; returns how many were bad."""
    bad, done, numbers = 0, 0, count(1)
    for answers in _answers(_batches(source), work, workers):
        for one, number in zip(answers, numbers, strict=False):
            if one.error is not None:
                bad += 1
                click.echo(f"line {number}: {one.error}", err=True)
        done += len(answers)
        out.write(b"".join(one.json + b"\n" for one in answers))
        out.flush()
        _progress(done)
    return bad


def _batches(source: BinaryIO) -> Iterator[list[bytes]]:
    """Lines in batches of at most ``BATCH``; whatever a slow writer has sent so far is a batch.

    What no reader takes of a line that is too long is not kept.
    """
    read = getattr(source, "read1", source.read)
    rest = b""
    while chunk := read(CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        rest = rest[: LONGEST + 1]
        for start in range(0, len(lines), BATCH):
            yield lines[start : start + BATCH]
    if rest:
        yield [rest]


def _answers(batches: Iterable[list[bytes]], work: Work, workers: int) -> Iterator[list[Answer]]:
    if workers == 1:
        yield from map(work, batches)
        return
    waiting: deque[Future[list[Answer]]] = deque()
    with ProcessPoolExecutor(workers) as pool:
        for lines in batches:
            waiting.append(pool.submit(work, lines))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@cache
def _annotator() -> Annotator:
    return Annotator()


def _work(lines: list[bytes], depth: Depth, context: Context) -> list[Answer]:
    return answer(lines, _annotator(), depth, context=context)


def _progress(done: int) -> None:
    if sys.stderr.isatty() and not os.isatty(1):
        click.echo(f"\r{done:,} posts", err=True, nl=False)
