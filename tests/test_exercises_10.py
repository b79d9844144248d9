"""The checks of notebook 10 say correct to right answers and name the cause of wrong ones."""

import numpy as np
from exercise_tests import four_tests

from course_utils.exercises import lesson_10 as lesson
from course_utils.layers import Layer


def counts(D, widths):
    return [4 * U * (n + U + 1) for n, U in zip([D, *widths[:-1]], widths, strict=True)]


def width(D, depth, budget, more=0, counts=counts):
    U = 1
    while sum(counts(D, [U + 1] * depth)) <= budget:
        U += 1
    return U + more


def residual_backward(layer, dY):
    return dY + layer.backward(dY)


class Thinning(Layer):
    """A dropout whose backward is still to be written."""

    def __init__(self, rate, rng):
        super().__init__()
        self.rate, self.seed = rate, int(rng.integers(1000))

    def forward(self, X, mask=None):
        self.keep = np.random.default_rng(self.seed).random(X.shape) >= self.rate
        return X * self.keep / (1 - self.rate)


def mended(self, dY):
    return dY * self.keep / (1 - self.rate)


def all_with_D(D, widths):
    return [4 * U * (D + U + 1) for U in widths]


def without_biases(D, widths):
    return [n - 4 * U for n, U in zip(counts(D, widths), widths, strict=True)]


def from_above(D, widths):
    above = [*widths[1:], widths[-1]]
    return [4 * U * (n + U + 1) for n, U in zip(above, widths, strict=True)]


MADE = {"make_check_mended": lesson.make_check_mended(Thinning)}

RIGHT = {
    "check_counts": [counts, lambda *a: np.array(counts(*a))],
    "check_width": [width, lambda *a: np.int64(width(*a))],
    "check_residual_backward": [residual_backward],
    "make_check_mended": [mended],
}

WRONG = {
    "check_counts": [
        (all_with_D, "Only the first layer takes D inputs"),
        (without_biases, "biases are missing"),
        (lambda *a: [n // 4 for n in counts(*a)], "four gates"),
        (from_above, "not the one above"),
        (lambda *a: sum(counts(*a)), "shape"),
    ],
    "check_width": [
        (lambda *a: width(*a, more=-1), "fit as well"),
        (lambda *a: width(*a, more=1), "too many"),
        (lambda *a: width(*a, counts=all_with_D), "U inputs, not D"),
        (lambda *a: 0, "at least one unit"),
        (lambda *a: width(*a) + 0.5, "whole number"),
    ],
    "check_residual_backward": [
        (lambda layer, dY: layer.backward(dY), "also reaches Y directly"),
        (lambda layer, dY: dY, "also reaches Y through the layer"),
        (lambda layer, dY: dY * layer.backward(dY), "added, not multiplied"),
    ],
    "make_check_mended": [
        (lambda self, dY: dY * self.keep, "exactly what forward did"),
        (lambda self, dY: dY / (1 - self.rate), "exactly what forward did"),
        (lambda self, dY: dY, "gradient check fails"),
    ],
}

test_right, test_empty, test_wrong, test_tables_are_complete = four_tests(
    lesson, RIGHT, WRONG, MADE
)
