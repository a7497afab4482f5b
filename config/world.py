"""The configuration in force: a bundle, its version, and what is worked out from it once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.areas import Areas
from config.bundle import Bundle
from config.filters import Matcher
from config.load import load, read_folder
from store.config_versions import version_of


@dataclass(frozen=True)
class World:
    """One version of the agency's declared world, as every stage uses it. Immutable; safe between threads."""

    bundle: Bundle
    version: str
    matcher: Matcher
    areas: Areas

    @classmethod
    def load(cls, folder: Path) -> World:
        """The world of a folder. Raises BundleError where a file or a type is wrong; see :func:`config.check.check`."""
        files = read_folder(folder)
        return cls.from_files(version_of(files), files)

    @classmethod
    def from_files(cls, version: str, files: Mapping[str, str]) -> World:
        """The world that files (name → text) declare. Raises BundleError as :func:`config.load.load` does."""
        bundle = load(files)
        areas = Areas(bundle)
        return cls(bundle, version, Matcher(bundle, areas), areas)
