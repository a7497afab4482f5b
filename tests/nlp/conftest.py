import pytest

from nlp.annotate import Annotator
from nlp.wire import Line
from store.records import Annotation


@pytest.fixture(scope="module")
def annotator() -> Annotator:
    return Annotator()


@pytest.fixture(scope="module")
def read(annotator: Annotator):
    def annotate(text: str, lang: str | None = None) -> Annotation:
        return annotator.annotate([Line("1", text, lang)])[0]

    return annotate
