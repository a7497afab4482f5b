"""``vigie kibana``: the dashboards for Kibana, to a file or into a running Kibana."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import click

from config.faults import BundleError
from config.secrets import secret
from config.settings import ROOT, Settings, settings
from config.world import World
from desk.kibana import loading, pack, prepare
from desk.kibana.say import LANGS
from desk.web.words import Lang
from store.index.cluster import PREFIX

KEY = "VIGIE_KIBANA_API_KEY"
ELASTIC = "VIGIE_ELASTIC_PASSWORD"
_SPACE = click.option("--space", default="crise", show_default=True, help="The space of the dashboards.")
_WAIT = click.option(
    "--wait", type=click.FloatRange(min=0), default=0, metavar="SECONDS", help="How long to wait for an answer."
)
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
    """Write the saved objects as NDJSON, as Kibana's own import takes them (Stack Management, Saved Objects).

    Their links lead to VIGIE_DESK_URL, and they show the indices of VIGIE_ELASTICSEARCH_PREFIX.
    """
    lines = _lines(settings(), lang)
    if out is None:
        click.echo(lines, nl=False)
    else:
        out.write_bytes(lines)


@command.command("import", epilog="Example: vigie kibana import --url https://kibana.example.org --space crise")
@_LANG
@click.option("--url", help="Where Kibana is; VIGIE_KIBANA_URL without.")
@click.option("--space", help="The space to fill; the default one without.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def load(lang: str, url: str | None, space: str | None, as_json: bool) -> None:
    """Bring the saved objects into a running Kibana, in place of those of an earlier import.

    The API key is read from VIGIE_KIBANA_API_KEY, or from the file that VIGIE_KIBANA_API_KEY_FILE names. The exit
    status is 1 where Kibana did not take every object.
    """
    here = settings({**os.environ, "VIGIE_KIBANA_URL": url} if url else None)
    if here.kibana_url is None:
        raise click.UsageError("where is Kibana? Give --url or VIGIE_KIBANA_URL")
    key = _given(KEY)
    kibana = loading.Kibana(here.kibana_url, space, key, here.cluster.ca if here.cluster else None)
    try:
        outcome = loading.load(kibana, _lines(here, lang))
    except loading.KibanaError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(asdict(outcome), ensure_ascii=False))
    else:
        click.echo(f"{outcome.imported} objects imported into {kibana.place}.")
        for failure in outcome.failed:
            click.echo(f"not imported: {failure.type} {failure.id}: {failure.reason}", err=True)
    sys.exit(1 if outcome.failed else 0)


@command.command("prove", epilog="Example: vigie kibana prove --lang fr")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_LANG
@click.option(
    "--config", "folder", type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=ROOT / "config" / "default", help="The bundle. [default: config/default]",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON object a layer of a panel.")
def prove(files: tuple[Path, ...], lang: str, folder: Path, as_json: bool) -> None:
    """Put every panel to the proof: what it asks Elasticsearch, what it shows, and what the database says.

    FILES are recorded posts; without any, the bundled drill. They go through all five stages, people act on what came
    of them, and everything is indexed in the cluster of VIGIE_ELASTICSEARCH, under a prefix of its own that is taken
    away again; without a cluster a node is started here. The exit status is 1 where a panel shows anything else than
    the database says.
    """
    from desk.kibana import proving  # brings in all five stages
    from desk.kibana.panels.scene import BadScene
    from desk.trials.engine import NoEngine
    from store.index.reasons import FAULTS, reason

    here, wrong = settings(), 0
    try:
        if not as_json:
            click.echo(proving.HEAD)
        for tongue, proof in proving.proofs(files, World.load(folder), _langs(lang), here.cluster):
            wrong += bool(proof.wrong)
            told = {"lang": tongue, **proof.plain()}
            click.echo(json.dumps(told, ensure_ascii=False) if as_json else proving.line(tongue, proof))
    except (BadScene, BundleError, NoEngine, OSError) as error:
        raise click.ClickException(str(error)) from error
    except FAULTS as error:
        raise click.ClickException(f"Elasticsearch: {reason(error)}") from error
    sys.exit(1 if wrong else 0)


def _langs(lang: str) -> tuple[Lang, ...]:
    return tuple(each for each in LANGS if lang in (each, "all"))


@command.command("keys", epilog="Example: vigie kibana keys /etc/vigie/keys --space crise")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@_SPACE
@_WAIT
def make_keys(folder: Path, space: str, wait: float) -> None:
    """Make what docs/kibana.md makes by hand: the role of those who look, and the two keys, as files in FOLDER.

    It asks VIGIE_ELASTICSEARCH as the user elastic, whose password is VIGIE_ELASTIC_PASSWORD. With
    VIGIE_KIBANA_SYSTEM_PASSWORD it gives Kibana's own user that password, with VIGIE_WATCH_PASSWORD it makes the user
    veille, who looks. What is there and works stays. Where both keys are there and no cluster answers, they are kept.
    """
    here = settings()
    if here.cluster is None:
        raise click.UsageError("where is Elasticsearch? Set VIGIE_ELASTICSEARCH")
    admin = prepare.Admin(here.cluster.hosts[0], secret(ELASTIC), here.cluster.ca)
    passwords = prepare.Passwords(_given("VIGIE_KIBANA_SYSTEM_PASSWORD"), _given("VIGIE_WATCH_PASSWORD"))
    cluster, kept = here.cluster, prepare.there(folder)

    def work() -> list[str]:
        done = prepare.people(admin, cluster, space, passwords)
        return done + prepare.keys(admin, cluster, space, folder)

    try:
        click.echo(f"made or set: {', '.join(prepare.patiently(work, 0 if kept else wait))}")
    except prepare.Away as away:
        if not kept:
            raise click.ClickException(str(away)) from away
        click.echo(f"{away}: the keys in {folder} are kept as they are")
    except prepare.PrepareError as error:
        raise click.ClickException(str(error)) from error


@command.command("space", epilog="Example: vigie kibana space crise")
@click.argument("name")
@_WAIT
def make_space(name: str, wait: float) -> None:
    """Make the space NAME in the Kibana of VIGIE_KIBANA_URL, as the user elastic; nothing where it is there."""
    here = settings()
    if here.kibana_url is None:
        raise click.UsageError("where is Kibana? Set VIGIE_KIBANA_URL")
    admin = prepare.Admin(here.kibana_url, secret(ELASTIC), here.cluster.ca if here.cluster else None)
    try:
        fresh = prepare.patiently(lambda: prepare.space(admin, name), wait)
    except prepare.PrepareError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"the space {name} {'was made' if fresh else 'is there already'}")


def _given(name: str) -> str | None:
    return secret(name) if os.environ.get(name) or os.environ.get(f"{name}_FILE") else None


def _lines(here: Settings, lang: str) -> bytes:
    prefix = here.cluster.prefix if here.cluster else PREFIX
    return pack.lines(pack.both(_langs(lang), prefix, here.desk_url))
