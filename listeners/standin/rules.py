"""The rules of the filtered stream, with X's limits and X's errors."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import Any

from listeners.standin.query import QueryError, parse
from listeners.standin.terms import Term
from listeners.standin.tweet import Tweet
from listeners.standin.wire import PROBLEMS, Problem, invalid

FIRST_ID = 1_900_000_000_000_000_000


@dataclass(frozen=True)
class Rule:
    """One rule with its parsed meaning."""

    id: str
    value: str
    tag: str | None
    term: Term

    def shown(self) -> dict[str, str]:
        """The rule as X lists it."""
        return {"id": self.id, "value": self.value} | ({"tag": self.tag} if self.tag else {})


class Rules:
    """The set of active rules; safe to use from several threads. ``at_most`` rules of ``longest`` characters."""

    def __init__(self, *, at_most: int = 1000, longest: int = 1024) -> None:
        self.at_most, self.longest = at_most, longest
        self._rules: dict[str, Rule] = {}
        self._lock = Lock()
        self._made = 0

    def __len__(self) -> int:
        return len(self._rules)

    def listed(self, ids: str = "") -> list[dict[str, str]]:
        """All rules, or those whose ids are given with commas between."""
        wanted = {part for part in ids.split(",") if part}
        return [rule.shown() for rule in list(self._rules.values()) if not wanted or rule.id in wanted]

    def matching(self, tweet: Tweet) -> list[dict[str, str]]:
        """Id and tag of each rule that the post matches."""
        found = [rule for rule in list(self._rules.values()) if rule.term.matches(tweet, accents=True)]
        return [{"id": rule.id, "tag": rule.tag or ""} for rule in found]

    def change(self, body: Any, *, dry_run: bool) -> tuple[int, dict[str, Any]]:
        """Carries out the body of a POST: status and answer without ``meta.sent``. Raises Problem."""
        if not isinstance(body, dict) or len(body.keys() & {"add", "delete"}) != 1:
            raise invalid("The request body must hold exactly one of `add` and `delete`")
        with self._lock:
            return self._add(body["add"], dry_run) if "add" in body else self._delete(body["delete"], dry_run)

    def _add(self, wanted: Any, dry_run: bool) -> tuple[int, dict[str, Any]]:
        if not isinstance(wanted, list) or not wanted or not all(_well_formed(item) for item in wanted):
            raise invalid("`add` must be a list of objects with a `value` and, where wanted, a `tag`")
        if len(self._rules) + len(wanted) > self.at_most:
            detail = f"You have exceeded the maximum number of rules: {self.at_most}, {len(self._rules)} are in use."
            raise Problem(422, "RulesCapExceeded", detail, f"{PROBLEMS}/rule-cap")
        rules, errors = self._checked(wanted)
        refused = any(error["title"] == "UnprocessableEntity" for error in errors)
        created = [] if refused else rules  # a rule that cannot be read refuses its whole request, a twin only itself
        if not dry_run:
            self._rules |= {rule.id: rule for rule in created}
        summary = {
            "created": len(created),
            "not_created": len(wanted) - len(created),
            "valid": len(rules),
            "invalid": len(errors),
        }
        answer: dict[str, Any] = {
            "data": [rule.shown() for rule in created],
            "meta": {"summary": summary},
            "errors": errors,
        }
        return (201 if created else 200), {key: value for key, value in answer.items() if value}

    def _checked(self, wanted: list[dict[str, str]]) -> tuple[list[Rule], list[dict[str, Any]]]:
        rules: dict[str, Rule] = {}
        errors: list[dict[str, Any]] = []
        known = {rule.value: rule.id for rule in self._rules.values()}
        for item in wanted:
            value = item["value"].strip()
            if value in known or value in rules:
                twin = known.get(value) or rules[value].id
                errors.append(
                    {"value": value, "id": twin, "title": "DuplicateRule", "type": f"{PROBLEMS}/duplicate-rules"}
                )
                continue
            try:
                rules[value] = self._rule(value, item.get("tag"))
            except QueryError as error:
                errors.append(_unprocessable(value, str(error)))
        return list(rules.values()), errors

    def _rule(self, value: str, tag: str | None) -> Rule:
        if len(value) > self.longest:
            raise QueryError(f"Rule length is {len(value)}; rules must be at most {self.longest} characters")
        self._made += 1
        return Rule(str(FIRST_ID + self._made), value, tag, parse(value))

    def _delete(self, wanted: Any, dry_run: bool) -> tuple[int, dict[str, Any]]:
        ids = _ids(wanted, {rule.value: rule.id for rule in self._rules.values()})
        known = [key for key in ids if key in self._rules]
        if not dry_run:
            self._rules = {key: rule for key, rule in self._rules.items() if key not in known}
        answer: dict[str, Any] = {"meta": {"summary": {"deleted": len(known), "not_deleted": len(ids) - len(known)}}}
        if missing := [key for key in ids if key not in known]:
            detail = {"errors": [{"parameters": {}, "message": "Rule does not exist"}], "title": "Invalid Request"}
            answer["errors"] = [detail | {"detail": key, "type": f"{PROBLEMS}/invalid-request"} for key in missing]
        return 200, answer


def _well_formed(item: Any) -> bool:
    return (
        isinstance(item, dict) and item.keys() <= {"value", "tag"}
        and isinstance(item.get("value"), str) and isinstance(item.get("tag", ""), str)
    )  # fmt: skip


def _ids(wanted: Any, by_value: dict[str, str]) -> list[str]:
    if isinstance(wanted, dict) and isinstance(wanted.get("ids"), list):
        return [str(key) for key in wanted["ids"]]
    if isinstance(wanted, dict) and isinstance(wanted.get("values"), list):
        return [by_value.get(str(value), str(value)) for value in wanted["values"]]
    raise invalid("`delete` must be an object with `ids` or `values`")


def _unprocessable(value: str, detail: str) -> dict[str, Any]:
    return {"value": value, "details": [detail], "title": "UnprocessableEntity", "type": f"{PROBLEMS}/invalid-rules"}
