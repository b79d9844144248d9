"""The README's map of the course agrees with the notebooks and with the map in notebook 00."""

import ast
import re
from pathlib import Path

import pytest
from course_plan import NOTEBOOKS
from notebook_rules import Notebook

PROJECT = Path(__file__).resolve().parents[1]
TEXT = (PROJECT / "README.md").read_text(encoding="utf-8")
ROW = re.compile(
    r"^\| (?:\[)?(?P<number>\d\d) [^\]|]+?(?:\]\(notebooks/(?P<link>[^)]+)\.ipynb\))? "
    r"\| (?P<minutes>\d*) ?\|",
    re.MULTILINE,
)
ROWS = {match["number"]: match for match in ROW.finditer(TEXT)}


def minutes_of(name):
    """The minutes that a notebook asks for under "You need"."""
    text = "\n".join(cell.source for cell in Notebook.read(PROJECT / "notebooks" / name).prose)
    return re.search(r"You need.*?(\d+) minutes", text, re.DOTALL)[1]


def stops():
    """The list `stops` of notebook 00: pairs (name, minutes)."""
    for cell in Notebook.read(PROJECT / "notebooks" / "00_start_here.ipynb").code:
        for node in ast.parse(cell.source).body:
            if isinstance(node, ast.Assign) and node.targets[0].id == "stops":
                return ast.literal_eval(node.value)
    raise AssertionError("notebook 00 has no list of stops")


def test_the_map_has_every_notebook_of_the_plan_in_order():
    assert list(ROWS) == [name[:2] for name in NOTEBOOKS]
    assert [name for name, _ in stops()] == list(NOTEBOOKS)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_linked_when_it_is_there_with_its_minutes(name):
    row, exists = ROWS[name[:2]], (PROJECT / "notebooks" / f"{name}.ipynb").is_file()
    assert row["link"] == (name if exists else None)
    expected = minutes_of(f"{name}.ipynb") if exists else ""
    assert row["minutes"] == expected
    shown = dict(stops())[name]
    assert ("" if shown is None else str(shown)) == expected, "the map in notebook 00"


def test_the_first_command_comes_on_the_first_half_of_a_screen():
    before = TEXT[: TEXT.index("make lab")].splitlines()
    lines = sum(max(1, -(-len(line) // 110)) for line in before)
    assert lines <= 20
