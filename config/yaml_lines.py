"""YAML read strictly, with the line of every key.

The core schema of YAML 1.2 for scalars, so that ``no`` stays a word, ``22:00`` a time and ``01001`` an INSEE code.
Refused: duplicate keys, aliases, tags, several documents, nesting beyond 20 levels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from config.faults import Fault, dotted

Path = tuple[str | int, ...]
DEEPEST = 20
_INT = re.compile(r"[-+]?(0|[1-9]\d{0,17})\Z")
_FLOAT = re.compile(r"[-+]?(\d{1,30}\.\d{0,30}|\.\d{1,30})([eE][-+]?\d{1,3})?\Z")
_TAGS = ("str", "int", "float", "bool", "null", "timestamp", "merge", "value")
_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "true": True, "false": False}


@dataclass
class Document:
    """One file as plain values, with the line (from 1) of every path in it."""

    file: str
    value: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, line: int, path: Path, message: str, advice: str) -> None:
        """Note something wrong at a line."""
        self.faults.append(Fault(self.file, line, dotted(path), message, advice))


def read_yaml(file: str, text: str) -> Document:
    """The document in ``text``; ``faults`` says what is wrong with it, and the value is then what could be read."""
    document = Document(file)
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except RecursionError:
        document.fault(0, (), "the file is nested too deeply", f"use at most {DEEPEST} levels")
    except yaml.MarkedYAMLError as error:
        _malformed(document, error, text)
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        document.fault(line, (), f"a character that YAML does not allow (U+{error.character:04X})", "delete it")
    else:
        document.value = None if node is None else _Reader(document).read(node, ())
    return document


def _malformed(document: Document, error: yaml.MarkedYAMLError, text: str) -> None:
    mark = error.problem_mark or error.context_mark
    problem = error.problem or "it cannot be read"
    advice = "check the indentation, the quotes and the colons around this line"
    if "found character '\\t'" in problem:
        advice = "indent with spaces, not tabs"
    elif "undefined alias" in problem or "*" in problem:
        advice = "put text that starts with * or & between quotes"
    last = text.rstrip().count("\n") + 1  # what was never closed, rather than the empty end of the file
    document.fault(min(mark.line + 1, last) if mark else 0, (), f"malformed YAML: {problem}", advice)


class _Reader:
    """Turns the nodes of one document into values, each node once."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.seen: set[int] = set()

    def read(self, node: yaml.Node, path: Path) -> Any:
        line = self.document.lines.setdefault(path, node.start_mark.line + 1)
        if id(node) in self.seen:
            self.document.fault(line, path, "an alias (*name) stands here", "write the value out; aliases are refused")
            return None
        self.seen.add(id(node))
        if len(path) > DEEPEST:
            self.document.fault(line, path, "nested too deeply", f"use at most {DEEPEST} levels")
            return None
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.read(child, (*path, index)) for index, child in enumerate(node.value)]
        assert isinstance(node, yaml.ScalarNode)
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name_node, child in node.value:
            line = name_node.start_mark.line + 1
            if not isinstance(name_node, yaml.ScalarNode):
                self.document.fault(line, path, "a key that is not a word", "write keys as plain words")
                continue
            name = name_node.value
            if name in values:
                first = self.document.lines[(*path, name)]
                self.document.fault(
                    line, (*path, name), f"this key stands on line {first} already", "keep one of the two"
                )
                continue
            self.document.lines[(*path, name)] = line
            values[name] = self.read(child, (*path, name))
        return values

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        text = node.value
        if node.tag.removeprefix("tag:yaml.org,2002:") not in _TAGS:
            line = node.start_mark.line + 1
            self.document.fault(
                line, path, f"the tag {node.tag} is not allowed", "put text that starts with ! between quotes"
            )
            return None
        if node.style is not None:
            return text
        if text in _WORDS:
            return _WORDS[text]
        if _INT.match(text):
            return int(text)
        return float(text) if _FLOAT.match(text) else text
