"""What the README says is there, is there."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from socialhub import options

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z]+(?:-[a-z]+)*)", README))))
def test_each_make_target_exists(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), target


@pytest.mark.parametrize("command", sorted(set(re.findall(r"manage\.py (\w+)", README))))
def test_each_command_exists(command):
    assert command in get_commands()


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_each_link_leads_somewhere(path):
    assert (ROOT / path).exists(), path


def test_each_setting_stands_in_the_readme_as_the_code_tells_it():
    assert options.table() in README


def test_every_setting_that_is_read_is_one_of_them():
    read = re.findall(r'GIVEN\["([A-Z_]+)"\]', (ROOT / "socialhub/settings.py").read_text())
    assert set(read) | {"DATA_DIR"} == {option.name for option in options.OPTIONS}


def test_everybody_who_signs_in_on_the_tour_is_in_the_demo():
    from socialhub.demo import PASSWORD, PEOPLE

    tour = README.split("## A tour")[1].split("## Configuration")[0]
    assert PASSWORD in tour
    assert set(re.findall(r"\(`([a-z]+)`\)", tour)) <= {person.username for person in PEOPLE}
