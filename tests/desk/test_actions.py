from __future__ import annotations

from store import ledger, outbox, posts
from store.search.embedded import Embedded
from store.search.request import Query


def acknowledge(desk, incident: str = "inc-1", **fields: str):
    form = {"token": desk.token(), "agency": "fire", "by": "Officier de garde"} | fields
    return desk.client.post(f"/incidents/{incident}/acknowledge", data=form, follow_redirects=False)


def acknowledgements(desk, incident: str = "inc-1"):
    with desk.db.read() as conn:
        return outbox.acknowledgements(conn, [incident]).get(incident, [])


def test_acknowledging_keeps_agency_person_time_and_way(desk):
    desk.alert(desk.incident())
    answer = acknowledge(desk)
    (kept,) = acknowledgements(desk)
    assert (answer.status_code, answer.headers["location"]) == (303, "/incidents/inc-1#opened")
    assert (kept.agency, kept.by, kept.at, kept.via) == ("fire", "Officier de garde", desk.now, "desk")


def test_acknowledging_is_written_to_the_ledger(desk):
    desk.alert(desk.incident())
    acknowledge(desk)
    with desk.db.read() as conn:
        (line,) = ledger.entries(conn, subject="inc-1")
    assert line.detail["agency"] == "fire"


def test_the_same_agency_acknowledges_once(desk):
    desk.alert(desk.incident())
    acknowledge(desk)
    acknowledge(desk, by="Somebody else")
    assert [kept.by for kept in acknowledgements(desk)] == ["Officier de garde"]


def test_an_acknowledgement_without_a_name_is_the_desks(desk):
    desk.alert(desk.incident())
    acknowledge(desk, by="")
    assert acknowledgements(desk)[0].by == "desk"


def test_the_name_is_offered_again_on_the_next_page(desk):
    desk.alert(desk.incident("inc-1"))
    desk.alert(desk.incident("inc-2"))
    acknowledge(desk, by="Élodie, garde n° 2")
    assert 'value="Élodie, garde n° 2"' in desk.text("/incidents/inc-2")


def test_an_unknown_incident_cannot_be_acknowledged(desk):
    assert acknowledge(desk, incident="nothing").status_code == 404


def test_an_unknown_agency_cannot_acknowledge(desk):
    desk.alert(desk.incident())
    assert acknowledge(desk, agency="nobody").status_code == 400
    assert acknowledgements(desk) == []


def report(desk, **fields: str):
    return desk.client.post("/report", data={"token": desk.token()} | fields)


def kept(desk):
    found = [hit.post_id for hit in Embedded(desk.db).search(Query()).found]
    with desk.db.read() as conn:
        return list(posts.get(conn, found).values())


def test_a_report_becomes_a_post_entered_by_hand(desk):
    answer = report(desk, text="De la fumée sort du toit de la halle", place="Saumur", author="Mme Roy")
    (post,) = kept(desk)
    assert answer.status_code == 200
    assert post.id in answer.text
    assert (post.source, post.text, post.geo.place) == ("hand", "De la fumée sort du toit de la halle", "Saumur")


def test_a_reporters_name_is_kept_only_as_a_hash(desk):
    report(desk, text="De la fumée sort du toit", author="Mme Roy")
    assert "roy" not in repr(kept(desk)).lower()


def test_a_report_in_an_exercise_is_an_exercise(drill):
    report(drill, text="De la fumée sort du toit")
    assert [post.status for post in kept(drill)] == ["Exercise"]


def test_a_report_while_the_drill_plays_is_an_exercise_though_the_bundle_is_real(playing):
    report(playing, text="De la fumée sort du toit")
    assert [post.status for post in kept(playing)] == ["Exercise"]


def test_an_unusable_report_comes_back_with_the_reason_and_what_was_typed(desk):
    answer = report(desk, text="De la fumée", place="Nullepartville")
    assert answer.status_code == 422
    assert "Nullepartville" in answer.text
    assert ">De la fumée</textarea>" in answer.text
    assert kept(desk) == []


def test_a_report_without_words_is_refused(desk):
    assert report(desk, text="  !! ").status_code == 422


def test_hostile_text_in_a_report_is_kept_as_text(desk):
    report(desk, text="<b>feu</b> \x00 \u202e " + "🔥" * 40)
    assert "&lt;b&gt;<mark>feu</mark>&lt;/b&gt;" in desk.text("/search?q=feu")
