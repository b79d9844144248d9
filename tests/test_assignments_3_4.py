"""Assignments 3 and 4: the sources run, their checks teach, their hidden cases tell answers apart.

In this process and light.  What the grader does with the sources is tested in tests/classroom.
"""

import contextlib
import importlib.util
import io
import json
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from course_utils.classroom.answers import collect

PROJECT = Path(__file__).resolve().parents[1]
SOURCE = PROJECT / "notebooks" / "assignments" / "source"
A3 = "a3_stacked_bidirectional_gru"
SOLUTION = re.compile(r"^( *)### BEGIN SOLUTION ?([^\n]*)\n(.*?)^ *### END SOLUTION$", re.M | re.S)
HIDDEN = re.compile(r"^### BEGIN HIDDEN TESTS\n(.*)^### END HIDDEN TESTS\Z", re.M | re.S)
SAYS_RIGHT = "correct so far"


def cells(name):
    """[(cell, grade_id or id, the metadata of nbgrader)] of a source."""
    notebook = json.loads((SOURCE / name / f"{name}.ipynb").read_text(encoding="utf-8"))
    found = []
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
        marks = cell["metadata"].get("nbgrader", {})
        found.append((cell, marks.get("grade_id", cell["id"]), marks))
    return found


def kind(marks):
    graded, answer = marks.get("grade", False), marks.get("solution", False)
    return {(1, 0): "test", (0, 1): "answer", (1, 1): "manual"}.get((graded, answer), "given")


def of_kind(name, wanted):
    return {i: c["source"] for c, i, marks in cells(name) if kind(marks) == wanted}


def stub(source):
    """What a student gets: the words of the region in an error, as the release writes it."""
    return SOLUTION.sub(r'\1raise NotImplementedError("\2")\n', source)


def run(name, student, replaced=None):
    """Run all code cells -> {id: (what it recorded, what it printed)}."""
    names, done = {"__name__": "__main__"}, {}
    for cell, i, _ in cells(name):
        if cell["cell_type"] != "code":
            continue
        source = (replaced or {}).get(i, cell["source"])
        if "student-key" in cell["metadata"].get("tags", []):
            source = f"STUDENT = {student!r}"
        text = io.StringIO()
        with collect() as recorded, contextlib.redirect_stdout(text):
            exec(compile(source, i, "exec"), names)
        done[i] = recorded, text.getvalue().strip()
    return done


@cache
def key(name, student="ada"):
    return run(name, student)


def close(came, expected, tolerance):
    if isinstance(expected, dict):
        return (
            isinstance(came, dict)
            and came.keys() == expected.keys()
            and all(close(came[k], expected[k], tolerance) for k in expected)
        )
    if isinstance(expected, list):
        return (
            isinstance(came, list)
            and len(came) == len(expected)
            and all(map(close, came, expected, [tolerance] * len(came)))
        )
    if isinstance(expected, (int, float)) and isinstance(came, (int, float)):
        return abs(came - expected) <= tolerance * (1 + abs(expected))
    return came == expected


def arrays(value):
    if isinstance(value, dict):
        return {k: arrays(v) for k, v in value.items()}
    return np.array(value) if isinstance(value, list) else value


def share(answer, right):
    """How much of a case an answer gets: what the grader does, in short."""
    if "value" not in answer:
        return float("value" not in right and answer.get("error") == right.get("error"))
    value = json.loads(answer["value"])
    if right["judge"] is not None:
        return float(right["judge"](arrays(value)))
    return float("value" in right and close(value, json.loads(right["value"]), right["tolerance"]))


def marks_of(name, submission, student="ada"):
    """{test: marks} of what a run recorded."""
    points = {i: marks.get("points") for _, i, marks in cells(name)}
    found = {}
    for i, (cases, _) in key(name, student).items():
        if cases:
            answers = {answer["case"]: answer for answer in submission[i][0]}
            got = sum(share(answers[c["case"]], c) * c["points"] for c in cases)
            found[i] = points[i] * got / sum(c["points"] for c in cases)
    return found


def full(name):
    return {i: m["points"] for _, i, m in cells(name) if kind(m) == "test"}


@cache
def mistakes(name):
    path = PROJECT / "tests" / "classroom" / f"mistakes_{name}.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.MISTAKES


# --------------------------------------------------------------------------- form


@pytest.mark.parametrize("name", [A3])
def test_every_answer_has_a_stub_and_a_test_with_a_hidden_region(name):
    answers, tests = of_kind(name, "answer"), of_kind(name, "test")
    assert [f"{i}-test" for i in answers] == list(tests)
    assert 6 <= len({i.split("-")[0] for i in answers}) <= 10
    for i, source in answers.items():
        regions = SOLUTION.findall(source)
        assert regions, i
        assert all(words for _, words, _ in regions), f"{i}: no words for the stub"
        assert '"""' in source[: source.index("### BEGIN")], f"{i}: no docstring above the answer"
    for i, source in tests.items():
        hidden = HIDDEN.search(source)
        assert hidden, f"{i}: the hidden region does not stand at the end"
        assert "check" in source[: hidden.start()]
        assert "expect(" not in hidden[1]


@pytest.mark.parametrize("name", [A3])
def test_minutes_and_points_of_the_text_agree_with_the_cells(name):
    text = "\n".join(c["source"] for c, _, _ in cells(name) if c["cell_type"] == "markdown")
    rows = re.findall(r"^\| (\d+) [^|]+\| (\d+) \| (\d+) \|$", text, re.M)
    (minutes, points), *_ = re.findall(r"^\| together \| (\d+) \| (\d+) \|$", text, re.M)
    assert sum(int(m) for _, m, _ in rows) == int(minutes)
    assert 60 <= int(minutes) <= 120
    assert f"{minutes} minutes" in text
    titles = re.findall(r"^## Question (\d+):.*\*\((\d+) minutes, (\d+) points\)\*$", text, re.M)
    assert titles == rows
    of_question = {}
    for i, worth in full(name).items():
        number = re.match(r"q(\d+)", i)[1]
        of_question[number] = of_question.get(number, 0) + worth
    assert of_question == {number: int(worth) for number, _, worth in rows}
    assert sum(of_question.values()) == int(points)


def test_the_checks_hold_no_ready_answer():
    """The students get the checks: no line of a solution may stand in them."""
    module = (PROJECT / "course_utils" / "exercises" / "assignment_3.py").read_text("utf-8")
    known = {" ".join(line.split()) for line in module.splitlines()}
    for i, source in of_kind(A3, "answer").items():
        for _, _, code in SOLUTION.findall(source):
            lines = [" ".join(line.split("#")[0].split()) for line in code.splitlines()]
            copied = [line for line in lines if len(line) > 30 and line in known]
            assert copied == [], i


# --------------------------------------------------------------------------- the source


@pytest.mark.parametrize("student", ["ada", "Zoe.K", "4711"])
def test_the_source_answers_its_own_questions(student):
    done = run(A3, student)
    for i in of_kind(A3, "test"):
        recorded, text = done[i]
        assert text == SAYS_RIGHT, i
        assert len(recorded) >= 3
        assert len({r["case"] for r in recorded}) == len(recorded), i
        assert all("value" in r for r in recorded), i
    assert marks_of(A3, done, student) == full(A3)


def test_two_students_get_different_data():
    """In at least half of the graded cells the answers of one are wrong for the other."""
    ada, bob = key(A3, "ada"), key(A3, "bob")
    differ = []
    for i, (cases, _) in ada.items():
        pairs = zip(cases, bob[i][0], strict=True)
        if any(a["value"] != b["value"] for a, b in pairs):
            differ.append(i)
    assert len(differ) >= len(full(A3)) / 2
    copied = marks_of(A3, {**ada}, "bob")
    assert sum(copied.values()) < 0.5 * sum(full(A3).values())


def test_the_same_student_gets_the_same_data_again():
    values = [
        [c.get("value") for cases, _ in run(A3, who).values() for c in cases]
        for who in ("ada", " Ada ")
    ]
    assert values[0] == values[1]


def test_an_empty_notebook_says_not_yet_and_raises_nowhere():
    empty = {i: stub(source) for i, source in of_kind(A3, "answer").items()}
    assert all("NotImplementedError" in source for source in empty.values())
    done = run(A3, "ada", empty)
    for i in of_kind(A3, "test"):
        assert done[i][1].startswith("not yet: "), i
        assert "\n" not in done[i][1]
    assert sum(marks_of(A3, done).values()) == 0


# --------------------------------------------------------------------------- mistakes


def test_there_are_mistakes_for_every_question():
    touched = {cell for mistake in mistakes(A3).values() for cell in mistake["cells"]}
    assert touched >= set(of_kind(A3, "answer")) - {"q5-highway"}
    assert len(mistakes(A3)) >= 10


@pytest.mark.parametrize("mistake", mistakes(A3))
def test_a_mistake_hears_its_cause_and_loses_its_marks(mistake):
    planted = mistakes(A3)[mistake]
    done = run(A3, "ada", planted["cells"])
    for cell in planted["cells"]:
        text = done[f"{cell}-test"][1]
        assert text.startswith("not yet: ")
        assert planted["says"] in text
    expected = full(A3) | planted["points"]
    assert marks_of(A3, done) == pytest.approx(expected)
    assert sum(expected.values()) < sum(full(A3).values())
