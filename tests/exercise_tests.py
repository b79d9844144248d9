"""The tests that each file test_exercises_NN.py runs over its tables of right and wrong answers.

    RIGHT = {"check_units": [29, np.int64(29)], ...}
    WRONG = {"check_units": [(30, "bias b_h"), ...], ...}

    test_right, test_empty, test_wrong, test_tables_are_complete = four_tests(
        lesson_02, RIGHT, WRONG
    )

A right answer makes its check say "correct".  An answer of EMPTY makes every check say "not yet".
A wrong answer makes its check say "not yet" and the words beside it, its likely cause.  A failure
names the file, the check and the case: test_exercises_02.py::test_wrong[check_units: bias b_h].
"""

import contextlib
import io

import numpy as np
import pytest


def said(check, answer):
    """Give the line that a check prints about an answer."""
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        check(answer)
    return printed.getvalue().removesuffix("\n")


def hears(check, answer, words):
    """Hold that the check says "not yet" to an answer, and these words."""
    told = said(check, answer)
    assert told.startswith("not yet: "), f"expected 'not yet: ', came {told!r}"
    assert words in told, f"expected {words!r} in {told!r}"


def nothing(*_):
    """Forget the return."""


def unfilled(*_):
    return ...


def text(*_):
    return "x"


def crash(*_):
    raise ZeroDivisionError("an error of the reader")


# What a reader may leave in the cell, or give by mistake: right for no check of the course.
EMPTY = [
    *(..., None, nothing, unfilled, text, crash),
    *(3, 3.5, "text", (), ("a", 3), {}, np.array, dict),
]


def four_tests(lesson, right, wrong, made=None):
    """Give the four tests of a lesson's checks.

    right: {name of the check: [answers]}; wrong: {name: [(answer, words)]}.  made: {name: check}
    for a function `make_check_...` that makes a check from the classes of a notebook.
    """
    checks = {n: c for n, c in vars(lesson).items() if n.startswith(("check_", "make_check_"))}
    checks = {n: c for n, c in checks.items() if c.__module__ == lesson.__name__} | (made or {})

    @pytest.mark.parametrize(
        ("name", "answer"),
        [
            pytest.param(name, answer, id=f"{name}: answer {number}")
            for name, answers in right.items()
            for number, answer in enumerate(answers, 1)
        ],
    )
    def test_right(name, answer):
        told = said(checks[name], answer)
        assert told == "correct", f"{name}: expected 'correct', came {told!r}"

    @pytest.mark.parametrize(
        ("name", "answer"),
        [
            pytest.param(name, answer, id=f"{name}: {getattr(answer, '__name__', repr(answer))}")
            for name in checks
            for answer in EMPTY
        ],
    )
    def test_empty(name, answer):
        hears(checks[name], answer, "")

    @pytest.mark.parametrize(
        ("name", "answer", "words"),
        [
            pytest.param(name, answer, words, id=f"{name}: {words}")
            for name, answers in wrong.items()
            for answer, words in answers
        ],
    )
    def test_wrong(name, answer, words):
        hears(checks[name], answer, words)

    def test_tables_are_complete():
        assert set(checks) == set(right) == set(wrong)
        assert all([*right.values(), *wrong.values()]), "a check without an answer in a table"

    return test_right, test_empty, test_wrong, test_tables_are_complete
