"""What the source holds of the posts that came: versions, and what was taken away since."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from threading import RLock

from listeners.standin.tweet import Deletion, Tweet

REASONS = ("deleted", "deactivated", "protected", "suspended", "bounced", "scrub_geo")
"""Why X takes a post away, in the words of its batch compliance (https://docs.x.com/x-api/compliance)."""


class Archive:
    """Posts and versions, oldest first in ``played``; safe to use from several threads.

    ``named`` finds the newest version by the id that the post has in its file.
    """

    def __init__(self) -> None:
        self.played: list[Tweet] = []
        self.named: dict[str, Tweet] = {}
        self.gone: dict[str, Deletion] = {}
        self.replaced: dict[str, Tweet] = {}
        self._lock = RLock()

    def add(self, name: str, tweet: Tweet) -> None:
        """Takes in a post that comes now under its id in the file."""
        with self._lock:
            self.played.append(tweet)
            self.named[name] = tweet

    def find(self, name: str) -> Tweet:
        """The newest version of a post by its id in the file or by the id of any version. Raises KeyError."""
        with self._lock:
            tweet = self.named.get(name) or next((one for one in self.played if one.id == name), None)
            if tweet is None:
                raise KeyError(f'no post "{name}" has come yet')
            while tweet.id in self.replaced:
                tweet = self.replaced[tweet.id]
            return tweet

    def edit(self, name: str, new_id: str, text: str, now: datetime) -> Tweet:
        """The new version of a post, which takes the place of the others. Raises KeyError, also when it is gone."""
        with self._lock:
            old = self.find(name)
            if self._hidden(old.id):
                raise KeyError(f'post "{name}" was taken away')
            new = replace(old, id=new_id, text=text, created_at=now, earlier=(*old.earlier, old.id))
            self.replaced |= dict.fromkeys(new.earlier, new)
            self._point_names(old, new)
            self.played.append(new)
            return new

    def delete(self, name: str, now: datetime, reason: str) -> list[Deletion]:
        """What the stream tells when a post goes: one deletion for each version. Raises KeyError."""
        with self._lock:
            newest = self.find(name)
            ids = {*newest.earlier, newest.id} - self.gone.keys()
            gone = [Deletion(tweet, now, reason) for tweet in self.played if tweet.id in ids]
            self.gone |= {one.tweet.id: one for one in gone}
            if reason != "scrub_geo":
                return gone
            bare = {one.tweet.id: replace(one.tweet, point=None, place=None) for one in gone}
            self.played = [bare.get(tweet.id, tweet) for tweet in self.played]
            self._point_names(newest, bare.get(newest.id, newest))
            return []

    def visible(self) -> list[Tweet]:
        """What search still finds, oldest first: the newest version of what was not taken away."""
        with self._lock:
            return [tweet for tweet in self.played if tweet.id not in self.replaced and not self._hidden(tweet.id)]

    def held(self) -> dict[str, Tweet]:
        """By its id, every version of what was not taken away."""
        with self._lock:
            return {tweet.id: tweet for tweet in self.played if not self._hidden(tweet.id)}

    def history(self, tweet: Tweet) -> list[str]:
        """Ids of all versions of a post, oldest first."""
        newest = self.replaced.get(tweet.id, tweet)
        return [*newest.earlier, newest.id]

    def fate(self, tweet_id: str) -> str:
        """What became of one version: ``kept``, ``edited``, or why it was taken away."""
        if tweet_id in self.gone:
            return self.gone[tweet_id].reason
        return "edited" if tweet_id in self.replaced else "kept"

    def _hidden(self, tweet_id: str) -> bool:
        gone = self.gone.get(tweet_id)
        return gone is not None and gone.reason != "scrub_geo"

    def _point_names(self, old: Tweet, new: Tweet) -> None:
        self.named |= {name: new for name, tweet in self.named.items() if tweet.id == old.id}
