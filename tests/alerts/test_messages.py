"""What a telephone shows at 03:12, and what a machine reads."""

from datetime import timedelta
from xml.etree import ElementTree

import pytest
from alerts_kit import KEY, NIGHT, event, invented_posts, world
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts.messages import cap
from alerts.messages.message import Facts, write
from alerts.messages.quotes import clean, quotes
from alerts.router import decide
from alerts.rules.case import History
from config import vocabulary
from store.records import Place, Post

CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"
THERE = world()


def facts(agency="rescue", posts=None, told=("rescue", "prefecture", "police"), **more):
    alert, deliveries, _ = decide(event(**more), THERE, NIGHT, History())
    delivery = next(one for one in deliveries if one.agency == agency)
    quoted = tuple(invented_posts() if posts is None else posts)
    return Facts(alert, delivery, told, quoted, THERE, NIGHT + timedelta(minutes=1))


def message(agency="rescue", **more):
    return write(facts(agency, **more), "someone@example.org", KEY)


def test_it_says_in_order_what_where_how_sure_since_when_who_and_the_link():
    lines = message().text.splitlines()
    assert lines[0] == "EXERCICE – Incendie industriel – Cholet (grave)"
    assert lines[1] == "Gravité : grave · certitude : possible · non vérifié"
    assert lines[2] == "Depuis 03:08 (il y a 5 min) · 12 messages, 9 voix indépendantes, 8 auteurs connus"
    assert lines[3:5] == ["Vous pilotez.", "Aussi prévenus : Préfecture, Police."]
    assert lines[-1].startswith("http://127.0.0.1:8711/a/d-")


def test_it_speaks_the_language_of_the_contact():
    text = message("police", hazard="looting").text
    assert text.startswith("EXERCISE – Looting – Cholet (severe)")
    assert "You lead." in text


def test_a_real_incident_has_no_word_before_it():
    assert message(status="Actual").subject == "Incendie industriel – Cholet (grave)"


@pytest.mark.parametrize(("status", "word"), [("Exercise", "EXERCICE"), ("Test", "ESSAI")])
def test_what_is_not_real_says_so_first(status, word):
    one = message(status=status)
    assert one.subject.startswith(f"{word} – ")
    assert one.text.startswith(f"{word} – ")


def test_without_place_and_hazard_it_says_that_it_does_not_know():
    one = message("prefecture", hazard=None, place=None)
    assert one.subject == "EXERCICE – Situation signalée – lieu inconnu (grave)"


def test_what_a_machine_believes_is_possible_at_most():
    assert "certitude : possible" in message(certainty="Observed").text
    assert "certitude : constatée" in message(certainty="Observed", verification="confirmed").text
    assert message(certainty="Likely").payload["certainty"] == "Possible"


def test_a_threat_tag_is_shown_only_to_the_roles_that_the_bundle_names():
    tags = ("public_order_threat", "rumour")
    assert "ordre public" not in message("rescue", tags=tags).text
    assert "public-order threat" in message("police", tags=tags).text
    assert message("rescue", tags=tags).payload["tags"] == ["rumour"]


def test_two_posts_are_quoted_without_names_and_links():
    text = message().text
    assert "« Grosse fumée noire au-dessus de la zone, ça pique les yeux »" in text
    assert "« on entend des détonations depuis le parking, restez chez vous »" in text
    assert text.count("«") == 2
    assert "voisine" not in text
    assert "t.co" not in text


def test_near_copies_are_quoted_once():
    same = [Post(f"file:{n}", "file", "RT @a: La route est coupée !" + " " * n, NIGHT, NIGHT) for n in range(3)]
    assert quotes(same) == {"file:0": "La route est coupée !"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("regardez \u202egnirts\u202c ici\x00 vite", "regardez gnirts ici vite"),
        ("alerte\n\nà   tous", "alerte à tous"),
        ("voir example.com/photo?id=3 merci", "voir merci"),
        ("merci @prenom.nom pour l'info", "merci @… pour l'info"),
        ("a" * 200, "a" * 89 + "…"),
    ],
)
def test_a_quote_is_one_plain_short_line(text, shown):
    assert clean(text) == shown


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.text(max_size=400), max_size=4),
    st.text(min_size=1, max_size=200),
    st.sampled_from(sorted(set(vocabulary.HAZARDS) - {"wildfire"})),  # under an operation, nobody is told
    st.integers(0, 10**7),
)
def test_whatever_comes_in_subject_and_text_keep_their_length_and_the_link_stays_whole(texts, name, hazard, n):
    posts = [Post(f"file:{i}", "file", text, NIGHT, NIGHT) for i, text in enumerate(texts)]
    place = Place(name, 47.06, -0.88, insee="49099", departement="49", confidence=0.9)
    told = event(hazard=hazard, place=place, posts=n, voices=n)
    alert, deliveries, _ = decide(told, THERE, NIGHT, History())
    one = write(Facts(alert, deliveries[0], ("rescue",), tuple(posts), THERE, NIGHT), "x@example.org", KEY)
    assert len(one.subject) <= 78
    assert "\n" not in one.subject
    assert len(one.text) <= 700
    assert one.text.endswith(one.link)


def test_the_link_is_the_same_at_each_attempt():
    assert message().link == message().link


def document(**more):
    one = facts(**more)
    return ElementTree.fromstring(cap.write(one, write(one, "x", KEY)))


def test_cap_holds_every_required_element_in_the_order_of_the_schema():
    alert = document()
    names = [child.tag.removeprefix(CAP) for child in alert]
    order = ["identifier", "sender", "sent", "status", "msgType", "source", "scope", "restriction", "addresses"]
    order += ["code", "note", "references", "incidents", "info"]
    assert names == [name for name in order if name in names]
    assert {"identifier", "sender", "sent", "status", "msgType", "scope", "restriction", "addresses"} < set(names)
    inner = [child.tag.removeprefix(CAP) for child in alert.find(f"{CAP}info")]
    order = ["language", "category", "event", "responseType", "urgency", "severity", "certainty", "audience"]
    order += ["eventCode", "effective", "onset", "expires", "senderName", "headline", "description", "instruction"]
    order += ["web", "contact", "parameter", "resource", "area"]
    assert list(dict.fromkeys(inner)) == [name for name in order if name in inner]
    assert {"category", "event", "urgency", "severity", "certainty"} < set(inner)


def test_cap_is_restricted_and_possible_until_a_person_confirms():
    alert = document(certainty="Observed")
    assert alert.findtext(f"{CAP}scope") == "Restricted"
    assert alert.findtext(f"{CAP}status") == "Exercise"
    assert alert.findtext(f"{CAP}info/{CAP}certainty") == "Possible"
    confirmed = document(certainty="Observed", verification="confirmed")
    assert confirmed.findtext(f"{CAP}info/{CAP}certainty") == "Observed"


def test_cap_writes_times_and_places_as_the_standard_does():
    alert = document()
    assert alert.findtext(f"{CAP}sent") == "2026-03-02T02:12:00-00:00"
    assert alert.findtext(f"{CAP}info/{CAP}area/{CAP}circle") == "47.06000,-0.88000 4.0"
    assert alert.findtext(f"{CAP}info/{CAP}category") == "Fire"


def test_cap_quotes_no_post():
    one = facts()
    assert "fumée" not in cap.write(one, write(one, "x", KEY))


def test_cap_survives_a_place_name_with_control_characters():
    alert = document(place=Place("Cho\x00let \x1b<b>", 47.06, -0.88, insee="49099", departement="49"))
    assert alert.findtext(f"{CAP}info/{CAP}area/{CAP}areaDesc") == "Cholet <b>"
