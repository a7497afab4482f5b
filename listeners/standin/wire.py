"""What goes over the wire: posts with only the fields that were asked for, and problems as X words them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from listeners.standin.tweet import Deletion, Place, Tweet, User

PROBLEMS = "https://api.twitter.com/2/problems"


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_ALLOWED = {
    "tweet.fields": _names("""
        attachments author_id context_annotations conversation_id created_at edit_controls edit_history_tweet_ids
        entities geo id in_reply_to_user_id lang note_tweet possibly_sensitive public_metrics referenced_tweets
        reply_settings source text withheld"""),
    "user.fields": _names("""
        created_at description entities id location most_recent_tweet_id name pinned_tweet_id profile_image_url
        protected public_metrics url username verified verified_type withheld"""),
    "place.fields": _names("contained_within country country_code full_name geo id name place_type"),
    "expansions": _names("""
        attachments.media_keys attachments.poll_ids author_id edit_history_tweet_ids entities.mentions.username
        geo.place_id in_reply_to_user_id referenced_tweets.id referenced_tweets.id.author_id"""),
}


class Problem(Exception):
    """A request that X answers with an error: status, the JSON body, and headers to add."""

    def __init__(self, code: int, title: str, detail: str, kind: str = "about:blank", **more: Any) -> None:
        super().__init__(detail)
        self.status = code
        self.headers: dict[str, str] = {}
        self.body = {"title": title, "detail": detail, "type": kind, **more}


def invalid(message: str, **parameters: str) -> Problem:
    """400 for parameters that X does not take."""
    error = {"parameters": {key: [value] for key, value in parameters.items()}, "message": message}
    return Problem(
        400, "Invalid Request", "One or more parameters to your request was invalid.", f"{PROBLEMS}/invalid-request",
        errors=[error],
    )  # fmt: skip


@dataclass(frozen=True)
class Fields:
    """What a client asked to see."""

    tweet: frozenset[str]
    user: frozenset[str]
    place: frozenset[str]
    expansions: frozenset[str]

    @classmethod
    def of(cls, params: Mapping[str, str]) -> Fields:
        """Reads the field parameters of a request. Raises Problem for a name that X does not know."""
        asked = {name: _list(params, name) for name in _ALLOWED}
        return cls(
            tweet=asked["tweet.fields"] | {"id", "text", "edit_history_tweet_ids"},
            user=asked["user.fields"] | {"id", "name", "username"},
            place=asked["place.fields"] | {"id", "full_name"},
            expansions=asked["expansions"],
        )


def _list(params: Mapping[str, str], name: str) -> frozenset[str]:
    values = frozenset(value for value in params.get(name, "").split(",") if value)
    for value in values:
        if value not in _ALLOWED[name]:
            allowed = ",".join(_ALLOWED[name])
            raise invalid(f"The `{name}` query parameter value [{value}] is not one of [{allowed}]", **{name: value})
    return values


def stamp(moment: datetime) -> str:
    """A time as X writes it: UTC with milliseconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def data(tweet: Tweet, fields: Fields) -> dict[str, Any]:
    """The post's own object."""
    wanted = fields.tweet | {expansion.split(".")[0] for expansion in fields.expansions}
    full: dict[str, Any] = {
        "id": tweet.id,
        "text": tweet.text,
        "edit_history_tweet_ids": [*tweet.earlier, tweet.id],
        "author_id": tweet.user.id,
        "conversation_id": tweet.reply_to.id if tweet.reply_to else tweet.id,
        "created_at": stamp(tweet.created_at),
        "lang": tweet.lang,
        "entities": _entities(tweet),
        "geo": _geo(tweet),
        "in_reply_to_user_id": tweet.reply_to.user.id if tweet.reply_to else None,
        "possibly_sensitive": False,
        "public_metrics": dict.fromkeys(("retweet_count", "reply_count", "like_count", "quote_count"), 0),
        "referenced_tweets": _references(tweet),
    }
    return {key: value for key, value in full.items() if key in wanted and value not in (None, {}, [])}


def _entities(tweet: Tweet) -> dict[str, Any]:
    found = {"hashtags": [{"tag": tag} for tag in sorted(tweet.hashtags)],
             "mentions": [{"username": name} for name in sorted(tweet.mentions)]}  # fmt: skip
    return {key: value for key, value in found.items() if value}


def _geo(tweet: Tweet) -> dict[str, Any]:
    geo: dict[str, Any] = {}
    if tweet.point:
        lat, lon = tweet.point
        geo["coordinates"] = {"type": "Point", "coordinates": [lon, lat]}
    if tweet.place:
        geo["place_id"] = tweet.place.id
    return geo


def _references(tweet: Tweet) -> list[dict[str, str]]:
    kinds = (("retweeted", tweet.retweet_of), ("quoted", tweet.quote_of), ("replied_to", tweet.reply_to))
    return [{"type": kind, "id": other.id} for kind, other in kinds if other]


def includes(shown: Iterable[Tweet], fields: Fields) -> dict[str, list[dict[str, Any]]]:
    """The users, places and posts that the shown posts refer to, each once, where an expansion asks for them."""
    users: dict[str, User] = {}
    places: dict[str, Place] = {}
    others: dict[str, Tweet] = {}
    for tweet in shown:
        if "author_id" in fields.expansions:
            users[tweet.user.id] = tweet.user
        if "in_reply_to_user_id" in fields.expansions and tweet.reply_to:
            users[tweet.reply_to.user.id] = tweet.reply_to.user
        if "geo.place_id" in fields.expansions and tweet.place:
            places[tweet.place.id] = tweet.place
        if "referenced_tweets.id" in fields.expansions:
            others |= {other.id: other for other in (tweet.retweet_of, tweet.quote_of, tweet.reply_to) if other}
    found = {
        "users": [_user(user, fields) for user in users.values()],
        "places": [_place(place, fields) for place in places.values()],
        "tweets": [data(other, fields) for other in others.values()],
    }
    return {key: value for key, value in found.items() if value}


def _user(user: User, fields: Fields) -> dict[str, Any]:
    full = {"id": user.id, "name": user.name, "username": user.username, "location": user.location}
    return {key: value for key, value in full.items() if key in fields.user and value is not None}


def _place(place: Place, fields: Fields) -> dict[str, Any]:
    full = {
        "id": place.id,
        "full_name": place.full_name,
        "name": place.full_name.partition(",")[0],
        "country_code": place.country_code,
        "place_type": "city",
        "geo": {"type": "Feature", "bbox": list(place.bbox), "properties": {}},
    }
    return {key: value for key, value in full.items() if key in fields.place}


def envelope(tweet: Tweet, fields: Fields, rules: list[dict[str, str]]) -> dict[str, Any]:
    """One line of the stream."""
    line: dict[str, Any] = {"data": data(tweet, fields)}
    if found := includes([tweet], fields):
        line["includes"] = found
    return line | {"matching_rules": rules}


def deletion(gone: Deletion) -> dict[str, Any]:
    """One line that tells of a deletion, in the words of X's compliance streams
    (https://docs.x.com/x-api/compliance/streams).
    """
    tweet = {"id": gone.tweet.id, "author_id": gone.tweet.user.id}
    return {"data": {"delete": {"tweet": tweet, "event_at": stamp(gone.at)}}}
