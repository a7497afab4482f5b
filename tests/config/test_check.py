import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from config.check import check, check_folder
from config.load import BundleError, load, read_folder
from desk.commands.check import command

HERE = Path(__file__).parent
GOOD = (HERE / "good.yaml").read_text(encoding="utf-8")
BAD = sorted((HERE / "bad").glob("*.yaml"))
NOW = datetime(2027, 1, 15, tzinfo=UTC)
EXPECT = re.compile(r"# expect: (error|warning) (\d+) (\S+) (.+)")


def test_the_good_bundle_of_these_tests_has_no_fault() -> None:
    assert check({"a.yaml": GOOD}, now=NOW) == []


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_file_gives_exactly_the_faults_it_announces(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    announced = [match.groups() for line in text.splitlines() if (match := EXPECT.fullmatch(line))]
    assert announced
    faults = check({"a.yaml": GOOD, "bad.yaml": text}, now=NOW)
    found = {(f.level, str(f.line), f.key or '""') for f in faults}
    assert found == {(level, line, key) for level, line, key, _ in announced}
    for level, line, key, words in announced:
        assert any(words in f.message for f in faults if (f.level, str(f.line), f.key or '""') == (level, line, key))
    assert all(f.file == "bad.yaml" and len(f.advice) > 5 for f in faults)


def test_a_near_name_is_suggested_for_an_unknown_id() -> None:
    bad = (HERE / "bad" / "unknown-area.yaml").read_text(encoding="utf-8")
    assert 'did you mean "angers"?' in [fault.advice for fault in check({"a.yaml": GOOD, "bad.yaml": bad}, now=NOW)]


def test_a_postcode_in_place_of_an_insee_code_is_understood() -> None:
    bad = (HERE / "bad" / "insee-unknown.yaml").read_text(encoding="utf-8")
    advice = " ".join(fault.advice for fault in check({"a.yaml": GOOD, "bad.yaml": bad}, now=NOW))
    assert '"49099" (Cholet)' in advice


def test_broken_files_do_not_hide_what_is_wrong_in_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"name: {fr: Angers \xe9, en: x}\n")
    (tmp_path / "b.yaml").write_text("agencies: [\n", encoding="utf-8")
    (tmp_path / "c.yaml").write_text("time_zone: 3\nfoo: 1\n", encoding="utf-8")
    (tmp_path / "d.yaml").write_text("x: \0\n", encoding="utf-8")
    messages = {(fault.file, fault.line): fault.message for fault in check_folder(tmp_path)}
    assert "not UTF-8" in messages["a.yaml", 1]
    assert "malformed" in messages["b.yaml", 1]
    assert "unknown" in messages["c.yaml", 2]
    assert "U+0000" in messages["d.yaml", 1]


def test_a_file_larger_than_a_megabyte_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("#" * 1_000_001, encoding="utf-8")
    with pytest.raises(BundleError, match="larger than 1 MB"):
        read_folder(tmp_path)


def test_a_folder_that_is_not_there_is_one_fault(tmp_path: Path) -> None:
    (fault,) = check_folder(tmp_path / "none")
    assert "no such folder" in fault.message


def test_aliases_that_would_explode_are_refused_without_being_expanded() -> None:
    levels = "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]\n" for i in range(1, 9))
    faults = check({"a.yaml": GOOD, "bomb.yaml": f"l0: &l0 [x]\n{levels}"}, now=NOW)
    assert any("alias" in fault.message for fault in faults)
    assert len(faults) < 200


def test_nesting_without_end_is_refused() -> None:
    faults = check({"a.yaml": GOOD, "deep.yaml": "geocoder: " + "[" * 1500}, now=NOW)
    assert any(fault.file == "deep.yaml" for fault in faults)


def test_codes_keep_their_leading_zero_and_hours_stay_hours() -> None:
    more = """
areas: [{id: ain, name: {fr: Bourg, en: Bourg}, communes: [01053]}]
rosters: [{agency: desk, shifts: [{contacts: [desk-mail], hours: {from: 22:00, to: 06:30}}]}]
"""
    bundle = load({"a.yaml": GOOD, "more.yaml": more})
    assert bundle.areas[1].communes == ("01053",)
    assert bundle.rosters[0].shifts[0].hours.from_ == "22:00"


def test_lists_of_several_files_are_joined() -> None:
    more = "sources: [{id: a, kind: hand}]\n"
    bundle = load({"a.yaml": GOOD, "one.yaml": more, "two.yaml": more.replace("id: a", "id: b")})
    assert [source.id for source in bundle.sources] == ["a", "b"]


def test_the_command_prints_every_fault_and_fails(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "bad.yaml").write_text((HERE / "bad" / "several-at-once.yaml").read_text("utf-8"), encoding="utf-8")
    result = CliRunner().invoke(command, [str(tmp_path)])
    assert result.exit_code == 1
    assert result.output.count("bad.yaml:") == 3
    assert "3 errors" in result.output


def test_the_command_passes_with_warnings_alone_and_says_so_in_json(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "bad.yaml").write_text((HERE / "bad" / "unowned.yaml").read_text("utf-8"), encoding="utf-8")
    result = CliRunner().invoke(command, [str(tmp_path), "--json"])
    answer = json.loads(result.output)
    assert result.exit_code == 0
    assert answer["ok"]
    assert [fault["level"] for fault in answer["faults"]] == ["warning"]


def test_the_command_prints_the_closed_lists() -> None:
    lists = json.loads(CliRunner().invoke(command, ["--vocabulary", "--json"]).output)
    assert {"name": "flood", "cap": "Met", "fr": "Inondation", "en": "Flood"} in lists["hazards"]
    assert len(lists["needs"]) == 10
