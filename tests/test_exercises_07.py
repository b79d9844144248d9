"""The checks of notebook 07: right answers pass, empty ones do not, wrong ones hear their cause."""

import numpy as np
from exercise_tests import four_tests

from course_utils.exercises import lesson_07 as lesson

# 7.2 the register by hand


def register(K=24.0, a=0.2, **changed):
    """A right answer, with some of its rows changed."""
    rows = {
        "i": (0, K, 0, -K / 2),
        "f": (0, -K, 0, K / 2),
        "o": (0, 0, K, -K / 2),
        "c": (a, 0, 0, 0),
        "y": 1 / a,
    }
    return lambda: rows | changed


# 7.3 back through the output


def dA_o(dH, O, C):
    return dH * np.tanh(C) * O * (1 - O)


def dC(dH, O, C):
    return dH * O * (1 - np.tanh(C) ** 2)


def gate_wrong(dA_o):
    """An answer to exercise 7.3 with this gradient of the output gate, and the right other one."""
    return lambda *given: (dA_o(*given), dC(*given))


def memory_wrong(dC):
    """The right gradient of the output gate, and this one of the memory."""
    return lambda *given: (dA_o(*given), dC(*given))


# 7.4 weights from Keras


def cut(order, kernel, recurrent_kernel, bias):
    params = {}
    for name, joined in (("W_x", kernel), ("W_h", recurrent_kernel), ("b_", bias)):
        for gate, block in zip(order, np.split(joined, 4, axis=-1), strict=True):
            params[name + gate] = block
    return params


def in_order(order):
    return lambda *joined: cut(order, *joined)


RIGHT = {
    "check_equal_size": [54, np.int64(54)],
    "check_register": [
        register(),
        register(a=0.05),
        register(a=-0.1),
        register(K=60),
        register(i=[0, 24, -5, -12]),
        register(c=np.array([0.2, 1.0, 3.0, -1.0])),  # only at a write does it count
        register(f=(0, -24, 5, 12)),
    ],
    "check_output_gradients": [
        lambda *given: (dA_o(*given), dC(*given)),
        lambda *given: [dA_o(*given), dC(*given)],
    ],
    "check_from_keras": [in_order("ifco")],
}

WRONG = {
    "check_equal_size": [
        (32, "a quarter of the units is too few"),
        (64, "if there were only the W_h*"),
        (55, "Too many: count four blocks"),
        (128, "Too many: count four blocks"),
        (53, "It fits, and 54 units with 22680 fit as well"),
        (0, "at least one unit"),
        (54.0, "expected a whole number"),
        (True, "expected a whole number"),
    ],
    "check_register": [
        (register(i=(0, 0, 0, 0)), "the input gate is 0.5 at a write with x = -1; expected above"),
        (register(i=(0, 0, 0, 12)), "distractors pour in"),
        (register(i=(0, 24, 24, -12)), "the number x of the query pours in"),
        (register(f=(0, 0, 0, 12)), "writes add up"),
        (register(f=(0, -12, 0, 3)), "the memory fades"),
        (register(f=(0, -24, -24, 12)), "asking wipes the memory"),
        (register(o=(0, 0, 0, -12)), "stays hidden when it is asked for"),
        (register(o=(0, 0, 0, 12)), "shows when nobody asks"),
        (register(o=(0, 24, 24, -12)), "shows while it is written"),
        (register(o=(24, 0, 24, -12)), "the output gate is"),
        (register(c=(0, 0, 0, 0)), "does not look at x"),
        (register(c=(0.2, 1, 0, 0)), "for x = 0 at a write; expected 0"),
        (register(y=1.0), "must undo the weight of x"),
        (register(y=-5.0), "The sign is turned around"),
        (register(a=1.0), "squashed twice by tanh"),
        (register(i=...), "replace the ... of 'i'"),
        (register(c=(0.2, 0, 0)), "expected four numbers"),
        (register(o=(0, 0, np.nan, 0)), "expected four numbers"),
        (register(y="5"), "expected one number"),
        (register(y=...), "expected one number"),
        (lambda: {"i": (0, 24, 0, -12)}, "'f' is missing"),
        (lambda: (1, 2), "expected a dict"),
    ],
    "check_output_gradients": [
        (gate_wrong(lambda dH, O, C: dH * np.tanh(C)), "That is dO"),
        (gate_wrong(lambda dH, O, C: dH * C * O * (1 - O)), "tanh is missing"),
        (gate_wrong(lambda dH, O, C: dH * O * (1 - O)), "tanh(C_next) is missing"),
        (gate_wrong(lambda dH, O, C: dH * np.tanh(C) * O), "is O (1 - O), not O"),
        (gate_wrong(lambda dH, O, C: dH * np.tanh(C) * (1 - O**2)), "the gate is a sigmoid"),
        (gate_wrong(dC), "swapped"),
        (gate_wrong(lambda dH, O, C: ...), "dA_o is Ellipsis"),
        (memory_wrong(lambda dH, O, C: dH * O), "go on through tanh"),
        (memory_wrong(lambda dH, O, C: dH * O * (1 - C**2)), "C_next is not squashed yet"),
        (memory_wrong(lambda dH, O, C: dH * (1 - np.tanh(C) ** 2)), "O is missing"),
        (memory_wrong(lambda dH, O, C: dH * O * np.tanh(C)), "where its slope belongs"),
        (memory_wrong(lambda dH, O, C: None), "dC_next is None"),
        (dA_o, "expected a pair"),
    ],
    "check_from_keras": [
        (in_order("ifoc"), "That is the block of 'c'"),
        (in_order("fico"), "That is the block of 'f'"),
        (lambda *joined: cut("ifco", *joined[:2], joined[2][::-1]), "b_i[0] is"),
        (lambda k, r, b: {"W_xi": k[:, :2]}, "is missing"),
        (lambda k, r, b: cut("ifco", k, r, b) | {"W_xi": k}, "has shape"),
        (lambda k, r, b: (k, r, b), "expected a dict"),
    ],
}

test_right, test_empty, test_wrong, test_tables_are_complete = four_tests(lesson, RIGHT, WRONG)


def test_54_units_are_the_most_that_fit():
    assert 4 * 54 * (50 + 54 + 1) <= 128 * (50 + 128 + 1) < 4 * 55 * (50 + 55 + 1)
