"""What the dashboards are drawn with, and the panels that more than one of them shows."""

from __future__ import annotations

from dataclasses import dataclass

from desk.kibana import board, lens, views
from desk.kibana.board import Control, Panel
from desk.kibana.columns import On
from desk.kibana.lens import Chart
from desk.kibana.maps import COLORS
from desk.kibana.saved import Saved
from desk.kibana.say import Say
from desk.kibana.views import View

WATCH, ANALYSTS, EXERCISE = "watch", "analysts", "exercise"
LIVE = 'not state: "closed"'
RELEVANT = "relevance >= 0.5"
FIRST = 'event: "new"'
CALM, ALARM = COLORS["Minor"], COLORS["Severe"]


@dataclass(frozen=True, slots=True)
class Kit:
    """One language, one prefix of indices, and where the desk is."""

    say: Say
    prefix: str
    desk_url: str

    def view(self, family: str) -> View:
        """The data view of a family."""
        return views.view(family, self.prefix, self.say)

    def on(self, family: str) -> On:
        """Columns over a family."""
        return On(self.view(family))

    def id(self, name: str) -> str:
        """The id of one of our objects: ``vigie-watch-fr``."""
        return f"vigie-{name}-{self.say.lang}"


def links(kit: Kit, name: str) -> Panel:
    """The line of links at the top: every dashboard, and the desk."""
    boards = [(kit.say(f"{key}.title"), kit.id(key)) for key in (WATCH, ANALYSTS, EXERCISE)]
    line = board.links(kit.id(f"{name}-links"), kit.say(f"{name}.links"), boards, [(kit.say("desk"), kit.desk_url)])
    return Panel(line, 48)


def figure(kit: Kit, family: str, title: str, column: str, kql: str, color: str, *, alone: bool = False) -> Chart:
    """How many documents of a family match, as one large figure."""
    kind, drawn = lens.figure("value", color)
    columns = {"value": kit.on(family).count(kit.say(column), kql if alone else "")}
    return Chart(kit.say(title), kind, kit.view(family), columns, drawn, "" if alone else kql, alone)


def tags(kit: Kit, title: str, kql: str = "") -> Chart:
    """Posts by tag, over time."""
    on = kit.on("posts")
    columns = {
        "tag": on.terms("labels", 5, "posts"),
        "time": on.time("created_at", label=kit.say("col.when")),
        "posts": on.count(kit.say("col.posts")),
    }
    kind, drawn = lens.over_time("bar_stacked", "time", ["posts"], "tag")
    return Chart(kit.say(title), kind, kit.view("posts"), columns, drawn, kql)


def incidents(kit: Kit, id: str, title: str, help: str, kql: str) -> Saved:
    """Incidents a row each, gravest first: what, where, who holds it, whether it is acknowledged, the desk's page."""
    shown = [
        f"title.{kit.say.lang}", "severity", "status", "state", "lead", "support", "acknowledged", "acknowledged_by",
        "acknowledged_at", "posts", "id",
    ]  # fmt: skip
    sort = [("severity_rank", "desc"), ("updated_at", "desc")]
    return board.listing(kit.id(id), kit.say(title), kit.say(help), kit.view("incidents"), shown, sort, kql)


def times(kit: Kit, title: str, kql: str = "") -> Chart:
    """By agency: first messages, acknowledgements, median and 95 % of the time to alert and of the time to acknowledge.

    What tells of an update or of the end of an incident is left out: nobody waits for it.
    """
    on, say = kit.on("deliveries"), kit.say
    columns = {
        "agency": on.terms("agency", 20, "deliveries"),
        "deliveries": on.count(say("col.deliveries")),
        "alert_median": on.number("median", "to_first_attempt_s", say("col.alert.median")),
        "alert_p95": on.percentile("to_first_attempt_s", 95, say("col.alert.p95")),
        "acknowledged": on.count(say("col.acknowledged"), "acknowledged_at: *"),
        "ack_median": on.number("median", "to_acknowledge_s", say("col.ack.median")),
        "ack_p95": on.percentile("to_acknowledge_s", 95, say("col.ack.p95")),
    }
    kind, drawn = lens.table(columns)
    return Chart(say(title), kind, kit.view("deliveries"), columns, drawn, f"{kql} and {FIRST}" if kql else FIRST)


def status(kit: Kit, *chosen: str) -> Control:
    """The choice of real life, exercises and tests."""
    return Control(kit.view("incidents"), "status", kit.say("control.status"), chosen)
