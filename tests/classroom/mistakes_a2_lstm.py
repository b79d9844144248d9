"""Wrong answers to assignment 2 that students give, each with the marks that it gets.

The form is that of README.md.  Each mistake changes a line or two of the solution.
"""

import functools

import mistaken

changed = functools.partial(mistaken.changed, "a2_lstm")

MISTAKES = {
    "the output gate looks at the old memory": {
        "cells": changed("q1-peephole", 'p["p_o"] * C_next', 'p["p_o"] * C'),
        "points": {"q1-peephole-test": 15 / 8},
    },
    "a gate without its peephole": {
        "cells": changed("q1-peephole", ' + p["p_f"] * C)', ")"),
        "points": {"q1-peephole-test": 0.75},
    },
    "dropped transpose, forward": {
        "cells": changed("q1-peephole", 'p[f"W_h{g}"]', 'p[f"W_h{g}"].T'),
        "points": {"q1-peephole-test": 0.0},
    },
    "wrong gate order": {
        "cells": changed("q2-back", '(gates[g] for g in "ifoc")', '(gates[g] for g in "ifco")'),
        "points": {"q2-back-test": 0.0},
    },
    "the peephole's road into the new memory is missing": {
        "cells": changed("q2-back", ' + dA["o"] * p["p_o"]', ""),
        "points": {"q2-back-test": 4 / 3},
    },
    "the peepholes' roads into the old memory are missing": {
        "cells": changed("q2-back", ' + dA["i"] * p["p_i"] + dA["f"] * p["p_f"]', ""),
        "points": {"q2-back-test": 5.0},
    },
    "sigma for its slope": {
        "cells": changed(
            "q2-back",
            "C_tilde * sigmoid_derivative(I)",
            "C_tilde * I",
            "C * sigmoid_derivative(F)",
            "C * F",
        ),
        "points": {"q2-back-test": 7 / 3},
    },
    "tanh left out on the way to the memory": {
        "cells": changed("q2-back", "O * tanh_derivative(tanh_C)", "O"),
        "points": {"q2-back-test": 4 / 3},
    },
    "the memory for its tanh": {
        "cells": changed("q2-back", "dH_next * tanh_C * sigmoid", "dH_next * C_next * sigmoid"),
        "points": {"q2-back-test": 0.0},
    },
    "mean over the batch for the sum": {
        "cells": changed("q2-back", ".sum(axis=0)", ".mean(axis=0)"),
        "points": {"q2-back-test": 6.5},
    },
    "the gates stay in the order of the file": {
        "cells": changed("q3-file", "np.concatenate([i, f, c, o])", "np.concatenate([i, o, f, c])"),
        "points": {"q3-file-test": 0.0},
    },
    "one of two biases": {
        "cells": changed(
            "q3-file", "in_order(input_bias + recurrent_bias)", "in_order(input_bias)"
        ),
        "points": {"q3-file-test": 8 / 3},
    },
    "each recurrent block is left as it was": {
        "cells": changed(
            "q3-file",
            "in_order(R).T",
            "np.concatenate(np.split(in_order(R), 4), axis=1)",
        ),
        "points": {"q3-file-test": 28 / 9},
    },
    "wrong axis": {
        "cells": changed("q4-half", "np.cumprod(F, axis=1)", "np.cumprod(F, axis=0)"),
        "points": {"q4-half-test": 3 / 8},
    },
    "off by one in time": {
        "cells": changed("q4-half", "gone.argmax(axis=1) + 1", "gone.argmax(axis=1)"),
        "points": {"q4-half-test": 0.0},
    },
    "a single gate for the product": {
        "cells": changed("q4-half", "np.cumprod(F, axis=1)", "F"),
        "points": {"q4-half-test": 0.75},
    },
    "a memory that lasts is not told": {
        "cells": changed(
            "q4-half",
            "np.where(gone.any(axis=1), gone.argmax(axis=1) + 1, -1)",
            "gone.argmax(axis=1) + 1",
        ),
        "points": {"q4-half-test": 15 / 8},
    },
    "half-lives spaced evenly": {
        "cells": changed("q5-spread", "np.geomspace", "np.linspace"),
        "points": {"q5-spread-test": 0.75},
    },
    "one over e for one half": {
        "cells": changed("q5-spread", "0.5 ** (1 / half_lives)", "np.exp(-1 / half_lives)"),
        "points": {"q5-spread-test": 0.0},
    },
    "the gate for its bias": {
        "cells": changed("q5-spread", "np.log(F / (1 - F))", "F"),
        "points": {"q5-spread-test": 0.0},
    },
    "the input gate opens with the forget gate": {
        "cells": changed("q5-spread", "return b_f, -b_f", "return b_f, b_f"),
        "points": {"q5-spread-test": 2.0},
    },
    "the ways through H are closed": {
        "cells": changed("q6-roads", 'dH = dH + dA[g] @ cell.params[f"W_h{g}"].T', "pass"),
        "points": {"q6-roads-test": 25 / 13},
    },
    "all ways are open": {
        "cells": changed("q6-roads", "for g in open_gates:", 'for g in "ifoc":'),
        "points": {"q6-roads-test": 20 / 13},
    },
    "dropped transpose": {
        "cells": changed("q6-roads", '[f"W_h{g}"].T', '[f"W_h{g}"]'),
        "points": {"q6-roads-test": 25 / 13},
    },
    "missing carry": {
        "cells": changed("q6-roads", "dC = dC * trace.F", "pass"),
        "points": {"q6-roads-test": 0.0},
    },
    "the tape is read from the front": {
        "cells": changed("q6-roads", "reversed(tape)", "tape"),
        "points": {"q6-roads-test": 25 / 13},
    },
    "one of two bugs is found, in the forget gate": {
        "cells": changed(
            "q7-bug",
            'dA[g] @ p[f"W_x{g}"].mT for g in "foc"',
            'dA[g] @ p[f"W_x{g}"].mT for g in "fc"',
        ),
        "points": {"q7-bug-test": 2.5},
    },
    "one of two bugs is found, in the gradient of X": {
        "cells": changed("q7-bug", "(C - C_tilde)", "C"),
        "points": {"q7-bug-test": 5 / 8},
    },
    "the method is handed in as it was": {
        "cells": changed(
            "q7-bug",
            "(C - C_tilde)",
            "C",
            'dA[g] @ p[f"W_x{g}"].mT for g in "foc"',
            'dA[g] @ p[f"W_x{g}"].mT for g in "fc"',
        ),
        "points": {"q7-bug-test": 5 / 8},
    },
    "missing mask": {
        "cells": changed("q8-saturation", "F[mask]", "F.reshape(-1, F.shape[2])"),
        "points": {"q8-saturation-test": 0.5},
    },
    "each sequence counts alike": {
        "cells": changed(
            "q8-saturation",
            "    real = F[mask]",
            "    each = [[(f[m] < 0.1).mean(0), (f[m] > 0.9).mean(0)] for f, m in zip(F, mask)]\n"
            "    return np.mean(each, axis=0).T\n    real = F[mask]",
        ),
        "points": {"q8-saturation-test": 1.0},
    },
    "shut and open change places": {
        "cells": changed(
            "q8-saturation",
            "real < 0.1",
            "real > 0.9",
            "(real > 0.9).mean(axis=0)], axis=1",
            "(real < 0.1).mean(axis=0)], axis=1",
        ),
        "points": {"q8-saturation-test": 0.0},
    },
    "a register for a till": {
        "cells": changed("q10-till", "row(K / 2, r=-K)", "row(K / 2, r=-K, w=-K)"),
        "points": {"q10-till-test": 1.8},
    },
    "the input gate stands open": {
        "cells": changed("q10-till", "row(-K / 2, w=K)", "row(K / 2)"),
        "points": {"q10-till-test": 1.8},
    },
    "the sum shows at every step": {
        "cells": changed("q10-till", "row(-K / 2, q=K)", "row(K / 2)"),
        "points": {"q10-till-test": 4.2},
    },
    "a memory so large that tanh bends it": {
        "cells": changed("q10-till", "K, a = 40.0, 0.001", "K, a = 40.0, 0.5"),
        "points": {"q10-till-test": 1.8},
    },
    "add and reset change places": {
        "cells": changed(
            "q10-till",
            "row(-K / 2, w=K)",
            "row(-K / 2, r=K)",
            "row(K / 2, r=-K)",
            "row(K / 2, w=-K)",
        ),
        "points": {"q10-till-test": 1.2},
    },
    "the reset does not clear": {
        "cells": changed("q10-till", "row(K / 2, r=-K)", "row(K / 2)"),
        "points": {"q10-till-test": 3.0},
    },
}

# What the visible check of the question says to it.
SAYS = {
    "the output gate looks at the old memory": "looks at the new memory, not at the old one",
    "a gate without its peephole": "p_f C is missing",
    "dropped transpose, forward": "W_hi is transposed",
    "wrong gate order": "C_tilde stands in the place of O",
    "the peephole's road into the new memory is missing": "p_o is missing",
    "the peepholes' roads into the old memory are missing": "The peepholes p_i and p_f are missing",
    "sigma for its slope": "The value of the gate stands where its slope belongs",
    "tanh left out on the way to the memory": "The slope of tanh(C_next) is missing",
    "the memory for its tanh": "O multiplies tanh(C_next), not C_next",
    "mean over the batch for the sum": "That is the mean over the batch",
    "the gates stay in the order of the file": "in the order of the file",
    "one of two biases": "The recurrent biases, the second half, are missing",
    "each recurrent block is left as it was": "Each block must be transposed",
    "wrong axis": "gates multiply up, along the steps",
    "off by one in time": "One too few",
    "a single gate for the product": "gates multiply up, along the steps",
    "a memory that lasts is not told": "A memory that lasts to the end is -1",
    "half-lives spaced evenly": "The half-lives are spaced evenly",
    "one over e for one half": "That is the time until 1 / e is left",
    "the gate for its bias": "these are values of gates",
    "the input gate opens with the forget gate": "b_i is b_f",
    "the ways through H are closed": "That is the road of C alone",
    "all ways are open": "no gate is open: use open_gates",
    "dropped transpose": "W_h* goes back transposed",
    "missing carry": "Nothing happens on the road",
    "the tape is read from the front": "Begin with the last step",
    "one of two bugs is found, in the forget gate": "which gates read X?",
    "one of two bugs is found, in the gradient of X": "F stands in two products",
    "the method is handed in as it was": "F stands in two products",
    "missing mask": "The mask is not used",
    "each sequence counts alike": "a long one counts for more",
    "shut and open change places": "The two columns have changed places",
    "a register for a till": "The second one replaced the first",
    "the input gate stands open": "What has no flag must stay outside",
    "the sum shows at every step": "The sum shows when nobody asks",
    "a memory so large that tanh bends it": "tanh bends a large memory",
    "add and reset change places": "It does not come back",
    "the reset does not clear": "The reset does not clear",
}
