import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from config.bundle import Bundle

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text(encoding="utf-8")


def section(name: str) -> str:
    found = re.search(rf"^### `{name}`\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        if issubclass(annotation, BaseModel):
            yield annotation
            for field in annotation.model_fields.values():
                yield from models(field.annotation)
        return
    for part in get_args(annotation):
        yield from models(part)


def keys() -> list[tuple[str, str]]:
    return [
        (top, inner.alias or name)
        for top, field in Bundle.model_fields.items()
        for model in models(field.annotation)
        for name, inner in model.model_fields.items()
    ]


@pytest.mark.parametrize("name", Bundle.model_fields)
def test_every_section_of_a_bundle_has_its_chapter(name: str) -> None:
    assert len(section(name)) > 20


@pytest.mark.parametrize(("top", "name"), sorted(set(keys())))
def test_every_key_of_a_section_is_explained_there(top: str, name: str) -> None:
    assert f"`{name}`" in section(top)


def test_the_page_has_no_chapter_for_what_does_not_exist() -> None:
    assert set(re.findall(r"^### `(\w+)`", PAGE, re.MULTILINE)) == set(Bundle.model_fields)
