"""The fast path: folding, language, lexicon, features, hazards, model files."""

import numpy as np
import pytest

from config.vocabulary import HAZARDS
from nlp.annotate import Annotator
from nlp.automaton import lexicon
from nlp.features import SIZE, Scorer, Vocabulary, matrix
from nlp.heads import FOLDER
from nlp.language import languages
from nlp.text import fold, without_links
from nlp.wire import Line


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Énorme FUMÉE à l’usine", "enorme fumee a l'usine"),
        ("feuuuuu au cœur du bourg", "feu au coeur du bourg"),
        ("in\u200bcen\u00addie", "incendie"),
        ("fume\u0301e", "fumee"),
        ("𝐟𝐞𝐮 à la mairie", "feu a la mairie"),
        ("іncendie", "incendie"),
    ],
)
def test_folding_reads_through_accents_and_tricks(text: str, folded: str):
    assert fold(text).text == folded


def test_a_folded_span_leads_back_to_the_original_letters():
    text = "Le cœur… feuuuu à l'œuvre"
    folded = fold(text)
    start = folded.text.index("feu")
    first, last = folded.span(start, start + 3)
    assert text[first:last] == "feu"


def test_links_and_mentions_are_blanked_in_place():
    assert without_links("feu @sdis49 https://t.co/x ici") == "feu" + " " * 24 + "ici"


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("fr", "ya le feu chez le voisin"),
        ("en", "there's a fire next door"),
        ("es", "se cayó el techo y hay muchos heridos en la calle"),
        ("it", "è crollato il tetto e ci sono molti feriti nella strada"),
        ("pt", "o telhado caiu e não sabemos onde estão as pessoas"),
        ("nl", "er is een grote brand in het centrum en wij zijn bang"),
        ("und", "🔥🔥 123"),
    ],
)
def test_language(lang: str, text: str):
    assert languages().identify(text, fold(text).text) == lang


def test_the_platforms_language_decides_where_the_words_do_not():
    assert languages().identify("Explosion Hamburg", "explosion hamburg", "de") == "de"


@pytest.mark.parametrize("text", ["mort de rire ce match", "landslide victory tonight", "j'ai explosé de rire"])
def test_a_figure_of_speech_names_no_hazard(text: str):
    assert [hit.term.concept for hit in lexicon().find(fold(text).text) if hit.term.hazard] == []


def test_a_term_is_found_inside_a_hashtag():
    assert "fire" in {hit.term.concept for hit in lexicon().find("tout brule #incendiecholet")}


def test_a_term_inside_another_word_is_not_found():
    assert lexicon().find("pillageons") == [] or all(h.term.prefix for h in lexicon().find("pillageons"))


HAZARD_POSTS = {
    "fire": "Incendie dans un immeuble, deux blessés",
    "wildfire": "feu de foret vers le camping, tout le monde evacue",
    "industrial_fire": "gros incendie dans un entrepot de la zone industrielle, fumee noire",
    "explosion": "enorme explosion en ville, des blesses",
    "gas_leak": "fuite de gaz dans la rue, immeuble evacue",
    "chemical": "fuite d'ammoniac a l'usine, nuage toxique, restez confines",
    "radiological": "fuite nucleaire à la centrale, prenez les pastilles d'iode",
    "flood": "innondations dans le bourg, des gens bloques sur les toits",
    "storm": "tempete cette nuit, toits arraches et des blesses",
    "heat": "canicule : trois morts et des urgences pleines",
    "cold": "verglas partout, accidents et blesses, restez chez vous",
    "earthquake": "tremblement de terre à l'instant, des murs fissures",
    "landslide": "glissement de terrain, route coupee, maisons evacuees",
    "avalanche": "avalanche au col, skieurs ensevelis, secours en route",
    "volcano": "eruption volcanique, coulees de lave, village evacue",
    "tsunami": "alerte tsunami, eloignez-vous de la côte",
    "road_accident": "carambolage sur l'autoroute, plusieurs blesses",
    "rail_accident": "deraillement d'un train, des blesses dans les wagons",
    "air_accident": "crash d'avion derriere l'aerodrome, secours sur place",
    "sea_accident": "naufrage d'un chalutier, marins recherches par la snsm",
    "collapse": "immeuble effondré, des gens sous les decombres",
    "power_cut": "panne d'electricite dans toute la ville, hopital touche",
    "water_cut": "coupure d'eau depuis deux jours, eau non potable",
    "telecom_cut": "panne des numeros d'urgence, le 15 injoignable",
    "cyberattack": "cyberattaque contre l'hopital, urgences paralysees",
    "epidemic": "épidémie de rougeole, vingt cas confirmés à l'école",
    "food_poisoning": "intoxication alimentaire à la cantine, 30 enfants hospitalises",
    "pollution": "pollution de la riviere, poissons morts par centaines",
    "missing_person": "disparition inquietante d'une fillette, alerte enlevement",
    "drowning": "noyade à l'étang, les plongeurs cherchent un enfant",
    "shooting": "fusillade devant le bar, des blessés par balle",
    "knife_attack": "attaque au couteau en gare, quatre blesses",
    "vehicle_attack": "une voiture a foncé, voiture belier dans la foule, nombreux blesses",
    "bomb_threat": "alerte a la bombe au lycée, élèves évacués, demineurs sur place",
    "riot": "émeutes cette nuit, barricades et cocktails molotov, deux blessés",
    "looting": "pillage des magasins du centre, vitrines defoncees, la police arrive",
    "crowd_crush": "mouvement de foule au concert, gens pietines, des blesses",
    "hostage_taking": "prise d'otages dans la banque, le gign est sur place",
    "animal": "attaque de chien au parc, enfant mordu, deux blesses",
}


def test_every_hazard_of_the_closed_list_is_tried():
    assert set(HAZARD_POSTS) == set(HAZARDS) - {"other"}


@pytest.mark.parametrize(("hazard", "text"), HAZARD_POSTS.items())
def test_the_hazard_is_named(read, hazard: str, text: str):
    found = read(text).hazard
    assert found is not None
    assert found.name == hazard


@pytest.mark.parametrize(
    ("hazard", "text"),
    [
        ("flood", "flash floods in the valley, people stranded on roofs"),
        ("fire", "house fire on our street, two people injured, crews on scene"),
        ("earthquake", "earthquake just now, walls cracked and people injured"),
        ("shooting", "shots fired at the mall, gunman still inside"),
    ],
)
def test_hazards_are_named_in_english_too(read, hazard: str, text: str):
    assert read(text).hazard.name == hazard


@pytest.mark.parametrize(
    "text", ["trop bon ce gâteau", "mort de rire", "le feu ce son", "raz-de-marée électoral dimanche"]
)
def test_ordinary_posts_carry_no_label_and_no_hazard(read, text: str):
    annotation = read(text)
    assert (annotation.labels, annotation.hazard) == ((), None)


def test_why_quotes_the_posts_own_words(read):
    text = "Énorme explosion à l'usine, fumée noire, des blessés"
    why = read(text).why
    assert why
    assert all(term in text for term in why)


def test_removing_the_first_reason_lowers_the_score(read):
    text = "Énorme explosion à l'usine, fumée noire, des blessés"
    whole = read(text)
    less = read(text.replace(whole.why[0], ""))
    assert less.tags["emerging_incident"] < whole.tags["emerging_incident"]


def test_summing_cached_words_equals_the_matrix_product():
    vocabulary = Vocabulary()
    texts = ["le feu brule", "", "fumee noire le feu", "feu"]
    seen = [vocabulary.see(text, lexicon().find(text)) for text in texts]
    weights = np.random.default_rng(0).normal(size=(SIZE, 3)).astype(np.float32)
    assert np.allclose(Scorer(vocabulary, weights).scores(seen), matrix(vocabulary, seen) @ weights, atol=1e-4)


def test_a_post_scores_the_same_alone_and_in_a_batch(annotator: Annotator):
    texts = ["Incendie à Cholet, fumée noire", "bonne nuit", "mort de rire", "flood in the valley, help us"]
    together = annotator.annotate([Line("1", text) for text in texts])
    assert together == [annotator.annotate([Line("1", text)])[0] for text in texts]


def test_shipped_models_stay_small_and_hold_no_code():
    files = [path for path in FOLDER.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 60e6
    assert {path.suffix for path in files} <= {".npz", ".json", ".txt", ".md", ".onnx", ".pieces"}


@pytest.mark.parametrize("text", ["Explosion à Cholet", "Explosion Cholet", "explosion !!"])
def test_one_word_shared_with_a_neighbour_does_not_name_its_language(text):
    assert languages().identify(text, fold(text).text) == "fr"
