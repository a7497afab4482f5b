"""Ids that derive from content, so that doing a thing twice gives the same id."""

from __future__ import annotations

import hashlib


def digest(*parts: str) -> str:
    """20 hex digits for a tuple of texts; the parts are told apart by their lengths."""
    joined = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(joined.encode("utf-8", "surrogatepass")).hexdigest()[:20]


def delivery_id(incident: str, step: str, agency: str, contact: str, channel: str) -> str:
    """The id of a delivery, which receivers see as idempotency key; ``step`` is ``new`` or ``update:revision``."""
    return "d-" + digest(incident, step, agency, contact, channel)
