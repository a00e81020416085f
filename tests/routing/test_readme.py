"""What routing/README.md says is so."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from routing import parts
from routing.facts import Facts
from routing.questions import QUESTIONS, Number
from routing.rules import Then
from tests.routing.posts import facts

README = (Path(parts.__file__).parent / "README.md").read_text()


def test_every_condition_stands_in_its_table_with_all_that_it_can_ask():
    table = README.split("## Conditions")[1].split("## ")[0]
    rows = re.findall(r"^\| (`.*?) \| (`.*?) \|", table, re.MULTILINE)
    told = {name: set(re.findall(r"`(\w+)`", ops)) for names, ops in rows[1:] for name in re.findall(r"`(\w+)`", names)}
    assert told == {name: set(question.asks) for name, question in QUESTIONS.items()}


def test_everything_that_a_rule_does_stands_in_its_table():
    told = re.findall(r"^\| `(\w+)` \|", README.split("## What a rule does")[1].split("## ")[0], re.MULTILINE)
    assert set(told) - {"then"} == set(Then.model_fields)


def test_the_condition_that_it_adds_as_an_example_works():
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    known = {"Number": Number, "Facts": Facts, "Literal": Literal, "Annotated": Annotated, "Field": Field}
    exec("\n".join(line[3:] for line in code.splitlines()), known)  # noqa: S102
    length = known["Length"](op="at_least", value=10)
    assert length.holds(facts("x" * 10))
    assert not length.holds(facts("short"))
    assert str(length) == "the text has at least 10 characters"
    assert length.missing(facts("short")) == "the text has fewer than 10 characters"


def test_every_file_that_it_names_is_there():
    folder = Path(parts.__file__).parent
    for name in re.findall(r"`([a-z_]+\.(?:py|json))`", README):
        assert (folder / name).exists(), name
