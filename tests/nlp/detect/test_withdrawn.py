"""What detection does when posts are taken back at their source, erased by age, or read anew without what was apart."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from store import annotations, changes, incidents, posts, withdrawals
from store.records import Annotation, Scored
from store.retention import Ages, erase

LONG = timedelta(days=4000)
FORGOTTEN = 60 * (1 + 6 + 72) + 120
BASIS = "public_order: {legal_basis: article of an invented code, roles: [desk], keep_days: 2}\n"


def opened(street, fire):
    for number, text in enumerate(fire[:4]):
        street.say(text, author=f"author-{number}", why=(f"word-{number}",))
    return street.look()[0].incident.id


def withdraw(street, id, now):
    with street.db.write(durable=True) as conn:
        withdrawals.delete(conn, {id: now}, now, "stream")


def edit(street, id, text, now, **read):
    with street.db.write(durable=True) as conn:
        (post,) = posts.get(conn, [id]).values()
        withdrawals.edit(conn, replace(post, text=text, edited_at=now), now, "stream", version="2")
    street.look()
    with street.db.write() as conn:
        annotations.put(conn, [Annotation(id, "fr", "full", **read)])
    street.look()


@pytest.fixture
def now():
    return datetime.now(UTC)


def test_a_living_incident_counts_what_is_left(street, fire, now):
    name = opened(street, fire)
    withdraw(street, street.said[1], now)
    street.look()
    told = street.incident(name)
    assert (told.posts, told.voices, told.authors_known) == (3, 3, 3)
    assert street.said[1] not in told.evidence
    assert "word-1" not in told.why


def test_an_incident_that_detection_has_let_go_of_counts_what_is_left(street, fire, now):
    name = opened(street, fire)
    street.look(after=FORGOTTEN)
    assert name not in street.memory.cases
    assert street.said[1] in street.incident(name).evidence
    withdraw(street, street.said[1], now)
    street.look(after=FORGOTTEN)
    told = street.incident(name)
    assert (told.state, told.posts, told.voices, told.authors_known) == ("closed", 3, 3, 3)
    assert set(told.evidence) == {street.said[n] for n in (0, 2, 3)}
    assert set(told.why) == {"word-0", "word-2", "word-3"}


def test_where_posts_were_erased_by_age_the_rest_is_bounded(street, fire, now):
    name = opened(street, fire)
    street.look(after=FORGOTTEN)
    with street.db.write() as conn:
        posts.delete(conn, street.said[:2])
    withdraw(street, street.said[2], now)
    street.look(after=FORGOTTEN)
    told = street.incident(name)
    assert (told.posts, told.voices, told.evidence) == (3, 3, (street.said[3],))


def test_every_post_of_a_past_incident_can_go(street, fire, now):
    name = opened(street, fire)
    street.look(after=FORGOTTEN)
    for id in street.said:
        withdraw(street, id, now)
    street.look(after=FORGOTTEN)
    told = street.incident(name)
    assert (told.posts, told.voices, told.evidence, told.why) == (0, 0, (), ())


@pytest.mark.parametrize("after", [0.0, FORGOTTEN])
def test_no_step_and_no_decision_holds_words_of_posts(street, fire, after):
    name = opened(street, fire)
    street.look(after=after)
    assert all(event.incident.why == () for event in street.events() if event.incident.id == name)


def test_an_edited_post_that_still_tells_stays_with_its_incident(street, fire, now):
    name = opened(street, fire)
    tags = {"emerging_incident": 0.9}
    edit(
        street,
        street.said[1],
        fire[5],
        now,
        about=0.9,
        relevance=0.9,
        tags=tags,
        hazard=Scored("fire", 0.9),
        why=("x",),
    )
    told = street.incident(name)
    assert (told.posts, street.linked()[street.said[1]]) == (4, name)
    assert {"word-1", "x"} & set(told.why) == {"x"}


def test_an_edited_post_that_tells_no_more_leaves_its_incident(street, fire, now):
    name = opened(street, fire)
    edit(street, street.said[1], "Bon café", now, about=0.1, relevance=0.1, tags={})
    told = street.incident(name)
    assert (told.posts, told.voices) == (3, 3)
    assert street.said[1] not in street.linked()


def test_posts_erased_by_age_leave_their_figures_in_a_past_incident_and_nothing_else(street, fire, now):
    name = opened(street, fire)
    street.look(after=FORGOTTEN)
    with street.db.read() as conn:
        (last,) = posts.get(conn, [street.said[-1]]).values()
    erase(street.db, last.received_at + timedelta(days=2), Ages(timedelta(days=1), LONG, LONG, LONG, LONG))
    street.look(after=FORGOTTEN)
    told = street.incident(name)
    assert (told.posts, told.voices, told.evidence, told.why) == (4, 4, (), ())


def test_a_threat_is_forgotten_by_a_living_incident_after_its_days(new_street):
    street = new_street(BASIS)
    for number in range(3):
        street.say(
            f"Rendez-vous à {20 + number}h pour piller le magasin de la rue {number}, Cholet",
            author=f"author-{number}",
            tags={"public_order_threat": 0.9, "emerging_incident": 0.9},
            labels=("public_order_threat", "emerging_incident"),
        )
    (event,) = street.look()
    name = event.incident.id
    assert "public_order_threat" in street.incident(name).tags
    with street.db.read() as conn:
        (last,) = posts.get(conn, [street.said[-1]]).values()
    erase(street.db, last.received_at + timedelta(days=3), Ages(LONG, LONG, timedelta(days=2), LONG, LONG))
    street.look()
    assert street.incident(name).tags == ("emerging_incident",)
    assert street.incident(name).posts == 3
    assert set(street.linked().values()) == {name}
    with street.db.read() as conn:
        rows = [*conn.exec_driver_sql("SELECT payload FROM incident_events").scalars()]
        rows += conn.exec_driver_sql("SELECT value FROM state").scalars()
    assert not any("public_order_threat" in row for row in rows)


def test_detection_goes_on_after_the_change_log_was_shortened(street, fire, now):
    name = opened(street, fire)
    readers = {"detect": ("annotations", "withdrawals")}
    for days in (0, 3):
        changes.shorten(street.db, now + timedelta(days=days), timedelta(days=1), readers)
    with street.db.read() as conn:
        assert changes.oldest(conn) > 1
    street.say(fire[4], author="late", why=("late",))
    street.look(restart=True)
    assert street.incident(name).posts == 5
    with street.db.read() as conn:
        assert incidents.incident_of(conn, street.said).keys() == set(street.said)
