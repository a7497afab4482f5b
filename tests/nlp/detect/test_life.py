"""The life of an incident: what is told again, and when it ends."""

from dataclasses import replace
from datetime import timedelta

from store.records import Quantity, Scored

RIVER = (
    "La Moine déborde à Cholet, le parking est sous l'eau",
    "Cholet : l'eau de la Moine entre dans les caves",
    "Crue de la Moine à Cholet, route coupée",
    "Un mort emporté par la Moine à Cholet",
    "La crue de la Moine a tué quelqu'un, Cholet",
)


def opened(street, fire):
    for number, text in enumerate(fire[:3]):
        street.say(text, author=f"author-{number}")
    return street.look()[0]


def dead(value, start=0):
    return (Quantity("dead", "exactly", value, start, start + 1),)


def test_more_of_the_same_tells_nobody(street, fire):
    opened(street, fire)
    for number, text in enumerate(fire[3:7]):
        street.say(text, author=f"author-{number + 3}")
    assert [event.event for event in street.look()] == ["new"]


def test_three_times_the_voices_is_news(street, fire):
    opened(street, fire)
    for number, text in enumerate(fire[3:9]):
        street.say(text, author=f"author-{number + 3}")
    assert street.look()[-1].reason == ("voices 3 to 9",)


def test_victims_weigh_once_two_voices_count_them(street, fire):
    opened(street, fire)
    street.say("Deux morts dans l'entrepôt de Cholet", author="one", quantities=dead(2))
    assert len(street.look()) == 1
    street.say("L'incendie de Cholet a fait deux victimes, dit un voisin", author="two", quantities=dead(2))
    update = street.look()[-1]
    assert (update.event, update.incident.severity) == ("update", "Severe")
    assert "severity: dead 2" in update.reason


def test_severity_never_falls_by_itself(street, fire):
    first = opened(street, fire)
    street.say("Deux morts dans l'entrepôt de Cholet", author="one", quantities=dead(2))
    street.say("L'incendie de Cholet a fait deux victimes, dit un voisin", author="two", quantities=dead(2))
    street.look()
    for number, text in enumerate(fire[3:]):
        street.say(text, author=f"author-{number + 3}")
    street.look()
    assert street.incident(first.incident.id).severity == "Severe"


def test_a_place_that_is_found_later_is_told(street, fire):
    for number, text in enumerate(fire[:3]):
        street.say(text.replace("Cholet", "la ville"), author=f"author-{number}", locations=())
    assert street.look() == []
    for number, text in enumerate(
        (
            "L'entrepôt brûle, flammes énormes",
            "Flammes énormes, l'entrepôt brûle encore",
            "Quel entrepôt brûle ? Flammes énormes ici",
        )
    ):
        street.say(text, author=f"nowhere-{number}", locations=())
    assert street.look()[0].incident.place is None
    street.say("Cet entrepôt qui brûle avec des flammes énormes est à Cholet", author="local")
    street.say("Entrepôt en flammes énormes : Cholet", author="neighbour")
    update = street.look()[-1]
    assert update.reason == ("place unknown to Cholet",)
    assert update.incident.place.insee == "49099"


def test_places_that_disagree_give_no_place(street, saumur):
    said = (
        "Grosse explosion entendue vers le pont",
        "Explosion entendue, les vitres tremblent près du pont",
        "C'était quoi cette grosse explosion près du pont",
    )
    here = replace(saumur, confidence=0.4)
    far = replace(here, text="Nice", name="Nice", lat=43.7, lon=7.26, departement="06", insee="06088")
    for number, (text, location) in enumerate(zip(said, ((here,), (far,), ()), strict=True)):
        street.say(text, author=f"author-{number}", hazard=Scored("explosion", 0.9), locations=location)
    assert [event.incident.place for event in street.look()] == [None]


def test_two_fires_in_two_towns_are_two_incidents(street, fire, saumur):
    for number, text in enumerate(fire[:4]):
        street.say(text, author=f"here-{number}")
        street.say(
            f"Saumur, feu de cave rue {number} du château, évacuation {number}",
            author=f"there-{number}",
            locations=(saumur,),
        )
    opened = [event for event in street.look() if event.event == "new"]
    assert {event.incident.place.name for event in opened} == {"Cholet", "Saumur"}


def test_related_hazards_at_one_place_are_one_incident(street, fire):
    opened(street, fire)
    for number in range(5):
        street.say(
            f"Énorme boum {number} sur la zone, Cholet secoué", author=f"boum-{number}", hazard=Scored("explosion", 0.8)
        )
    assert {event.incident.id for event in street.look()} == {street.events()[0].incident.id}


def test_timers_are_stamped_when_they_fall_due(street, fire):
    first = opened(street, fire)
    events = street.look(after=60 * 24 * 30)
    assert [event.event for event in events] == ["new", "closed"]
    assert events[1].at - first.at == timedelta(minutes=60 + 6 * 60)
    assert street.incident(first.incident.id).state == "closed"


def test_silence_is_watched_before_it_closes(street, fire):
    first = opened(street, fire)
    street.look(after=63)
    assert street.incident(first.incident.id).state == "watching"
    street.say(fire[3], author="late witness", at=70)
    street.look()
    assert street.incident(first.incident.id).state == "open"


def test_a_closed_incident_that_starts_again_is_reopened(street, fire):
    first = opened(street, fire)
    street.look(after=600)
    for number, text in enumerate(fire[3:6]):
        street.say(text, author=f"again-{number}", at=700.0 + number)
    again = street.look()[-1]
    assert (again.event, again.incident.id, again.reason[0]) == ("update", first.incident.id, "reopened")
    assert again.incident.state == "open"


def test_what_is_found_late_is_marked_late(street, fire):
    street.late = timedelta(minutes=11)
    assert opened(street, fire).incident.late


def test_what_is_found_in_time_is_not_late(street, fire):
    street.late = timedelta(minutes=7)
    assert not opened(street, fire).incident.late


def test_back_filled_posts_enrich_what_is_open(street, fire):
    first = opened(street, fire)
    early = street.say(
        fire[4],
        author="early",
        post={"created_at": first.incident.first_post_at - timedelta(minutes=20), "backfilled": True},
    )
    street.look()
    assert street.linked()[early] == first.incident.id
    assert street.incident(first.incident.id).first_post_at < first.incident.first_post_at


def test_a_deleted_post_is_counted_no_more(street, fire):
    first = opened(street, fire)
    street.forget(street.said[0])
    street.look()
    held = street.incident(first.incident.id)
    assert (held.posts, held.voices) == (2, 2)
    assert street.said[0] not in held.evidence


def test_a_post_deleted_before_the_gate_opens_is_no_voice(street, fire):
    for number, text in enumerate(fire[:2]):
        street.say(text, author=f"author-{number}")
    street.look()
    street.forget(street.said[0])
    street.say(fire[2], author="author-2")
    assert street.look() == []


def test_a_hazard_that_most_voices_deny_is_told_as_unlikely(street, fire):
    opened(street, fire)
    said = (
        "Non, l'entrepôt de Cholet ne brûle pas",
        "Cholet, entrepôt intact, j'en viens",
        "Faux pour l'entrepôt",
        "Rien à Cholet",
    )
    for number, text in enumerate(said):
        street.say(
            text,
            author=f"no-{number}",
            refuted=True,
        )
    assert street.look()[-1].incident.certainty == "Unlikely"


def test_an_operation_under_way_makes_it_known(new_street, operation):
    street = new_street(operation)
    for number, text in enumerate(RIVER[:3]):
        street.say(
            text,
            author=f"author-{number}",
            hazard=Scored("flood", 0.9),
        )
    (event,) = street.look()
    assert (event.incident.knowledge, event.incident.operation) == ("known", "flood-watch")


def test_a_known_incident_that_grows_worse_is_a_new_fact(new_street, operation):
    street = new_street(operation)
    for number, text in enumerate(RIVER):
        street.say(
            text,
            author=f"author-{number}",
            hazard=Scored("flood", 0.9),
            quantities=dead(1) if number > 2 else (),
        )
    event = street.look()[-1]
    assert (event.event, event.incident.knowledge) == ("update", "new_fact")


def test_public_order_counts_only_with_a_legal_basis(new_street):
    basis = "public_order: {legal_basis: article of an invented code, roles: [desk], keep_days: 7}\n"
    for extra, expected in (("", set()), (basis, {"emerging_incident", "public_order_threat"})):
        street = new_street(extra)
        for number in range(3):
            street.say(
                f"Rendez-vous à {20 + number}h pour piller le magasin de la rue {number}, Cholet",
                author=f"author-{number}",
                hazard=Scored("looting", 0.8),
                tags={"public_order_threat": 0.9, "emerging_incident": 0.2},
                labels=("public_order_threat",),
            )
        assert {tag for event in street.look() for tag in event.incident.tags} == expected


def test_old_posts_that_are_read_again_start_nothing(street, fire):
    street.say(fire[0], author="fire service", post={"trusted": True})
    first, *_ = street.look(after=60 * 24 * 30)
    street.read_again()
    street.look(after=60 * 24 * 30)
    assert street.incident(first.incident.id).state == "closed"
