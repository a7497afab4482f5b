"""The page in a real browser: Chromium without a head, on a desk served on a free port."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from desk.web.app import create_app
from store import outbox
from store.records import Geo

pytestmark = pytest.mark.slow

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        missing = "Chromium is missing, so the page was not tried in a browser: apt-get install chromium"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture
def address(desk) -> Iterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    chosen = replace(desk.settings, desk_port=port)
    app = create_app(desk.db, chosen, lambda: desk.now, world=lambda: desk.world, interval=0.05, beat=1.0)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    opened = chromium.new_page(viewport={"width": 1400, "height": 900})
    opened.set_default_timeout(5000)
    opened.complaints = []
    opened.on(
        "console",
        lambda message: opened.complaints.append(message.text) if message.type in ("error", "warning") else None,
    )
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    yield opened
    opened.close()


def live(page: Page, address: str, path: str = "/") -> None:
    page.goto(address + path)
    expect(page.locator("#connection.on")).to_be_visible()


def test_an_incident_appears_without_reloading_the_page(desk, address: str, page: Page):
    live(page, address)
    page.evaluate("window.same = true")
    desk.incident()
    expect(page.locator("#incidents .card")).to_contain_text("Incendie industriel")
    assert page.evaluate("window.same")
    assert page.complaints == []


def test_a_new_incident_is_said_aloud(desk, address: str, page: Page):
    live(page, address)
    desk.incident()
    expect(page.locator("#announce")).to_contain_text("Grave, Incendie industriel, Cholet")


def test_the_count_to_acknowledge_is_in_the_title(desk, address: str, page: Page):
    live(page, address)
    desk.alert(desk.incident())
    expect(page).to_have_title("(1) Vigie · pupitre")


def test_acknowledging_takes_one_click(desk, address: str, page: Page):
    desk.alert(desk.incident())
    live(page, address)
    page.get_by_role("button", name="Acquitter").click()
    expect(page.locator("#incidents .taken")).to_contain_text("Acquitté par Sapeurs-pompiers")
    with desk.db.read() as conn:
        assert [ack.via for ack in outbox.acknowledgements(conn, ["inc-1"])["inc-1"]] == ["desk"]
    assert page.complaints == []


def test_the_opened_incident_stays_open_when_a_graver_one_comes(desk, address: str, page: Page):
    desk.incident()
    live(page, address)
    desk.incident("worse", severity="Extreme", hazard="explosion")
    expect(page.locator("#incidents .card")).to_have_count(2)
    expect(page.locator("#opened h2")).to_contain_text("Incendie industriel")


def test_what_is_being_typed_is_not_swept_away(desk, address: str, page: Page):
    desk.alert(desk.incident())
    live(page, address)
    page.get_by_label("Par", exact=True).press_sequentially("Garde 2")
    desk.incident("other", hazard="flood")
    expect(page.locator("#incidents .card")).to_have_count(2)
    expect(page.get_by_label("Par", exact=True)).to_have_value("Garde 2")


def test_the_keyboard_reaches_an_incident_and_shows_where_it_is(desk, address: str, page: Page):
    desk.incident()
    live(page, address)
    for _ in range(12):
        page.keyboard.press("Tab")
        if "cover" in (page.evaluate("document.activeElement.className") or ""):
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    expect(page).to_have_url(address + "/incidents/inc-1#opened")


@pytest.mark.parametrize("path", ["/", "/search?q=feu", "/report", "/nowhere"])
def test_a_phone_scrolls_only_downwards_even_with_hostile_posts(desk, address: str, page: Page, path: str):
    alert = desk.alert(desk.incident(place=replace(desk.incident().place, name="Saint-" + "Très" * 30)))
    desk.deliver(alert, "fire", error="x" * 300, state="failed")
    desk.post("x:1", "feu " + "🔥" * 40 + "a" * 900 + "\u202e" + "ว้้้้้้้้้" * 20, "inc-1")
    desk.source("x-stream", reason="y" * 300)
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address + path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_page_changes_to_english_and_back(desk, address: str, page: Page):
    desk.incident()
    live(page, address)
    page.get_by_role("link", name="English").click()
    expect(page.locator("#opened h2")).to_contain_text("Industrial fire")
    page.get_by_role("link", name="Français").click()
    expect(page.locator("#opened h2")).to_contain_text("Incendie industriel")


def test_a_page_cut_off_from_the_server_says_that_it_is_frozen(desk, address: str, page: Page):
    page.clock.install()
    live(page, address)
    page.route("**/events*", lambda route: route.abort())
    page.context.set_offline(True)
    page.clock.run_for(40_000)
    expect(page.get_by_role("alert")).to_contain_text("PAGE FIGÉE")


def test_an_area_is_drawn_on_the_map_of_the_search_and_searched_in(desk, address: str, page: Page):
    desk.post("x:1", "fumée à Cholet", geo=Geo(47.06, -0.88))
    desk.post("x:2", "fumée à Saumur", geo=Geo(47.26, -0.08))
    page.goto(address + "/search?q=fumee")
    expect(page.locator(".posts li")).to_have_count(2)
    page.locator("#sketch").scroll_into_view_if_needed()
    box = page.locator("#sketch").bounding_box()
    spot = min((one.bounding_box() for one in page.locator(".spot").all()), key=lambda at: at["x"])
    page.mouse.move(max(box["x"] + 2, spot["x"] - 30), spot["y"] - 30)
    page.mouse.down()
    page.mouse.move(spot["x"] + 40, min(box["y"] + box["height"] - 2, spot["y"] + 45), steps=4)
    page.mouse.up()
    page.get_by_role("button", name="Chercher dans la zone").click()
    expect(page.locator(".posts li")).to_have_count(1)
    expect(page.locator(".posts")).to_contain_text("Cholet")
    assert page.complaints == []


@pytest.mark.parametrize("path", ["/search?q=fumee", "/search?least=2"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_of_the_search_stands_out_from_its_ground(desk, address: str, page: Page, scheme: str, path: str):
    desk.post("x:1", "fumée à Cholet", geo=Geo(47.06, -0.88))
    page.emulate_media(color_scheme=scheme)
    page.goto(address + path)
    assert page.evaluate(CONTRAST) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_stands_out_from_its_ground(desk, address: str, page: Page, scheme: str):
    for severity in ("Extreme", "Severe", "Moderate", "Minor", "Unknown"):
        alert = desk.alert(desk.incident(severity, severity=severity, status="Exercise"))
        desk.deliver(alert, "fire", state="failed")
    desk.incident("Moderate2", severity="Moderate")
    desk.post("x:1", "une fumée", "Extreme", why=("fumée",))
    desk.source("x-search", state="off", reason="no key")
    page.emulate_media(color_scheme=scheme)
    live(page, address)
    assert page.evaluate(CONTRAST) == []


CONTRAST = """() => {
  const linear = (x) => x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4;
  const light = (c) => { const v = c.map((x) => linear(x / 255));
    return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
  const colour = (text) => text.match(/[\\d.]+/g).map(Number);
  const ground = (e) => { for (; e; e = e.parentElement) { const c = colour(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  const low = [];
  for (const e of document.querySelectorAll("body *:not(svg *)")) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) || !e.checkVisibility()) continue;
    const [a, b] = [light(colour(getComputedStyle(e).color)), light(ground(e))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) low.push(`${e.tagName}.${e.className}: ${e.textContent.trim().slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return low;
}"""  # the contrast ratio of WCAG 2.2, success criterion 1.4.3
