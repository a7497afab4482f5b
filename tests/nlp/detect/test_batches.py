"""Batch size and restarts change nothing."""

import random

import pytest

from store import incidents, state
from store.records import Quantity, Scored


def a_day(street, fire, saumur):
    """A fire, a flood elsewhere, ordinary noise, deletions and a quiet night, drawn with a fixed seed."""
    draw = random.Random(7)
    for step in range(160):
        kind = draw.choice(("fire", "flood", "noise", "sad"))
        author = draw.choice((None, f"author-{draw.randrange(60)}"))
        if kind == "fire":
            deaths = (Quantity("dead", "exactly", 3.0, 0, 1),) if draw.random() < 0.2 else ()
            street.say(f"{draw.choice(fire)} {draw.randrange(9)}", author=author, quantities=deaths)
        elif kind == "flood":
            text = f"La Loire monte à Saumur, {draw.randrange(50)} caves inondées quai {draw.randrange(9)}"
            street.say(text, author=author, hazard=Scored("flood", draw.random()), locations=(saumur,))
        elif kind == "noise":
            street.say(
                f"Café numéro {step}, belle journée",
                author=author,
                about=0.02,
                relevance=0.01,
                hazard=None,
                locations=(),
            )
        else:
            street.say(f"Courage à Cholet {step}", author=author, relevance=0.1, tags={})
        if draw.random() < 0.05:
            street.minute += 900
        if draw.random() < 0.05:
            street.forget(draw.choice(street.said))


def outcome(street):
    events = street.look(after=60 * 24 * 10)
    with street.db.read() as conn:
        left = state.get(conn, "detect")
        return events, incidents.recent(conn, 100), street.linked(), left


@pytest.mark.parametrize(("limit", "restart"), [(1, False), (7, False), (500, False), (7, True)])
def test_incidents_do_not_depend_on_batch_size_or_restarts(new_street, fire, saumur, limit, restart):
    reference, street = new_street(), new_street()
    for each in (reference, street):
        a_day(each, fire, saumur)
    street.look(limit=limit, restart=restart)
    reference.look(limit=60)
    expected = outcome(reference)
    assert len({event.incident.id for event in expected[0]}) >= 2
    assert outcome(street) == expected


def test_nothing_new_writes_nothing(street, fire):
    for number, text in enumerate(fire):
        street.say(text, author=f"author-{number}")
    street.look()
    with street.db.read() as conn:
        before = state.get(conn, "detect")
    events = street.look()
    with street.db.read() as conn:
        assert state.get(conn, "detect") == before
    assert events == street.events()


def test_a_batch_that_fails_leaves_no_trace(street, fire, monkeypatch):
    for number, text in enumerate(fire[:3]):
        street.say(text, author=f"author-{number}")
    with monkeypatch.context() as broken:
        broken.setattr(incidents, "add_events", lambda conn, events: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            street.look()
    assert street.events() == []
    assert [event.event for event in street.look()] == ["new"]


def test_memory_holds_nothing_of_posts_that_speak_of_no_situation(street):
    street.say("Café en terrasse à Angers", about=0.1, relevance=0.05)
    street.look()
    with street.db.read() as conn:
        assert [key for key in state.get(conn, "detect") if key.startswith("m:")] == []


def test_no_incident_closes_while_a_post_of_its_time_waits_to_be_annotated(street, fire):
    for number, text in enumerate(fire):
        street.say(text, author=f"author-{number}")
    street.look()
    unread = street.say("Toujours en feu à Cholet", author="late-reader", at=40, wait=True)
    assert [event.event for event in street.look(after=60 * 24)][-1] != "closed"
    street.annotate(unread)
    assert [event.event for event in street.look(after=60 * 24)][-1] == "closed"
    assert unread in street.linked()
