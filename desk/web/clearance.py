"""What was tagged as a threat to public order is seen only by the roles that the bundle names: is the desk one?"""

from __future__ import annotations

from collections.abc import Sequence

from config.bundle import Bundle
from desk.web.evidence import Evidence

ROLE = "desk"
THREAT = "public_order_threat"


def cleared(bundle: Bundle) -> bool:
    """Whether the bundle's ``public_order.roles`` name ``desk``: the page has no login, so all who see it are one."""
    return bundle.public_order is not None and ROLE in bundle.public_order.roles


def tags(bundle: Bundle, found: Sequence[str]) -> list[str]:
    """Those of an incident's tags that the desk may show."""
    return [tag for tag in found if tag != THREAT or cleared(bundle)]


def allowed(bundle: Bundle, found: Sequence[Evidence]) -> tuple[tuple[Evidence, ...], int]:
    """Those of the posts that the desk may show, and how many it may not."""
    if cleared(bundle):
        return tuple(found), 0
    shown = tuple(one for one in found if one.annotation is None or THREAT not in one.annotation.labels)
    return shown, len(found) - len(shown)
