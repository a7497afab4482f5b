"""The contracts measured from outside: exact keys and types of what each command writes."""

import json
import re

import pytest
from shapes import Listed, Or, all_faults, faults

from config.settings import ROOT

HAZARD_CATEGORIES = {
    "Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other",
}  # fmt: skip
NEEDS = {
    "caution_and_advice", "displaced_people_and_evacuations", "infrastructure_and_utility_damage",
    "injured_or_dead_people", "missing_or_found_people", "not_humanitarian", "other_relevant_information",
    "requests_or_urgent_needs", "rescue_volunteering_or_donation_effort", "sympathy_and_support",
}  # fmt: skip
LEVELS = {"country", "region", "departement", "commune", "district", "street", "poi", "road", "natural"}
SEVERITIES = {"Extreme", "Severe", "Moderate", "Minor", "Unknown"}
CERTAINTIES = {"Observed", "Likely", "Possible", "Unlikely", "Unknown"}
STATUSES = {"Actual", "Exercise", "Test"}
SOURCES = {"eyewitness", "relative", "authority", "media", "volunteer", "other", "unknown"}
STANCES = {"supports", "denies", "asks", "comments"}
WHENS = {"now", "imminent", "past", "hypothetical", "exercise"}
TAGS = {"rumour", "public_order_threat", "emerging_incident"}
TEXT_OR_NULL, NUMBER_OR_NULL = Or(str, None), Or(float, None)

SCORED = Or({"name": str, "p": float}, None)
QUANTITY = {"kind": str, "op": str, "value": float, "start": int, "end": int}
PLACE = {
    "text": str, "start": int, "end": int, "name": str, "level": LEVELS, "role": str, "lat": NUMBER_OR_NULL,
    "lon": NUMBER_OR_NULL, "radius_m": NUMBER_OR_NULL, "country": TEXT_OR_NULL, "admin1": TEXT_OR_NULL,
    "departement": TEXT_OR_NULL, "insee": TEXT_OR_NULL, "confidence": float, "alternatives": Listed(dict),
}  # fmt: skip
ROAD = {"ref": str, **dict.fromkeys(("pr", "exit", "direction", "from", "to"), TEXT_OR_NULL)}
ANNOTATION = {
    "id": str, "lang": TEXT_OR_NULL, "depth": {"fast", "full"}, "about": NUMBER_OR_NULL, "relevance": NUMBER_OR_NULL,
    "tags": {"rumour": NUMBER_OR_NULL, "public_order_threat": NUMBER_OR_NULL, "emerging_incident": NUMBER_OR_NULL},
    "labels": Listed(TAGS), "hazard": SCORED, "need": SCORED, "urgency": NUMBER_OR_NULL, "source": SOURCES,
    "stance": Or(STANCES, None), "when": Or(WHENS, None), "refuted": bool, "quantities": Listed(QUANTITY),
    "locations": Listed(Or(PLACE, {**PLACE, "road": ROAD})), "why": Listed(str),
}  # fmt: skip
ALERT = {
    "at": str, "event": {"new", "update", "closed"}, "alert": str, "incident": str, "status": STATUSES, "late": bool,
    "tags": Listed(TAGS), "hazard": TEXT_OR_NULL, "severity": SEVERITIES, "certainty": CERTAINTIES,
    "place": Or({"name": str, "insee": TEXT_OR_NULL, "lat": NUMBER_OR_NULL, "lon": NUMBER_OR_NULL}, None),
    "lead": str, "support": Listed(str), "reason": Listed(str), "posts": int, "voices": int, "authors_known": int,
    "evidence": Listed(str),
}  # fmt: skip
POST = {
    "id": str, "kept": bool, "about": NUMBER_OR_NULL, "relevance": NUMBER_OR_NULL, "labels": Listed(TAGS),
    "incident": TEXT_OR_NULL,
}  # fmt: skip
RECIPIENT = {"agency": str, "role": {"lead", "support"}, "channel": str, "at": str, "reason": str}
REJECTED = {"agency": str, "contact": str, "channel": str, "reason": str}
NAMED = {"name": str, "fr": str, "en": str}


@pytest.mark.parametrize("value", [{"id": 1}, {}, {"id": "1", "x": 1}, {"id": None}, {"id": True}, [], None])
def test_a_shape_finds_what_is_not_of_it(value):
    assert faults(value, {"id": str})
    assert faults([value], Listed(Or({"id": str}, {"id": {"a", "b"}})))


@pytest.fixture(scope="module", params=["fast", "full"])
def annotated(request, vigie, posts):
    lines = "".join(json.dumps(post) + "\n" for post in posts)
    done = vigie("annotate", "--depth", request.param, input=lines)
    assert (done.exit_code, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_annotate_writes_one_line_a_post_in_order_with_exactly_its_fields(annotated, posts):
    assert all_faults(annotated, ANNOTATION) == []
    assert [line["id"] for line in annotated] == [post["id"] for post in posts]


def test_annotate_offsets_count_code_points(annotated, posts):
    texts = {post["id"]: post["text"] for post in posts}
    places = [(texts[line["id"]], place) for line in annotated for place in line["locations"]]
    assert places
    assert [text[place["start"] : place["end"]] for text, place in places] == [place["text"] for _, place in places]


def test_a_road_says_what_it_knows_and_gives_no_centroid(annotated):
    roads = [place for line in annotated for place in line["locations"] if place["level"] == "road"]
    assert all_faults(roads, {**PLACE, "road": ROAD}) == []
    assert [(road["lat"], road["lon"], road["radius_m"]) for road in roads] == [(None, None, None)] * len(roads)


def test_a_language_that_annotate_does_not_know_is_named_and_leaves_scores_null(vigie):
    post = {"id": "1", "text": "Großbrand in der Altstadt, die Feuerwehr ist mit vielen Leuten vor Ort"}
    told = json.loads(vigie("annotate", input=json.dumps(post) + "\n").stdout)
    assert faults(told, ANNOTATION) == []
    assert (told["lang"], told["about"], told["relevance"], set(told["tags"].values())) == ("de", None, None, {None})


def test_a_bad_line_keeps_its_place_and_gives_status_one(vigie):
    done = vigie("annotate", "--depth", "fast", input='{"id": "1", "text": "feu"}\nnope\n{"id": "3"}\n')
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 1
    assert all_faults(lines[1:], {"id": TEXT_OR_NULL, "error": str}) == []
    assert [line["id"] for line in lines] == ["1", None, "3"]
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["line 2", "line 3"]


def test_replay_writes_a_line_for_every_alert_event_with_exactly_its_fields(replayed):
    alerts, _ = replayed
    assert all_faults(alerts, ALERT) == []
    assert (alerts[0]["event"], alerts[-1]["event"]) == ("new", "closed")
    assert all(re.fullmatch(r"2031-03-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", alert["at"]) for alert in alerts)


def test_replay_never_calls_recorded_posts_actual_or_more_than_possible(replayed):
    assert {(alert["status"], alert["certainty"]) for alert in replayed[0]} <= {
        ("Exercise", "Possible"),
        ("Exercise", "Unlikely"),
        ("Exercise", "Unknown"),
    }


def test_replay_tells_of_every_post_in_merged_order(replayed, posts):
    alerts, told = replayed
    assert all_faults(told, POST) == []
    assert [line["id"] for line in told] == [post["id"] for post in posts]
    assert {line["incident"] for line in told} - {None} == {alert["incident"] for alert in alerts}
    assert set(alerts[0]["evidence"]) <= {post["id"] for post in posts}


@pytest.mark.parametrize("folder", ["default", "catch-all"])
def test_route_explains_a_replay_line_with_exactly_its_fields(vigie, replayed, folder, tmp_path):
    (tmp_path / "line.json").write_text(json.dumps(replayed[0][0]), encoding="utf-8")
    done = vigie("route", tmp_path / "line.json", "--explain", "--config", ROOT / "config" / folder)
    assert (done.exit_code, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert faults(told, {"recipients": Listed(RECIPIENT), "rejected": Listed(REJECTED)}) == []
    assert told["recipients"][0]["role"] == "lead"


def test_check_prints_the_closed_lists(vigie):
    lists = json.loads(vigie("check", "--vocabulary", "--json").stdout)
    assert all_faults(lists.pop("hazards"), {"name": str, "cap": HAZARD_CATEGORIES, "fr": str, "en": str}) == []
    assert faults(lists, {name: Listed(NAMED) for name in lists}) == []
    words = {name: {row["name"] for row in rows} for name, rows in lists.items()}
    expected = {
        "needs": NEEDS, "tags": TAGS, "levels": LEVELS, "sources": SOURCES, "stances": STANCES, "whens": WHENS,
        "severities": SEVERITIES, "certainties": CERTAINTIES, "statuses": STATUSES,
        "urgencies": {"Immediate", "Expected", "Future", "Past", "Unknown"},
        "verifications": {"unverified", "being_checked", "confirmed", "refuted"},
    }  # fmt: skip
    assert words == expected


def test_check_says_of_a_folder_what_is_wrong(vigie, tmp_path):
    (tmp_path / "bundle.yaml").write_text("default_lead: nobody\n", encoding="utf-8")
    done = vigie("check", tmp_path, "--json")
    assert done.exit_code == 1
    fault = {"file": str, "line": int, "key": str, "message": str, "advice": str, "level": {"error", "warning"}}
    assert faults(json.loads(done.stdout), {"folder": str, "ok": bool, "faults": Listed(fault)}) == []
