"""The watchdog's messages: what failed, since when, what to do; sent straight through a channel, past all the rest."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from alerts import directory
from alerts.addressing import route_of
from alerts.channels import Sender
from alerts.errors import ChannelError
from alerts.messages.message import SUBJECT, Message
from alerts.messages.quotes import cut
from alerts.messages.wording import Wording
from config.world import World
from desk.pulse.troubles import KINDS, Trouble
from store import times
from store.records import Delivery, Status

log = logging.getLogger(__name__)

HEADS: Mapping[Status, str] = {"Exercise": "exercise", "Test": "test"}


@dataclass(frozen=True, slots=True)
class News:
    """What is to be told at ``now`` (UTC): ``troubles`` with a ``since`` each; or, where ``over``,
    that they ended. ``number`` counts the messages, so that a receiver can tell a second copy."""

    troubles: Sequence[Trouble]
    now: datetime
    status: Status
    number: int
    over: bool = False

    @property
    def since(self) -> datetime:
        """When the first of them began."""
        return min(one.since or self.now for one in self.troubles)


def tell(
    news: News, world: World, senders: Mapping[str, Sender], contacts: Sequence[str], *, everyone: bool = False
) -> tuple[str, ...]:
    """Send to the first of ``contacts`` whose channel takes it, or to ``everyone``; gives who was reached.

    Contacts whose channel is part of the trouble come last.
    """
    broken = frozenset[str]().union(*(one.channels for one in news.troubles))
    known = [(id, directory.contact(world.bundle, "", id)) for id in contacts]
    reached: list[str] = []
    for id, contact in sorted(known, key=lambda pair: pair[1] is not None and pair[1].channel in broken):
        if contact and _send(news, world, senders, id, contact.channel, contact.language):
            reached.append(id)
            if not everyone:
                break
    return tuple(reached)


def write(news: News, language: str, zone: str, *, to: str = "", id: str = "") -> Message:
    """The message in ``fr`` or ``en``, times on the clock of ``zone``; an exercise says so first."""
    words = Wording(language, zone)
    head = HEADS.get(news.status)
    start = f"{words.say(head)} – " if head else ""
    lines = list(_lines(news.troubles, words))
    what = ", ".join(line for line, _ in lines)
    title = words.say("watchdog.over") if news.over else words.say("watchdog.subject", what=what)
    text = _over(news, words, what) if news.over else _text(news, words, lines)
    subject = start + cut(title, SUBJECT - len(start))
    payload = {
        "id": id,
        "event": "watchdog.over" if news.over else "watchdog",
        "status": news.status,
        "at": times.to_iso(news.now),
        "troubles": [{"code": one.code, "since": times.to_iso(one.since or news.now)} for one in news.troubles],
        "subject": subject,
        "text": start + text,
    }
    return Message(to, subject, start + text, "", news.now, language, urgent=not news.over, payload=payload)


def _send(news: News, world: World, senders: Mapping[str, Sender], id: str, channel: str, language: str) -> bool:
    codes = " ".join(one.code for one in news.troubles)
    digest = hashlib.sha256(f"{codes} {times.to_iso(news.since)} {news.number} {news.over} {id}".encode()).hexdigest()
    delivery = Delivery(f"watchdog-{digest[:16]}", "", "", "update", "", "lead", id, channel, news.now)
    try:
        route = route_of(world, delivery)
        message = write(news, language, world.bundle.time_zone, to=route.address, id=delivery.id)
        settings = {name: value for name, value in route.settings.items() if name != "format"}
        senders[route.kind](delivery, message, settings, route.secrets)
    except (ChannelError, OSError, ValueError) as error:
        log.error("%s could not be told through %s: %s", id, channel, error)
        return False
    log.warning("told %s through %s: %s", id, channel, codes)
    return True


def _text(news: News, words: Wording, lines: Sequence[tuple[str, str]]) -> str:
    since = {"since": words.clock(news.since, news.now), "ago": words.ago(news.since, news.now)}
    first = words.say("watchdog.first", **since)
    every = [f"- {what}" for what, _ in lines]
    return "\n".join([first, *every, words.say("watchdog.do"), *(f"- {do}" for _, do in lines)])


def _over(news: News, words: Wording, what: str) -> str:
    held = {"at": words.clock(news.now, news.now), "ago": words.ago(news.since, news.now)}
    return words.say("watchdog.over.text", what=what, **held)


def _lines(troubles: Iterable[Trouble], words: Wording) -> Iterable[tuple[str, str]]:
    """What failed and what to do, a line for each kind."""
    for kind, some in groupby(sorted(troubles, key=lambda one: KINDS.index(one.kind)), key=lambda one: one.kind):
        alike = list(some)
        stages = kind in ("stopped", "hung", "lag")
        names = [words.say(f"watchdog.stage.{one.name}") if stages else one.name.partition(":")[2] for one in alike]
        holes = {"names": ", ".join(names), "detail": cut("; ".join(one.detail for one in alike), 160)}
        yield words.say(f"watchdog.{kind}", **holes), words.say(f"watchdog.{kind}.do", **holes)
