"""``vigie kibana``: the dashboards for Kibana, to a file or into a running Kibana."""

from __future__ import annotations

from pathlib import Path

import click

from config.settings import settings
from desk.kibana import pack
from desk.kibana.say import LANGS
from desk.web.words import Lang
from store.index.cluster import PREFIX

_LANG = click.option(
    "--lang", type=click.Choice([*LANGS, "all"]), default="all", show_default=True, help="Which language's objects."
)


@click.group(epilog="Example: vigie kibana import --space crise")
def command() -> None:
    """Dashboards for Kibana 9.2: the wall, the analysts', the exercise's, in French and English."""


@command.command("export", epilog="Example: vigie kibana export --lang fr -o vigie-fr.ndjson")
@_LANG
@click.option("-o", "--out", type=click.Path(path_type=Path, dir_okay=False), help="The file; standard output without.")
def export(lang: str, out: Path | None) -> None:
    """Write the saved objects as NDJSON, as Kibana's own import takes them (Stack Management, Saved Objects)."""
    here = settings()
    prefix = here.cluster.prefix if here.cluster else PREFIX
    lines = pack.lines(pack.both(_langs(lang), prefix, here.desk_url))
    if out is None:
        click.echo(lines, nl=False)
    else:
        out.write_bytes(lines)


def _langs(lang: str) -> tuple[Lang, ...]:
    return tuple(each for each in LANGS if lang in (each, "all"))
