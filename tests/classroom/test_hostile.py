"""Every stored submission gets its mark or its refusal; nothing stays behind, nothing leaks.

The short part runs in `make test`, all of it in `make test-classroom`.
"""

import csv
import hashlib
import os
import re
import shutil
import socket
import sqlite3
import time
from dataclasses import replace

import nbformat
import pytest
import toy
from hostile import CASES, FULL
from need_sandbox import SANDBOX, at_work, own_temp, why_not

from course_utils.classroom.grade import grade
from course_utils.classroom.gradebook import Course
from course_utils.classroom.limits import MB, Limits
from course_utils.classroom.source import find_source

CHOSEN = os.environ.get("CLASSROOM", "")  # all, or some names with commas between
ALL = CHOSEN == "all"
NAMES = [
    n for n, case in CASES.items() if ALL or (n in CHOSEN.split(",") if CHOSEN else case.short)
]
LIMITS = Limits(
    cell_seconds=4,
    grace_seconds=1,
    total_seconds=25,
    process_memory=700 * MB,
    total_memory=1200 * MB,
    scratch=64 * MB,
    shared_memory=32 * MB,
    file_size=32 * MB,
    output=4 * MB,
    message=2 * MB,
)

pytestmark = pytest.mark.skipif(not SANDBOX, reason=why_not())


def quiet(line):
    """Say nothing."""


class Class:
    """All submissions of the set, graded once."""

    def __init__(self, place, toy_course):
        self.root = shutil.copytree(toy_course, place / "course")
        self.outside = place / "outside.txt"
        self.outside.write_text("nobody reads this\n")
        course = Course(self.root)
        released = nbformat.read(self.root / "release/toy/toy.ipynb", as_version=4)
        source = find_source("toy", self.root).notebook
        with socket.create_server(("127.0.0.1", 0)) as server:
            words = {
                "OUTSIDE": repr(str(self.outside)),
                "GRADEBOOK": repr(str(course.database)),
                "PACKAGE": repr(toy.__file__),
                "PORT": str(server.getsockname()[1]),
                "GATEWAY": "'192.0.2.2'",
            }
            for name in NAMES:
                case = CASES[name]
                cells = {cell: _fill(text, words) for cell, text in case.cells.items()}
                replace(case, cells=cells).put(place / "handed-in", name, released, source)
            self.before = _tree(place, self.root)
            start = time.monotonic()
            os.environ["TOKEN"] = "secret of the grader"
            with own_temp(place) as self.temp:
                rows, self.table = grade(
                    place / "handed-in", "toy", limits=LIMITS, root=self.root, say=quiet
                )
        del os.environ["TOKEN"]
        self.seconds = time.monotonic() - start
        self.rows = {row.student: row for row in rows}
        self.after = _tree(place, self.root)
        self.place = place


def _fill(text, words):
    for name, value in words.items():
        text = text.replace(name, value)
    return text


def _tree(place, apart):
    """{path: hash} of everything below `place` that the grader has no business with."""
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(place.rglob("*"))
        if path.is_file() and apart not in path.parents
    }


@pytest.fixture(scope="module")
def graded(tmp_path_factory, toy_course):
    """The whole set, graded once."""
    return Class(tmp_path_factory.mktemp("class"), toy_course)


@pytest.mark.parametrize("name", NAMES)
def test_submission_gets_its_mark_or_its_refusal(graded, name):
    case, row = CASES[name], graded.rows[name]
    if case.refused:
        assert (row.status, row.marks) == ("refused", {})
        assert case.refused in row.notes[0]
    else:
        assert row.status == "graded", row.notes
        assert row.marks == {**FULL, **case.lost}, row.notes
        assert case.note in "; ".join(row.notes)


def test_set_is_large_enough():
    assert len(CASES) >= 25
    assert CHOSEN or len(NAMES) >= 10


def test_set_takes_its_time_only(graded, record_property):
    count = len(graded.rows)
    record_property("measured", f"{count} submissions, many hostile: {graded.seconds:.0f} s")
    assert graded.seconds < 20 * count


def test_table_says_the_same(graded):
    with graded.table.open(encoding="utf-8") as stream:
        table = {line["student"]: line for line in csv.DictReader(stream)}
    assert set(table) == set(NAMES)
    for name, line in table.items():
        case = CASES[name]
        wanted = "" if case.refused else f"{sum({**FULL, **case.lost}.values()):g}"
        assert (line["total"], line["max"]) == (wanted, "7")


def test_gradebook_says_the_same(graded):
    assert _check(graded.root / "gradebook.db") == "ok"
    course = Course(graded.root)
    for name in NAMES:
        grades, case = course.grades("toy", name), CASES[name]
        if case.refused:
            assert grades is None
        else:
            assert {i: g.marks for i, g in grades.items()} == {**FULL, **case.lost}


def _check(path):
    with sqlite3.connect(path) as database:
        return database.execute("PRAGMA integrity_check").fetchone()[0]


def test_nothing_is_left_running(graded):
    assert at_work(str(graded.place), "os.setsid(); time.sleep(600)") == []


def test_nothing_is_written_outside(graded):
    assert graded.after == graded.before
    assert list(graded.temp.iterdir()) == []


def test_feedback_shows_no_hidden_test(graded):
    pages = list(graded.root.glob("feedback/*/toy/toy.html"))
    assert len(pages) == sum(not CASES[name].refused for name in NAMES)
    for page in pages:
        text = page.read_text(encoding="utf-8")
        for secret in ("secret_rng", "secret_X", "END HIDDEN TESTS\n", "latch_holds"):
            assert secret not in text, page


def test_feedback_runs_no_script_of_a_submission(graded):
    page = graded.root / "feedback/script-in-the-feedback/toy/toy.html"
    text = page.read_text(encoding="utf-8")
    assert "stolen" in text, "the words themselves stay"
    assert re.findall(r"<script>\s*alert", text) == []
    assert re.findall(r"<[^>]*(?:onerror|javascript:)[^>]*stolen", text) == []


def test_feedback_names_what_differs(graded):
    text = (graded.root / "feedback/no-state/toy/toy.html").read_text(encoding="utf-8")
    assert "zero state: right" in text
    assert "any state: differs at 3 of 3 places, first at index [0]" in text


def test_second_run_changes_nothing(graded):
    before, start = graded.table.read_bytes(), time.monotonic()
    _, table = grade(graded.place / "handed-in", "toy", limits=LIMITS, root=graded.root, say=quiet)
    assert table.read_bytes() == before
    assert time.monotonic() - start < 5
