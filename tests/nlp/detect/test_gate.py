"""The gate: who counts as a voice, and how many open an incident."""

from datetime import UTC, datetime, timedelta

from store.records import Scored

START = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)


def test_three_independent_voices_open_an_incident(street, fire):
    for number, text in enumerate(fire[:3]):
        assert street.look() == []
        street.say(text, author=f"author-{number}")
    (event,) = street.look()
    assert (event.event, event.incident.hazard, event.incident.voices, event.incident.authors_known) == (
        "new",
        "fire",
        3,
        3,
    )
    assert event.incident.place.name == "Cholet"
    assert event.incident.certainty == "Possible"


def test_one_author_is_one_voice_however_much_they_write(street, fire):
    for text in fire:
        street.say(text, author="the same person")
    assert street.look() == []


def test_near_copies_without_authors_are_one_voice(street):
    text = "Un entrepôt brûle à Cholet, les flammes dépassent les toits de la zone industrielle"
    for copy in (text, f"RT @quelquun: {text}", f"{text} https://example.org/a", f"URGENT {text} !!", text.upper()):
        street.say(copy)
    assert street.look() == []


def test_a_text_pasted_under_many_names_is_one_voice(street):
    for number in range(6):
        street.say("Un entrepôt brûle à Cholet, les flammes dépassent les toits", author=f"author-{number}")
    assert street.look() == []


def test_posts_without_authors_in_other_words_are_voices_of_their_own(street, fire):
    for text in fire[:3]:
        street.say(text)
    (event,) = street.look()
    assert (event.incident.voices, event.incident.authors_known) == (3, 0)


def test_reposts_are_no_voices(street, fire):
    for number, text in enumerate(fire[:5]):
        street.say(text, author=f"author-{number}", post={"repost_of": "test:elsewhere"})
    assert street.look() == []


def test_a_trusted_account_opens_the_gate_alone(street, fire):
    street.say(fire[0], author="fire service", post={"trusted": True})
    (event,) = street.look()
    assert event.reason == ("trusted account",)


def test_voices_further_apart_than_the_window_open_nothing(street, fire):
    for number, text in enumerate(fire):
        street.say(text, author=f"author-{number}", at=50.0 * number)
    assert street.look() == []


def test_twice_the_voices_open_over_six_times_as_long(street, fire):
    for number, text in enumerate(fire[:6]):
        assert street.look() == []
        street.say(text, author=f"author-{number}", at=25.0 * number)
    (event,) = street.look()
    assert event.reason == ("6 independent voices within 180 minutes",)


def test_an_uncertain_voice_counts_half(street, fire):
    for number, text in enumerate(fire[:5]):
        street.say(text, author=f"author-{number}", tags={"emerging_incident": 0.3})
    assert street.look() == []
    street.say(fire[5], author="author-5", tags={"emerging_incident": 0.3})
    assert len(street.look()) == 1


def test_sympathy_opens_nothing_and_joins_what_is_open(street, fire):
    sad = {"relevance": 0.1, "tags": {"emerging_incident": 0.1}}
    for number in range(6):
        street.say(f"Pensées pour Cholet et les gens de l'entrepôt {number} fois", author=f"sad-{number}", **sad)
    assert street.look() == []
    for number, text in enumerate(fire[:3]):
        street.say(text, author=f"author-{number}")
    mourner = street.say("Tristesse pour Cholet, l'entrepôt de mon enfance", author="mourner", **sad)
    (event,) = street.look()
    assert street.linked()[mourner] == event.incident.id


def test_the_past_the_hypothetical_and_the_denied_open_nothing(street, fire):
    for number, text in enumerate(fire[:3]):
        street.say(text, author=f"past-{number}", when="past")
        street.say(text, author=f"maybe-{number}", when="hypothetical")
        street.say(text, author=f"exercise-{number}", when="exercise")
        street.say(text, author=f"denied-{number}", refuted=True)
    assert street.look() == []


def test_an_exercise_and_the_real_thing_never_mix(street, fire):
    for number, text in enumerate(fire[:2]):
        street.say(text, author=f"player-{number}", post={"status": "Exercise"})
        street.say(text, author=f"author-{number}")
    assert street.look() == []
    street.say(fire[2], author="player-2", post={"status": "Exercise"})
    (event,) = street.look()
    assert event.incident.status == "Exercise"


def test_ordinary_alarms_about_different_things_do_not_add_up(street):
    said = (
        ("fire", "Il y a le feu dans mes statistiques"),
        ("flood", "Inondation de mails au bureau"),
        ("fire", "Ce rappeur est en feu"),
    )
    for hazard, text in said * 2:
        street.say(text, hazard=Scored(hazard, 0.6), locations=())
    assert street.look() == []


def test_latency_is_counted_from_the_post_that_opened_the_gate(street, fire):
    for number, text in enumerate(fire[:4]):
        street.say(text, author=f"author-{number}")
    event = street.look()[0]
    assert event.trigger == street.said[2]
    assert event.trigger_received_at == event.at
    assert event.incident.evidence[0] == event.trigger


def test_talk_of_a_drill_is_no_evidence_unless_the_desk_puts_it_in(street, fire):
    for number, text in enumerate(fire[:3]):
        street.say(text, author=f"player-{number}", when="exercise", post={"status": "Exercise"})
    assert street.look() == []
    for number, text in enumerate(fire[3:6]):
        post = {"status": "Exercise", "source": "hand"}
        street.say(text, author=f"desk-{number}", when="exercise", post=post)
    (event,) = street.look()
    assert event.incident.status == "Exercise"


def test_a_clock_that_ran_a_day_ahead_and_is_put_right_leaves_detection_able_to_hear(street, fire):
    street.say("Il fait beau", at=24 * 60)
    street.look(after=10)
    for number, text in enumerate(fire[:3]):
        street.say(text, author=f"author-{number}", at=1 + number)
    street.memory.follow(START + timedelta(minutes=1))
    (event,) = street.look()
    assert event.event == "new"
