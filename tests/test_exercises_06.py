"""The checks of notebook 06 say correct to right answers and name the cause of wrong ones."""

import numpy as np
import pytest

from course_utils.cells import LSTMCell
from course_utils.exercises import lesson_06 as lesson


def said(capsys, check, answer):
    check(answer)
    return capsys.readouterr().out.strip()


def write_back(dC_next, I, C_tilde):
    return dC_next * C_tilde * I * (1 - I), dC_next * I * (1 - C_tilde**2)


RIGHT = {
    "check_hold_weights": lambda: (24.0, -12.0, -24.0, 12.0),
    "check_input_gradients": write_back,
    "check_error_of_age": lambda age: age / 3,
    "check_largest_gate": lambda a, size, damage: (damage * a, damage / size),
}
EMPTY = [..., None, lambda *a: None, lambda *a: ..., lambda *a: 1 / 0, 3, lambda *a: "x"]


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_are_correct(capsys, name):
    assert said(capsys, getattr(lesson, name), RIGHT[name]) == "correct"


@pytest.mark.parametrize("answer", EMPTY)
@pytest.mark.parametrize("name", RIGHT)
def test_empty_and_broken_answers_are_not_yet(capsys, name, answer):
    assert said(capsys, getattr(lesson, name), answer).startswith("not yet: ")


@pytest.mark.parametrize(
    ("name", "answer", "cause"),
    [
        ("check_hold_weights", lambda: (24, 0, -24, 12), "distractors come in"),
        ("check_hold_weights", lambda: (12, -12, -24, 12), "write is lost"),
        ("check_hold_weights", lambda: (24, -12, -24, 0), "memory fades"),
        ("check_hold_weights", lambda: (24, -12, 0, 12), "old value stays"),
        ("check_hold_weights", lambda: (24, -12), "four numbers"),
        ("check_hold_weights", lambda: (24, -12, -24, np.nan), "not finite"),
        ("check_input_gradients", lambda d, I, C: (d * C, write_back(d, I, C)[1]), "sigmoid"),
        ("check_input_gradients", lambda d, I, C: (d * C * I, 0), "not I"),
        ("check_input_gradients", lambda d, I, C: (d * C * (1 - I**2), 0), "slope of tanh"),
        ("check_input_gradients", lambda d, I, C: (d * I * (1 - I), 0), "is missing"),
        ("check_input_gradients", lambda d, I, C: (d * I * I * (1 - I), 0), "I stands where"),
        ("check_input_gradients", lambda d, I, C: write_back(d, I, C)[::-1], "swapped"),
        ("check_input_gradients", lambda d, I, C: (write_back(d, I, C)[0], d * I), "through tanh"),
        (
            "check_input_gradients",
            lambda d, I, C: (write_back(d, I, C)[0], d * (1 - C**2)),
            "I is missing",
        ),
        (
            "check_input_gradients",
            lambda d, I, C: (write_back(d, I, C)[0], d * I * C * (1 - C)),
            "1 - C_tilde^2",
        ),
        (
            "check_input_gradients",
            lambda d, I, C: (write_back(d, I, C)[0], d * C * (1 - C**2)),
            "where I belongs",
        ),
        ("check_input_gradients", lambda d, I, C: (write_back(d, I, C)[0], None), "dA_c is None"),
        ("check_input_gradients", lambda d, I, C: d, "a pair"),
        ("check_error_of_age", lambda age: (age + 1) / 3, "none at age 0"),
        ("check_error_of_age", lambda age: age**2 / 3, "Variances add up"),
        ("check_error_of_age", lambda age: age, "has the variance 1/3"),
        ("check_error_of_age", lambda age: age / 12, "not 1/12"),
        ("check_error_of_age", lambda age: np.sqrt(age / 3), "root"),
        ("check_largest_gate", lambda a, s, d: (d, d / s), "read-out"),
        ("check_largest_gate", lambda a, s, d: (d / a, d / s), "so the damage is I / a"),
        ("check_largest_gate", lambda a, s, d: (d / s, d * a), "swapped"),
        ("check_largest_gate", lambda a, s, d: (d * a, d * a / s), "a cancels"),
        ("check_largest_gate", lambda a, s, d: (d * a, d / (a * s)), "nothing else"),
        ("check_largest_gate", lambda a, s, d: (d * a, d * a), "grows with the spike"),
        ("check_largest_gate", lambda a, s, d: d * a, "two numbers"),
    ],
)
def test_wrong_answers_hear_their_cause(capsys, name, answer, cause):
    words = said(capsys, getattr(lesson, name), answer)
    assert words.startswith("not yet: ")
    assert cause in words


class Seeded(LSTMCell):
    def _draw(self, rng):
        for gate in "ifoc":
            self._weights(gate, np.random.default_rng(0))


def alike(cell, pairs=("if", "ic", "fc")):
    p = cell.params
    return any(np.array_equal(p[f"W_x{a}"], p[f"W_x{b}"]) for a, b in pairs)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (alike, "correct"),
        (lambda cell: alike(cell, ["if"]), "only i and c"),
        (lambda cell: alike(cell, ["if", "ic"]), "only f and c"),
        (lambda cell: True, "drawn one by one"),
        (lambda cell: np.array_equal(cell.params["b_i"], cell.params["b_c"]), "not biases"),
        (lambda cell: False, "False for the cell of the bug hunt"),
    ],
)
def test_a_test_for_equal_gates_is_tested(capsys, answer, words):
    assert words in said(capsys, lesson.make_check_finds_copies(LSTMCell, Seeded), answer)


def test_an_empty_test_is_not_yet(capsys):
    check = lesson.make_check_finds_copies(LSTMCell, Seeded)
    for answer in EMPTY:
        assert said(capsys, check, answer).startswith("not yet: ")
