"""Text that a database and UTF-8 can hold."""

from __future__ import annotations

import re

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def clean(text: str) -> str:
    """``text`` with lone surrogates replaced by U+FFFD and NUL dropped; other characters stay as they are."""
    if "\0" in text:
        text = text.replace("\0", "")
    if text.isascii():
        return text
    return _LONE_SURROGATE.sub("\ufffd", text)
