"""``vigie report``: what a person saw or heard elsewhere, entered by hand."""

from __future__ import annotations

from datetime import datetime

import click
import orjson

from config.faults import BundleError
from config.settings import Settings, settings
from config.world import World
from listeners.authors import AuthorKeys
from listeners.collect import collect
from listeners.hand import PLATFORM, NotUsable, entered
from listeners.incoming import Incoming
from store import config_versions, times
from store.database import Database


@click.command(
    epilog='Example: vigie report "Fumée noire au-dessus de la zone industrielle" --place Cholet --author "Mme Roy"'
)
@click.argument("text")
@click.option("--place", help="A commune or département that the gazetteer knows.")
@click.option("--lat", type=float, help="Latitude in degrees, with --lon.")
@click.option("--lon", type=float, help="Longitude in degrees, with --lat.")
@click.option(
    "--at",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M"]),
    help="When it was said or seen, UTC. [default: now]",
)
@click.option("--author", help="Who said it, so that two reports of one person count once; kept only as a keyed hash.")
@click.option("--lang", type=click.Choice(["fr", "en"]), help="Language of TEXT, where it is not plain.")
@click.option("--exercise", is_flag=True, help="Mark it as part of an exercise.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON line.")
def command(
    text: str, place: str | None, lat: float | None, lon: float | None, at: datetime | None, author: str | None,
    lang: str | None, exercise: bool, as_json: bool,
) -> None:  # fmt: skip
    """Enter TEXT as a post, as if a platform had brought it: it is annotated, joined to incidents and routed."""
    now = times.now()
    try:
        post = entered(
            text, now=now, at=at, author=author, place=place, lat=lat, lon=lon, lang=lang,
            status="Exercise" if exercise else None,
        )  # fmt: skip
        new = _keep(post, settings(), now)
    except (NotUsable, BundleError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    known = {"id": f"{post.platform}:{post.native_id}", "new": new, "place": post.geo.place if post.geo else None}
    if as_json:
        click.echo(orjson.dumps(known))
    else:
        click.echo(f"{'Kept' if new else 'Known already'}: {known['id']}")


def _keep(post: Incoming, here: Settings, now: datetime) -> bool:
    """Whether the post is new to the store."""
    db = Database.open(here.database)
    try:
        keys = AuthorKeys.of_home(here.home)
        came = collect(
            db, _world(db, here), [post], source=PLATFORM, clock=lambda: now, key=keys, status=here.status or "Actual"
        )
        return came.kept == 1
    finally:
        db.close()


def _world(db: Database, here: Settings) -> World:
    """The configuration in force, or that of the folder where none was published yet."""
    with db.read() as conn:
        latest = config_versions.latest(conn)
    return World.from_files(*latest) if latest else World.load(here.config)
