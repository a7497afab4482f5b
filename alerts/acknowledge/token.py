"""Signed, expiring acknowledgement links.

A token is ``delivery id . expiry in seconds since 1970, base 36 . HMAC-SHA256 cut to 160 bits, base64url``: about 60
characters, safe in a URL, and worth nothing to whoever does not have the installation's key.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import UTC, datetime

from alerts.errors import BadLink, ExpiredLink

SHAPE = re.compile(r"([A-Za-z0-9_-]{1,64})\.([0-9a-z]{1,10})\.([A-Za-z0-9_-]{27})", re.ASCII)
MAC_BYTES = 20
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def make(key: bytes, delivery_id: str, expires_at: datetime) -> str:
    """The token that opens one delivery until ``expires_at`` (UTC). Raises ValueError for an id of another shape."""
    token = f"{delivery_id}.{_base36(int(expires_at.timestamp()))}"
    token = f"{token}.{_mac(key, token)}"
    if not SHAPE.fullmatch(token):
        raise ValueError(f"this delivery id does not fit in a link: {delivery_id!r}")
    return token


def read(key: bytes, token: str, now: datetime) -> str:
    """The delivery id of a token. Raises BadLink where it is not ours, ExpiredLink where ``now`` (UTC) is too late."""
    found = SHAPE.fullmatch(token)
    if found is None or not hmac.compare_digest(_mac(key, f"{found[1]}.{found[2]}"), found[3]):
        raise BadLink("the link is damaged, or not ours")
    if now.timestamp() >= int(found[2], 36):
        raise ExpiredLink("the link has expired")
    return found[1]


def link(key: bytes, base_url: str, delivery_id: str, expires_at: datetime) -> str:
    """The address that a message carries."""
    return f"{base_url.rstrip('/')}/a/{make(key, delivery_id, expires_at)}"


def expiry(start: datetime, link_hours: int) -> datetime:
    """When a link made for something that began at ``start`` stops working (UTC)."""
    return datetime.fromtimestamp(int(start.timestamp()) + link_hours * 3600, UTC)


def _mac(key: bytes, text: str) -> str:
    full = hmac.new(key, b"vigie acknowledge\0" + text.encode("ascii"), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(full[:MAC_BYTES]).decode("ascii").rstrip("=")


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = DIGITS[rest] + digits
    return digits or "0"
