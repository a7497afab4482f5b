from __future__ import annotations

from store import ledger, outbox


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
