"""Three hundred invented posts, some of them awkward, with what was understood of them; some were deleted or edited."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from store import annotations, incidents, posts
from store.database import Database
from store.records import Annotation, Geo, Incident, Location, Place, Post, Scored

START = datetime(2026, 2, 27, 21, 30, tzinfo=UTC)
NOW = START + timedelta(days=6)
GENERATED = 240

SAID = {
    "smoke-fr": "Énorme fumée noire au-dessus de l'usine, ça sent le plastique brûlé",
    "smoke-plain": "fumee blanche sur la colline, rien de grave",
    "smoke-nfd": "De la fume\u0301e s'e\u0301chappe du toit du colle\u0300ge",
    "smoke-caps": "FUMÉE ÉPAISSE SUR LA ROCADE",
    "smoke-plural": "Des fumées partout, on ferme les fenêtres",
    "smoke-en": "Smoke over the harbour, smoky smell in every street",
    "flood-stem": "Le parking est inondé, ne venez pas",
    "flood-plural": "Inondations annoncées rue des Tilleuls",
    "flood-hash": "#Inondation en cours au lotissement 😱",
    "flood-under": "tenez bon #inondation_valbrune",
    "flood-en": "Flooding near the old mill, two cars stuck",
    "flood-en-2": "The cellar floods again",
    "emoji-first": "🔥🔥 incendie à la scierie 🚒",
    "emoji-family": "👨‍👩‍👧‍👦 évacués du camping, incendie de pinède",
    "emoji-between": "incendie 🔥 violent à l'entrepôt",
    "emoji-flag": "🇫🇷 pompiers en route, incendie maîtrisé ✅",
    "emoji-only": "🔥🔥🔥",
    "elision": "L'incendie de l'entrepôt est éteint",
    "elision-curly": "D’après elle, l’incendie repart",
    "today": "Aujourd'hui la mairie ouvre le gymnase",
    "peninsula": "La presqu'île est coupée du monde",
    "ligature-oe": "Le cœur du bourg est bouclé, œufs et gravats au sol",
    "ligature-ae": "Curriculum vitæ perdu près de la gare",
    "oe-spelt": "un coeur dessiné dans la suie",
    "capital-oe": "ŒUVRE d'art sauvée des eaux",
    "hyphen": "Saint-Éloi-sur-Brenne : pont fermé, arc-en-ciel",
    "numbers": "A89 PR 112+300, 3,5 km de bouchon, sortie 24",
    "mixed": "sdis99 et SAMU sur place, RN7 coupée",
    "mention": "@mairie_valbrune quand rouvre l'école ?",
    "link": "Plan : https://exemple.fr/carte?x=1&y=2 www.valbrune.example",
    "markup": "<b>alerte</b> &amp; <em>fumée</em> <script>alert(1)</script>",
    "json": '{"query": "fumée", "size": 10}',
    "quotes": 'Il a dit "fumée toxique" puis rien',
    "syntax": "text:fumée AND NOT (gare OR usine) fumée* ~2 ^3 \\ / [a TO b]",
    "operators": "and or not near AND OR NOT NEAR",
    "bounds": "ici \ufdd0fumée\ufdd1 là",
    "control": "fumée\tavec\ttabulations\net\r\nlignes\u2028nouvelles\u200bet rien",
    "spaces": "fumée\u00a0insécable\u202fet fine",
    "german": "Straße überflutet, Fußgänger gerettet",
    "danish": "Røg over Østerhavn, gå inden døre",
    "polish": "Płonie magazyn w Łukowie Dolnym",
    "turkish": "İzmarit yangını, ılık hava",
    "chinese": "工厂爆炸，火势很大",
    "japanese": "東京タワーの近くで火事です",
    "korean": "공장에서 연기가 난다",
    "arabic": "حريق كبير قرب الميناء",
    "arabic-vowels": "حَرِيق في المصنع",
    "greek": "Φωτιά στο λιμάνι",
    "russian": "Дым над заводом, пожар",
    "long": "Compte rendu. " + "La cellule suit la crue heure par heure. " * 150 + "Digue fragile à l'aval.",
    "long-word": "a" * 300 + " suit",
    "one": "a",
    "empty": "",
    "punctuation": "?! … — ( ) …",
    "nul": "avant\0fumée\0après",
    "surrogate": "fumée \ud83d cassée",
    "phrase-1": "le barrage de la Brenne déborde",
    "phrase-2": "la Brenne de barrage en barrage",
    "phrase-3": "barrage : la Brenne monte",
    "repeat": "feu feu feu feu feu",
    "repeat-once": "feu de cheminée rue des Lilas, tout le monde est sorti, merci aux voisins pour leur aide précieuse",
    "deleted": "fumée effacée par son auteur",
    "deleted-late": "fumée effacée bien plus tard",
    "edited": "fumée avant correction",
    "threat-1": "rendez-vous ce soir, on va tout casser place du Marché",
    "threat-2": "on casse tout demain place du Marché",
    "threat-3": "casse annoncée, je filme",
    "threat-low": "ça va casser entre eux",
    "hail-short": "grésil" + " et encore" * 50,
    "hail-long": "grésil" + " et encore" * 50 + " encore",
    "instant-late": "la sirène du barrage sonne",
    "instant-early": "la sirène du barrage, enfin",
}
"""Id → text, in the order in which they came: one a minute, but for those of :data:`SAME`."""
SAME = ("smoke-fr", "smoke-plain", "smoke-caps", "smoke-en", "flood-stem", "flood-plural")
"""Those that were written in the same moment."""
INSTANT = timedelta(minutes=90)
WITHIN = {"instant-late": 900, "instant-early": 100}
"""Microseconds after that: two posts of one millisecond, that came in the other order."""
THREATS = {"threat-1": 0.93, "threat-2": 0.71, "threat-3": 0.55}
FRENCH = (
    "Explosion entendue vers {place}",
    "Fuite de gaz à {place}, odeur très forte",
    "{place} : crue rapide, la Brenne déborde",
    "Feu de forêt près de {place}, vent fort",
    "Accident de car à {place}, plusieurs blessés",
    "Tout est calme à {place} ce matin",
    "Quelqu'un sait ce qui se passe à {place} ?",
    "Coupure d'électricité à {place} depuis une heure",
)
ENGLISH = (
    "Explosion heard near {place}",
    "Gas leak in {place}, strong smell",
    "Wildfire close to {place}, people running",
    "River is rising fast at {place}",
    "Quiet morning in {place}",
    "Power cut across {place} again",
)
PLACES = (
    ("Valbrune", 47.251, -0.752),
    ("Saint-Éloi-sur-Brenne", 47.302, -0.618),
    ("Montferré", 46.915, -1.204),
    ("Port-Aurel", 46.483, -1.797),
    ("Œuilly-le-Sec", 48.104, 0.153),
    ("Roche-Noire", 44.871, 5.412),
)
FAR = (("Port-Lointain", -21.137, 55.482), ("Fidji", -17.8, 179.99), ("Hors-Carte", 86.2, 12.5), ("Zéro", 0.0, 0.0))
HAZARDS = ("fire", "explosion", "flood", "gas_leak", None)
NEEDS = ("injured_or_dead_people", "infrastructure_and_utility_damage", None)
VOICES = ("eyewitness", "media", "authority", "unknown")
FILTERS = (("incendie",), ("crue", "incendie"), ("gaz",), ())
SOURCES = ("x-flux", "x-recherche", "hand")
DEPARTEMENTS = ("49", "85", None, "2A")


def fill(db: Database) -> None:
    """Write the posts, understand them, link them to incidents; then delete some and edit one."""
    told = list(_posts())
    with db.write() as conn:
        posts.add(conn, told)
        annotations.put(conn, [one for post in told if (one := _understood(post))])
        incidents.put(conn, [_incident(n) for n in range(1, 5)])
        for n in range(1, 5):
            incidents.link(conn, f"i{n}", [post.id for post in told[n::9]])
    with db.write() as conn:
        posts.delete(conn, ["x:deleted", *(post.id for post in told[100:110])])
    with db.write() as conn:
        edited = next(post for post in told if post.id == "x:edited")
        posts.edit(conn, replace(edited, text="brouillard, pas de feu", edited_at=NOW))
        posts.delete(conn, ["x:deleted-late"])
        deep = replace(_annotation(told[5], Random(5)), depth="full", hazard=Scored("smoke", 0.99))
        annotations.put(conn, [deep])


def _posts() -> Iterator[Post]:
    for n, (name, text) in enumerate(SAID.items()):
        at = START if name in SAME else START + timedelta(minutes=n)
        at = START + INSTANT + timedelta(microseconds=WITHIN[name]) if name in WITHIN else at
        yield _post(f"x:{name}", text, at, Random(name), n)
    for n in range(GENERATED):
        chance = Random(n)
        place = chance.choice(PLACES)
        text = chance.choice((*FRENCH, *ENGLISH)).format(place=place[0])
        at = START + timedelta(minutes=7 * (n - n % 3) + 60, milliseconds=chance.randrange(1000) if n % 4 else 0)
        yield _post(f"file:{n}", text, at, chance, n)


def _post(id: str, text: str, at: datetime, chance: Random, n: int) -> Post:
    lat, lon = _around(chance, chance.choice(PLACES)[1:])
    geo = Geo(lat, lon, 500.0, chance.choice(PLACES)[0]) if n % 3 == 0 else None
    if n % 60 == 1:
        name, lat, lon = FAR[n // 60 % len(FAR)]
        geo = Geo(lat, lon, None, name)
    return Post(
        id=id, source=chance.choice(SOURCES), text=text, created_at=at, received_at=at + timedelta(seconds=3),
        lang=chance.choice(("fr", "en", None)), author=f"hmac-{n % 40}" if n % 5 else None, geo=geo,
        filters=chance.choice(FILTERS), departement=chance.choice(DEPARTEMENTS), backfilled=n % 7 == 0,
        repost_of="x:other" if n % 11 == 0 else None,
    )  # fmt: skip


def _understood(post: Post) -> Annotation | None:
    chance = Random(f"of {post.id}")
    return None if chance.random() < 0.1 else _annotation(post, chance)


def _annotation(post: Post, chance: Random) -> Annotation:
    name = post.native_id
    threat = THREATS.get(name, 0.31 if name == "threat-low" else None)
    emerging = round(chance.random(), 2)
    labels = ["emerging_incident"] if emerging >= 0.5 else []
    labels += ["rumour"] if chance.random() < 0.2 else []
    labels += ["public_order_threat"] if name in THREATS else []
    hazard, need = chance.choice(HAZARDS), chance.choice(NEEDS)
    known = chance.random() < 0.9
    tags = {"rumour": round(chance.random(), 2), "emerging_incident": emerging, "public_order_threat": threat}
    given: dict[str, Any] = {"tags": tags, "labels": tuple(labels)}
    if known:
        given |= {"hazard": hazard and Scored(hazard, 0.8), "need": need and Scored(need, 0.6), "urgency": 0.5}
    return Annotation(
        post_id=post.id, lang=chance.choice(("fr", "en", "de")), depth="fast",
        about=round(chance.random(), 2) if known else None, relevance=round(chance.random(), 2) if known else None,
        source=chance.choice(VOICES), locations=tuple(_locations(chance)), why=("mots",), **given,
    )  # fmt: skip


def _locations(chance: Random) -> Iterator[Location]:
    """None, one, or several: some without a position, some of another role than the event."""
    for n in range(chance.choice((0, 1, 1, 2, 3))):
        name, *at = chance.choice(PLACES)
        lat, lon = _around(chance, at) if chance.random() < 0.8 else (None, None)
        role = "event" if chance.random() < 0.8 else "author"
        more = {"confidence": chance.choice((0.4, 0.9)), "departement": "49", "country": "FR", "radius_m": 900.0}
        yield Location(name, n, n + 1, name, "commune", role, lat, lon, **more)


def _around(chance: Random, at: tuple[float, float]) -> tuple[float, float]:
    return round(at[0] + chance.uniform(-0.05, 0.05), 5), round(at[1] + chance.uniform(-0.05, 0.05), 5)


def _incident(n: int) -> Incident:
    at = START + timedelta(hours=n)
    return Incident(
        f"i{n}", "Exercise", "open", at, at, at, hazard="fire", place=Place("Valbrune", 47.251, -0.752), posts=3
    )
