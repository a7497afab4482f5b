"""The command ``vigie``: each command is a file of ``desk/commands`` with a click command named ``command``."""

from __future__ import annotations

import importlib
from pathlib import Path

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


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="vigie")
def main() -> None:
    """Vigie: hears a situation in public posts, understands it, and tells the service that owns it."""


if __name__ == "__main__":
    main()
