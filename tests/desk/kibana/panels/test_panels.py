"""Every panel of every dashboard, put to a real Elasticsearch as Kibana would, and to the database."""

import time
from collections import Counter
from itertools import islice

import orjson
import pytest
from click.testing import CliRunner

from config.settings import ROOT
from config.world import World
from desk.bench.replay import shared_data
from desk.cli import main
from desk.kibana import pack
from desk.kibana.panels import compare, scene
from desk.kibana.panels.proof import prove
from desk.kibana.say import LANGS, Say, strings
from desk.stack import DRILL
from store.index.cluster import Cluster, connect

REAL = ("crisislex_t6", "pheme")


def played(files, bundle, url, folder, **how):
    """A scene under a prefix of its own."""
    cluster = Cluster((url,), prefix=f"t{time.time_ns() % 10**9}-panels")
    return scene.scene(files, World.load(ROOT / "config" / bundle), cluster, folder, **how)


@pytest.fixture(scope="module")
def drill(elasticsearch_url, tmp_path_factory):
    with played([DRILL], "default", elasticsearch_url, tmp_path_factory.mktemp("drill")) as one:
        yield one


@pytest.fixture(scope="module")
def recorded(elasticsearch_url, tmp_path_factory):
    """The largest of the recorded streams, and of those with rumours: the beginning of each."""
    if not shared_data().is_dir():
        pytest.skip(f"NO PANEL WAS TRIED ON REAL POSTS: {shared_data()} is not there; set VIGIE_SHARED_DATA")
    files = [max((shared_data() / name).glob("*.jsonl.gz"), key=lambda file: file.stat().st_size) for name in REAL]
    how = {"most": 250, "pace": scene.PACE * 30}
    with played(files, "catch-all", elasticsearch_url, tmp_path_factory.mktemp("recorded"), **how) as one:
        yield one


def shown(one, lang, objects=None, **when):
    """A proof for each layer of each panel."""
    made = objects or plain(one, lang)
    with one.db.read() as conn:
        return list(prove(one.client, conn, made, Say(lang), one.end, **when))


def plain(one, lang):
    return [each.plain() for each in pack.objects(lang, one.cluster.prefix)]


@pytest.fixture(scope="module")
def opened(drill):
    """The dashboards as they open at the end of the drill, in each language."""
    return {lang: shown(drill, lang) for lang in LANGS}


@pytest.mark.parametrize("lang", LANGS)
def test_every_panel_shows_of_the_drill_what_the_database_says(opened, lang):
    assert {proof.name: proof.wrong for proof in opened[lang] if proof.wrong} == {}


@pytest.mark.parametrize("lang", LANGS)
def test_every_panel_shows_of_real_posts_what_the_database_says(recorded, lang):
    within = recorded.start, recorded.end
    assert {proof.name: proof.wrong for proof in shown(recorded, lang, within=within) if proof.wrong} == {}


@pytest.mark.parametrize("lang", LANGS)
def test_no_panel_of_a_dashboard_is_left_out(drill, opened, lang):
    boards = [one for one in plain(drill, lang) if one["type"] == "dashboard"]
    drawn = [(board["id"], panel) for board in boards for panel in orjson.loads(board["attributes"]["panelsJSON"])]
    wanted = {(board, panel["panelIndex"]) for board, panel in drawn if panel["type"] != "links"}
    assert {(proof.shown.dashboard, proof.shown.panel) for proof in opened[lang]} == wanted
    assert len(wanted) == 32


@pytest.mark.parametrize("lang", LANGS)
def test_no_panel_is_empty_so_that_none_agrees_with_the_database_on_nothing(opened, lang):
    assert [proof.name for proof in opened[lang] if proof.shown.empty or not proof.told] == []


def test_no_column_is_empty_and_none_is_left_to_the_index_alone(opened):
    for proof in opened["fr"]:
        table = proof.shown.table
        columns = set(table.labels) - set(table.keys) - {"middle"}  # of a tile: heat is drawn around it
        assert columns == {name for numbers in proof.told.values() for name in numbers}, proof.name
        assert columns <= {name for row in table.rows for name, value in row.items() if value or value == 0}, proof.name


@pytest.fixture
def vigie(elasticsearch_url, monkeypatch):
    for name in ("VIGIE_ELASTICSEARCH_CA", "VIGIE_ELASTICSEARCH_API_KEY", "VIGIE_ELASTICSEARCH_API_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VIGIE_ELASTICSEARCH", elasticsearch_url)
    monkeypatch.setenv("VIGIE_ELASTICSEARCH_PREFIX", "tprinted")
    return lambda *words: CliRunner().invoke(main, ["kibana", "prove", *words])


@pytest.fixture
def few(tmp_path):
    """The first posts of the drill."""
    with DRILL.open("rb") as lines:
        (tmp_path / "few.jsonl").write_bytes(b"".join(islice(lines, 60)))
    return str(tmp_path / "few.jsonl")


def test_the_command_prints_what_each_panel_shows_and_leaves_nothing_in_the_cluster(vigie, few, elasticsearch_url):
    done = vigie("--lang", "fr", few)
    assert done.exit_code == 0, done.output
    head, *lines = done.output.splitlines()
    assert head.split() == ["dashboard", "panel", "asks", "for", "shows", "database"]
    assert len(lines) == 34
    assert all(line.endswith(" ok") for line in lines)
    with connect(Cluster((elasticsearch_url,))) as client:
        assert not client.indices.get(index="tprinted-*", expand_wildcards="all").body
        templates = client.indices.get_index_template().body["index_templates"]
    assert not [one["name"] for one in templates if one["name"].startswith("tprinted")]


def test_the_command_tells_that_there_is_no_cluster_in_a_sentence(vigie, few, monkeypatch):
    monkeypatch.setenv("VIGIE_ELASTICSEARCH", "http://127.0.0.1:9")
    done = vigie(few)
    assert done.exit_code == 1
    assert "Elasticsearch: " in done.output


TIMES = {  # agency: messages, acknowledged; seconds to alert, median and 95 %; to acknowledge, median and 95 %
    "sdis": (32, 15, 7.7, 40.2, 96.0, 191.2),
    "samu": (19, 14, 6.2, 32.7, 138.5, 203.9),
    "prefecture-sidpc": (17, 11, 13.8, 46.0, 147.0, 206.5),
    "ars": (2, 1, 38.5, 45.2, 62.0, 62.0),
    "education": (2, 2, 38.5, 45.2, 79.0, 109.6),
    "environnement": (2, 2, 38.5, 45.2, 104.5, 127.4),
    "ville-cholet": (1, 1, 31.0, 31.0, 181.0, 181.0),
}
HAZARDS = {"industrial_fire": 10, "flood": 8, "storm": 7, "explosion": 6, "chemical": 1, "wildfire": 1}
PLACES = {"Saumur": 9, "Cholet": 9, "Segré": 8, "Angers": 5, "Nuaillé": 1, "Saint-Bonnet": 1}
FIGURES = {
    "watch.open": 25, "watch.unacknowledged": 7, "watch.posts": 266, "watch.deaf": 2, "exercise.incidents": 33,
    "exercise.unacknowledged": 7, "exercise.decisions": 33, "exercise.sent": 55,
}  # fmt: skip


def test_the_large_figures_of_the_drill_are_these(opened):
    found = {proof.name: rows(proof)[()]["value"] for proof in opened["fr"] if proof.name in FIGURES}
    assert found == FIGURES


@pytest.mark.parametrize(
    ("panel", "column", "number", "sums"),
    [
        ("watch.tags", "tag", "posts", {"emerging_incident": 144, "rumour": 15}),
        ("exercise.posts", "tag", "posts", {"emerging_incident": 144, "rumour": 15}),
        ("watch.received", "source", "received", {"replay": 683, "x-flux": 903}),
        ("analysts.cost", "subject", "read", {"replay": 683, "x-flux": 903}),
        ("exercise.timeline", "event", "decisions", {"new": 28, "update": 5}),
        ("exercise.deliveries", "state", "deliveries", {"sent": 55, "failed": 9}),
        ("watch.hazards", "hazard", "incidents", HAZARDS),
        ("watch.hazards", "place", "incidents", PLACES),
    ],
)
def test_the_sums_of_the_drill_are_these(opened, panel, column, number, sums):
    found = Counter()
    for row in rows(proof_of(opened["fr"], panel)).values():
        found[row[column]] += row[number]
    assert found == sums


def test_the_times_to_alert_and_to_acknowledge_of_the_drill_are_these(opened):
    names = ("deliveries", "acknowledged", "alert_median", "alert_p95", "ack_median", "ack_p95")
    found = {
        key[0]: tuple(row[name] and round(row[name], 1) for name in names)
        for key, row in rows(proof_of(opened["fr"], "watch.times")).items()
    }
    assert found == TIMES


def rows(proof):
    return compare.told_by(proof.shown.table)


def proof_of(proofs, name, layer=0):
    return [proof for proof in proofs if proof.name == name][layer]


def put(thing, **values):
    thing.update(values)


def alone(one, panel, change):
    """The proofs of one panel, changed: ``change`` is given the panel, and the objects that it may refer to by name."""
    objects, title = plain(one, "fr"), strings()[panel]["fr"]
    known = {(each["type"], each["id"]): each for each in objects}
    for board in (each for each in objects if each["type"] == "dashboard"):
        kept = [
            each
            for each in orjson.loads(board["attributes"]["panelsJSON"])
            if each["embeddableConfig"]["title"] == title
        ]
        for each in kept:
            change(each, {ref["name"].partition(":")[2]: known[ref["type"], ref["id"]] for ref in board["references"]})
        board["attributes"]["panelsJSON"] = orjson.dumps(kept).decode()
    return shown(one, "fr", objects)


CHARTS = {
    "a wrong field": (
        "watch.times", lambda chart, of: put(of["alert_median"], sourceField="to_acknowledge_s")),
    "a wrong filter": (
        "watch.open", lambda chart, of: put(chart["state"]["query"], query='state: "open"')),
    "a filter that is missing": (
        "watch.times", lambda chart, of: put(chart["state"]["query"], query="")),
    "a wrong filter of a column": (
        "watch.times", lambda chart, of: put(of["acknowledged"]["filter"], query="sent_at: *")),
    "a wrong operation": (
        "analysts.cost", lambda chart, of: put(of["read"], operationType="max")),
    "all values in place of those that differ": (
        "analysts.useful", lambda chart, of: put(of["incidents"], operationType="count")),
    "a wrong percentile": (
        "watch.times", lambda chart, of: put(of["ack_p95"]["params"], percentile=5)),
    "too few values": (
        "analysts.overlap", lambda chart, of: put(of["other"]["params"], size=3)),
    "the least frequent values": (
        "analysts.useful", lambda chart, of: put(of["filter"]["params"], size=3, orderDirection="asc")),
    "longer bars": (
        "watch.tags", lambda chart, of: put(of["time"]["params"], interval="1d")),
    "another index": (
        "exercise.decisions", lambda chart, of: put(chart["references"][0], id="vigie-deliveries-fr")),
    "a name for another code": (
        "analysts.precision", lambda chart, of: put(of["verdict"]["params"]["filters"][0], input=of["verdict"]["params"]
                                                    ["filters"][1]["input"])),
    "a field that no index has": (
        "watch.tags", lambda chart, of: put(of["tag"], sourceField="label")),
    "a column that is not there": (
        "watch.posts", lambda chart, of: put(chart["state"]["visualization"], metricAccessor="values")),
    "a number that no one sees": (
        "watch.rumours", lambda chart, of: chart["state"]["visualization"]["columns"].pop(2)),
    "rows that a deaf source falls out of": (
        "watch.hearing", lambda chart, of: put(of["source"]["params"], size=2)),
}  # fmt: skip


@pytest.mark.parametrize("wrong", CHARTS)
def test_a_broken_chart_is_noticed(drill, wrong):
    panel, change = CHARTS[wrong]

    def broken(saved, known):
        chart = saved["embeddableConfig"]["attributes"]
        change(chart, chart["state"]["datasourceStates"]["formBased"]["layers"]["layer"]["columns"])

    assert any(proof.wrong for proof in alone(drill, panel, broken))


INSIDE = {
    "incidents of every state": ("watch.map", "layerListJSON", lambda inside: put(inside[2]["query"], query="")),
    "posts of another tag": (
        "watch.map", "layerListJSON", lambda inside: put(inside[1]["query"], query='labels: "rumour"')),
    "a finer grid": (
        "watch.map", "layerListJSON", lambda inside: put(inside[1]["sourceDescriptor"], resolution="FINE")),
    "a list of every state": (
        "watch.incidents", "kibanaSavedObjectMeta.searchSourceJSON", lambda inside: put(inside["query"], query="")),
}  # fmt: skip


@pytest.mark.parametrize("wrong", INSIDE)
def test_a_broken_map_or_list_is_noticed(drill, wrong):
    panel, path, change = INSIDE[wrong]
    *outer, last = path.split(".")

    def broken(saved, known):
        target = known[saved["panelRefName"]]["attributes"]
        for name in outer:
            target = target[name]
        inside = orjson.loads(target[last])
        change(inside)
        target[last] = orjson.dumps(inside).decode()

    assert any(proof.wrong for proof in alone(drill, panel, broken))
