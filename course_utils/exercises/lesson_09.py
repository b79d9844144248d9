"""Checks for the exercises of notebook 09: one unit, pieces of a text, temperature, a counter."""

import numpy as np

from course_utils.cells import LSTMCell
from course_utils.checks import NotYet, call, exercise, expect
from course_utils.functions import sigmoid, softmax
from course_utils.recurrent import scan

LONGEST_LINE = 120  # characters: the counter of exercise 9.4 has to reach so far


@exercise
def check_unit(my_unit):
    """Check `my_unit(kernel, recurrent_kernel, bias, j)`, the numbers that belong to unit j.

    Taught in: notebooks/09_use_lstm_layers_in_keras, section 1
    """
    rng = np.random.default_rng(0)
    for D, U, j in ((2, 3, 1), (3, 5, 3)):
        arrays = [rng.normal(size=size) for size in ((D, 4 * U), (U, 4 * U), (4 * U,))]
        columns = [j, U + j, 2 * U + j, 3 * U + j]
        wrong = {
            "These are neighbours; Keras puts gate beside gate, U columns each": slice(
                4 * j, 4 * j + 4
            ),
            "This is one gate of all units; unit j has one column in each gate": slice(
                j * U, j * U + U
            ),
            "Units are counted from 0": [c - 1 for c in columns],
            "The order is i f c o; this is i f o c, which PyTorch has not either": [
                columns[g] for g in (0, 1, 3, 2)
            ],
        }
        answer = call(my_unit, *arrays, j)
        if not isinstance(answer, (tuple, list)) or len(answer) != 3:
            raise NotYet("expected three arrays: of the kernel, the recurrent kernel, the bias")
        names = ("the part of kernel", "the part of recurrent_kernel", "the part of bias")
        for name, came, array in zip(names, answer, arrays):
            causes = {cause: array[..., place] for cause, place in wrong.items()}
            if array is arrays[1]:
                causes["Unit j listens to all units: keep all U rows"] = array[j, columns]
            _expect(name, came, array[..., columns], causes)


def _expect(name, came, expected, causes):
    """As `expect`, and a cause is named as well when it gives another shape."""
    shape = np.shape(came)
    for cause, wrong in causes.items():
        if shape == np.shape(wrong) != expected.shape and np.allclose(came, wrong):
            raise NotYet(f"{name} has shape {shape}; expected {expected.shape}. {cause}")
    expect(name, came, expected, causes=causes)


class _Layer:
    """Stand in for a Keras LSTM with return_sequences and return_state; float64."""

    def __init__(self, num_inputs, units):
        self.cell = LSTMCell(num_inputs, units, np.random.default_rng(1))
        self.most = 0

    def __call__(self, X, initial_state=None):
        X = np.asarray(X)
        self.most = max(self.most, X.shape[1])
        state = None if initial_state is None else tuple(initial_state)
        H, (h, c), _ = scan(self.cell, X, state)
        return H, h, c


def _in_pieces(layer, X, T, hand_on):
    parts, state = [], None
    for start in range(0, X.shape[1], T):
        H, h, c = layer(X[:, start : start + T], initial_state=state)
        parts.append(H)
        state = hand_on(h, c)
    return np.concatenate(parts, axis=1)


@exercise
def check_pieces(my_pieces):
    """Check `my_pieces(layer, X, T)`, which reads X (B, N, D) in pieces of T steps.

    Taught in: notebooks/09_use_lstm_layers_in_keras, section 2
    """
    rng = np.random.default_rng(0)
    for B, N, T in ((2, 12, 4), (3, 11, 4)):
        X, layer = rng.normal(size=(B, N, 3)), _Layer(3, 5)
        whole = layer(X)[0]
        layer.most = 0
        causes = {
            "Each piece starts from zeros: hand the state on": _in_pieces(
                layer, X, T, lambda h, c: None
            ),
            "h and c are swapped: initial_state is [h, c]": _in_pieces(
                layer, X, T, lambda h, c: (c, h)
            ),
            "Only h is handed on; c starts from zeros in each piece": _in_pieces(
                layer, X, T, lambda h, c: (h, 0 * c)
            ),
            "h stands in both places of the state": _in_pieces(layer, X, T, lambda h, c: (h, h)),
            "The last piece is shorter and missing": whole[:, : N // T * T],
        }
        layer.most = 0
        answer = my_pieces(layer, X.copy(), T)
        if answer is None or answer is ...:
            raise NotYet(f"{my_pieces.__name__} returned {answer!r}")
        if layer.most > T:
            raise NotYet(f"the layer was given {layer.most} steps at once; expected at most {T}")
        _expect("the hidden states", answer, whole, causes)


@exercise
def check_temperature(my_temperature):
    """Check `my_temperature(logits, temperature)`, logits (..., K) -> probabilities (..., K).

    Taught in: notebooks/09_use_lstm_layers_in_keras, section 9
    """
    logits = np.array([[2.0, 0.5, -1.0], [0.0, 0.3, 0.1]])
    for temperature in (0.5, 1.0, 3.0):
        p = softmax(logits)
        causes = {
            "Divide by the temperature: a high one makes the differences smaller": softmax(
                logits * temperature
            ),
            "The temperature acts on the logits, before softmax": p / temperature,
            "The probabilities of a row do not sum to 1": p ** (1 / temperature),
            "The temperature is not used": p,
            "These are the logits; softmax is missing": logits / temperature,
            "The probabilities sum to 1 over the wrong axis": np.exp(logits / temperature)
            / np.exp(logits / temperature).sum(axis=0),
        }
        name, right = f"p at temperature {temperature}", softmax(logits / temperature)
        expect(name, call(my_temperature, logits, temperature), right, causes=causes)
    came = np.asarray(call(my_temperature, np.array([1000.0, 0.0]), 0.5), dtype=float)
    if not np.isfinite(came).all():
        raise NotYet(
            f"logits of 1000 and 0 give {came}: exp overflows. "
            "Subtract the largest logit first, or use softmax"
        )
    expect("p for logits of 1000 and 0", came, [1.0, 0.0])


def counter_states(w, b, lengths):
    """Run one LSTM unit over lines of text; its only input is 1 at a newline and 0 elsewhere.

    w, b (4,): weight and bias of i, f, c, o; the weights on H are zero.
    Returns column, C and H, (N,) each: characters since the last newline, and the states.

    Taught in: notebooks/09_use_lstm_layers_in_keras, section 10
    """
    newline = np.concatenate([np.append(np.zeros(length), 1) for length in lengths])
    column = np.concatenate([np.append(np.arange(1, length + 1), 0) for length in lengths])
    C, states = 0.0, []
    for x in newline:
        i, f, o = (sigmoid(w[g] * x + b[g]) for g in (0, 1, 3))
        C = f * C + i * np.tanh(w[2] * x + b[2])
        states.append((C, o * np.tanh(C)))
    return column, *np.array(states).T


@exercise
def check_counter(my_counter):
    """Check `my_counter()` -> (w, b): a unit whose C and H count the characters of a line.

    Taught in: notebooks/09_use_lstm_layers_in_keras, section 10
    """
    answer = call(my_counter)
    try:
        w, b = (np.asarray(part, dtype=float) for part in answer)
    except (TypeError, ValueError):
        w = b = np.zeros(0)
    if w.shape != (4,) or b.shape != (4,) or not np.isfinite([w, b]).all():
        raise NotYet(f"my_counter returned {answer!r}; expected (w, b), four numbers each, i f c o")
    i, f, c, o = b[0], b[1], b[2], b[3]
    if sigmoid(f + w[1]) > 0.5:
        raise NotYet(f"f is {sigmoid(f + w[1]):.2g} at a newline: the old line is not forgotten")
    if sigmoid(f) < 0.999:
        raise NotYet(
            f"f is {sigmoid(f):.4g} inside a line: of the first character "
            f"{sigmoid(f) ** LONGEST_LINE:.2g} is left after {LONGEST_LINE} more"
        )
    if abs(sigmoid(i) * np.tanh(c)) < 1e-4:
        raise NotYet("nothing is added at a character: look at i and c")
    if abs(sigmoid(i + w[0]) * np.tanh(c + w[2])) > abs(sigmoid(i) * np.tanh(c)) / 2:
        raise NotYet("the newline itself is counted: close i at a newline, or make c zero there")
    if sigmoid(o) < 0.1:
        raise NotYet(f"o is {sigmoid(o):.2g}: the count stays hidden")
    column, C, H = counter_states(w, b, [LONGEST_LINE, 3, 70, 12])
    for name, state, least in (("C", C, 0.999), ("H", H, 0.98)):
        r = abs(np.corrcoef(column, state)[0, 1])
        if r < least:
            cause = (
                "tanh(C) saturates: add less at each character" if name == "H" else "See f and i"
            )
            raise NotYet(
                f"the correlation of {name} with the column is {r:.4f}; expected {least} or more. "
                f"{cause}"
            )
