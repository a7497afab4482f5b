from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import orjson

from desk.web.events import LIMIT, Watcher
from store import changes, withdrawals


def latest(desk) -> int:
    with desk.db.read() as conn:
        return changes.latest(conn)


async def first(stream: AsyncIterator[bytes], count: int) -> list[bytes]:
    found = [await asyncio.wait_for(anext(stream), 5) for _ in range(count)]
    await stream.aclose()
    return found


def data(event: bytes) -> dict:
    line = next(line for line in event.splitlines() if line.startswith(b"data: "))
    return orjson.loads(line[6:])


def watched(desk, after, act, count=2, **settings):
    async def run() -> list[bytes]:
        watcher = Watcher(desk.db, interval=0.01, **settings)
        polling = asyncio.create_task(watcher.run())
        stream = watcher.follow(after)
        start = await anext(stream)
        await asyncio.sleep(0.05)
        await asyncio.to_thread(act)
        rest = await first(stream, count - 1)
        polling.cancel()
        return [start, *rest]

    return asyncio.run(run())


def test_a_new_incident_is_told_with_its_id(desk):
    events = watched(desk, None, lambda: desk.incident("inc-9"))
    assert data(events[1]) == {"tables": ["incidents"], "incidents": ["inc-9"], "all": False}


def test_an_event_carries_its_place_in_the_change_log(desk):
    events = watched(desk, None, lambda: desk.incident("inc-9"))
    assert f"id: {latest(desk)}\n".encode() in events[1]


def test_a_page_that_was_away_is_told_what_it_missed(desk):
    before = latest(desk)
    desk.incident("inc-9")
    events = watched(desk, before, lambda: None, count=1)
    assert data(events[0])["incidents"] == ["inc-9"]


def test_a_page_that_missed_too_much_is_told_to_take_all(desk):
    before = latest(desk)
    for number in range(LIMIT):
        desk.incident(f"inc-{number}")
    assert data(watched(desk, before, lambda: None, count=1)[0])["all"] is True


def test_a_page_is_told_when_a_source_takes_a_post_back(desk):
    desk.post("x:1", "rien")

    def withdraw():
        with desk.db.write(durable=True) as conn:
            withdrawals.delete(conn, {"x:1": desk.now}, desk.now, "stream")

    assert data(watched(desk, None, withdraw)[1])["tables"] == ["withdrawals"]


def test_a_page_that_was_away_longer_than_the_log_goes_back_takes_all(desk):
    for number in range(9):
        desk.incident(f"inc-{number}")
    for days in (0, 9):
        changes.shorten(desk.db, desk.now + timedelta(days=days), timedelta(days=7), {})
    assert data(watched(desk, 3, lambda: None, count=1)[0])["all"] is True


def test_posts_alone_wake_no_page(desk):
    events = watched(desk, None, lambda: desk.post("x:1", "rien"), beat=0.3)
    assert events[1].startswith(b"event: beat")


def test_silence_is_broken_by_a_sign_of_life(desk):
    assert watched(desk, None, lambda: None, beat=0.05)[1].startswith(b"event: beat")


def test_a_number_from_another_store_is_not_waited_for(desk):
    events = watched(desk, 10**9, lambda: desk.incident("inc-9"))
    assert data(events[1])["incidents"] == ["inc-9"]


def test_a_page_that_left_is_forgotten(desk):
    async def run() -> int:
        watcher = Watcher(desk.db)
        await first(watcher.follow(None), 1)
        return watcher.followers

    assert asyncio.run(run()) == 0


def test_too_many_open_pages_are_refused(desk):
    desk.app.state.watcher.followers = 64
    assert desk.client.get("/events").status_code == 503


def test_health_tells_the_sources_apart_from_the_page(desk):
    desk.source("x-stream")
    answer = desk.client.get("/healthz").json()
    assert (answer["ok"], answer["hearing"], answer["stopped"]) == (True, "hearing", [])
