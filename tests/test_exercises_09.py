"""Each check of notebook 09 says "correct" to a right answer and names the cause of a wrong one."""

import numpy as np
from exercise_tests import four_tests

from course_utils.exercises import lesson_09 as lesson
from course_utils.functions import softmax


def unit(kernel, recurrent_kernel, bias, j):
    places = np.arange(4) * len(recurrent_kernel) + j
    return kernel[:, places], recurrent_kernel[:, places], bias[places]


def cut(places):
    """An answer to exercise 9.1 that takes the columns places(U, j)."""

    def answer(kernel, recurrent_kernel, bias, j):
        chosen = places(len(recurrent_kernel), j)
        return kernel[:, chosen], recurrent_kernel[:, chosen], bias[chosen]

    return answer


def own_row(kernel, recurrent_kernel, bias, j):
    w_x, w_h, b = unit(kernel, recurrent_kernel, bias, j)
    return w_x, w_h[j], b


def pieces_with(hand_on, whole_pieces=False, most=None):
    def answer(layer, X, T):
        parts, state = [], None
        end = X.shape[1] // T * T if whole_pieces else X.shape[1]
        T = most or T
        for start in range(0, end, T):
            H, h, c = layer(X[:, start : start + T], initial_state=state)
            parts.append(H)
            state = hand_on(h, c)
        return np.concatenate(parts, axis=1)

    return answer


pieces = pieces_with(lambda h, c: [h, c])


def unstable(logits, temperature):
    e = np.exp(logits / temperature)
    return e / e.sum(axis=-1, keepdims=True)


def counter(i=(-24, 12), f=(-24, 12), c=(0, 0.005), o=(0, 12)):
    """An answer to exercise 9.4 from (weight, bias) of each gate."""
    return lambda: tuple(zip(i, f, c, o))


RIGHT = {
    "check_unit": [unit],
    "check_pieces": [pieces],
    "check_temperature": [lambda logits, t: softmax(logits / t)],
    "check_counter": [counter()],
}

WRONG = {
    "check_unit": [
        (cut(lambda U, j: slice(4 * j, 4 * j + 4)), "neighbours"),
        (cut(lambda U, j: slice(j * U, (j + 1) * U)), "one gate of all units"),
        (cut(lambda U, j: np.arange(4) * U + j - 1), "counted from 0"),
        (cut(lambda U, j: np.array([0, 1, 3, 2]) * U + j), "i f c o"),
        (own_row, "all U rows"),
        (lambda *arrays: unit(*arrays)[:2], "three arrays"),
        (lambda *arrays: 3, "three arrays"),
    ],
    "check_pieces": [
        (pieces_with(lambda h, c: None), "starts from zeros"),
        (pieces_with(lambda h, c: [c, h]), "swapped"),
        (pieces_with(lambda h, c: [h, 0 * c]), "Only h"),
        (pieces_with(lambda h, c: [h, h]), "both places"),
        (pieces_with(lambda h, c: [h, c], whole_pieces=True), "shorter and missing"),
        (pieces_with(lambda h, c: [h, c], most=99), "12 steps at once"),
        (lambda layer, X, T: layer(X)[0], "12 steps at once"),
        (lambda layer, X, T: pieces(layer, X, T)[:, -1], "shape (2, 5)"),
    ],
    "check_temperature": [
        (lambda z, t: softmax(z * t), "Divide"),
        (lambda z, t: softmax(z) / t, "before softmax"),
        (lambda z, t: softmax(z) ** (1 / t), "do not sum to 1"),
        (lambda z, t: softmax(z), "not used"),
        (lambda z, t: z / t, "softmax is missing"),
        (lambda z, t: np.exp(z / t) / np.exp(z / t).sum(axis=0), "wrong axis"),
        (unstable, "overflows"),
    ],
    "check_counter": [
        (counter(f=(0, 12)), "not forgotten"),
        (counter(f=(-6, 3)), "is left after 120"),
        (counter(c=(0, 0)), "nothing is added"),
        (counter(i=(0, 12)), "newline itself"),
        (counter(o=(0, -12)), "stays hidden"),
        (counter(c=(0, 1.0)), "tanh(C) saturates"),
        (counter(f=(-12.5, 12)), "correlation of C"),
        (lambda: (1, 2), "four numbers each"),
        (lambda: 5, "four numbers each"),
        (lambda: ([np.nan] * 4, [0] * 4), "four numbers each"),
    ],
}

test_right, test_empty, test_wrong, test_tables_are_complete = four_tests(lesson, RIGHT, WRONG)


def test_the_stand_in_of_the_layer_reads_as_one_piece_or_in_pieces():
    X, layer = np.random.default_rng(2).normal(size=(2, 9, 3)), lesson._Layer(3, 4)
    assert np.abs(pieces(layer, X, 4) - layer(X)[0]).max() < 1e-14


def test_the_counter_counts_by_hand():
    w, b = counter(c=(0, 0.01))()
    column, C, H = lesson.counter_states(w, b, [3, 2])
    assert column.tolist() == [1, 2, 3, 0, 1, 2, 0]
    assert np.allclose(C, 0.01 * column, atol=1e-4)
    assert np.allclose(H, np.tanh(C), atol=1e-4)
