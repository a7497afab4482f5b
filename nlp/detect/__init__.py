"""Detection: posts become incidents, by text, place, time and independent voices. See ``docs/incidents.md``."""

from nlp.detect.memory import Memory
from nlp.detect.stage import Overtaken, detect_stage

__all__ = ["Memory", "Overtaken", "detect_stage"]
