"""A bundle from its files: read, joined and typed, or refused with every fault at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from config.bundle import Bundle
from config.explain import explain
from config.faults import BundleError, Fault, dotted
from config.yaml_lines import Document, read_yaml

__all__ = ["BundleError", "Fault", "Joined", "load", "read", "read_folder", "typed"]

LARGEST = 1_000_000
MOST_FILES = 200
KeyPath = tuple[str | int, ...]


class Joined:
    """The joined values of a bundle's files, and where each came from."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.value: dict[str, Any] = {}
        self.faults: list[Fault] = []
        self._starts: dict[tuple[str, str], int] = {}
        self._places: dict[KeyPath, tuple[str, int]] = {}
        for file in sorted(files):
            self._add(read_yaml(file, files[file]))

    def place(self, path: KeyPath) -> tuple[str, int]:
        """File and line of a key path, or of the nearest key above it; ("", 0) for the whole bundle."""
        while path and path not in self._places:
            path = path[:-1]
        return self._places.get(path, ("", 0))

    def fault(self, path: KeyPath, message: str, advice: str, *, warning: bool = False) -> Fault:
        """A fault at a key path; items of a list are counted within their file."""
        file, line = self.place(path)
        if len(path) > 1 and isinstance(path[1], int):
            path = (path[0], path[1] - self._starts.get((str(path[0]), file), 0), *path[2:])
        return Fault(file or "the bundle", line, dotted(path), message, advice, "warning" if warning else "error")

    def _add(self, document: Document) -> None:
        self.faults.extend(document.faults)
        if document.value is None:
            return
        if not isinstance(document.value, dict):
            self.faults.append(
                Fault(document.file, 1, "", "not a mapping", 'write top-level keys, such as "agencies:"')
            )
            return
        for name, value in document.value.items():
            self._join(document, name, value)

    def _join(self, document: Document, name: str, value: Any) -> None:
        mine = self.value.get(name)
        if name in self.value and not (isinstance(mine, list) and isinstance(value, list)):
            file, line = self.place((name,))
            advice = "keep one of the two; only lists may be spread over several files"
            self.faults.append(
                Fault(document.file, document.lines[(name,)], name, f"stands in {file}:{line} already", advice)
            )
            return
        shift = self._starts[name, document.file] = len(mine) if isinstance(mine, list) else 0
        for path, line in document.lines.items():
            if path[:1] == (name,):
                moved = (name, path[1] + shift, *path[2:]) if len(path) > 1 and isinstance(path[1], int) else path
                self._places.setdefault(moved, (document.file, line))
        self.value[name] = [*mine, *value] if isinstance(mine, list) else value


def yaml_files(folder: Path) -> list[Path]:
    """The files of a bundle in order of name; hidden ones are an editor's own. Raises OSError."""
    return sorted(
        path for path in folder.iterdir() if path.suffix in (".yaml", ".yml") and not path.name.startswith(".")
    )


def read(folder: Path) -> tuple[dict[str, str], list[Fault]]:
    """The ``*.yaml`` files of a folder (name → text), and a fault for each that cannot be read."""
    files: dict[str, str] = {}
    faults: list[Fault] = []
    if not folder.is_dir():
        advice = "give the folder that holds the YAML files, such as config/default"
        return {}, [Fault(str(folder), 0, "", "there is no such folder", advice)]
    try:
        paths = yaml_files(folder)
    except OSError as error:
        return {}, [Fault(str(folder), 0, "", f"cannot be read: {error.strerror}", "allow Vigie to read it")]
    if not paths:
        faults.append(Fault(str(folder), 0, "", "the folder holds no .yaml file", "copy config/default and edit it"))
    if len(paths) > MOST_FILES:
        faults.append(Fault(str(folder), 0, "", f"more than {MOST_FILES} files", "join some of them"))
    for path in paths[:MOST_FILES]:
        text = _text(path)
        if isinstance(text, Fault):
            faults.append(text)
        else:
            files[path.name] = text
    return files, faults


def read_folder(folder: Path) -> dict[str, str]:
    """The ``*.yaml`` files of a folder, name → text. Raises BundleError naming every file that cannot be read."""
    files, faults = read(folder)
    if faults:
        raise BundleError(faults)
    return files


def load(files: Mapping[str, str]) -> Bundle:
    """The bundle that the files (name → text) declare. Raises BundleError with every fault of form and type.

    What the declarations mean together is checked by :func:`config.check.check`.
    """
    bundle, source = typed(files)
    if bundle is None or source.faults:
        raise BundleError(source.faults)
    return bundle


def typed(files: Mapping[str, str]) -> tuple[Bundle | None, Joined]:
    """The bundle, or None where a type is wrong, and the source with every fault found."""
    source = Joined(files)
    try:
        return Bundle.model_validate(source.value), source
    except ValidationError as error:
        source.faults.extend(list(_explained(error, source)))
    return None, source


def _explained(error: ValidationError, source: Joined) -> Iterator[Fault]:
    for one in error.errors(include_url=False, include_context=True):
        if one["type"] == "too_short" and len(one["input"]) >= one["ctx"]["min_length"]:
            continue  # long enough, but an item of it is wrong, which is told by itself
        path, message, advice = explain(one)
        fault = source.fault(path, message, advice)
        if not any((known.file, known.key) == (fault.file, fault.key) for known in source.faults):
            yield fault


def _text(path: Path) -> str | Fault:
    try:
        if path.stat().st_size > LARGEST:
            return Fault(path.name, 0, "", "larger than 1 MB", "split it into several files")
        data = path.read_bytes()
    except OSError as error:
        return Fault(path.name, 0, "", f"cannot be read: {error.strerror}", "check that it is a file you may read")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Fault(path.name, line, "", f"not UTF-8 (byte 0x{data[error.start]:02X})", "save the file as UTF-8")
