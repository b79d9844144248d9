"""INSTRUCTORS.md says what is there: files, sections, minutes, points, limits, columns."""

import json
import math
import re
import tomllib
from pathlib import Path

import pytest
from course_plan import NOTEBOOKS
from notebook_rules import Notebook

PROJECT = Path(__file__).resolve().parents[1]
TEXT = (PROJECT / "INSTRUCTORS.md").read_text(encoding="utf-8")
FOLDER = PROJECT / "notebooks"
SOURCE = FOLDER / "assignments" / "source"
MADE = re.compile(r"^notebooks/assignments/(release|feedback|collected)\b")  # by the commands
BY_NUMBER = {name[:2]: name for name in NOTEBOOKS}
WAITING = "notebooks of the plan are not written yet"


def plans():
    """{sessions: [([notebooks], minutes to read, minutes of the machine), ...]}"""
    found = {}
    for title, table in re.findall(r"^### (.*)\n\n((?:\|.*\n)+)", TEXT, re.M):
        rows = re.findall(r"^\| \d+ \| ([\d, ]+) \| (\d+) \| (\d+) \|", table, re.M)
        found[int(title.split()[0])] = [(n.split(", "), int(a), int(b)) for n, a, b in rows]
    return found


PLANS = plans()


def minutes_of(number):
    """The minutes under "You need"; None for a notebook that is not written yet."""
    path = FOLDER / f"{BY_NUMBER[number]}.ipynb"
    if not path.is_file():
        return None
    text = "\n".join(cell.source for cell in Notebook.read(path).prose)
    return int(re.search(r"You need.*?(\d+) minutes", text, re.DOTALL)[1])


@pytest.mark.parametrize("sessions", [4, 8, 12])
def test_a_plan_has_its_sessions_and_every_notebook_once(sessions):
    assert len(PLANS[sessions]) == sessions
    assert [n for numbers, _, _ in PLANS[sessions] for n in numbers] == sorted(BY_NUMBER)


@pytest.mark.parametrize("sessions", PLANS)
def test_minutes_of_a_plan_are_those_of_the_notebooks(sessions):
    waiting = False
    for numbers, minutes, _ in PLANS[sessions]:
        known = [minutes_of(n) for n in numbers]
        if None in known:
            waiting = True
        else:
            assert sum(known) == minutes, numbers
    if waiting:
        pytest.skip(WAITING)


@pytest.mark.parametrize("sessions", PLANS)
def test_machine_minutes_of_a_plan_are_the_budgets(sessions):
    budget = tomllib.loads((PROJECT / "tests" / "budget.toml").read_text(encoding="utf-8"))
    for numbers, _, machine in PLANS[sessions]:
        kinds = [budget["notebooks"][BY_NUMBER[n]] for n in numbers]
        seconds = sum(budget["kinds"][kind]["seconds"] for kind in kinds)
        assert math.ceil(seconds / 60) == machine, numbers


def test_every_assignment_is_handed_out_once_in_a_plan():
    for _, table in re.findall(r"^### (.*)\n\n((?:\|.*\n)+)", TEXT, re.M):
        given = re.findall(r"\ba\d\b", table)
        assert sorted(given) == ["a1", "a2", "a3", "a4"]


# --------------------------------------------------------------------------- places


def places():
    """[(number of the notebook, section)] that the page sends to."""
    found = re.findall(r"\b(\d\d), section (\d+)", TEXT)
    many = re.findall(r"notebook (\d\d), sections (\d+) (?:to|and) (\d+)", TEXT)
    return sorted({*found, *((n, s) for n, *both in many for s in both)})


@pytest.mark.parametrize("number", sorted({n for n, _ in places()}))
def test_sections_that_the_page_names_exist(number):
    path = FOLDER / f"{BY_NUMBER[number]}.ipynb"
    if not path.is_file():
        pytest.skip(WAITING)
    text = "\n".join(cell.source for cell in Notebook.read(path).prose)
    sections = [section for n, section in places() if n == number]
    assert [s for s in sections if not re.search(rf"^## {s}\b", text, re.M)] == []


def test_every_notebook_has_a_misconception():
    rows = re.findall(r'^\| "[^|]+ \| [^|]+ \| (\d\d), section \d+ \|$', TEXT, re.M)
    assert sorted(set(rows)) == sorted(set(BY_NUMBER) - {"00"})


def files():
    """Every path in the page that looks like a file or a folder of the project."""
    found = re.findall(r"(?<![\w/.])(?:notebooks|tests|course_utils|data)/[\w./-]*[\w/]", TEXT)
    return sorted({f for f in found if not MADE.match(f) and "NAME" not in f})


def test_files_that_the_page_names_exist():
    assert len(files()) > 8
    assert [f for f in files() if not (PROJECT / f).exists()] == []


def test_readme_sends_teachers_here():
    assert "(INSTRUCTORS.md)" in (PROJECT / "README.md").read_text(encoding="utf-8")


# --------------------------------------------------------------------------- graded work


ROWS = re.findall(r"^\| `(a\d_\w+)` \| (\d\d) \| (\d+) \| (\d+) \|", TEXT, re.M)


def test_the_table_has_every_assignment():
    assert sorted(name for name, *_ in ROWS) == sorted(
        p.parent.name for p in SOURCE.glob("*/*.ipynb")
    )


@pytest.mark.parametrize(("name", "minutes", "points"), [(n, m, p) for n, _, m, p in ROWS])
def test_minutes_and_points_are_those_of_the_source_and_the_hints(name, minutes, points):
    notebook = json.loads((SOURCE / name / f"{name}.ipynb").read_text(encoding="utf-8"))
    settings = [cell["metadata"].get("nbgrader", {}) for cell in notebook["cells"]]
    assert sum(s["points"] for s in settings if s.get("grade")) == int(points)
    text = "\n".join("".join(c["source"]) for c in notebook["cells"] if c["cell_type"] != "code")
    assert f"{minutes} minutes" in text
    hints = (SOURCE.parent / "hints" / f"{name}.md").read_text(encoding="utf-8")
    assert f"{points} points" in hints
    assert f"{minutes} minutes" in hints


def test_limits_are_those_of_the_grader():
    from course_utils.classroom.limits import MB, Limits

    limits = Limits()
    words = (
        f"{limits.cell_seconds} s for a cell, {limits.total_seconds} s in all, "
        f"{limits.process_memory // MB // 1024} GB of memory for a process and "
        f"{limits.total_memory // MB // 1024} GB for all, {limits.processes} processes, "
        f"{limits.file_size // MB} MB for a file, {limits.output // MB} MB of output"
    )
    assert words in TEXT


def test_columns_and_words_of_the_table_are_those_of_the_grader():
    code = (PROJECT / "course_utils" / "classroom" / "grade.py").read_text(encoding="utf-8")
    header = re.search(r"writerow\(\[(\"student\".*?)\]\)", code)[1]
    for column in re.findall(r'"(\w+)"', header):
        assert f"`{column}`" in TEXT
    for status in ("graded", "refused", "not graded"):
        assert f'"{status}"' in code
        assert f"| `{status}`" in TEXT


def test_the_hub_is_configured_as_the_page_says():
    config = (SOURCE.parent / "hub" / "jupyterhub_config.py").read_text(encoding="utf-8")
    for name in re.findall(r"COURSE_\w+", TEXT):
        assert name in config
    compile(config, "jupyterhub_config.py", "exec")
