"""*Veille*, the wall: what happens, who holds it, and whether Vigie hears."""

from __future__ import annotations

from desk.kibana import lens
from desk.kibana.board import Board, Control, Panel, row
from desk.kibana.boards import shared
from desk.kibana.boards.shared import ALARM, CALM, LIVE, RELEVANT, Kit
from desk.kibana.lens import Chart
from desk.kibana.maps import incident_map


def board(kit: Kit) -> Board:
    """The dashboard."""
    say, view = kit.say, kit.view
    to_take = f"{LIVE} and acknowledged: false and alerts > 0"
    drawn = incident_map(kit.id("watch-map"), say("watch.map"), view("incidents"), view("posts"), LIVE)
    rows = (
        row(3, shared.links(kit, "watch")),
        row(
            5,
            Panel(shared.figure(kit, "incidents", "watch.open", "col.incidents", LIVE, CALM), 12),
            Panel(shared.figure(kit, "incidents", "watch.unacknowledged", "col.incidents", to_take, ALARM), 12),
            Panel(shared.figure(kit, "posts", "watch.posts", "col.posts", RELEVANT, CALM), 12),
            Panel(_deaf(kit), 12),
        ),
        row(18, Panel(drawn, 24), Panel(shared.tags(kit, "watch.tags"), 24)),
        row(14, Panel(shared.incidents(kit, "watch-incidents", "watch.incidents", "watch.help", LIVE), 48)),
        row(
            14,
            Panel(_hazards(kit), 24, kit.id(shared.ANALYSTS), say("watch.drill")),
            Panel(_rumours(kit), 24),
        ),
        row(12, Panel(_hearing(kit), 24), Panel(_received(kit), 24)),
        row(12, Panel(shared.times(kit, "watch.times"), 48)),
    )
    controls = (
        shared.status(kit),
        Control(view("incidents"), "hazard", say("control.hazard")),
        Control(view("incidents"), "place.departement", say("control.departement")),
    )
    return Board(kit.id(shared.WATCH), say("watch.title"), say("watch.help"), rows, controls)


def _deaf(kit: Kit) -> Chart:
    return shared.figure(kit, "sources", "watch.deaf", "col.sources", 'not state: "on"', ALARM, alone=True)


def _hazards(kit: Kit) -> Chart:
    on = kit.on("incidents")
    columns = {
        "place": on.terms("place.name", 20, "incidents"),
        "hazard": on.terms("hazard", 5, "incidents"),
        "incidents": on.count(kit.say("col.incidents")),
    }
    kind, drawn = lens.treemap(["place", "hazard"], "incidents")
    return Chart(kit.say("watch.hazards"), kind, kit.view("incidents"), columns, drawn)


def _rumours(kit: Kit) -> Chart:
    on, title = kit.on("incidents"), f"title.{kit.say.lang}"
    columns = {
        "incident": on.terms("id", 20, "updated"),
        "title": on.last(title, "updated_at"),
        "verification": on.last("verification", "updated_at"),
        "voices": on.number("max", "voices"),
        "updated": on.number("max", "updated_at"),
    }
    kind, drawn = lens.table(["title", "verification", "voices", "updated", "incident"], "updated")
    return Chart(kit.say("watch.rumours"), kind, kit.view("incidents"), columns, drawn, 'tags: "rumour"')


def _hearing(kit: Kit) -> Chart:
    on = kit.on("sources")
    columns = {
        "source": on.terms("source", 50, None),
        "state": on.last("state", "at"),
        "since": on.number("max", "since"),
        "last_post": on.number("max", "last_post_at"),
        "received": on.number("max", "received"),
        "reason": on.last("reason", "at"),
    }
    kind, drawn = lens.table(columns)
    return Chart(kit.say("watch.hearing"), kind, kit.view("sources"), columns, drawn, alone=True)


def _received(kit: Kit) -> Chart:
    on = kit.on("hours")
    columns = {
        "source": on.terms("source", 12, "received", kit.say("field.source")),
        "time": on.time("hour", "1h", kit.say("col.when")),
        "received": on.number("sum", "received"),
    }
    kind, drawn = lens.over_time("line", "time", ["received"], "source")
    return Chart(kit.say("watch.received"), kind, kit.view("hours"), columns, drawn, alone=True)
