"""Imported once by the server that a trial's processes are forked from, so that each starts in a moment."""

import vigie
from nlp.annotate import Annotator

Annotator().ready()
READY = vigie.TASKS
