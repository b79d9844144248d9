"""The judge: only true values count, and no word of a verdict holds one."""

import json
import time

import numpy as np
import pytest

from course_utils.classroom import judge
from course_utils.classroom.answers import attempt, collect, record
from course_utils.classroom.judge import judge_cell


def answers(fill):
    """What a notebook would send: the payloads only."""
    with collect() as collection:
        fill()
    return [{k: a[k] for k in ("case", "value", "problem", "error") if k in a} for a in collection]


def reference(fill):
    with collect() as collection:
        fill()
    return collection


def words(expected, came, **rules):
    """(share, words) of one case with these values."""
    share, (line,) = judge_cell(
        reference(lambda: record("case", expected, **rules)),
        answers(lambda: record("case", came)),
    )
    return share, line.removeprefix("case: ")


EYE = np.array([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("expected", "came"),
    [
        (1.5, 1.5 + 1e-7),
        (3, 3.0),
        (EYE, EYE.tolist()),
        (EYE, EYE.astype(np.float32)),
        ((EYE, {"a": 1}), [EYE, {"a": 1}]),
        ("tanh", "tanh"),
        (None, None),
        (True, np.bool_(True)),
        (np.inf, np.inf),
        ([], []),
        ({"W": EYE, "names": ["i", "f"]}, {"names": ("i", "f"), "W": EYE}),
    ],
)
def test_true_values_are_right(expected, came):
    assert words(expected, came) == (1.0, "right")


@pytest.mark.parametrize(
    ("expected", "came", "said"),
    [
        (EYE, EYE + 0.1, "differs at 4 of 4 places, first at index [0, 0]"),
        (EYE, -EYE, "has the wrong sign everywhere"),
        (EYE, EYE.T, "has its last two axes swapped"),
        (EYE, EYE[::-1], "stands in reverse order"),
        (EYE, 0 * EYE, "is zero everywhere"),
        (EYE, EYE[0], "has shape (2,); expected (2, 2)"),
        (
            EYE,
            [[1.0, np.nan], [3.0, 4.0]],
            "is not a finite number at 1 of 4 places, first at index [0, 1]",
        ),
        (EYE, "2.0", "is a text; expected an array of shape (2, 2)"),
        (EYE, None, "is None; expected an array of shape (2, 2)"),
        (EYE, [[1, 2], [3]], "is a list; expected an array of shape (2, 2)"),
        (1.5, 2.5, "differs"),
        (1.5, -1.5, "has the wrong sign"),
        (1.5, [1.5], "has shape (1,); expected ()"),
        (1, "1", "is a text; expected a number"),
        ("tanh", "relu", "is another text"),
        ("1", 1, "is a number; expected a text"),
        (None, 0, "is a number; expected None"),
        (["a", 1.0], ["a", 2.0], "part [1] differs"),
        (["a", 1.0], ["a"], "has 1 parts; expected 2"),
        (["a", 1.0], {"a": 1.0}, "is a dict; expected a list"),
        ({"a": 1.0}, {"b": 1.0}, "has other names than expected, look at: a, b"),
        ({"a": 1.0}, {"a": 2.0}, "part ['a'] differs"),
        (1, 10**400, "handed in a whole number of more than 300 digits"),
        (1, 10**200, "differs"),
    ],
)
def test_other_values_are_told_without_a_number(expected, came, said):
    share, line = words(expected, came)
    assert (share, line) == (0.0, said)


def test_nothing_equals_not_a_number():
    assert words(np.nan, np.nan)[0] == 0.0


def test_tolerance_grows_with_the_size():
    assert words(1e6, 1e6 + 1, tolerance=1e-5)[0] == 1.0
    assert words(1e-9, 2e-9, tolerance=0)[0] == 0.0


def test_points_of_the_reference_count():
    expected = reference(lambda: [record("a", 1), record("b", 2, points=3)])
    came = [
        {"case": "a", "value": "1", "points": 1000, "tolerance": 1e9, "judge": "yes"},
        {"case": "c", "value": "2", "points": 1000},
    ]
    share, lines = judge_cell(expected, came)
    assert share == 0.25
    assert lines == ["a: right", "b: not answered"]


@pytest.mark.parametrize(
    "payload",
    [
        {"case": "a"},
        {"case": "a", "value": 1},
        {"case": "a", "value": "[" * 100_000},
        {"case": "a", "value": "1" * 2_000_000},
        {"case": "a", "value": "{"},
        {"case": "a", "error": None},
        {"case": "a", "error": [[], {}]},
        {"case": "a", "problem": {"x": 1}},
        {"case": ["a"], "value": "1"},
        {"case": "a", "value": "Infinity"},
        {"case": "a", "value": '{"__class__": "x"}'},
        [1],
        "a",
        None,
    ],
)
def test_payloads_of_any_form_are_only_wrong(payload):
    share, (line,) = judge_cell(reference(lambda: record("a", 1)), [payload])
    assert share == 0.0
    assert line.startswith("a: ")


def test_two_different_answers_to_one_case_are_none():
    expected = reference(lambda: record("a", 1))
    right, wrong = {"case": "a", "value": "1"}, {"case": "a", "value": "2"}
    assert judge_cell(expected, [wrong, right])[0] == 0.0
    assert judge_cell(expected, [right, wrong])[0] == 0.0
    assert judge_cell(expected, [right, right])[0] == 1.0


def test_errors():
    def refuses(x):
        raise ValueError(f"X has shape {x}")

    def crashes(x):
        raise IndexError("list index out of range")

    def open_answer(x):
        raise NotImplementedError("q1: write it")

    expected = reference(lambda: attempt("bad shape", refuses, 1))
    assert judge_cell(expected, answers(lambda: attempt("bad shape", refuses, 2)))[0] == 1.0
    for other, said in [
        (crashes, "raised IndexError: list index out of range; another kind of error belongs here"),
        (abs, "should raise an error here"),
    ]:
        share, lines = judge_cell(expected, answers(lambda f=other: attempt("bad shape", f, 2)))
        assert (share, lines) == (0.0, [f"bad shape: {said}"])
    value = reference(lambda: attempt("value", abs, -1))
    share, lines = judge_cell(value, answers(lambda: attempt("value", open_answer, -1)))
    assert (share, lines) == (0.0, ["value: not answered"])


def test_judges_see_arrays_and_give_shares():
    def half(value):
        assert isinstance(value["W"], np.ndarray)
        return 0.5

    expected = reference(lambda: record("design", {"W": EYE}, judge=half))
    share, lines = judge_cell(expected, answers(lambda: record("design", {"W": EYE})))
    assert (share, lines) == (0.5, ["design: 50% of it holds"])


@pytest.mark.parametrize("value", [None, "x", [1, "x"], {"V": 1}, [], float("nan")])
def test_judges_may_crash_on_what_they_get(value):
    expected = reference(lambda: record("design", {"W": EYE}, judge=lambda v: v["W"].sum() > 0))
    share, (line,) = judge_cell(expected, answers(lambda: record("design", value)))
    assert share == 0.0
    assert line.startswith("design: cannot be used here")


@pytest.mark.parametrize("opinion", [2.0, -1.0, float("nan"), 1e9])
def test_a_share_above_one_is_none(opinion):
    expected = reference(lambda: record("design", 1, judge=lambda v: opinion))
    assert judge_cell(expected, answers(lambda: record("design", 1)))[0] == 0.0


def test_judges_are_stopped(monkeypatch):
    monkeypatch.setattr(judge, "JUDGE_SECONDS", 0.2)

    def slow(value):
        while True:
            time.sleep(0.01)

    expected = reference(lambda: record("design", 1, judge=slow))
    share, (line,) = judge_cell(expected, answers(lambda: record("design", 1)))
    assert (share, line) == (0.0, "design: cannot be used here (TimeoutError)")


def test_no_verdict_holds_a_number_of_the_reference():
    rng = np.random.default_rng(0)
    for _ in range(50):
        expected = rng.normal(size=(2, 3))
        came = expected + (rng.random((2, 3)) < 0.5)
        _, line = words(expected, came)
        assert not any(f"{abs(x):.3f}"[:5] in line for x in expected.ravel()), line


def test_plain_data_become_arrays():
    came = judge.as_arrays(json.loads('[[[1, 2], [3, 4]], {"a": [1.5], "b": ["x", 1]}]'))
    assert came[0].shape == (2, 2)
    assert came[1]["a"].dtype == float
    assert came[1]["b"] == ["x", 1]
