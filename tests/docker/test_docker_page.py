"""docs/docker.md against the files that it speaks of."""

import json
import re
import subprocess

import pytest
from stack_kit import BIN, DOCKER, EXAMPLE, FILE, stack

from config.settings import ROOT

PAGE = (ROOT / "docs" / "docker.md").read_text(encoding="utf-8")
OVERRIDE = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_every_service_is_explained_and_every_service_that_a_command_names_exists(compose):
    services = set(compose["services"])
    table = PAGE.partition("## What runs")[2].partition("\n- ")[0]
    assert set(re.findall(r"`([a-z-]+)`", table)) - {"drill"} == services
    named = set(re.findall(r"docker compose (?:exec|logs -f|restart|run --rm(?: --no-deps)?) ([a-z-]+)", PAGE))
    named |= set(re.findall(r"docker compose cp ([a-z-]+):", PAGE))
    assert len(named) >= 6
    assert named <= services


def test_every_option_of_docker_compose_that_it_names_exists():
    for verb, words in re.findall(r"docker compose (\w+)([^|`&>\n]*)", PAGE):
        told = subprocess.run(
            [BIN / "docker-compose", verb, "--help"], capture_output=True, text=True, check=True
        ).stdout
        for option in re.findall(r"(?<= )--[a-z-]+", words.partition("vigie ")[0]):
            assert option in told, f"docker compose {verb} {option}"


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(VIGIE_[A-Z_]+|COMPOSE_PROFILES)[`=]", PAGE))))
def test_every_setting_that_it_names_is_read(name):
    read = FILE.read_text() + EXAMPLE.read_text() + (DOCKER / "edge" / "Caddyfile").read_text()
    assert name in read


def test_every_setting_of_the_example_is_read_by_the_stack():
    given = set(re.findall(r"^([A-Z_]+)=", EXAMPLE.read_text(), re.MULTILINE)) - {"COMPOSE_PROFILES"}
    assert given <= set(re.findall(r"\$\{([A-Z_]+)", FILE.read_text()))


def test_what_it_shows_as_an_override_adds_a_secret_and_takes_none_away(tmp_path):
    assert OVERRIDE
    (tmp_path / "more.yaml").write_text(OVERRIDE[1].replace("./private", "/private"))
    words = ["--file", FILE, "--file", tmp_path / "more.yaml", "--env-file", EXAMPLE, "config", "--format", "json"]
    done = subprocess.run([BIN / "docker-compose", *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    merged = json.loads(done.stdout)
    for name in ("airflow-scheduler", "watchdog"):
        before = {one["source"] for one in stack()["services"][name]["secrets"]}
        assert {one["source"] for one in merged["services"][name]["secrets"]} == before | {"smtp_password"}
        assert merged["services"][name]["environment"]["SMTP_PASSWORD_FILE"] == "/run/secrets/smtp_password"


def test_it_names_the_files_that_the_script_makes(private):
    for name in set(re.findall(r"docker/private/([a-z_]+)", PAGE)):
        assert (private.private / name).exists(), name
