"""Posts by their ids, as ``GET /2/tweets`` gives them: any version, each with its whole history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from listeners.standin.archive import Archive
from listeners.standin.wire import PROBLEMS, Fields, data, includes, invalid

AT_MOST = 100


def look_up(params: Mapping[str, str], archive: Archive) -> dict[str, Any]:
    """The answer for the ids that ``params`` names; those taken away are named under ``errors``. Raises Problem."""
    ids = [key for key in params.get("ids", "").split(",") if key]
    if not 1 <= len(ids) <= AT_MOST or not all(key.isascii() and key.isdigit() and len(key) <= 19 for key in ids):
        raise invalid(f"The `ids` query parameter must hold 1 to {AT_MOST} ids with commas between", ids=",".join(ids))
    fields = Fields.of({name: value for name, value in params.items() if name != "ids"})
    held = archive.held()
    shown = [held[key] for key in ids if key in held]
    answer: dict[str, Any] = {
        "data": [data(tweet, fields) | {"edit_history_tweet_ids": archive.history(tweet)} for tweet in shown],
        "includes": includes(shown, fields),
        "errors": [_missing(key) for key in ids if key not in held],
    }
    return {name: value for name, value in answer.items() if value}


def _missing(key: str) -> dict[str, str]:
    return {
        "value": key,
        "detail": f"Could not find tweet with ids: [{key}].",
        "title": "Not Found Error",
        "resource_type": "tweet",
        "parameter": "ids",
        "resource_id": key,
        "type": f"{PROBLEMS}/resource-not-found",
    }
