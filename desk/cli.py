"""The command ``vigie``: each command is a file of ``desk/commands`` with a click command named ``command``."""

from __future__ import annotations

import errno
import importlib
from pathlib import Path
from typing import Any

import click


class Commands(click.Group):
    """Finds commands by file name, so that a command's imports cost only those who call it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command, in alphabetical order."""
        del ctx
        files = (Path(__file__).parent / "commands").glob("[a-z]*.py")
        return sorted(path.stem.replace("_", "-") for path in files)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, or None."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"desk.commands.{cmd_name.replace('-', '_')}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what is wrong around it (settings, files, the database) is one message, not a traceback."""
        try:
            return super().invoke(ctx)
        except _surroundings() as error:
            if isinstance(error, OSError) and (error.errno == errno.EPIPE or error.filename is None):
                raise
            raise click.ClickException(_told(error)) from error


def _surroundings() -> tuple[type[Exception], ...]:
    """Errors whose cause lies outside the program; imported only once something went wrong."""
    from sqlalchemy.exc import DatabaseError

    from config.faults import BundleError
    from config.secrets import MissingSecret
    from config.settings import SettingsError
    from store.database import Busy, Unusable
    from store.migrations import UnknownVersion

    return BundleError, MissingSecret, SettingsError, Busy, Unusable, UnknownVersion, DatabaseError, OSError


def _told(error: Exception) -> str:
    from store.trouble import ADVICE, Unusable, ailment

    if isinstance(error, OSError):
        return (
            f"{error.filename}: {error.strerror}. Free or allow this path, or choose others with VIGIE_HOME and options"
        )
    what, said = ailment(error), str(getattr(error, "orig", None) or error)
    return f"{said}. {ADVICE[what].capitalize()}" if what and not isinstance(error, Unusable) else said


EXAMPLE = "Example: vigie run --no-airflow. Each command shows its own: vigie annotate --help"


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog=EXAMPLE)
@click.version_option(package_name="vigie")
def main() -> None:
    """Vigie: hears a situation in public posts, understands it, and tells the service that owns it."""


if __name__ == "__main__":
    main()
