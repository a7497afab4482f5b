import re

import click
import pytest

from config.settings import ROOT
from desk.cli import main

CONTEXT = click.Context(main)
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md")])


def test_every_variable_that_the_settings_read_has_its_line():
    read = set(re.findall(r'"(VIGIE_[A-Z_]+)"', (ROOT / "config/settings.py").read_text()))
    told = set(re.findall(r"`(VIGIE_[A-Z_]+)`", (ROOT / "docs/settings.md").read_text()))
    assert read <= told


@pytest.mark.parametrize("name", main.list_commands(CONTEXT))
def test_every_command_shows_an_example(name):
    command = main.get_command(CONTEXT, name)
    assert "Example" in f"{command.help} {command.epilog}", f"`vigie {name} --help` has no example"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        assert target.startswith("http") or (page.parent / target).exists(), f"{page.name}: {target}"


def test_every_page_of_docs_is_reached_from_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [page.name for page in ROOT.glob("docs/*.md") if f"docs/{page.name}" not in readme] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_that_a_page_names_exists(page):
    named = set(re.findall(r"(?:^|[`\s])vigie ([a-z][a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= set(main.list_commands(CONTEXT))
