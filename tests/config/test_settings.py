import pytest

from config.settings import SettingsError, settings


def test_without_settings_everything_listens_on_the_loopback_address_and_believes_nobody():
    chosen = settings({})
    assert (chosen.listen, chosen.proxies, chosen.airflow_url) == ("127.0.0.1", None, "http://127.0.0.1:8080")


def test_airflow_is_asked_on_the_port_that_it_was_given():
    assert settings({"VIGIE_AIRFLOW_PORT": "8090"}).airflow_url == "http://127.0.0.1:8090"


@pytest.mark.parametrize(
    ("given", "read"), [("10.0.0.2, 172.16.0.0/12", "10.0.0.2,172.16.0.0/12"), ("*", "*"), (" ", None)]
)
def test_proxies_are_addresses_networks_or_anybody(given, read):
    assert settings({"VIGIE_PROXY": given}).proxies == read


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("VIGIE_PROXY", "caddy"),
        ("VIGIE_PROXY", "10.0.0.1/99"),
        ("VIGIE_LISTEN", "localhost"),
        ("VIGIE_LISTEN", "0.0.0.0:80"),
        ("VIGIE_AIRFLOW_URL", "airflow-api:8080"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(name, value):
    with pytest.raises(SettingsError, match=name):
        settings({name: value})
