"""``vigie bench``: the figures that the README claims, measured here and now."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

FOLDER = Path(__file__).parent.parent / "bench"


class Benches(click.Group):
    """Finds benches by file name, so that one bench's imports cost only those who run it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's shape
        """Every bench, in alphabetical order."""
        return sorted(path.stem.replace("_", "-") for path in FOLDER.glob("[a-z]*.py"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The bench of that name, or None."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"desk.bench.{cmd_name.replace('-', '_')}").command
        return command


@click.command(cls=Benches, epilog="Example: vigie bench pipeline --posts 20000 --json")
def command() -> None:
    """Measure this machine: throughput, latency, alerts on recorded crises."""
