"""The tutorial as a reader follows it, up to Kibana's own door: behind it a server answers as Kibana does."""

import json
import os
import re
import subprocess
import sys

import pytest

from config.settings import ROOT
from desk.kibana import pack, views

PAGE = (ROOT / "docs" / "kibana.md").read_text(encoding="utf-8")
REQUESTS = re.findall(r"```json\n([A-Z]+) (\S+)\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = re.findall(r"^    (\S.*)$", re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL), re.MULTILINE)


@pytest.fixture
def told(kibana, tmp_path):
    """What the commands of the page print, run in one shell, in order, with addresses and files of this test."""
    (tmp_path / "vigie").write_text(f'#!/bin/sh\nexec {sys.executable} -m desk.cli "$@"\n')
    (tmp_path / "vigie").chmod(0o755)
    (tmp_path / "kibana.key").write_text("dmlnaWU6a2V5\n")
    script = "\n".join(COMMANDS).replace("https://kibana.example.org", kibana.url).replace("/etc/vigie", str(tmp_path))
    (tmp_path / "ca.crt").touch()
    (tmp_path / "feed.key").write_text("key\n")
    env = {name: value for name, value in os.environ.items() if not name.startswith("VIGIE_")}
    env |= {"PATH": f"{tmp_path}:{env['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, env=env, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_its_commands_fill_the_space_that_it_names_with_links_to_the_desk_that_it_names(told, kibana, tmp_path):
    assert f"{len(pack.both())} objects imported" in told
    assert f"*{len(pack.both())} objects imported*" in PAGE
    held = kibana.objects["crise"]
    assert (
        "https://desk.example.org/incidents/"
        in held["index-pattern", "vigie-incidents-en"]["attributes"]["fieldFormatMap"]
    )
    assert (tmp_path / "vigie-fr.ndjson").read_bytes().count(b"\n") == len(pack.objects("fr"))


def test_what_it_has_pasted_into_kibana_is_json():
    assert [(verb, path) for verb, path, body in REQUESTS if json.loads(body)] == [
        ("POST", "/_security/api_key"),
        ("POST", "/_security/api_key"),
        ("PUT", "/_security/role/vigie_veille"),
    ]


def test_the_role_of_those_who_look_sees_what_the_dashboards_show_and_not_the_public_order():
    (role,) = [json.loads(body) for _, path, body in REQUESTS if "role" in path]
    (indices,) = role["indices"]
    assert set(indices["names"]) == {f"{family.alias('vigie')}*" for family in views.SHOWN}
    assert set(indices["privileges"]) == {"read", "view_index_metadata"}


def test_the_key_that_brings_the_dashboards_in_sees_no_document():
    (key,) = [json.loads(body) for *_, body in REQUESTS if '"vigie-kibana"' in body]
    assert set(key["role_descriptors"]["vigie-kibana"]) == {"applications"}


def test_the_page_names_the_versions_that_the_objects_declare():
    from desk.kibana.facts import TYPES

    for name, fact in TYPES.items():
        assert f"{name} {fact.version}" in PAGE
