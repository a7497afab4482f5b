"""``vigie replay``: its contract, on invented posts."""

import gzip
import itertools
from collections import Counter
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner

from config.settings import ROOT
from config.world import World
from desk import replay as engine
from desk.cli import main
from store.records import Annotation, Location, Scored

ALERT_KEYS = ["at", "event", "alert", "incident", "status", "late", "tags", "hazard", "severity", "certainty", "place"]
ALERT_KEYS += ["lead", "support", "reason", "posts", "voices", "authors_known", "evidence"]
POST_KEYS = ["id", "kept", "about", "relevance", "labels", "incident"]
FIRE = (
    "Grosse fumée noire au-dessus de la zone industrielle de Cholet",
    "Un entrepôt brûle à Cholet, les flammes dépassent les toits",
    "On voit les flammes de l'entrepôt depuis la rocade de Cholet",
    "Cholet : les pompiers arrivent en nombre devant l'entrepôt",
    "Ça sent le plastique brûlé dans tout le quartier, Cholet",
)
LUNCH = ("Belle matinée au marché", "Qui vient déjeuner ?", "Le tram est à l'heure", "Mon chat dort", "Vivement samedi")
CHOLET = Location("Cholet", 0, 6, "Cholet", "commune", "event", 47.06, -0.88, 6000.0, "FR", None, "49", "49099", 0.9)


class Reader:
    """Takes every post that names Cholet for a fire there."""

    def annotate(self, posts, depth="full", **options):
        return [self._read(post) for post in posts]

    def _read(self, post):
        p = 0.9 if "Cholet" in post.text else 0.01
        tags = {"emerging_incident": p, "rumour": 0.0, "public_order_threat": 0.0}
        labels = ("emerging_incident",) if p > 0.5 else ()
        fire, place = (Scored("fire", 0.9), (CHOLET,)) if labels else (None, ())
        return Annotation(post.id, "fr", "full", p, p, tags, labels, hazard=fire, locations=place, when="now")


def written(path: Path, texts, *, prefix, start=0, step=1, **more) -> Path:
    lines = [
        {
            "id": f"{prefix}{number}",
            "text": text,
            "created_at": f"2026-03-02T07:{start + step * number:02d}:00Z",
            **more,
        }
        for number, text in enumerate(texts)
    ]
    data = b"\n".join(map(orjson.dumps, lines)) + b"\n"
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


@pytest.fixture
def files(tmp_path):
    return [
        written(tmp_path / "ordinary.jsonl", LUNCH, prefix="o"),
        written(tmp_path / "fire.jsonl.gz", FIRE, prefix="f", start=1, author="someone"),
    ]


@pytest.fixture
def world():
    return World.load(ROOT / "config" / "catch-all")


def play(files, world, **options):
    with engine.replay(files, world, annotator=Reader(), **options) as played:
        return list(map(engine.alert_line, played.alerts())), list(played.posts()), played.summary()


def voices(tmp_path, number=5):
    """The fire, each post by somebody else."""
    return [
        written(tmp_path / f"{n}.jsonl", [FIRE[n]], prefix=f"v{n}-", start=n, author=f"a{n}") for n in range(number)
    ]


def test_an_alert_line_holds_what_the_contract_names(tmp_path, world):
    alerts, _, _ = play(voices(tmp_path), world)
    assert all(list(line) == ALERT_KEYS for line in alerts)
    assert [line["event"] for line in alerts] == ["new", "closed"]
    first = alerts[0]
    assert first["at"] == "2026-03-02T07:02:00Z"
    assert first["place"] == {"name": "Cholet", "insee": "49099", "lat": 47.06, "lon": -0.88}
    assert (first["status"], first["certainty"], first["lead"]) == ("Exercise", "Possible", "desk")
    assert (first["posts"], first["voices"], first["authors_known"]) == (3, 3, 3)
    assert set(first["evidence"]) == {"v0-0", "v1-0", "v2-0"}


def test_every_incident_is_closed_at_the_end(tmp_path, world):
    alerts, _, summary = play(voices(tmp_path), world)
    last = {line["incident"]: line["event"] for line in alerts}
    assert set(last.values()) == {"closed"}
    assert (summary["new"], summary["closed"], summary["incidents"]) == (1, 1, 1)


def test_posts_come_out_in_merged_order_with_their_incident(files, tmp_path, world):
    _, posts, _ = play([files[0], *voices(tmp_path)], world)
    assert [line["id"] for line in posts] == list(itertools.chain(*((f"o{n}", f"v{n}-0") for n in range(5))))
    assert all(list(line) == POST_KEYS for line in posts)
    told = {line["id"]: line["incident"] for line in posts}
    assert told["o0"] is None
    assert len({told[f"v{n}-0"] for n in range(5)}) == 1
    assert all(line["kept"] for line in posts)


def test_posts_that_no_filter_wants_are_told_and_not_kept(files):
    _, posts, summary = play(files, World.load(ROOT / "config" / "default"))
    assert {line["id"]: line["kept"] for line in posts}["o0"] is False
    assert summary["kept"] < summary["posts"] == 10


def test_the_size_of_chunks_changes_nothing(tmp_path, world, monkeypatch):
    files = voices(tmp_path)
    whole = play(files, world)[:2]
    for size in (1, 7):
        monkeypatch.setattr(engine, "CHUNK", size)
        assert play(files, world)[:2] == whole


def test_pacing_changes_nothing(tmp_path, world):
    files = voices(tmp_path, 3)
    assert play(files, world, speed=6000)[0] == play(files, world)[0]


def test_messages_are_recorded_and_never_sent(tmp_path, world):
    assert play(voices(tmp_path), world)[2]["deliveries"] >= 1


def test_no_secret_has_to_be_set_where_nothing_is_sent(tmp_path, world):
    named = tuple(one.model_copy(update={"secrets": {"key": "NOWHERE_SET"}}) for one in world.bundle.channels)
    armed = replace(world, bundle=world.bundle.model_copy(update={"channels": named}))
    assert play(voices(tmp_path), armed)[2]["deliveries"] == play(voices(tmp_path), world)[2]["deliveries"] > 0


def test_an_empty_recording_gives_nothing(tmp_path, world):
    empty = tmp_path / "empty.jsonl"
    empty.write_bytes(b"")
    alerts, posts, summary = play([empty], world)
    assert (alerts, posts, summary["posts"]) == ([], [], 0)


def run(*arguments):
    return CliRunner().invoke(main, ["replay", *map(str, arguments), "--config", str(ROOT / "config" / "catch-all")])


def test_bad_lines_are_reported_with_file_and_number_and_the_rest_goes_on(tmp_path):
    bad = tmp_path / "bad.jsonl"
    good = orjson.dumps({"id": "g", "text": "Un entrepôt brûle à Cholet", "created_at": "2026-03-02T07:00:00Z"})
    bad.write_bytes(b"\n".join([b"{not json", b'{"id": "x", "text": "no time"}', b"[1]", good]) + b"\n")
    out, posts = tmp_path / "alerts.jsonl", tmp_path / "posts.jsonl"
    result = run(bad, "--out", out, "--posts", posts, "--json")
    assert result.exit_code == 1
    assert [f"{bad}:{line}:" in result.stderr for line in (1, 2, 3)] == [True] * 3
    assert "created_at" in result.stderr
    assert [orjson.loads(line)["id"] for line in posts.read_bytes().splitlines()] == ["g"]
    summary = orjson.loads(result.stdout)
    assert (summary["posts"], summary["bad_lines"]) == (1, 3)


def test_good_files_end_with_status_0_and_a_sentence(files, tmp_path):
    out = tmp_path / "alerts.jsonl"
    result = run(*files, "--out", out)
    assert result.exit_code == 0, result.output
    assert "10 posts read, 10 kept" in result.stdout
    events = Counter(orjson.loads(line)["event"] for line in out.read_bytes().splitlines())
    assert events["new"] == events["closed"]


def test_a_speed_that_is_none_is_refused(files, tmp_path):
    result = run(*files, "--out", tmp_path / "a", "--speed", "fast")
    assert result.exit_code == 2
    assert "neither max nor a number above 0" in result.stderr


def test_a_bundle_that_does_not_load_is_told(files, tmp_path):
    (tmp_path / "bundle").mkdir()
    result = CliRunner().invoke(
        main, ["replay", str(files[0]), "--out", str(tmp_path / "a"), "--config", str(tmp_path / "bundle")]
    )
    assert result.exit_code == 1
    assert "Error" in result.stderr
