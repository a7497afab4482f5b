from __future__ import annotations

import re
from datetime import timedelta

from desk.web import board as boards
from store import posts, withdrawals


def section(html: str, id: str) -> str:
    return html.partition(f'id="{id}"')[2].partition("</section>")[0]


def plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_an_incident_shows_what_where_how_bad_and_how_many_voices(desk):
    desk.incident()
    card = plain(section(desk.text(), "incidents"))
    for said in (
        "Grave",
        "Incendie industriel",
        "Cholet",
        "± 5,2 km",
        "depuis 03:06",
        "12 posts",
        "9 voix",
        "8 auteurs connus",
        "Possible",
    ):
        assert said in card


def test_an_incident_without_place_or_hazard_says_so(desk):
    desk.incident(place=None, hazard=None, severity="Unknown")
    card = plain(section(desk.text(), "incidents"))
    assert "Nature inconnue" in card
    assert "Lieu inconnu" in card
    assert "Gravité inconnue" in card


def test_the_page_says_who_was_told_when_through_what(desk):
    alert = desk.alert(desk.incident())
    desk.deliver(alert, "fire")
    told = plain(section(desk.text(), "opened"))
    assert "Sapeurs-pompiers pilote" in told
    assert "Astreinte Sapeurs-pompiers · pilote mail 03:09:42 Parti" in told


def test_the_list_counts_the_messages_and_never_hides_a_failure(desk):
    alert = desk.alert(desk.incident())
    desk.deliver(alert, "fire")
    desk.deliver(alert, "prefecture", state="failed", sent_at=None)
    assert "1 message parti à 03:09 1 échec" in plain(section(desk.text(), "incidents"))


def test_the_lead_is_first_among_those_told(desk):
    alert = desk.alert(desk.incident(), lead="prefecture", support=("fire",))
    for agency in ("fire", "prefecture"):
        desk.deliver(alert, agency)
    told = plain(section(desk.text(), "opened").partition("<tbody>")[2])
    assert told.startswith("Préfecture")


def test_a_service_concerned_without_a_message_is_named(desk):
    desk.deliver(desk.alert(desk.incident()), "fire")
    assert "sans message : Préfecture" in plain(section(desk.text(), "opened"))


def test_a_message_that_failed_shows_its_error(desk):
    desk.deliver(
        desk.alert(desk.incident()), "fire", state="failed", sent_at=None, attempts=4, error="550 no such mailbox"
    )
    told = plain(section(desk.text(), "opened"))
    assert "Échec 4 essais 550 no such mailbox" in told


def test_an_alert_nobody_took_waits_with_its_lead(desk):
    desk.alert(desk.incident())
    assert "À acquitter Sapeurs-pompiers" in plain(section(desk.text(), "incidents"))


def test_an_acknowledged_incident_says_by_whom_and_when(desk):
    desk.alert(desk.incident())
    desk.acknowledge("inc-1", "fire")
    assert "Acquitté par Sapeurs-pompiers à 03:11" in plain(section(desk.text(), "incidents"))


def test_an_alert_that_pages_nobody_asks_for_no_acknowledgement(desk):
    desk.alert(desk.incident(knowledge="known"), paged=False)
    page = desk.text()
    assert "Alerte sans appel" in page
    assert 'id="ack-go"' not in page


def test_a_later_step_that_pages_nobody_leaves_the_incident_to_acknowledge(desk):
    incident = desk.incident()
    desk.alert(incident)
    desk.alert(incident, id="later", event="update", at=desk.now, paged=False)
    assert "À acquitter Sapeurs-pompiers" in plain(section(desk.text(), "incidents"))


def test_a_support_that_took_it_on_does_not_speak_for_the_lead(desk):
    desk.alert(desk.incident())
    desk.acknowledge("inc-1", "prefecture")
    assert "À acquitter Sapeurs-pompiers · ✓ Préfecture 03:11" in plain(section(desk.text(), "incidents"))


def test_waiting_incidents_come_first_then_the_gravest(desk):
    desk.incident("calm", severity="Extreme")
    desk.incident("minor", severity="Minor")
    desk.alert(desk.incident("waiting", severity="Moderate"))
    ids = re.findall(r'data-incident="(\w+)"', desk.text())
    assert ids == ["waiting", "calm", "minor"]


def test_a_closed_incident_is_apart(desk):
    desk.incident("over", state="closed")
    page = desk.text()
    assert "Clos récemment" in page
    assert 'data-opened=""' in page


def test_the_address_of_an_incident_opens_it(desk):
    desk.incident("first", severity="Extreme")
    desk.incident("second", hazard="flood")
    assert "Inondation" in section(desk.text("/incidents/second"), "opened")


def test_evidence_is_shown_with_the_words_that_decided_marked(desk):
    desk.incident()
    desk.post("x:1900001", "Une fumee noire monte", "inc-1", why=("fumée noire",))
    assert "Une <mark>fumee noire</mark> monte" in desk.text()
    assert 'href="https://x.com/i/web/status/1900001"' in desk.text()


def test_html_in_a_post_is_text(desk):
    desk.incident()
    desk.post("x:1", "<script>alert(1)</script><img src=x onerror=alert(2)>", "inc-1")
    page = desk.text()
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;script&gt;" in page


def test_right_to_left_marks_stay_inside_their_own_post(desk):
    desk.incident()
    desk.post("x:1", "abc \u202e fin", "inc-1")
    assert "<bdi>abc \u202e fin</bdi>" in desk.text()


def test_a_post_deleted_at_the_source_is_gone_from_the_page(desk):
    desk.incident()
    desk.post("x:1", "Flammes au hangar", "inc-1")
    with desk.db.write() as conn:
        posts.delete(conn, ["x:1"])
    assert "Flammes au hangar" not in desk.text()


def test_an_incident_says_what_was_withdrawn_and_which_messages_are_out_of_reach(desk):
    alert = desk.alert(desk.incident())
    for n in range(2):
        desk.post(f"x:{n}", "Flammes au hangar", "inc-1")
    desk.deliver(alert, "fire", quoted=("x:0", "x:1"))
    desk.deliver(alert, "police", quoted=("x:1",))
    with desk.db.write(durable=True) as conn:
        withdrawals.delete(conn, {f"x:{n}": desk.now for n in range(2)}, desk.now, "stream")
    assert "2 posts retirés ou modifiés à la source. 2 messages partis avant sont hors d’atteinte." in desk.text()
    shown = desk.text("/?lang=en")
    assert "2 posts were withdrawn or edited at the source. 2 messages sent before are out of reach." in shown


def test_a_source_that_is_off_says_why(desk):
    desk.source("x-search", state="off", reason="X_BEARER_TOKEN is not set", last_post_at=None)
    shown = plain(section(desk.text(), "sources"))
    assert "x-search Arrêtée X_BEARER_TOKEN is not set aucun post reçu" in shown


def test_a_source_shows_what_it_received_kept_and_its_rate(desk):
    desk.source("x-stream", received=4170, kept=300)
    desk.text()
    desk.later(timedelta(seconds=30))
    desk.source("x-stream", received=4200, kept=318)
    shown = plain(section(desk.text(), "sources"))
    assert "dernier post il y a 42 s · 4 200 reçus, 318 gardés · 60 posts/min" in shown


def test_without_incident_but_with_posts_the_page_says_calm(desk):
    desk.source("x-stream")
    assert ": c’est calme" in desk.text()


def test_without_incident_and_without_posts_the_page_never_says_calm(desk):
    desk.source("x-stream")
    desk.later(timedelta(minutes=6))
    page = desk.text()
    assert ": c’est calme" not in page
    assert "Ne pas conclure au calme" in page


def test_a_stage_that_stopped_is_named(desk):
    desk.source("x-stream")
    desk.now += timedelta(seconds=15)
    assert "À l’arrêt : écoute, compréhension, détection, aiguillage, envoi." in plain(desk.text())


def test_an_exercise_cannot_be_missed(drill):
    drill.incident(status="Exercise")
    page = drill.text()
    assert "<title>[Exercice] " in page
    assert "Rien de ce qui est affiché ici n’est réel." in page
    assert '<span class="drill">Exercice</span>' in section(page, "incidents")


def test_an_exercise_beside_the_real_thing_says_that_the_others_are_real(desk):
    desk.incident("real")
    desk.incident("played", status="Exercise")
    assert "Les autres le sont." in desk.text()


def test_the_real_thing_alone_shows_no_exercise(desk):
    desk.incident()
    assert 'class="exercise"' not in desk.text()


def test_english_is_one_link_away_and_remembered(desk):
    desk.incident()
    assert "Industrial fire" in desk.text("/?lang=en")
    assert "Industrial fire" in desk.text("/")
    assert "Incendie industriel" in desk.text("/?lang=fr")


def test_the_map_marks_an_incident_where_its_place_is(desk):
    desk.incident()
    assert '<text class="n"' in section(desk.text(), "map")


def test_an_incident_without_position_is_named_under_the_map(desk):
    desk.incident(place=None)
    assert "Sans position : 1." in plain(section(desk.text(), "map"))


def test_the_ledger_ends_with_its_newest_line(desk):
    desk.alert(desk.incident("a"))
    desk.alert(desk.incident("b"))
    lines = section(desk.text(), "ledger")
    assert lines.index("alert-b") < lines.index("alert-a")


def test_search_finds_posts_without_their_accents(desk):
    desk.post("x:1", "Fumée épaisse sur les quais")
    assert "Fumée épaisse sur les quais" in plain(desk.text("/search?q=fumee"))


def test_search_marks_what_was_sought(desk):
    desk.post("x:1", "Fumées épaisses", why=("épaisses",))
    assert "<mark>Fumées</mark> épaisses" in desk.text("/search?q=fumee")


def test_hostile_words_in_search_find_nothing_and_break_nothing(desk):
    for words in ('"', "a* OR NEAR(", "\x00", "<b>", "💥" * 40, "x" * 2000):
        assert desk.client.get("/search", params={"q": words}).status_code == 200


def test_older_results_are_one_link_away(desk):
    for number in range(60):
        desk.post(f"x:{number}", f"alarme {number:03}")
    older = desk.text("/search?q=alarme").partition('" rel="next"')[0].rpartition('href="/search?')[2]
    older = older.replace("&amp;", "&")
    assert "alarme 005" in plain(desk.text("/search?" + older))


def test_the_page_works_without_script_by_asking_again(desk):
    assert '<noscript><meta http-equiv="refresh" content="30"></noscript>' in desk.text()


def test_many_incidents_are_counted_rather_than_poured_out(desk):
    for number in range(70):
        desk.incident(f"inc-{number}")
    page = desk.text()
    assert page.count('<li class="card') == boards.MOST_CARDS
    assert "et 10 autres incidents" in page


def test_while_the_drill_plays_every_page_says_that_nothing_is_real(playing):
    for path in ("/", "/report", "/search?q=feu"):
        assert "Rien de ce qui est affiché ici n’est réel." in playing.text(path)


def test_a_configuration_in_force_is_not_taken_for_a_source_that_listens(desk):
    desk.source("configuration")
    desk.source("x-stream", state="off", reason="X rejected the credential (401)")
    page = desk.text()
    assert "Vigie n’entend rien" in page
    assert "<b>0</b>/1 sources actives" in page
