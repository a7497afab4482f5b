import pytest

ENDLESS = ("vigie_listen", "vigie_understand", "vigie_dispatch")
ORDINARY = ("vigie_search", "vigie_retention", "vigie_compliance")


def test_every_dag_file_imports_cleanly(dags):
    assert dags["errors"] == {}, list(dags["errors"].values())
    assert set(dags["dags"]) == {*ENDLESS, *ORDINARY}


def test_every_dag_says_in_the_ui_what_it_is_for(dags):
    assert all(len(one["doc"].strip()) > 40 for one in dags["dags"].values())


@pytest.mark.parametrize("name", ENDLESS)
def test_an_endless_dag_holds_one_task_without_retries(dags, name):
    assert dags["dags"][name]["tasks"] == 1
    assert dags["dags"][name]["retries"] == [0]


@pytest.mark.slow
@pytest.mark.parametrize("name", [*ENDLESS, *ORDINARY])
def test_airflow_runs_every_dag_to_success(dags, name):
    assert dags["ended"][name] == "success"


@pytest.mark.parametrize("file", ["stages", "schedules"])
def test_reading_the_dags_does_not_load_vigie(dags, file):
    """Airflow gives each reading a deadline; a task that misses it while the machine is busy is put off for minutes."""
    assert dags["loads_vigie"][file] is False


def test_the_schedules_of_airflow_are_those_of_vigie(dags):
    assert dags["agree"] is True


def test_the_index_has_a_dag_where_a_cluster_is_set(dags):
    assert "vigie_index" in dags["with_a_cluster"]
    assert "vigie_index" not in dags["dags"]
