from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from desk.web.app import create_app


@pytest.mark.parametrize("host", ["127.0.0.1:8710", "localhost:8710", "[::1]:8710", "LOCALHOST:8710"])
def test_the_desk_answers_to_its_own_names(desk, host: str):
    assert desk.client.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1:80", "localhost", "127.0.0.1:8710.evil.example", ""])
def test_another_host_name_is_refused(desk, host: str):
    assert desk.client.get("/", headers={"host": host}).status_code == 421


def test_a_configured_name_is_answered(desk):
    app = create_app(desk.db, desk.settings, lambda: desk.now, world=lambda: desk.world, names=["pupitre.example"])
    assert TestClient(app, base_url="http://pupitre.example").get("/healthz").status_code == 200


def test_nothing_from_elsewhere_may_run_or_load(desk):
    policy = desk.client.get("/").headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'")
    assert "unsafe" not in policy
    assert "http" not in policy


def test_the_page_loads_nothing_from_another_place(desk):
    desk.incident()
    page = desk.text()
    loaded = [piece.partition('"')[0] for piece in page.split('src="')[1:]]
    assert loaded
    assert all(address.startswith("/static/") for address in loaded)
    assert " style=" not in page
    assert " on" + "click" not in page


def test_the_page_is_never_kept_by_a_cache(desk):
    assert desk.client.get("/").headers["cache-control"] == "no-store"


def test_a_form_of_another_site_is_refused(desk):
    answer = desk.client.post(
        "/report", data={"text": "x", "token": desk.token()}, headers={"origin": "http://evil.example"}
    )
    assert answer.status_code == 403


def test_a_form_that_the_browser_calls_foreign_is_refused(desk):
    answer = desk.client.post(
        "/report", data={"text": "x", "token": desk.token()}, headers={"sec-fetch-site": "cross-site"}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
def test_a_form_without_the_token_of_its_browser_is_refused(desk, token: str):
    desk.token()
    assert desk.client.post("/report", data={"text": "x", "token": token}).status_code == 403


def test_the_token_of_another_browser_is_refused(desk):
    token = desk.token()
    desk.client.cookies.clear()
    desk.token()
    assert desk.client.post("/report", data={"text": "x", "token": token}).status_code == 403


def test_a_form_larger_than_any_report_is_refused(desk):
    assert desk.client.post("/report", data={"text": "x" * 40_000, "token": desk.token()}).status_code == 413


def test_a_large_form_that_hides_its_length_is_refused(desk):
    def pieces():
        yield b"token=x&text="
        yield from (b"x" * 1000 for _ in range(40))

    headers = {"content-type": "application/x-www-form-urlencoded"}
    assert desk.client.post("/report", content=pieces(), headers=headers).status_code == 413


@pytest.mark.parametrize("path", ["/nowhere", "/incidents/unknown", "/static/../app.py"])
def test_an_unknown_address_gets_a_page_that_helps(desk, path: str):
    answer = desk.client.get(path)
    assert answer.status_code == 404
    assert "Retour au pupitre" in answer.text


def test_an_error_gets_a_page_that_says_alerting_goes_on(desk):
    desk.incident()
    with desk.db.write() as conn:
        conn.exec_driver_sql("UPDATE incidents SET payload = '{}'")
    answer = desk.client.get("/")
    assert answer.status_code == 500
    assert "L’écoute et les alertes continuent sans lui" in answer.text
    assert "content-security-policy" in answer.headers
