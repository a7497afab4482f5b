"""What is wrong with a saved object.

PanelError
├── Untested    it uses something that is not translated here, so nobody has seen its numbers
├── Dangling    it refers to a column, field, data view or object that does not exist
└── BadQuery    its KQL cannot be read
"""

from __future__ import annotations


class PanelError(ValueError):
    """A saved object that Kibana could not show as meant; the message names it."""


class Untested(PanelError):
    """Something that is not translated here."""


class Dangling(PanelError):
    """A reference to what does not exist."""


class BadQuery(PanelError):
    """KQL that cannot be read."""
