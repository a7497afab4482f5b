import json
import socket

import pytest
from click.testing import CliRunner

from desk.cli import main
from desk.kibana import pack

KEY = "dmlnaWU6a2V5"


@pytest.fixture(autouse=True)
def bare(monkeypatch):
    for name in ("VIGIE_ELASTICSEARCH", "VIGIE_ELASTICSEARCH_PREFIX", "VIGIE_DESK_URL", "VIGIE_KIBANA_API_KEY_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VIGIE_KIBANA_API_KEY", KEY)


@pytest.fixture
def vigie(kibana, monkeypatch):
    monkeypatch.setenv("VIGIE_KIBANA_URL", kibana.url)
    return lambda *words: CliRunner().invoke(main, ["kibana", *words])


def test_an_import_brings_every_object_of_both_languages(vigie, kibana):
    done = vigie("import")
    assert done.exit_code == 0, done.output
    assert set(kibana.objects[""]) == {(one.type, one.id) for one in pack.both()}


def test_a_second_import_takes_the_place_of_the_first(vigie, kibana):
    vigie("import", "--lang", "fr")
    assert json.loads(vigie("import", "--lang", "fr", "--json").output) == {"imported": 17, "failed": []}
    assert len(kibana.objects[""]) == 17


def test_a_space_is_filled_and_no_other(vigie, kibana):
    vigie("import", "--lang", "en", "--space", "crise")
    assert list(kibana.objects) == ["crise"]


def test_links_lead_to_the_desk_of_this_installation(vigie, kibana, monkeypatch):
    monkeypatch.setenv("VIGIE_DESK_URL", "https://desk.example.org")
    vigie("import", "--lang", "fr")
    formats = kibana.objects[""]["index-pattern", "vigie-incidents-fr"]["attributes"]["fieldFormatMap"]
    assert "https://desk.example.org/incidents/{{value}}" in formats


def test_the_key_may_lie_in_a_file(vigie, tmp_path, monkeypatch):
    monkeypatch.delenv("VIGIE_KIBANA_API_KEY")
    (tmp_path / "key").write_text(f"{KEY}\n")
    monkeypatch.setenv("VIGIE_KIBANA_API_KEY_FILE", str(tmp_path / "key"))
    assert vigie("import", "--lang", "fr").exit_code == 0


def test_a_wrong_key_is_said_in_a_sentence_that_does_not_hold_it(vigie, monkeypatch):
    monkeypatch.setenv("VIGIE_KIBANA_API_KEY", "d3Jvbmc")
    done = vigie("import")
    assert done.exit_code == 1
    assert "does not know this API key" in done.output
    assert "d3Jvbmc" not in done.output


def test_no_key_is_asked_for(vigie, monkeypatch):
    monkeypatch.delenv("VIGIE_KIBANA_API_KEY")
    assert "give an API key in VIGIE_KIBANA_API_KEY" in vigie("import").output


def test_objects_that_kibana_does_not_take_are_told_one_by_one(vigie, kibana):
    kibana.lacks = {"map"}
    done = vigie("import", "--lang", "fr", "--json")
    assert done.exit_code == 1
    failed = json.loads(done.output)["failed"]
    assert {one["id"]: one["reason"] for one in failed} == {
        "vigie-watch-map-fr": "this Kibana does not know the type",
        "vigie-exercise-map-fr": "this Kibana does not know the type",
    }


def test_an_object_that_lacks_what_it_needs_names_it(kibana):
    from desk.kibana.loading import Kibana, load

    board = next(one for one in pack.objects("fr") if one.id == "vigie-analysts-fr")
    (failure,) = load(Kibana(kibana.url, api_key=KEY), pack.lines([board])).failed
    assert "links vigie-watch-links-fr" in failure.reason


@pytest.mark.parametrize(
    ("status", "said", "told"),
    [
        (403, "Unable to bulk_create dashboard", "may not import saved objects into the default space: Unable to"),
        (409, "version conflict", "somebody else is changing these objects"),
        (413, "Payload content length greater than maximum allowed", "takes no file of this size"),
        (400, 'Document "x" has a migration version newer than Kibana\'s', "newer than Kibana's"),
        (503, "Kibana server is not ready yet", "is not ready yet"),
        (302, "", "sends elsewhere"),
    ],
)
def test_an_answer_that_imports_nothing_is_a_sentence(vigie, kibana, status, said, told):
    kibana.says = (status, {"statusCode": status, "message": said})
    done = vigie("import")
    assert done.exit_code == 1
    assert told in done.output


def test_something_else_than_kibana_is_recognised(vigie, kibana):
    kibana.says = (200, {"hello": "world"})
    assert "not as Kibana does" in vigie("import").output


def test_a_kibana_that_is_away_is_a_sentence_without_the_password_of_the_address():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    done = CliRunner().invoke(main, ["kibana", "import", "--url", f"http://anne:s3cret@127.0.0.1:{port}"])
    assert done.exit_code == 1
    assert f"http://127.0.0.1:{port} does not answer" in done.output
    assert "s3cret" not in done.output


def test_without_an_address_the_command_asks_for_one(monkeypatch):
    monkeypatch.delenv("VIGIE_KIBANA_URL", raising=False)
    done = CliRunner().invoke(main, ["kibana", "import"])
    assert (done.exit_code, "VIGIE_KIBANA_URL" in done.output) == (2, True)


def test_an_export_to_a_file_and_to_standard_output_are_the_same(tmp_path):
    CliRunner().invoke(main, ["kibana", "export", "--lang", "en", "-o", str(tmp_path / "en.ndjson")])
    shown = CliRunner().invoke(main, ["kibana", "export", "--lang", "en"])
    assert (tmp_path / "en.ndjson").read_bytes() == shown.stdout_bytes == pack.lines(pack.objects("en"))
