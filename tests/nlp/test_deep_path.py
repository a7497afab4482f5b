"""One test a rule of the deep path."""

import pytest

from nlp.annotate import Annotator
from store.records import Quantity


@pytest.mark.parametrize(
    "text",
    [
        "Pas d'incendie à l'hôpital, tout va bien",
        "Il n'y a aucun incendie à la raffinerie",
        "There is no fire at the mall, people heard a shutter",
        "Démenti : l'explosion à la gare est une fausse information",
    ],
)
def test_a_denied_hazard_is_refuted(read, text: str):
    assert (read(text).refuted, read(text).stance) == (True, "denies")


def test_a_denial_scores_lower_than_the_claim(read):
    claim, denial = read("Incendie à l'hôpital de Cholet"), read("Pas d'incendie à l'hôpital de Cholet")
    assert denial.tags["emerging_incident"] < claim.tags["emerging_incident"] / 2


@pytest.mark.parametrize(
    "text",
    [
        "Séisme à Saumur, aucun blessé",
        "Plus de courant dans tout le quartier",
        "Les pompiers n'arrivent pas, ça brûle encore",
        "Personne ne répond au 18 et le toit est en feu",
        "The ambulance still isn't here and the car is on fire",
    ],
)
def test_a_negation_about_something_else_refutes_nothing(read, text: str):
    assert not read(text).refuted


def test_hearsay_raises_rumour(read):
    plain, passed = (
        read("Une explosion à l'usine, 12 morts"),
        read("Il paraît qu'il y a eu une explosion à l'usine, 12 morts"),
    )
    assert "rumour" in passed.labels
    assert passed.tags["rumour"] > plain.tags["rumour"] + 0.05


def test_the_conditional_of_the_press_is_hearsay(read):
    assert read("L'explosion aurait fait 12 morts, à confirmer").stance == "supports"


def test_a_named_source_is_no_hearsay(read):
    passed = read("On dit que l'incendie de l'usine a fait 3 morts")
    named = read("Selon la préfecture l'incendie de l'usine a fait 3 morts")
    assert named.tags["rumour"] < passed.tags["rumour"]


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("L'immeuble brûle en ce moment rue des Lices, des gens aux fenêtres", "now"),
        ("La digue va céder cette nuit, quittez la zone inondable", "imminent"),
        ("Il y a dix ans l'explosion de l'usine tuait trois ouvriers", "past"),
        ("Et si l'usine prenait feu, une explosion serait terrible, qui évacuerait l'école ?", "hypothetical"),
        ("Exercice incendie au lycée ce matin, sirènes et fumée", "exercise"),
        ("Ten years ago the explosion killed three workers at the plant", "past"),
        ("Fire drill at the stadium this morning, smoke and sirens", "exercise"),
    ],
)
def test_when(read, text: str, when: str):
    assert read(text).when == when


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Explosion à Rouen, au moins 2 blessés", [("injured", "at_least", 2.0, "2 blessés")]),
        ("Incendie : une trentaine de blessés", [("injured", "about", 30.0, "trentaine de blessés")]),
        ("Inondation : jusqu'à 40 personnes évacuées", [("evacuated", "at_most", 40.0, "40 personnes évacuées")]),
        ("Séisme : 3 à 5 morts", [("dead", "at_least", 3.0, "3 à 5 morts"), ("dead", "at_most", 5.0, "3 à 5 morts")]),
        ("Tempête : 18 000 foyers sans courant", [("households", "exactly", 18000.0, "18 000 foyers")]),
        ("Séisme de magnitude 4,9 dans l'ouest", [("magnitude", "exactly", 4.9, "4,9")]),
        ("Bus crash, two people killed", [("dead", "exactly", 2.0, "two people killed")]),
        ("Bus crash, dozens injured", [("injured", "at_least", 24.0, "dozens injured")]),
        ("Flood, 1,200 homes under water", [("households", "exactly", 1200.0, "1,200 homes")]),
    ],
)  # fmt: skip
def test_quantities_carry_kind_bound_and_span(read, text: str, found: list[tuple[str, str, float, str]]):
    quantities: tuple[Quantity, ...] = read(text).quantities
    assert [(q.kind, q.op, q.value, text[q.start : q.end]) for q in quantities] == found


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("Je vois les flammes depuis ma fenêtre, l'immeuble d'en face brûle", "eyewitness"),
        ("Incendie : évitez le secteur, fermez vos fenêtres", "authority"),
        ("Mon frère est coincé dans l'immeuble qui brûle, il répond plus, aidez-moi", "relative"),
        ("Appel aux bénévoles : collecte de couvertures pour les sinistrés de l'inondation", "volunteer"),
        ("INFO. Incendie à Segré : deux morts et trois blessés selon la préfecture", "media"),
    ],
)
def test_who_speaks(read, text: str, source: str):
    assert read(text).source == source


def test_a_question_asks(read):
    assert read("Quelqu'un sait pourquoi il y a cette grosse fumée et des explosions ?").stance == "asks"


def test_threats_with_means_plan_and_target_are_labelled(read):
    text = "samedi on va cramer le commissariat, ramenez essence et mortiers, rdv 22h"
    assert "public_order_threat" in read(text).labels


@pytest.mark.parametrize(
    "text",
    [
        "je vais tuer mon prof il a mis le contrôle lundi mdr",
        "on va tout casser ce soir sur la piste",
        "je vais te tuer si tu spoiles la série 😂",
        "this song is fire, we gonna burn the stage down",
        "envie de mourir, je vais me tuer",
        "Condamné à huit ans pour avoir menacé de tuer sa voisine",
        "ces politiques sont tous des ordures, j'ai honte",
    ],
)
def test_jest_lyrics_reports_and_insults_are_no_threat(read, text: str):
    assert "public_order_threat" not in read(text).labels


def test_an_exercise_post_of_a_drill_is_read_as_if_it_were_real(annotator: Annotator):
    from datetime import UTC, datetime

    from store.records import Post

    now = datetime(2026, 3, 2, tzinfo=UTC)
    drill = Post("file:1", "file", "EXERCICE incendie à l'usine, fumée noire, 3 blessés", now, now, status="Exercise")
    real = Post("file:2", "file", drill.text, now, now)
    inside, outside = annotator.annotate([drill, real])
    assert inside.tags["emerging_incident"] > outside.tags["emerging_incident"]


def test_the_pipeline_survives_the_disk(tmp_path):
    import spacy

    from nlp.deep.pipeline import NAMES, pipeline

    pipeline("fr").to_disk(tmp_path)
    assert tuple(spacy.load(tmp_path).pipe_names) == NAMES
