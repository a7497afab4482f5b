"""The Compose file, as far as it can be judged without an engine."""

import re
import shlex
import subprocess

import click
import jsonschema
import pytest
import yaml
from stack_kit import BIN, DOCKER, EXAMPLE, FILE, dockerfile, ours, schema, stack

from config.settings import ROOT, settings
from desk import stack as processes
from desk.cli import main
from desk.kibana.facts import RELEASE

IMAGES = sorted(DOCKER.glob("*/Dockerfile"))
WRITTEN = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SCRIPTS = [DOCKER / "secrets", DOCKER / "vigie" / "backup"]
PINNED = re.compile(r"[\w./-]+:\d+\.\d+\.\d+[\w.-]*|[\w./-]+:\d+\.\d+(\.\d+)?[\w.-]*@sha256:[0-9a-f]{64}")


def test_the_file_keeps_to_the_schema_of_the_compose_specification():
    written = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    checker = jsonschema.Draft202012Validator(schema())
    assert [error.message for error in checker.iter_errors(written)] == []
    written["services"]["desk"]["memory"] = "1G"
    assert list(checker.iter_errors(written)), "the schema refuses nothing"


def test_without_the_profile_of_the_exercise_no_part_of_it_is_there(tmp_path):
    real = tmp_path / "env"
    real.write_text("".join(line for line in EXAMPLE.read_text().splitlines(True) if not drills(line)))
    for service in ours(stack(settings=real)).values():
        env = service.get("environment", {})
        assert env.get("VIGIE_STATUS", "") == ""
        assert env.get("VIGIE_X_BASE_URL", "https://api.twitter.com") == "https://api.twitter.com"
    assert {name for name, one in stack()["services"].items() if one.get("profiles")} == {"drill-x", "drill-mailbox"}


def drills(line: str) -> bool:
    return line.startswith(("COMPOSE_PROFILES=", "VIGIE_STATUS=", "VIGIE_X_BASE_URL="))


def test_the_exercise_is_the_one_of_vigie_run(compose, private):
    wanted = processes.drill_environment(settings({}))
    tasks = compose["services"]["airflow-scheduler"]["environment"]
    assert {name: tasks[name] for name in ("VIGIE_X_BASE_URL", "VIGIE_STATUS")}.items() <= wanted.items()
    assert (private.private / "x_bearer_token").read_text().strip() == wanted["X_BEARER_TOKEN"]
    assert (private.private / "webhook_key").read_text().strip() == wanted["VIGIE_WEBHOOK_KEY"]
    played = ["vigie", "simulate-x", str(processes.DRILL.relative_to(ROOT)), "--speed", f"{settings({}).drill_speed:g}"]
    assert compose["services"]["drill-x"]["command"] == played


def test_no_setting_of_airflow_is_said_twice(compose):
    given = set(processes.airflow_environment(settings({})))
    said = {name for one in ours(compose).values() for name in one.get("environment", {}) if "AIRFLOW__" in name}
    assert said & given == {"AIRFLOW__API__BASE_URL"}  # how browsers reach it, from outside


def test_whoever_reads_the_dags_knows_that_there_is_a_cluster_to_feed(compose):
    readers = [compose["services"][name]["environment"] for name in ("airflow-dags", "airflow-scheduler")]
    assert {env["VIGIE_ELASTICSEARCH"] for env in readers} == {"https://elasticsearch:9200"}


def test_every_image_is_pinned(compose):
    from_outside = [one["image"] for one in compose["services"].values() if not one["image"].startswith("vigie")]
    stages = {row.rest.rpartition(" AS ")[2] for path in IMAGES for row in dockerfile(path) if row.word == "FROM"}
    bases = [
        row.rest.rpartition(" AS ")[0] if row.word == "FROM" else row.rest.partition("=")[2]
        for path in IMAGES
        for row in dockerfile(path)
        if row.word == "FROM" or (row.word == "ARG" and row.stage == "")
    ]
    for image in from_outside + [base for base in bases if base not in stages and base != "${PYTHON}"]:
        assert PINNED.fullmatch(image), image


def test_the_cluster_and_kibana_are_of_the_release_whose_sources_were_read(compose):
    images = {name: compose["services"][name]["image"].partition(":")[2] for name in ("elasticsearch", "kibana")}
    assert len(set(images.values())) == 1
    assert images["kibana"].startswith(f"{RELEASE}.")


def test_the_edge_is_the_caddy_that_was_tried():
    tried = subprocess.run([BIN / "caddy", "version"], capture_output=True, text=True, check=True).stdout.split()[0]
    (base,) = {row.rest for row in dockerfile(DOCKER / "edge" / "Dockerfile") if row.rest.startswith("caddy:")}
    assert base.startswith(f"caddy:{tried.removeprefix('v')}-")


def test_the_database_lies_on_one_local_volume_that_the_processes_of_this_host_share(compose):
    assert all(not volume or set(volume) <= {"name"} for volume in compose["volumes"].values())
    users = {
        name
        for name, one in ours(compose).items()
        if any(mount["source"] == "vigie" and mount["target"] == "/var/lib/vigie" for mount in one.get("volumes", ()))
    }
    assert {"desk", "acknowledge", "airflow-scheduler", "watchdog", "backup"} <= users
    assert all(compose["services"][name]["environment"]["VIGIE_HOME"] == "/var/lib/vigie" for name in users)


@pytest.mark.parametrize("name", sorted(WRITTEN["services"]))
def test_a_service_has_no_root_no_capability_a_limit_and_its_health(compose, name):
    service = compose["services"][name]
    user = service.get("user") or image_user(service["image"])
    assert user
    assert not user.startswith(("0", "root"))
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "privileged" not in service
    assert "no-new-privileges:true" in service["security_opt"]
    assert service.get("read_only") or name in ("elasticsearch", "kibana")
    assert {"memory", "pids"} <= set(service["deploy"]["resources"]["limits"])
    assert service["restart"] == "unless-stopped" or service["restart"].startswith("on-failure")
    once = {"airflow-migrate", "keys", "boards"}
    assert service.get("healthcheck") or name in once | {"drill-x", "drill-mailbox"}


def image_user(image: str) -> str:
    built = DOCKER / ("edge" if image.startswith("vigie-edge:") else "vigie") / "Dockerfile"
    return [row.rest for row in dockerfile(built) if row.word == "USER"][-1]


def test_only_the_edge_is_reached_from_other_machines(compose):
    doors = {
        (name, port.get("host_ip", ""), port["published"])
        for name, one in compose["services"].items()
        for port in one.get("ports", ())
    }
    assert doors == {("edge", "", "80"), ("edge", "", "443"), ("airflow-api", "127.0.0.1", "8080")}


def test_the_pages_meet_nobody_but_whom_they_need(compose):
    def meets(name: str) -> set[str]:
        networks = set(compose["services"][name]["networks"])
        return {other for other, one in compose["services"].items() if networks & set(one.get("networks", {}))} - {name}

    assert meets("acknowledge") == {"edge"}
    assert "outside" not in compose["services"]["desk"]["networks"]
    assert meets("desk") == {"edge", "elasticsearch", "kibana", "airflow-scheduler", "keys", "boards"}
    assert all(network.get("internal") for name, network in compose["networks"].items() if name != "outside")


def test_secrets_are_files_that_the_script_makes_and_no_value_of_one_is_in_the_environment(compose, private):
    declared = {name: file["file"].rpartition("/")[2] for name, file in compose["secrets"].items()}
    assert {name for name in declared.values() if not (private.private / name).is_file()} == set()
    for name, service in compose["services"].items():
        for variable, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|SECRET|TOKEN|_KEY|_CONN", variable):
                path = re.search(r"/run/secrets/(\w+)|/var/lib/vigie-keys/|certs/", value)
                assert path, f"{name}: {variable}"


@pytest.mark.parametrize("name", sorted(WRITTEN["services"]))
def test_a_service_is_given_the_secrets_that_it_reads_and_no_other(compose, name):
    service = compose["services"][name]
    given = {one["source"] for one in service.get("secrets", ()) if one["target"].startswith("/run/secrets/")}
    told = f"{service.get('environment', {})} {service.get('entrypoint')} {service.get('command')}"
    read = set(re.findall(r"/run/secrets/(\w+)", told + str(service.get("healthcheck"))))
    if name == "edge":
        read |= set(re.findall(r"/run/secrets/(\w+)", (DOCKER / "edge/Caddyfile").read_text()))
    if name == "kibana":
        read |= set(re.findall(r"/run/secrets/(\w+)", (DOCKER / "kibana/kibana.yml").read_text()))
    assert {one.rpartition("/")[2] for one in given} == read


@pytest.mark.parametrize("name", sorted(name for name, one in ours(WRITTEN).items() if one["command"][0] == "vigie"))
def test_a_service_of_vigie_runs_a_command_that_exists(compose, name):
    command = compose["services"][name]["command"]
    assert command[1] in main.list_commands(click.Context(main))


def test_what_the_commands_of_the_one_shots_ask_for_exists(compose):
    shell = compose["services"]["boards"]["command"][2]
    for part in shell.split("&&"):
        _, group, sub, *_ = shlex.split(part)
        found = main.get_command(click.Context(main), group)
        assert isinstance(found, click.Group)
        assert sub in found.commands


@pytest.mark.parametrize("path", IMAGES, ids=lambda path: path.parent.name)
def test_hadolint_has_nothing_to_say(path):
    done = subprocess.run([BIN / "hadolint", "--no-color", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_has_nothing_to_say(path):
    done = subprocess.run([BIN / "shellcheck", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_lock_of_the_image_agrees_with_the_one_that_everything_is_tested_with():
    def versions(path: str) -> dict[str, str]:
        text = (ROOT / path).read_text(encoding="utf-8")
        return dict(re.findall(r"^([\w.-]+)==([^ ;\\]+)", text, re.MULTILINE))

    image, tested = versions("docker/requirements.lock"), versions("requirements.lock")
    assert set(image) - set(tested) == {"asyncpg", "psycopg2-binary"}
    assert {name for name in set(image) & set(tested) if image[name] != tested[name]} == set()
    assert not {"pytest", "mypy", "playwright", "tweepy-dev"} & set(image)
    assert "://" not in (ROOT / "docker/requirements.lock").read_text(encoding="utf-8")


def test_the_image_holds_nothing_of_the_host_but_the_sources():
    ignored = (DOCKER / "vigie/Dockerfile.dockerignore").read_text().split()
    assert "*" in ignored
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    assert not allowed & {"docker", "docker/private", ".git", "var", "tests"}
