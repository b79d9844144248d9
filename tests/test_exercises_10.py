"""The checks of notebook 10 say correct to right answers and name the cause of wrong ones."""

import numpy as np
import pytest

from course_utils.exercises import lesson_10 as lesson
from course_utils.layers import Layer


def said(capsys, check, answer):
    check(answer)
    return capsys.readouterr().out.strip()


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


CHECKS = {
    "counts": (lesson.check_counts, counts),
    "width": (lesson.check_width, width),
    "residual": (lesson.check_residual_backward, residual_backward),
    "mended": (lesson.make_check_mended(Thinning), mended),
}
EMPTY = [..., None, lambda *a: None, lambda *a: ..., lambda *a: 1 / 0, 3, lambda *a: "x"]


@pytest.mark.parametrize("name", CHECKS)
def test_right_answers_are_correct(capsys, name):
    check, answer = CHECKS[name]
    assert said(capsys, check, answer) == "correct"


def test_other_right_answers_are_correct(capsys):
    assert said(capsys, lesson.check_counts, lambda *a: np.array(counts(*a))) == "correct"
    assert said(capsys, lesson.check_width, lambda *a: np.int64(width(*a))) == "correct"


@pytest.mark.parametrize("answer", EMPTY)
@pytest.mark.parametrize("name", CHECKS)
def test_empty_and_broken_answers_are_not_yet(capsys, name, answer):
    assert said(capsys, CHECKS[name][0], answer).startswith("not yet: ")


def all_with_D(D, widths):
    return [4 * U * (D + U + 1) for U in widths]


def without_biases(D, widths):
    return [n - 4 * U for n, U in zip(counts(D, widths), widths, strict=True)]


def from_above(D, widths):
    above = [*widths[1:], widths[-1]]
    return [4 * U * (n + U + 1) for n, U in zip(above, widths, strict=True)]


@pytest.mark.parametrize(
    ("name", "answer", "cause"),
    [
        ("counts", all_with_D, "Only the first layer takes D inputs"),
        ("counts", without_biases, "biases are missing"),
        ("counts", lambda *a: [n // 4 for n in counts(*a)], "four gates"),
        ("counts", from_above, "not the one above"),
        ("counts", lambda *a: sum(counts(*a)), "shape"),
        ("width", lambda *a: width(*a, more=-1), "fit as well"),
        ("width", lambda *a: width(*a, more=1), "too many"),
        ("width", lambda *a: width(*a, counts=all_with_D), "U inputs, not D"),
        ("width", lambda *a: 0, "at least one unit"),
        ("width", lambda *a: width(*a) + 0.5, "whole number"),
        ("residual", lambda layer, dY: layer.backward(dY), "also reaches Y directly"),
        ("residual", lambda layer, dY: dY, "also reaches Y through the layer"),
        ("residual", lambda layer, dY: dY * layer.backward(dY), "added, not multiplied"),
        ("mended", lambda self, dY: dY * self.keep, "exactly what forward did"),
        ("mended", lambda self, dY: dY / (1 - self.rate), "exactly what forward did"),
        ("mended", lambda self, dY: dY, "gradient check fails"),
    ],
)
def test_wrong_answers_hear_their_cause(capsys, name, answer, cause):
    words = said(capsys, CHECKS[name][0], answer)
    assert words.startswith("not yet: ")
    assert cause in words
