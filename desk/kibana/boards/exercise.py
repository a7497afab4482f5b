"""*Exercice*: a drill as it runs and after it, and nothing else; every panel says that it is not real."""

from __future__ import annotations

from desk.kibana import board as boards
from desk.kibana import lens
from desk.kibana.board import Board, Panel, row
from desk.kibana.boards import shared
from desk.kibana.boards.shared import ALARM, CALM, LIVE, Kit
from desk.kibana.lens import Chart
from desk.kibana.maps import incident_map
from desk.kibana.saved import Saved

UNREAL = 'status: ("Exercise" or "Test")'


def board(kit: Kit) -> Board:
    """The dashboard."""
    say, view = kit.say, kit.view
    drawn = incident_map(kit.id("exercise-map"), say("exercise.map"), view("incidents"), view("posts"), UNREAL)
    rows = (
        row(3, shared.links(kit, "exercise")),
        row(5, *(Panel(chart, 12) for chart in _figures(kit))),
        row(12, Panel(_timeline(kit), 24), Panel(_deliveries(kit), 24)),
        row(12, Panel(shared.times(kit, "exercise.times", UNREAL), 48)),
        row(16, Panel(_story(kit), 48)),
        row(16, Panel(drawn, 24), Panel(shared.tags(kit, "exercise.posts", UNREAL), 24)),
        row(14, Panel(shared.incidents(kit, "exercise-incidents", "exercise.table", "exercise.help", UNREAL), 48)),
    )
    title, help = say("exercise.title"), say("exercise.help")
    return Board(kit.id(shared.EXERCISE), title, help, rows, (shared.status(kit),), "24h", 10, UNREAL)


def _figures(kit: Kit) -> list[Chart]:
    to_take = f"{UNREAL} and {LIVE} and acknowledged: false and alerts > 0"
    sent = f'{UNREAL} and state: "sent"'
    return [
        shared.figure(kit, "incidents", "exercise.incidents", "col.incidents", UNREAL, CALM),
        shared.figure(kit, "incidents", "exercise.unacknowledged", "col.incidents", to_take, ALARM),
        shared.figure(kit, "alerts", "exercise.decisions", "col.decisions", UNREAL, CALM),
        shared.figure(kit, "deliveries", "exercise.sent", "col.deliveries", sent, CALM),
    ]


def _timeline(kit: Kit) -> Chart:
    on = kit.on("alerts")
    columns = {
        "event": on.terms("event", 5, "decisions"),
        "time": on.time("at", label=kit.say("col.when")),
        "decisions": on.count(kit.say("col.decisions")),
    }
    kind, drawn = lens.over_time("bar_stacked", "time", ["decisions"], "event")
    return Chart(kit.say("exercise.timeline"), kind, kit.view("alerts"), columns, drawn, UNREAL)


def _deliveries(kit: Kit) -> Chart:
    on = kit.on("deliveries")
    columns = {
        "state": on.terms("state", 5, "deliveries"),
        "agency": on.terms("agency", 20, "deliveries"),
        "deliveries": on.count(kit.say("col.deliveries")),
    }
    kind, drawn = lens.over_time("bar_horizontal_stacked", "agency", ["deliveries"], "state")
    return Chart(kit.say("exercise.deliveries"), kind, kit.view("deliveries"), columns, drawn, UNREAL)


def _story(kit: Kit) -> Saved:
    shown = ["status", "event", "hazard", "place.name", "severity", "lead", "support", "paged", "voices", "incident"]
    id, title, help = kit.id("exercise-story"), kit.say("exercise.story"), kit.say("exercise.help")
    return boards.listing(id, title, help, kit.view("alerts"), shown, [("at", "asc")], UNREAL)
