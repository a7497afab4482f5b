"""KQL to Elasticsearch's query, as Kibana's ``kbn-es-query`` does it (``src/kuery``: the grammar, ``functions/*.ts``).

Left out, and refused: nested fields, and field names with wildcards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from desk.kibana.panels.errors import BadQuery, Untested
from desk.kibana.panels.views import Field

Dsl = dict[str, Any]
_KEYWORD = re.compile(r"(?i)(and|or|not)(?=[\s()]|$)")
_OPERATORS = {"<=": "lte", ">=": "gte", "<": "lt", ">": "gt"}
_NUMBER = re.compile(r"(-?[1-9]+\d*([.]\d+)?)|(-?0[.]\d*[1-9])|0|0\.0|[.]\d+")
_SPECIAL = '\\():<>"{}'
_IN_QUERY_STRING = re.compile(r'([+\-=&|!(){}\[\]^"~:\\/]|<|>)')


@dataclass(frozen=True, slots=True)
class Literal:
    """A value or a field's name. ``pattern``: it holds an unquoted ``*``."""

    value: str | float | bool | None
    quoted: bool = False
    pattern: bool = False


def to_dsl(text: str, fields: Mapping[str, Field], zone: str) -> Dsl:
    """The query for a KQL expression. ``fields`` are those of the data view; times without a zone are of ``zone``.

    Raises BadQuery, and Untested for what is not translated.
    """
    if not text.strip():
        return {"match_all": {}}
    reader = _Reader(text, fields, zone)
    dsl = reader.any_of(reader.expression)
    reader.end()
    return dsl


class _Reader:
    """A reader of one expression, from left to right."""

    def __init__(self, text: str, fields: Mapping[str, Field], zone: str) -> None:
        self._text, self._at, self._fields, self._zone = text, 0, fields, zone

    def any_of(self, one: Callable[[], Dsl]) -> Dsl:
        """Expressions joined by ``or``."""
        found = [self._all_of(one)]
        while self._keyword("or"):
            found.append(self._all_of(one))
        return found[0] if len(found) == 1 else {"bool": {"should": found, "minimum_should_match": 1}}

    def expression(self) -> Dsl:
        """A parenthesis, ``field: value``, ``field: (a or b)``, ``field >= value``, or a value for every field."""
        if self._taken("("):
            return self._closed(self.any_of(self.expression))
        literal = self._literal()
        if self._taken(":"):
            name = self._name(literal)
            return self._values(lambda value: self._is(name, value))
        for sign, operator in _OPERATORS.items():
            if self._taken(sign):
                return self._range(self._name(literal), operator, self._literal())
        return _anywhere(literal)

    def end(self) -> None:
        """Nothing may follow."""
        self._space()
        if self._at < len(self._text):
            raise self._error("nothing more was expected")

    def _all_of(self, one: Callable[[], Dsl]) -> Dsl:
        found = [self._not(one)]
        while self._keyword("and"):
            found.append(self._not(one))
        return found[0] if len(found) == 1 else {"bool": {"filter": found}}

    def _not(self, one: Callable[[], Dsl]) -> Dsl:
        return {"bool": {"must_not": self._not(one)}} if self._keyword("not") else one()

    def _values(self, of: Callable[[Literal], Dsl]) -> Dsl:
        """One value, or several in a parenthesis."""
        if self._taken("{"):
            raise Untested(f"nested fields are not translated: {self._text}")
        if not self._taken("("):
            return of(self._literal())
        return self._closed(self.any_of(lambda: self._values(of)))

    def _is(self, name: str, literal: Literal) -> Dsl:
        """``functions/is.ts``."""
        return {"bool": {"should": [self._matches(name, literal)], "minimum_should_match": 1}}

    def _matches(self, name: str, literal: Literal) -> Dsl:
        kind, value = self._field(name).es_type, literal.value
        if literal.pattern and value == "*":
            return {"exists": {"field": name}}
        if literal.pattern and kind == "keyword":
            return {"wildcard": {name: {"value": value}}}
        if literal.pattern:
            return {"query_string": {"fields": [name], "query": _escaped(str(value))}}
        if kind == "date":
            return {"range": {name: {"gte": value, "lte": value, "time_zone": self._zone}}}
        if kind == "keyword":
            return {"term": {name: {"value": value}}}
        return {"match_phrase" if literal.quoted else "match": {name: value}}

    def _range(self, name: str, operator: str, literal: Literal) -> Dsl:
        """``functions/range.ts``."""
        bounds: Dsl = {operator: literal.value}
        if self._field(name).es_type == "date":
            bounds["time_zone"] = self._zone
        return {"bool": {"should": [{"range": {name: bounds}}], "minimum_should_match": 1}}

    def _field(self, name: str) -> Field:
        if name not in self._fields:
            raise BadQuery(f"{self._text}: the data view has no field {name}")
        return self._fields[name]

    def _name(self, literal: Literal) -> str:
        if literal.pattern:
            raise Untested(f"field names with * are not translated: {self._text}")
        return str(literal.value)

    def _closed(self, dsl: Dsl) -> Dsl:
        if not self._taken(")"):
            raise self._error("a ) is missing")
        return dsl

    def _literal(self) -> Literal:
        self._space()
        return self._quoted() if self._text[self._at : self._at + 1] == '"' else self._unquoted()

    def _quoted(self) -> Literal:
        found = re.compile(r'"((?:\\.|[^"\\])*)"').match(self._text, self._at)
        if not found:
            raise self._error('a " is missing')
        self._at = found.end()
        return Literal(re.sub(r"\\(.)", r"\1", found[1]), quoted=True)

    def _unquoted(self) -> Literal:
        """Words up to a sign or a keyword, blanks between them included."""
        read, pattern = "", False
        while self._at < len(self._text) and not (self._blank_before() and _KEYWORD.match(self._text, self._at)):
            letter = self._text[self._at]
            if letter == "\\" and self._at + 1 < len(self._text):
                self._at += 1
                letter = self._text[self._at]
            elif letter in _SPECIAL:
                break
            pattern |= letter == "*" and self._text[self._at - 1 : self._at] != "\\"
            read, self._at = read + letter, self._at + 1
        if not read.strip():
            raise self._error("a value is missing")
        return _valued(read.strip(), pattern)

    def _blank_before(self) -> bool:
        return self._at == 0 or self._text[self._at - 1].isspace() or self._text[self._at - 1] in "()"

    def _keyword(self, word: str) -> bool:
        self._space()
        found = _KEYWORD.match(self._text, self._at)
        if not found or found[1].lower() != word:
            return False
        self._at = found.end()
        return True

    def _taken(self, sign: str) -> bool:
        self._space()
        if not self._text.startswith(sign, self._at):
            return False
        self._at += len(sign)
        return True

    def _space(self) -> None:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1

    def _error(self, what: str) -> BadQuery:
        return BadQuery(f"{self._text}: {what} at character {self._at + 1}")


def _valued(text: str, pattern: bool) -> Literal:
    constants: dict[str, bool | None] = {"true": True, "false": False, "null": None}
    if text in constants:
        return Literal(constants[text])
    if _NUMBER.fullmatch(text):
        return Literal(float(text) if "." in text else int(text))
    return Literal(text, pattern=pattern)


def _anywhere(literal: Literal) -> Dsl:
    if literal.pattern and literal.value == "*":
        return {"match_all": {}}
    if literal.pattern:
        return {"query_string": {"query": _escaped(str(literal.value))}}
    how = "phrase" if literal.quoted else "best_fields"
    return {"multi_match": {"type": how, "query": literal.value, "lenient": True}}


def _escaped(text: str) -> str:
    """``node_types/wildcard.ts``: everything but ``*`` stands for itself."""
    return _IN_QUERY_STRING.sub(r"\\\1", text)
