"""French for the deep path: spaCy's own compiles an expression of sixteen thousand words with hyphens and accents, four
seconds in every process that starts, and folded posts have none of the accents."""

from __future__ import annotations

from typing import ClassVar

from spacy.lang.char_classes import ALPHA
from spacy.lang.punctuation import TOKENIZER_INFIXES
from spacy.lang.tokenizer_exceptions import BASE_EXCEPTIONS
from spacy.language import BaseDefaults, Language
from spacy.symbols import ORTH


class _Defaults(BaseDefaults):  # type: ignore[misc]  # spaCy tells no types
    infixes: ClassVar[list[str]] = [*TOKENIZER_INFIXES, rf"(?<=[{ALPHA}]')(?=[{ALPHA}])"]
    tokenizer_exceptions: ClassVar = BASE_EXCEPTIONS | {"aujourd'hui": [{ORTH: "aujourd'hui"}]}


class French(Language):  # type: ignore[misc]
    """Folded French: what is elided is a word of its own (``l'``, ``d'``)."""

    lang = "fr"
    Defaults = _Defaults
