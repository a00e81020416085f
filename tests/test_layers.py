"""The law of the house: posts flow up the floors, so imports only run down."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
#: From the ground to the roof. What is deeper in the tree of packages is looked for first.
FLOORS = ["departments", "connectors", "inbox", "routing", "socialhub.insights", "socialhub"]
#: Rooms on the ground that everybody may enter: they know nothing of the house.
GROUND = {"socialhub.embedded"}


def floor(module: str) -> str | None:
    for ground in GROUND:
        if module == ground or module.startswith(f"{ground}."):
            return None
    for name in sorted(FLOORS, key=len, reverse=True):
        if module == name or module.startswith(f"{name}."):
            return name
    return None


def modules():
    for name in {each.split(".")[0] for each in FLOORS}:
        for path in sorted((ROOT / name).rglob("*.py")):
            yield path, ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # `from socialhub import insights` names a module too.
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def arrows_up() -> list[str]:
    found = []
    for path, module in modules():
        own = floor(module)
        if own is None:
            continue
        above = FLOORS[FLOORS.index(own) + 1 :]
        for name in sorted(imported(path)):
            if floor(name) in above and not (own == "socialhub.insights" and name.startswith("socialhub.insights")):
                found.append(f"{module} imports {name}")
    return found


def test_imports_only_run_down():
    assert arrows_up() == []


def test_the_law_bites():
    assert floor("socialhub.insights.metrics") == "socialhub.insights"
    assert FLOORS.index(floor("inbox.models")) < FLOORS.index(floor("routing.engine"))


@pytest.mark.parametrize("name", ["utils", "helpers", "misc", "common"])
def test_there_is_no_drawer_without_a_name(name):
    assert not [str(path.relative_to(ROOT)) for path, _ in modules() if path.stem == name]


def test_no_other_driver_came_in_by_the_back_door():
    """Django takes psycopg 3 as soon as it is installed, and then everything runs slower."""
    from django.db import connection

    assert connection.Database.__name__ == "psycopg2"
