"""Wrong answers to assignment 1 that students give, each with the marks that it gets.

The form is that of README.md.  Each mistake changes a line or two of the solution.
"""

import functools

import mistaken

changed = functools.partial(mistaken.changed, "a1_rnn_and_bptt")

MISTAKES = {
    "the older state is not handed on": {
        "cells": changed("q1-step", "return np.tanh(A), H", "return np.tanh(A), G"),
        "points": {"q1-step-test": 1.0},
    },
    "the two old states change places": {
        "cells": changed("q1-step", 'H @ p["W_hh"] + G @', 'G @ p["W_hh"] + H @'),
        "points": {"q1-step-test": 1.0},
    },
    "missing carry": {
        "cells": changed("q2-run", "H, G = H_new, G_new", "H = H_new"),
        "points": {"q2-run-test": 1 / 3},
    },
    "wrong axis": {
        "cells": changed("q2-run", "np.stack(states, axis=1)", "np.stack(states)"),
        "points": {"q2-run-test": 7 / 3},
    },
    "missing mask": {
        "cells": changed("q2-run", "if mask is not None:", "if False:"),
        "points": {"q2-run-test": 2.0},
    },
    "the mask holds one of two states": {
        "cells": changed("q2-run", "np.where(real, G_new, G)", "G_new"),
        "points": {"q2-run-test": 7 / 3},
    },
    "dropped transpose": {
        "cells": changed("q3-back", 'dA @ p["W_hh"].T', 'dA @ p["W_hh"]'),
        "points": {"q3-back-test": 4.0},
    },
    "transpose on the other factor": {
        "cells": changed("q3-back", "H.T @ dA", "dA.T @ H"),
        "points": {"q3-back-test": 5.5},
    },
    "tanh for its slope": {
        "cells": changed("q3-back", "(1 - H_next**2)", "H_next"),
        "points": {"q3-back-test": 0.0},
    },
    "one of two roads back": {
        "cells": changed("q3-back", " + dG_next  # G_next is H", ""),
        "points": {"q3-back-test": 4.0},
    },
    "mean over the batch for the sum": {
        "cells": changed("q3-back", "dA.sum(axis=0)", "dA.mean(axis=0)"),
        "points": {"q3-back-test": 5.75},
    },
    "every piece starts from zero": {
        "cells": changed("q4-chunks", "X[:, piece], state)", "X[:, piece])"),
        "points": {"q4-chunks-test": 10 / 9},
    },
    "the error is not cut": {
        "cells": changed(
            "q4-chunks",
            "range(0, X.shape[1], chunk)",
            "[0]",
            "slice(start, start + chunk)",
            "slice(None)",
        ),
        "points": {"q4-chunks-test": 5 / 3},
    },
    "the short last piece is lost": {
        "cells": changed(
            "q4-chunks", "range(0, X.shape[1], chunk)", "range(0, X.shape[1] - chunk + 1, chunk)"
        ),
        "points": {"q4-chunks-test": 85 / 27},
    },
    "only the last piece counts": {
        "cells": changed("q4-chunks", "total[name] += grads[name]", "total[name] = grads[name]"),
        "points": {"q4-chunks-test": 5 / 3},
    },
    "the matrix for its transpose": {
        "cells": changed("q5-decay", "dH @ W.T", "dH @ W"),
        "points": {"q5-decay-test": 1.75},
    },
    "the norm for the radius": {
        "cells": changed("q5-decay", "np.abs(np.linalg.eigvals(W)).max()", "np.linalg.norm(W, 2)"),
        "points": {"q5-decay-test": 3.25},
    },
    "eigenvalues without absolute values": {
        "cells": changed(
            "q5-decay", "np.abs(np.linalg.eigvals(W)).max()", "np.linalg.eigvals(W).real.max()"
        ),
        "points": {"q5-decay-test": 3.0},
    },
    "off by one in time": {
        "cells": changed("q5-decay", "reach = 0", "reach = 1"),
        "points": {"q5-decay-test": 2.0},
    },
    "each array is clipped alone": {
        "cells": changed(
            "q6-clip",
            "        for name in names:\n",
            "        for name in names:\n            norm = np.linalg.norm(grads[name])\n",
        ),
        "points": {"q6-clip-test": 20 / 9},
    },
    "short gradients are made longer": {
        "cells": changed("q6-clip", "elif norm > limit:", "else:"),
        "points": {"q6-clip-test": 32 / 9},
    },
    "gradients are clipped in place": {
        "cells": changed("q6-clip", "dict(grads), []", "grads, []"),
        "points": {"q6-clip-test": 32 / 9},
    },
    "inf and nan go on": {
        "cells": changed("q6-clip", "if not np.isfinite(norm):", "if False:"),
        "points": {"q6-clip-test": 28 / 9},
    },
    "nan is forgotten beside inf": {
        "cells": changed("q6-clip", "not np.isfinite(norm)", "np.isinf(norm)"),
        "points": {"q6-clip-test": 32 / 9},
    },
    "all words are taken as equally frequent": {
        "cells": changed(
            "q7-floors",
            'letters = sorted(set("".join(words)))',
            'letters = sorted(set("".join(words)))\n'
            "    probabilities = np.ones(len(words)) / len(words)",
        ),
        "points": {"q7-floors-test": 1.5},
    },
    "a pair is not divided by its first letter": {
        "cells": changed("q7-floors", "pairs / single[:, None]", "pairs"),
        "points": {"q7-floors-test": 4.0},
    },
    "the mean of the lengths, without the probabilities": {
        "cells": changed(
            "q7-floors",
            "sum(p * len(word) for word, p in zip(words, probabilities))",
            "np.mean([len(word) for word in words])",
        ),
        "points": {"q7-floors-test": 4.5},
    },
    "bits for nats": {
        "cells": changed(
            "q7-floors",
            "return unigram, one_letter, past",
            "return tuple(np.array([unigram, one_letter, past]) / np.log(2))",
        ),
        "points": {"q7-floors-test": 0.5},
    },
    "the identity adds the two numbers up": {
        "cells": changed("q9-memory", "np.roll(np.eye(U), 1, axis=1)", "np.eye(U)"),
        "points": {"q9-memory-test": 0.0},
    },
    "the state is large, and tanh bends it": {
        "cells": changed("q9-memory", "U, small = 4, 0.01", "U, small = 4, 0.2"),
        "points": {"q9-memory-test": 2.0},
    },
    "the read-out is one step late": {
        "cells": changed("q9-memory", "W[(T - 1) % U, 0]", "W[T % U, 0]"),
        "points": {"q9-memory-test": 4.0},
    },
    "the signal fades": {
        "cells": changed(
            "q9-memory", "np.roll(np.eye(U), 1, axis=1)", "0.9 * np.roll(np.eye(U), 1, axis=1)"
        ),
        "points": {"q9-memory-test": 2.0},
    },
}

# What the visible check of the question says to it.
SAYS = {
    "the older state is not handed on": "That is the old G",
    "the two old states change places": "H and G have changed places",
    "missing carry": "G is not handed on",
    "wrong axis": "Stack along axis=1",
    "missing mask": "The mask is not used",
    "the mask holds one of two states": "G moves on: both must stay",
    "dropped transpose": "W_hh goes back transposed",
    "transpose on the other factor": "The transpose stands on the other factor",
    "tanh for its slope": "The value of tanh stands where its slope belongs",
    "one of two roads back": "dG_next is missing",
    "mean over the batch for the sum": "That is the mean over the batch",
    "every piece starts from zero": "The state is not carried",
    "the error is not cut": "The error runs on over the cuts",
    "the short last piece is lost": "The last, shorter piece is missing",
    "only the last piece counts": "That is the last piece alone",
    "the matrix for its transpose": "dH goes back through the transpose of W",
    "the norm for the radius": "That is the largest factor of one step",
    "eigenvalues without absolute values": "Take absolute values",
    "off by one in time": "That is one step too late",
    "each array is clipped alone": "Each array was clipped alone",
    "short gradients are made longer": "it was made longer",
    "gradients are clipped in place": "the gradients that were given are changed",
    "inf and nan go on": "when its group is not finite",
    "nan is forgotten beside inf": "correct so far",  # the hidden cases find it
    "all words are taken as equally frequent": "use the probabilities",
    "a pair is not divided by its first letter": "That is the cost of a pair",
    "the mean of the lengths, without the probabilities": "Frequent words count more",
    "bits for nats": "These are bits",
    "the identity adds the two numbers up": "the two numbers are added up",
    "the state is large, and tanh bends it": "tanh bends a large state",
    "the read-out is one step late": "count the steps",
    "the signal fades": "the signal fades",
}
