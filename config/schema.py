"""The JSON Schema that editors complete YAML with: ``python -m config.schema`` writes ``config/bundle.schema.json``.

Every file of a bundle holds some of the top-level keys, so the schema requires none of them; ``vigie check`` does.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from config.bundle import Bundle
from config.vocabulary import HAZARDS, TOPICS

FILE = Path(__file__).parent / "bundle.schema.json"


def schema() -> dict[str, Any]:
    """The schema of one file of a bundle, with the closed lists of hazards and topics."""
    made = Bundle.model_json_schema(by_alias=True)
    made["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    made["title"] = "Vigie bundle"
    made.pop("required", None)
    parts = made["$defs"]
    parts["Filter"]["properties"]["topics"]["items"] = {"enum": list(TOPICS)}
    parts["Account"]["properties"]["topics"]["items"] = {"enum": list(TOPICS)}
    parts["OwnershipRule"]["properties"]["topics"]["items"] = {"enum": [*TOPICS, "*"]}
    parts["Operation"]["properties"]["hazards"]["items"] = {"enum": list(HAZARDS)}
    return made


def text() -> str:
    """The schema as it stands in the file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
