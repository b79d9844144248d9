"""The checks of notebook 06 say correct to right answers and name the cause of wrong ones."""

import numpy as np
from exercise_tests import four_tests

from course_utils.cells import LSTMCell
from course_utils.exercises import lesson_06 as lesson


def write_back(dC_next, I, C_tilde):
    return dC_next * C_tilde * I * (1 - I), dC_next * I * (1 - C_tilde**2)


class Seeded(LSTMCell):
    def _draw(self, rng):
        for gate in "ifoc":
            self._weights(gate, np.random.default_rng(0))


def alike(cell, pairs=("if", "ic", "fc")):
    p = cell.params
    return any(np.array_equal(p[f"W_x{a}"], p[f"W_x{b}"]) for a, b in pairs)


MADE = {"make_check_finds_copies": lesson.make_check_finds_copies(LSTMCell, Seeded)}

RIGHT = {
    "check_hold_weights": [
        lambda: (24.0, -12.0, -24.0, 12.0),
        lambda: np.array([10, -5, -10, 5]),
    ],
    "check_input_gradients": [write_back, lambda *given: list(write_back(*given))],
    "check_error_of_age": [lambda age: age / 3],
    "check_largest_gate": [lambda a, size, damage: (damage * a, damage / size)],
    "make_check_finds_copies": [alike],
}

WRONG = {
    "check_hold_weights": [
        (lambda: (24, 0, -24, 12), "distractors come in"),
        (lambda: (12, -12, -24, 12), "write is lost"),
        (lambda: (24, -12, -24, 0), "memory fades"),
        (lambda: (24, -12, 0, 12), "old value stays"),
        (lambda: (24, -12), "four numbers"),
        (lambda: (24, -12, -24, np.nan), "not finite"),
    ],
    "check_input_gradients": [
        (lambda d, I, C: (d * C, write_back(d, I, C)[1]), "sigmoid"),
        (lambda d, I, C: (d * C * I, 0), "not I"),
        (lambda d, I, C: (d * C * (1 - I**2), 0), "slope of tanh"),
        (lambda d, I, C: (d * I * (1 - I), 0), "is missing"),
        (lambda d, I, C: (d * I * I * (1 - I), 0), "I stands where"),
        (lambda d, I, C: write_back(d, I, C)[::-1], "swapped"),
        (lambda d, I, C: (write_back(d, I, C)[0], d * I), "through tanh"),
        (lambda d, I, C: (write_back(d, I, C)[0], d * (1 - C**2)), "I is missing"),
        (lambda d, I, C: (write_back(d, I, C)[0], d * I * C * (1 - C)), "1 - C_tilde^2"),
        (lambda d, I, C: (write_back(d, I, C)[0], d * C * (1 - C**2)), "where I belongs"),
        (lambda d, I, C: (write_back(d, I, C)[0], None), "dA_c is None"),
        (lambda d, I, C: d, "a pair"),
    ],
    "check_error_of_age": [
        (lambda age: (age + 1) / 3, "none at age 0"),
        (lambda age: age**2 / 3, "Variances add up"),
        (lambda age: age, "has the variance 1/3"),
        (lambda age: age / 12, "not 1/12"),
        (lambda age: np.sqrt(age / 3), "root"),
    ],
    "check_largest_gate": [
        (lambda a, s, d: (d, d / s), "read-out"),
        (lambda a, s, d: (d / a, d / s), "so the damage is I / a"),
        (lambda a, s, d: (d / s, d * a), "swapped"),
        (lambda a, s, d: (d * a, d * a / s), "a cancels"),
        (lambda a, s, d: (d * a, d / (a * s)), "nothing else"),
        (lambda a, s, d: (d * a, d * a), "grows with the spike"),
        (lambda a, s, d: d * a, "two numbers"),
        (lambda a, s, d: (d * a / np.tanh(a * s), d / s), "Whatever the size"),
    ],
    "make_check_finds_copies": [
        (lambda cell: alike(cell, ["if"]), "only i and c"),
        (lambda cell: alike(cell, ["if", "ic"]), "only f and c"),
        (lambda cell: True, "drawn one by one"),
        (lambda cell: np.array_equal(cell.params["b_i"], cell.params["b_c"]), "not biases"),
        (lambda cell: False, "False for the cell of the bug hunt"),
    ],
}

test_right, test_empty, test_wrong, test_tables_are_complete = four_tests(
    lesson, RIGHT, WRONG, MADE
)
