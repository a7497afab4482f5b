import sys

import pytest
from click.testing import CliRunner

from config.settings import settings
from desk import stack
from desk.cli import main
from desk.commands.airflow import environment
from desk.commands.desk import public_name


def test_airflow_gets_what_vigie_run_gives_it(tmp_path):
    env = {"VIGIE_HOME": str(tmp_path)}
    chosen = settings(env)
    given = environment(chosen, env)
    assert stack.airflow_environment(chosen).items() <= given.items()
    assert given["VIGIE_HOME"] == str(tmp_path)


def test_what_the_environment_says_to_airflow_goes_before_ours(tmp_path):
    said = {"AIRFLOW__CORE__PARALLELISM": "3", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD": "cat /run/secrets/x"}
    assert said.items() <= environment(settings({"VIGIE_HOME": str(tmp_path)}), said).items()


def test_in_a_container_the_api_listens_to_others_and_tasks_find_it_by_its_name(tmp_path):
    env = {"VIGIE_HOME": str(tmp_path), "VIGIE_LISTEN": "0.0.0.0", "VIGIE_AIRFLOW_URL": "http://airflow-api:8080"}
    given = environment(settings(env), env)
    assert given["AIRFLOW__API__HOST"] == "0.0.0.0"
    assert given["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://airflow-api:8080/execution/"


def test_the_command_becomes_airflow_with_its_words_and_options(tmp_path, monkeypatch):
    became = []
    monkeypatch.setenv("VIGIE_HOME", str(tmp_path))
    monkeypatch.setattr("os.execve", lambda *given: became.append(given))
    assert CliRunner().invoke(main, ["airflow", "dags", "list", "--output", "json"]).exit_code == 0
    ((program, argv, env),) = became
    assert (program, argv) == (sys.executable, [sys.executable, "-m", "airflow", "dags", "list", "--output", "json"])
    assert env["AIRFLOW_HOME"] == str(tmp_path / "airflow")


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://desk.example.org", "desk.example.org"),
        ("https://desk.example.org:443", "desk.example.org"),
        ("https://desk.example.org:8443", "desk.example.org:8443"),
        ("http://pupitre.example.org:80/vigie", "pupitre.example.org"),
    ],
)
def test_the_desk_answers_to_the_host_that_browsers_send_for_its_address(url, host):
    assert public_name(url) == host
