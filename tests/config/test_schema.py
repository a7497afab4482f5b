import json

from config.bundle import Bundle
from config.schema import FILE, schema, text


def test_the_schema_file_is_what_the_code_gives() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run: python -m config.schema"


def test_the_schema_knows_every_section_under_the_name_written_in_yaml() -> None:
    made = schema()
    assert set(made["properties"]) == set(Bundle.model_fields)
    assert {"with", "keywords"} <= set(made["$defs"]["Filter"]["properties"])
    assert {"from", "to"} <= set(made["$defs"]["Hours"]["properties"])


def test_the_schema_completes_hazards() -> None:
    hazards = json.loads(FILE.read_text(encoding="utf-8"))["$defs"]["Operation"]["properties"]["hazards"]["items"][
        "enum"
    ]
    assert "industrial_fire" in hazards
