"""What an assignment's cells call: answers become plain values, and nothing raises."""

import json
import os
import subprocess
import sys
from collections import namedtuple

import numpy as np
import pytest

from course_utils.classroom.answers import (
    MOST_NUMBERS,
    NotPlainError,
    attempt,
    collect,
    plain,
    record,
    student_rng,
)


def recorded(value, **rules):
    with collect() as answers:
        record("case", value, **rules)
    (answer,) = answers
    return answer


class EqualsAll:
    def __eq__(self, other):
        return True

    __hash__ = None


class Refuses:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no")


Trace = namedtuple("Trace", "X H")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3),
        (True, True),
        (None, None),
        ("tanh", "tanh"),
        (np.float32(0.5), 0.5),
        (np.int64(7), 7),
        (np.bool_(True), True),
        (np.zeros((2, 1)), [[0.0], [0.0]]),
        ((np.ones(2), [1]), [[1.0, 1.0], [1]]),
        (Trace(1, np.eye(1)), [1, [[1.0]]]),
        ({"W": np.ones(1), 2: "x"}, {"W": [1.0], "2": "x"}),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.ma.array([1.0, 2.0]), [1.0, 2.0]),
    ],
)
def test_values_become_plain(value, expected):
    came = plain(value)
    assert came == expected
    assert json.loads(json.dumps(came)) == expected
    assert json.loads(recorded(value)["value"]) == expected


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (EqualsAll(), "of type EqualsAll; expected real numbers"),
        ([EqualsAll()], "of type EqualsAll"),
        (..., "of type ellipsis"),
        (1j, "of type complex"),
        (np.array([1j]), "complex128"),
        (np.array([EqualsAll()]), "object"),
        (np.zeros(MOST_NUMBERS + 1), "at most"),
        ([0] * (MOST_NUMBERS + 1), "more than"),
        ("a" * 100_000, "100000 letters"),
        (10**400, "digits"),
        ({EqualsAll: 1}, "key of type type"),
        ({1, 2}, "of type set"),
        (np.random.default_rng(0), "of type Generator"),
    ],
)
def test_other_values_are_refused_with_a_reason(value, words):
    with pytest.raises(NotPlainError, match=words):
        plain(value)
    assert words in recorded(value)["problem"]


def test_lists_without_end_are_refused():
    value = []
    value.append(value)
    assert "deep" in recorded(value)["problem"]


def test_values_that_raise_are_told():
    assert "RuntimeError" in recorded(Refuses())["problem"]


def test_not_a_number_stays_one():
    (came,) = json.loads(recorded([np.nan])["value"])
    assert np.isnan(came)


def test_attempt_records_value_or_error():
    def halve(x):
        x /= 2
        return x

    given = np.ones(2)
    with collect() as answers:
        attempt("value", halve, given, points=2)
        attempt("error", lambda: 1 / 0)
        attempt("exit", sys.exit)
        attempt("no function", ...)
        attempt("option", lambda *, a: a, a=1)
    assert json.loads(answers[0]["value"]) == [0.5, 0.5]
    assert answers[0]["points"] == 2
    assert given.tolist() == [1.0, 1.0], "attempt hands out copies"
    assert [a["error"][0] for a in answers[1:4]] == [
        "ZeroDivisionError",
        "RuntimeError",
        "TypeError",
    ]
    assert json.loads(answers[4]["value"]) == 1


def test_an_interrupt_is_no_answer():
    def interrupted():
        raise KeyboardInterrupt

    with collect() as answers, pytest.raises(KeyboardInterrupt):
        attempt("loop", interrupted)
    assert answers == []


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"tolerance": -1}, "tolerance of 'case' is -1"),
        ({"tolerance": np.nan}, "tolerance"),
        ({"points": 0}, "points of 'case' is 0"),
        ({"judge": 3}, "judge of 'case' is 3"),
    ],
)
def test_slips_of_the_teacher_are_told(rules, words):
    with pytest.raises((ValueError, TypeError), match=words):
        recorded(1, **rules)


def test_student_key_gives_the_data():
    def draw(*key):
        return student_rng(*key).normal(size=3).tolist()

    assert draw("ada", "a1") == draw(" ADA\n", "a1")
    assert draw("ada", "a1") != draw("bob", "a1")
    assert draw("ada", "a1") != draw("ada", "a2")
    with pytest.raises(ValueError, match="student is empty"):
        student_rng(" ", "a1")
    with pytest.raises(TypeError, match="student is 7"):
        student_rng(7, "a1")


def test_record_outside_of_a_notebook_is_silent(capsys):
    assert record("case", 1) is None
    assert capsys.readouterr().out == ""


def test_import_costs_numpy_only():
    code = "import course_utils.classroom.answers, sys; print({'IPython'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ)
    )
    assert done.stdout == "set()\n", done.stderr
