"""Text that a database and UTF-8 can hold."""

from __future__ import annotations

import re

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def encodable(text: str) -> str:
    """``text`` with lone surrogates as U+FFFD, one for one, so that offsets stay true."""
    return text if text.isascii() else _LONE_SURROGATE.sub("\ufffd", text)


def clean(text: str) -> str:
    """``text`` with lone surrogates and NUL as U+FFFD, one for one; other characters stay as they are."""
    return encodable(text.replace("\0", "\ufffd"))
