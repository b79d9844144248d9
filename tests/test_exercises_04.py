"""The checks of notebook 04 say correct to right answers and name the cause of wrong ones."""

import numpy as np
from exercise_tests import four_tests

from course_utils.exercises import lesson_04 as lesson


def clip(grads, limit):
    norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
    return {name: g * min(1, limit / norm) for name, g in grads.items()}


RIGHT = {
    "check_reach": [lambda gain, share: int(np.floor(np.log(share) / np.log(gain) + 1e-12))],
    "check_spread": [lambda units: units**-0.5],
    "check_clip": [clip],
    "check_start": [lambda units: np.roll(np.eye(units), 1, axis=0)],
}

WRONG = {
    "check_reach": [
        (lambda g, s: np.log(s) / np.log(g), "whole number"),
        (lambda g, s: int(np.log(s) / np.log(g)) + 1, "one step too far"),
        (lambda g, s: -int(np.log(s) / np.log(g)), "sign"),
    ],
    "check_spread": [
        (lambda u: 1 / u, "variance"),
        (np.sqrt, "fall"),
    ],
    "check_clip": [
        (lambda gs, m: {n: g * min(1, m / np.linalg.norm(g)) for n, g in gs.items()}, "alone"),
        (lambda gs, m: {n: np.clip(g, -m, m) for n, g in gs.items()}, "each number"),
        (lambda gs, m: gs, "nothing was clipped"),
        (lambda gs, m: {n: g * m / 13 for n, g in gs.items()}, "made longer"),
    ],
    "check_start": [
        (np.eye, "identity"),
        (lambda u: 2 * np.eye(u), "W_hh.T @ W_hh[0, 0] is 4"),
    ],
}

test_right, test_empty, test_wrong, test_tables_are_complete = four_tests(lesson, RIGHT, WRONG)
