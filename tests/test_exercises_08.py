"""The checks of notebook 08 say correct to right answers and name the cause of wrong ones."""

import numpy as np
import pytest

from course_utils.exercises import lesson_08 as lesson
from course_utils.functions import sigmoid


def said(capsys, check, answer):
    check(answer)
    return capsys.readouterr().out.strip()


def dA_o(dH_next, C_next, O):
    return dH_next * np.tanh(C_next) * O * (1 - O)


def start(T):
    F = np.exp(-1 / T)
    b_f = np.log(F / (1 - F))
    return b_f, -b_f


def accuracy(logits, target, outer):
    right = (logits.argmax(axis=-1) == target) & outer
    return right.sum(axis=(1, 2)) / outer.sum(axis=(1, 2))


def joined(p, order="ifoc", rows=("x", "h", "b")):
    def part(row, gate):
        return p[f"b_{gate}"][None] if row == "b" else p[f"W_{row}{gate}"]

    columns = [np.concatenate([part(row, gate) for row in rows]) for gate in order]
    return np.concatenate(columns, axis=1)


RIGHT = {
    "check_output_gate": dA_o,
    "check_start": start,
    "check_outer_accuracy": accuracy,
    "check_joined": joined,
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_are_correct(capsys, name):
    assert said(capsys, getattr(lesson, name), RIGHT[name]) == "correct"


@pytest.mark.parametrize(
    "answer", [..., None, lambda *a: None, lambda *a: ..., lambda *a: 1 / 0, 3, lambda *a: "x"]
)
@pytest.mark.parametrize("name", RIGHT)
def test_empty_and_broken_answers_are_not_yet(capsys, name, answer):
    assert said(capsys, getattr(lesson, name), answer).startswith("not yet: ")


@pytest.mark.parametrize(
    ("name", "answer", "cause"),
    [
        ("check_output_gate", lambda dH, C, O: dH * np.tanh(C), "go on through the sigmoid"),
        ("check_output_gate", lambda dH, C, O: dH * np.tanh(C) * O, "not O"),
        ("check_output_gate", lambda dH, C, O: dH * C * O * (1 - O), "tanh is missing"),
        ("check_output_gate", lambda dH, C, O: dH * np.tanh(C) * (1 - O**2), "slope of tanh"),
        (
            "check_output_gate",
            lambda dH, C, O: dH * (1 - np.tanh(C) ** 2) * O * (1 - O),
            "not its slope",
        ),
        ("check_output_gate", lambda dH, C, O: np.tanh(C) * O * (1 - O), "dH_next is missing"),
        (
            "check_output_gate",
            lambda dH, C, O: dH * np.tanh(C) * sigmoid(O) * (1 - sigmoid(O)),
            "squashed already",
        ),
        ("check_start", lambda T: (1.0, -1.0), "at least 1/3"),
        ("check_start", lambda T: (np.log(T), 0.0), "How large may I be"),
        ("check_start", lambda T: (50.0, -50.0), "How large may I be"),  # F is 1: C never stops
        ("check_start", lambda T: (np.log(T), -30.0), "Open it more"),
        ("check_start", lambda T: 1.0, "two numbers"),
        ("check_start", lambda T: (float("nan"), 0.0), "at least 1/3"),
        ("check_outer_accuracy", lambda s, y, o: (s.argmax(-1) == y).mean((1, 2)), "use outer"),
        (
            "check_outer_accuracy",
            lambda s, y, o: ((s.argmax(-1) == y) & o).mean((1, 2)),
            "Divide by",
        ),
        (
            "check_outer_accuracy",
            lambda s, y, o: ((s.argmax(-1) == y) & o).sum() / o.sum(),
            "keep the first axis",
        ),
        ("check_outer_accuracy", lambda s, y, o: 1 - accuracy(s, y, o), "wrong answers"),
        ("check_joined", lambda p: joined(p, rows=("h", "x", "b")), "H comes first"),
        ("check_joined", lambda p: joined(p, order="ifco"), "order i f c o"),
        ("check_joined", lambda p: joined(p, rows=("x", "h")), "biases is missing"),
        ("check_joined", lambda p: joined(p, rows=("b", "x", "h")), "last row"),
        (
            "check_joined",
            lambda p: np.concatenate([joined(p, order=gate) for gate in "ifoc"]),
            "axis=1",
        ),
    ],
)
def test_wrong_answers_are_told_their_cause(capsys, name, answer, cause):
    text = said(capsys, getattr(lesson, name), answer)
    assert text.startswith("not yet: ")
    assert cause in text


def test_a_mean_probability_is_no_accuracy(capsys):
    def probability(logits, target, outer):
        p = np.exp(logits - np.log(np.exp(logits).sum(-1, keepdims=True)))
        p = np.take_along_axis(p, target[..., None], axis=-1)[..., 0]
        return (p * outer).sum(axis=(1, 2)) / outer.sum(axis=(1, 2))

    assert "mean probability" in said(capsys, lesson.check_outer_accuracy, probability)
