"""`vigie kibana keys` and `vigie kibana space`: what docs/kibana.md makes by hand, where security is on."""

import json
import re
import stat

import pytest
from click.testing import CliRunner
from cluster_kit import Cluster, serving

from config.settings import ROOT
from desk.cli import main
from desk.kibana import rights

PAGE = (ROOT / "docs" / "kibana.md").read_text(encoding="utf-8")
SHOWN = {path: json.loads(body) for path, body in re.findall(r"```json\nPUT (\S+)\n(.*?)```", PAGE, re.DOTALL)}
KEYS = [json.loads(body) for body in re.findall(r"```json\nPOST /_security/api_key\n(.*?)```", PAGE, re.DOTALL)]


@pytest.fixture
def cluster(private, monkeypatch):
    made = Cluster((private.private / "elastic_password").read_text().strip())
    with serving(made, private.private / "elasticsearch_certificate", private.private / "elasticsearch_key") as up:
        monkeypatch.setenv("VIGIE_ELASTICSEARCH", f"https://localhost:{up.port}")
        monkeypatch.setenv("VIGIE_KIBANA_URL", f"https://localhost:{up.port}")
        monkeypatch.setenv("VIGIE_ELASTICSEARCH_CA", str(private.private / "ca"))
        for name, secret in {
            "VIGIE_ELASTIC_PASSWORD_FILE": "elastic_password",
            "VIGIE_KIBANA_SYSTEM_PASSWORD_FILE": "kibana_system_password",
            "VIGIE_WATCH_PASSWORD_FILE": "watch_password",
        }.items():
            monkeypatch.setenv(name, str(private.private / secret))
        yield up


def vigie(*words):
    return CliRunner().invoke(main, ["kibana", *map(str, words)])


def test_the_keys_the_role_and_the_user_are_those_of_the_page(cluster, tmp_path, private):
    done = vigie("keys", tmp_path)
    assert done.exit_code == 0, done.output
    assert list(cluster.keys.values()) == KEYS
    assert cluster.roles == {"vigie_veille": SHOWN["/_security/role/vigie_veille"]}
    assert cluster.users["veille"]["roles"] == ["vigie_veille"]
    assert cluster.users["kibana_system"] == {
        "password": (private.private / "kibana_system_password").read_text().strip()
    }
    assert [(tmp_path / name).read_text() for name in ("feed.key", "kibana.key")] == list(cluster.keys)
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}


def test_no_key_and_no_password_is_said(cluster, tmp_path, private):
    said = vigie("keys", tmp_path).output
    assert not [key for key in cluster.keys if key in said]
    assert not [file for file in private.private.glob("*_password") if file.read_text().strip() in said]


def test_what_works_already_stays(cluster, tmp_path):
    vigie("keys", tmp_path)
    keys, user = dict(cluster.keys), cluster.users["veille"]
    cluster.users["veille"] = {"password": "changed in Kibana"}
    assert vigie("keys", tmp_path).exit_code == 0
    assert cluster.keys == keys
    assert cluster.users["veille"] == {"password": "changed in Kibana"} != user


def test_a_key_that_the_cluster_forgot_is_made_anew_and_the_former_one_taken_back(cluster, tmp_path):
    vigie("keys", tmp_path)
    (tmp_path / "feed.key").write_text("Zm9yZ290dGVu")
    assert "feed.key" in vigie("keys", tmp_path).output
    assert len(cluster.keys) == 2
    assert (tmp_path / "feed.key").read_text() in cluster.keys


def test_a_cluster_that_starts_is_waited_for(cluster, tmp_path, monkeypatch):
    monkeypatch.setattr("desk.kibana.prepare.PAUSE_S", 0.01)
    cluster.starting = 3
    assert vigie("keys", tmp_path, "--wait", "60").exit_code == 0


def test_a_cluster_that_is_away_stops_no_later_start_of_vigie(cluster, tmp_path):
    vigie("keys", tmp_path)
    cluster.starting = 10**6
    done = vigie("keys", tmp_path, "--wait", "600")
    assert done.exit_code == 0
    assert "are kept" in done.output


def test_without_keys_a_cluster_that_stays_away_is_an_error_that_says_where(cluster, tmp_path):
    cluster.starting = 10**6
    done = vigie("keys", tmp_path)
    assert done.exit_code == 1
    assert f"https://localhost:{cluster.port} is not ready (503)" in done.output


def test_a_wrong_password_is_said_with_elasticsearchs_own_words(cluster, tmp_path):
    cluster.password = "another"
    done = vigie("keys", tmp_path)
    assert done.exit_code == 1
    assert "unable to authenticate user [elastic]" in done.output
    assert list(tmp_path.iterdir()) == []


def test_the_space_is_made_once(cluster):
    assert "was made" in vigie("space", "crise").output
    assert "is there already" in vigie("space", "crise").output
    assert cluster.spaces == {"crise"}


def test_the_key_of_the_dashboards_fills_that_space(cluster, tmp_path, monkeypatch):
    vigie("keys", tmp_path)
    vigie("space", "crise")
    monkeypatch.setenv("VIGIE_KIBANA_API_KEY_FILE", str(tmp_path / "kibana.key"))
    done = vigie("import", "--space", "crise")
    assert done.exit_code == 0, done.output
    ((space, count),) = cluster.imports
    assert (space, f"{count} objects imported" in done.output) == ("crise", True)


def test_the_role_of_those_who_look_follows_the_prefix_and_never_names_public_order():
    role = rights.watch("veille", "autre")
    assert "vigie" not in str(role)
    assert "public-order" not in str(role)
