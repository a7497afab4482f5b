"""What is kept, under which name, and with what status."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from config.world import World
from listeners import health, pacing
from listeners.authors import PERIOD, AuthorKeys
from listeners.collect import collect, departement_of, to_post
from listeners.hand import NotUsable, entered
from listeners.incoming import Gone, Incoming
from store import hourly, leases, posts, sources
from store.database import Database, LeaseLost
from store.records import Geo, Status

KEY = AuthorKeys.of_bytes(b"test")
NOON = datetime(2031, 5, 4, 12, tzinfo=UTC)
FIRE = Incoming("x", "1", "Incendie à Cholet", NOON, "fr", author_id="4242")


def kept(db: Database) -> int:
    with db.read() as conn:
        return conn.exec_driver_sql("SELECT count(*) FROM posts").scalar_one()


def test_what_no_filter_wants_is_not_stored_but_counted(db: Database, world: World) -> None:
    came = [FIRE, replace(FIRE, native_id="2", text="Un café à Cholet ?")]
    done = collect(db, world, came, source="s", clock=lambda: NOON, key=KEY)
    assert (done.received, done.kept, kept(db)) == (2, 1, 1)
    with db.read() as conn:
        (known,) = sources.all(conn)
    assert (known.received, known.kept, known.last_post_at) == (2, 1, NOON)


def test_a_duplicate_is_kept_once(db: Database, world: World) -> None:
    assert collect(db, world, [FIRE, FIRE], source="s", clock=lambda: NOON, key=KEY).kept == 1
    assert collect(db, world, [FIRE], source="s", clock=lambda: NOON, key=KEY).kept == 0


def test_a_bundle_that_keeps_all_keeps_all(db: Database) -> None:
    yaml = (
        "name: {fr: a, en: b}\ndefault_lead: p\npolicy: keep_all\nagencies: [{id: p, name: {fr: a, en: b}, kind: city}]"
    )
    everything = World.from_files("v", {"b.yaml": yaml})
    came = [replace(FIRE, text="Un café ?")]
    assert collect(db, everything, came, source="s", clock=lambda: NOON, key=KEY).kept == 1


def test_many_posts_are_all_kept(db: Database, world: World) -> None:
    came = (replace(FIRE, native_id=str(number)) for number in range(1234))
    assert collect(db, world, came, source="s", clock=lambda: NOON, key=KEY).kept == 1234 == kept(db)


def test_posts_are_in_the_store_before_a_slow_source_ends(db: Database, world: World) -> None:
    def slow() -> Iterator[Incoming]:
        yield FIRE
        time.sleep(0.06)
        yield replace(FIRE, native_id="2")
        assert kept(db) == 2
        yield replace(FIRE, native_id="3")

    assert collect(db, world, slow(), source="s", clock=lambda: NOON, key=KEY).kept == 3


def test_a_holder_that_lost_its_lease_keeps_nothing(db: Database, world: World) -> None:
    old = leases.acquire(db, "collect", "ann", NOON, ttl=timedelta(seconds=1))
    assert old
    leases.acquire(db, "collect", "bob", NOON + timedelta(seconds=5))
    with pytest.raises(LeaseLost):
        collect(db, world, [FIRE], source="s", clock=lambda: NOON, key=KEY, lease=old)
    assert kept(db) == 0


@pytest.mark.parametrize(
    ("post", "caller", "status"),
    [
        (None, "Actual", "Actual"),
        (None, "Exercise", "Exercise"),
        ("Exercise", "Actual", "Exercise"),
        ("Test", "Exercise", "Test"),
        ("Actual", "Exercise", "Exercise"),
    ],
)
def test_what_is_not_real_is_never_taken_for_real(
    post: Status | None, caller: Status, status: Status, world: World
) -> None:
    made = to_post(replace(FIRE, status=post), world, "s", KEY, NOON, status=caller)
    assert made
    assert made.status == status


def test_an_author_is_only_ever_a_keyed_hash(world: World) -> None:
    made = to_post(FIRE, world, "s", KEY, NOON)
    assert made
    assert made.author == KEY.pseudonym("x", "4242", NOON)
    assert "4242" not in repr(made)
    assert made.trusted


def test_a_post_without_an_author_has_none(world: World) -> None:
    made = to_post(replace(FIRE, author_id=None), world, "s", KEY, NOON)
    assert made
    assert (made.author, made.trusted) == (None, False)


def test_an_author_is_recognised_under_this_key_and_the_last(tmp_path: Path) -> None:
    keys = AuthorKeys.of_home(tmp_path)
    before = keys.pseudonym("x", "1", NOON - PERIOD)
    now, last = keys.candidates("x", "1", NOON)
    assert now == keys.pseudonym("x", "1", NOON)
    assert last == before != now
    assert AuthorKeys.of_home(tmp_path).pseudonym("x", "1", NOON) == now
    assert len({now, keys.pseudonym("y", "1", NOON), keys.pseudonym("x", "2", NOON)}) == 3


@pytest.mark.parametrize(
    ("said", "departement"),
    [
        ("Angers, France", "49"),
        ("Maine-et-Loire", "49"),
        ("49 - Cholet", "49"),
        ("Paris | Le Havre", "75"),
        ("quelque part", None),
        ("", None),
        ("🌍", None),
        ("a" * 100_000, None),
        ("\ud800", None),
    ],
)
def test_an_accounts_location_becomes_a_departement_and_nothing_more(said: str, departement: str | None) -> None:
    assert departement_of(said) == departement


def test_a_state_says_since_when_and_counts_stay(db: Database) -> None:
    later = NOON + timedelta(minutes=5)
    with db.write() as conn:
        health.count(conn, "s", 3, 2, NOON, NOON)
        health.set_state(conn, "s", "off", "no credential", NOON)
        health.set_state(conn, "s", "off", "no credential", later)
        health.count(conn, "s", 1, 1, NOON, later)
        (known,) = sources.all(conn)
    assert (known.state, known.since, known.received, known.kept) == ("off", NOON, 4, 3)


def test_a_report_by_hand_is_kept_although_no_filter_wants_it(db: Database, world: World) -> None:
    post = entered("Odeur étrange près du gymnase", now=NOON, place="Cholet", author="Mme Roy")
    for _ in range(2):
        collect(db, world, [post], source="hand", clock=lambda: NOON, key=KEY)
    with db.read() as conn:
        (made,) = posts.get(conn, [f"hand:{post.native_id}"]).values()
    assert kept(db) == 1
    assert made.geo is not None
    assert made.geo.place == "Cholet"
    assert "Roy" not in repr(made)


def test_one_person_is_one_voice_however_the_name_is_written() -> None:
    first, second = (entered("feu", now=NOON, author=name) for name in ("Mme ROY ", "mme roy"))
    assert first.author_id == second.author_id


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"text": "  "}, "empty"),
        ({"text": "🔥🔥"}, "empty"),
        ({"text": "a" * 30_000}, "30,000 characters"),
        ({"at": NOON + timedelta(hours=1)}, "in the future"),
        ({"at": NOON - timedelta(days=8)}, "too old"),
        ({"place": "Trifouillis-sur-Rien"}, "knows no"),
        ({"place": "Sainte-Colombe"}, "several places"),
        ({"lat": 47.0}, "give both"),
        ({"lat": 147.0, "lon": 0.0}, "latitude goes"),
        ({"author": "a" * 300}, "200 characters"),
    ],
)
def test_what_cannot_be_a_report_says_why(more: dict[str, object], says: str) -> None:
    with pytest.raises(NotUsable, match=says):
        entered(**({"text": "Fumée", "now": NOON} | more))  # type: ignore[arg-type]


def test_a_position_comes_before_the_gazetteer() -> None:
    assert entered("feu", now=NOON, place="la grange", lat=47.0, lon=-0.9).geo == Geo(47.0, -0.9, None, "la grange")


def test_connects_never_pass_the_limit_whatever_breaks() -> None:
    history: list[datetime] = []
    now = NOON
    while now < NOON + timedelta(minutes=60):
        if pause := pacing.wait(history, now):
            now += pause
            continue
        history.append(now)
        now += timedelta(milliseconds=1)
    for moment in history:
        assert len([one for one in history if moment <= one < moment + pacing.WINDOW]) <= pacing.AT_MOST
    longest = max(later - earlier for earlier, later in pairwise(history))
    assert longest < timedelta(minutes=2)


def test_waits_grow_and_are_drawn() -> None:
    backoff = pacing.Backoff(Random(1))
    http = [backoff.http().total_seconds() for _ in range(9)]
    assert 2.5 <= http[0] <= 5
    assert 160 <= http[-1] <= 320
    backoff.reset()
    assert backoff.network() <= timedelta(seconds=0.25)
    assert all(pacing.Backoff(Random(2), 500).network() <= timedelta(seconds=16) for _ in range(20))


def test_posts_are_counted_by_the_hour_for_their_source_and_for_the_filters_that_sought_and_kept_them(
    db: Database, world: World
) -> None:
    sought = replace(FIRE, sought=("fire", "flood"))
    came = [sought, sought, replace(sought, native_id="2", text="Un café à Cholet ?", sought=("flood",))]
    for _ in range(2):
        collect(db, world, came, source="s", clock=lambda: NOON, key=KEY)
    with db.read() as conn:
        hours = {
            name: (hour.received, hour.kept)
            for name, hour in hourly.totals(conn, "", NOON, NOON + timedelta(hours=1)).items()
        }
    assert hours == {"source:s": (6, 1), "filter:fire": (4, 1), "filter:flood": (6, 0)}


def test_a_notice_of_a_deletion_is_no_post(db: Database, world: World) -> None:
    done = collect(db, world, [Gone("x", "9", NOON), FIRE], source="s", clock=lambda: NOON, key=KEY)
    assert (done.received, done.kept) == (1, 1)
