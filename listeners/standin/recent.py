"""Recent search: the newest matching posts first, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from listeners.standin.query import QueryError, parse
from listeners.standin.tweet import Tweet
from listeners.standin.wire import Fields, data, includes, invalid

LONGEST = 512
REACH = timedelta(days=7)
_KNOWN = {
    "query", "start_time", "end_time", "since_id", "until_id", "max_results", "next_token", "pagination_token",
    "sort_order", "tweet.fields", "user.fields", "place.fields", "media.fields", "poll.fields", "expansions",
}  # fmt: skip


def search(params: Mapping[str, str], played: Sequence[Tweet], now: datetime) -> dict[str, Any]:
    """The answer to one request over the posts played so far (oldest first). Raises Problem."""
    for name in params:
        if name not in _KNOWN:
            raise invalid(
                f"The query parameter [{name}] is not one of [{','.join(sorted(_KNOWN))}]", **{name: params[name]}
            )
    fields = Fields.of(params)
    size = _size(params)
    found = _found(params, played, now)
    before = _token(params)
    rest = [tweet for tweet in found if int(tweet.id) < before]
    return _answer(rest[:size], fields, more=len(rest) > size)


def _answer(page: list[Tweet], fields: Fields, *, more: bool) -> dict[str, Any]:
    meta: dict[str, Any] = {"result_count": len(page)}
    if page:
        meta |= {"newest_id": page[0].id, "oldest_id": page[-1].id}
    if more:
        meta["next_token"] = f"p{int(page[-1].id):x}"
    answer: dict[str, Any] = {"meta": meta}
    if page:
        answer = {"data": [data(tweet, fields) for tweet in page]} | answer
        if found := includes(page, fields):
            answer["includes"] = found
    return answer


def _found(params: Mapping[str, str], played: Sequence[Tweet], now: datetime) -> list[Tweet]:
    query = params.get("query", "").strip()
    if not 1 <= len(query) <= LONGEST:
        raise invalid(f"The `query` query parameter must be between 1 and {LONGEST} characters long", query=query)
    try:
        term = parse(query)
    except QueryError as error:
        raise invalid(f"There were errors processing your request: {error}", query=query) from error
    start, end = _window(params, now)
    after, before = _id(params, "since_id", 0), _id(params, "until_id", 1 << 63)
    found = (
        tweet
        for tweet in played
        if start <= tweet.created_at < end and after < int(tweet.id) < before and term.matches(tweet, accents=False)
    )
    return sorted(found, key=lambda tweet: int(tweet.id), reverse=True)


def _window(params: Mapping[str, str], now: datetime) -> tuple[datetime, datetime]:
    start, end = _time(params, "start_time"), _time(params, "end_time")
    for name, moment in (("start_time", start), ("end_time", end)):
        if moment and moment < now - REACH:
            raise invalid(
                f"Invalid '{name}':'{params[name]}'. '{name}' must be within the last 7 days", **{name: params[name]}
            )
        if moment and moment > now - timedelta(seconds=10):
            message = (
                f"Invalid '{name}':'{params[name]}'. '{name}' must be a minimum of 10 seconds prior to the request time"
            )
            raise invalid(message, **{name: params[name]})
    if start and end and start >= end:
        raise invalid("Invalid 'start_time'. 'start_time' must be before 'end_time'", start_time=params["start_time"])
    if start is None or params.get("since_id"):
        start = now - REACH
    return start, end or now + timedelta(seconds=1)


def _time(params: Mapping[str, str], name: str) -> datetime | None:
    if name not in params:
        return None
    try:
        moment = datetime.fromisoformat(params[name])
    except ValueError as error:
        raise invalid(
            f"Invalid '{name}':'{params[name]}'. It must be ISO 8601, YYYY-MM-DDTHH:mm:ssZ", **{name: params[name]}
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _id(params: Mapping[str, str], name: str, missing: int) -> int:
    value = params.get(name, "")
    if not value:
        return missing
    if not (value.isascii() and value.isdigit() and len(value) <= 19):
        raise invalid(f"The `{name}` query parameter value [{value}] is not valid", **{name: value})
    return int(value)


def _size(params: Mapping[str, str]) -> int:
    value = params.get("max_results", "10")
    if not (value.isascii() and value.isdigit() and 10 <= int(value[:6]) <= 100):
        raise invalid(f"The `max_results` query parameter value [{value}] is not between 10 and 100", max_results=value)
    return int(value)


def _token(params: Mapping[str, str]) -> int:
    """The id below which the page begins: posts that come or go between two pages move nothing."""
    token = params.get("next_token") or params.get("pagination_token")
    if token is None:
        return 1 << 63
    try:
        return int(token.removeprefix("p")[:16], 16)
    except ValueError as error:
        raise invalid(f"Invalid 'next_token':'{token}'", next_token=token) from error
