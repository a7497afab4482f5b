"""*Analystes*: what each filter brings, what it repeats, whether it is right, and what it costs."""

from __future__ import annotations

from desk.kibana import lens
from desk.kibana.board import Board, Control, Panel, row
from desk.kibana.boards import shared
from desk.kibana.boards.shared import RELEVANT, Kit
from desk.kibana.columns import Column, filters
from desk.kibana.lens import Chart

DECIDED = 'verification: "confirmed" or verification: "refuted"'


def board(kit: Kit) -> Board:
    """The dashboard."""
    rows = (
        row(3, shared.links(kit, "watch")),
        row(12, Panel(_hourly(kit, "kept"), 24), Panel(_hourly(kit, "received"), 24)),
        row(14, Panel(_counted(kit, "analysts.yield", "filter", "col.filter"), 24), Panel(_useful(kit), 24)),
        row(18, Panel(_overlap(kit), 48)),
        row(14, Panel(_precision(kit), 24), Panel(_decisions(kit), 24)),
        row(12, Panel(_counted(kit, "analysts.cost", "source", "field.source"), 24), Panel(_gaps(kit), 24)),
    )
    controls = (shared.status(kit), Control(kit.view("posts"), "filters", kit.say("col.filter")))
    say = kit.say
    return Board(kit.id(shared.ANALYSTS), say("analysts.title"), say("analysts.help"), rows, controls, "7d", 300)


def _hourly(kit: Kit, field: str) -> Chart:
    on = kit.on("hours")
    columns = {
        "filter": on.terms("filter", 12, "posts", kit.say("col.filter")),
        "time": on.time("hour", "1h", kit.say("col.when")),
        "posts": on.number("sum", field),
    }
    kind, drawn = lens.over_time("line", "time", ["posts"], "filter")
    return Chart(kit.say(f"analysts.{field}"), kind, kit.view("hours"), columns, drawn, alone=True)


def _counted(kit: Kit, title: str, by: str, label: str) -> Chart:
    """What was read and what was kept; what is read is what a source that is paid by the post costs."""
    on = kit.on("hours")
    columns = {
        "subject": on.terms(by, 50, "read", kit.say(label)),
        "read": on.number("sum", "received", kit.say("col.read")),
        "kept": on.number("sum", "kept"),
        "listened": on.number("sum", "listened_s"),
    }
    kind, drawn = lens.table(columns, "read")
    return Chart(kit.say(title), kind, kit.view("hours"), columns, drawn, alone=True)


def _useful(kit: Kit) -> Chart:
    on = kit.on("posts")
    columns = {
        "filter": on.terms("filters", 20, "posts", kit.say("col.filter")),
        "posts": on.count(kit.say("col.posts")),
        "useful": on.count(kit.say("col.useful"), RELEVANT),
        "relevance": on.number("average", "relevance"),
        "incidents": on.number("unique_count", "incident", kit.say("col.incidents")),
    }
    kind, drawn = lens.table(columns, "useful")
    return Chart(kit.say("analysts.useful"), kind, kit.view("posts"), columns, drawn)


def _overlap(kit: Kit) -> Chart:
    """A post that two filters wanted counts where their row and column meet; the diagonal is all that each wanted."""
    on = kit.on("posts")
    columns = {
        "filter": on.terms("filters", 20, "posts", kit.say("col.filter")),
        "other": on.terms("filters", 20, "posts", kit.say("col.other")),
        "posts": on.count(kit.say("col.posts")),
    }
    kind, drawn = lens.heatmap("filter", "other", "posts")
    return Chart(kit.say("analysts.overlap"), kind, kit.view("posts"), columns, drawn)


def _precision(kit: Kit) -> Chart:
    say, on = kit.say, kit.on("incidents")
    choices = [(say("col.confirmed"), 'verification: "confirmed"'), (say("col.refuted"), 'verification: "refuted"')]
    columns = {
        "verdict": filters(say("field.verification"), choices),
        "filter": on.terms("filters", 20, "incidents", say("col.filter")),
        "incidents": on.count(say("col.incidents")),
    }
    kind, drawn = lens.over_time("bar_horizontal_percentage_stacked", "filter", ["incidents"], "verdict")
    return Chart(say("analysts.precision"), kind, kit.view("incidents"), columns, drawn, DECIDED)


def _decisions(kit: Kit) -> Chart:
    say, on = kit.say, kit.on("incidents")
    columns: dict[str, Column] = {
        "filter": on.terms("filters", 50, "incidents", say("col.filter")),
        "incidents": on.count(say("col.incidents")),
        "confirmed": on.count(say("col.confirmed"), 'verification: "confirmed"'),
        "refuted": on.count(say("col.refuted"), 'verification: "refuted"'),
        "unchecked": on.count(say("col.unchecked"), f"not ({DECIDED})"),
    }
    kind, drawn = lens.table(columns, "incidents")
    return Chart(say("analysts.decided"), kind, kit.view("incidents"), columns, drawn)


def _gaps(kit: Kit) -> Chart:
    on = kit.on("gaps")
    columns = {
        "source": on.terms("source", 20, "seconds"),
        "state": on.terms("state", 5, "seconds"),
        "seconds": on.number("sum", "seconds", kit.say("col.seconds")),
        "found": on.number("sum", "found"),
    }
    kind, drawn = lens.table(columns, "seconds")
    return Chart(kit.say("analysts.gaps"), kind, kit.view("gaps"), columns, drawn, alone=True)
