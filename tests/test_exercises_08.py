"""The checks of notebook 08 say correct to right answers and name the cause of wrong ones."""

import numpy as np
from exercise_tests import four_tests

from course_utils.cells import LSTMCell
from course_utils.exercises import lesson_08 as lesson
from course_utils.functions import sigmoid


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


def mean_probability(logits, target, outer):
    p = np.exp(logits - np.log(np.exp(logits).sum(-1, keepdims=True)))
    p = np.take_along_axis(p, target[..., None], axis=-1)[..., 0]
    return (p * outer).sum(axis=(1, 2)) / outer.sum(axis=(1, 2))


# The mended backward is checked on any LSTM cell; here the one of the library stands in.


def without_past(self, dstate, trace):
    dX, (dH, dC), grads = LSTMCell.backward(self, dstate, trace)
    return dX, (dH, 0 * dC), grads


def one_gate_turned(self, dstate, trace):
    dX, dstate, grads = LSTMCell.backward(self, dstate, trace)
    return dX, dstate, grads | {"b_i": -grads["b_i"]}


def memory_in_state(self, dstate, trace):
    dX, (dH, dC), grads = LSTMCell.backward(self, dstate, trace)
    return dX, (dH + dC, dC), grads


def memory_unread(self, dstate, trace):
    dH, dC = dstate
    return LSTMCell.backward(self, (dH, 0 * dC), trace)


MADE = {"make_check_mended": lesson.make_check_mended(LSTMCell)}

RIGHT = {
    "check_output_gate": [dA_o],
    "check_start": [start, lambda T: (np.log(T), -np.log(T)), lambda T: np.array(start(T))],
    "check_outer_accuracy": [accuracy],
    "check_joined": [joined],
    "make_check_mended": [LSTMCell.backward],
}

WRONG = {
    "check_output_gate": [
        (lambda dH, C, O: dH * np.tanh(C), "go on through the sigmoid"),
        (lambda dH, C, O: dH * np.tanh(C) * O, "not O"),
        (lambda dH, C, O: dH * C * O * (1 - O), "tanh is missing"),
        (lambda dH, C, O: dH * np.tanh(C) * (1 - O**2), "slope of tanh"),
        (lambda dH, C, O: dH * (1 - np.tanh(C) ** 2) * O * (1 - O), "not its slope"),
        (lambda dH, C, O: np.tanh(C) * O * (1 - O), "dH_next is missing"),
        (lambda dH, C, O: dH * np.tanh(C) * sigmoid(O) * (1 - sigmoid(O)), "squashed already"),
    ],
    "check_start": [
        (lambda T: (1.0, -1.0), "at least 1/3"),
        (lambda T: (np.log(T), 0.0), "How large may I be"),
        (lambda T: (50.0, -50.0), "How large may I be"),  # F is 1: C never stops
        (lambda T: (np.log(T), -30.0), "Open it more"),
        (lambda T: (20.0, -20.0), "Open it more"),  # I = 1 - F, and nothing comes in
        (lambda T: (np.log(2 * T), -np.log(4 * T)), "C is 0.2 after T steps"),
        (lambda T: 1.0, "two numbers"),
        (lambda T: (float("nan"), 0.0), "at least 1/3"),
    ],
    "check_outer_accuracy": [
        (mean_probability, "mean probability"),
        (lambda s, y, o: (s.argmax(-1) == y).mean((1, 2)), "use outer"),
        (lambda s, y, o: ((s.argmax(-1) == y) & o).mean((1, 2)), "Divide by"),
        (lambda s, y, o: ((s.argmax(-1) == y) & o).sum() / o.sum(), "keep the first axis"),
        (lambda s, y, o: 1 - accuracy(s, y, o), "wrong answers"),
    ],
    "check_joined": [
        (lambda p: joined(p, rows=("h", "x", "b")), "H comes first"),
        (lambda p: joined(p, order="ifco"), "order i f c o"),
        (lambda p: joined(p, rows=("x", "h")), "biases is missing"),
        (lambda p: joined(p, rows=("b", "x", "h")), "last row"),
        (lambda p: np.concatenate([joined(p, order=gate) for gate in "ifoc"]), "axis=1"),
    ],
    "make_check_mended": [
        (without_past, "Along the road goes all that reaches C_t"),
        (memory_in_state, "collects four terms"),
        (one_gate_turned, "Only gate i is wrong"),
        (memory_unread, "the gradient that reaches C_t"),
    ],
}

test_right, test_empty, test_wrong, test_tables_are_complete = four_tests(
    lesson, RIGHT, WRONG, MADE
)
