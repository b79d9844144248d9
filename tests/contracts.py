"""Every cell and every layer that the laws of the course are held against.

A new cell is tested by adding its name to CELLS, a new layer by adding one line to LAYERS.
"""

import inspect
import json
from collections import namedtuple
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from course_utils.cells import Cell, GRUCell, GRUResetAfterCell, LSTMCell, RNNCell
from course_utils.checks import check_gradients
from course_utils.functions import bias_gradient, sigmoid
from course_utils.fused import GRU, LSTM, RNN, GRUResetAfter
from course_utils.layers import Concat, Dense, Dropout, Embedding, Flip, Last, Same, Sequential
from course_utils.recurrent import Recurrent, bidirectional, bidirectional_last, stacked


class LeakyTrace(NamedTuple):
    X: np.ndarray
    H: np.ndarray
    A: np.ndarray
    H_next: np.ndarray


class LeakyCell:
    """A cell as a reader writes it in a notebook: no base class, no replicas, no checks."""

    def __init__(self, num_inputs, units, rng):
        self.num_inputs, self.units = num_inputs, units
        self.params = {
            "W_xh": rng.normal(size=(num_inputs, units)) * 0.5,
            "W_hh": rng.normal(size=(units, units)) * 0.5,
            "keep": rng.uniform(0.2, 0.8, units),
        }

    def initial_state(self, B):
        return (np.zeros((B, self.units)),)

    def forward(self, X, state):
        (H,) = state
        A = np.tanh(X @ self.params["W_xh"] + H @ self.params["W_hh"])
        H_next = self.params["keep"] * H + (1 - self.params["keep"]) * A
        return (H_next,), LeakyTrace(X, H, A, H_next)

    def backward(self, dstate, trace):
        (dH_next,) = dstate
        X, H, A, _ = trace
        dA = dH_next * (1 - self.params["keep"]) * (1 - A**2)
        grads = {
            "W_xh": X.T @ dA,
            "W_hh": H.T @ dA,
            "keep": (dH_next * (H - A)).sum(axis=0),
        }
        dH = dA @ self.params["W_hh"].T + dH_next * self.params["keep"]
        return dA @ self.params["W_xh"].T, (dH,), grads


def fifth_cell():
    """Take the class that solves exercise 12.4 out of its notebook, as it stands there.

    A reader writes it in at most 25 lines; nothing else knows it, and every law holds for it.
    """
    path = Path(__file__).parents[1] / "notebooks" / "12_streamline_to_a_gru.ipynb"
    sources = ["".join(c["source"]) for c in json.loads(path.read_text("utf-8"))["cells"]]
    (trace,) = (s for s in sources if s.startswith("Trace = "))  # given to the reader
    (source,) = (s for s in sources if "class MyForgetCell_solution(" in s)
    source = source[: source.index("lesson.check_forget_cell")].strip()
    names = {"__name__": __name__, "np": np, "namedtuple": namedtuple, "Cell": Cell}
    names |= {"sigmoid": sigmoid, "bias_gradient": bias_gradient}
    exec(trace, names)
    exec(source, names)
    globals().update({name: names[name] for name in ("Trace", "MyForgetCell_solution")})  # pickle
    return names["MyForgetCell_solution"], sum(bool(s.strip()) for s in source.splitlines())


FifthCell, LINES_OF_FIFTH_CELL = fifth_cell()


class SameDropout(Dropout):
    """Dropout that draws the same numbers in every forward, so that the laws apply to it."""

    def forward(self, X, mask=None):
        self.rng = np.random.default_rng(3)
        return super().forward(X, mask)


CELLS = [RNNCell, LSTMCell, GRUCell, GRUResetAfterCell, LeakyCell, FifthCell]


@dataclass(frozen=True)
class LayerCase:
    """A layer for the laws: `make(D, U, rng, **options)`, options are `replicas` and `dtype`."""

    name: str
    make: object
    tokens: bool = False  # X holds whole numbers (B, T)
    padding: bool = True  # a mask makes it blind to padding
    random: bool = False  # it treats each row by a draw of its own


def recurrent(cell):
    """Make a case of a cell; what options it takes stands in its signature."""
    known = inspect.signature(cell).parameters
    if "replicas" in known:
        return LayerCase(cell.__name__, lambda D, U, rng, **o: Recurrent(cell(D, U, rng, **o)))
    return LayerCase(cell.__name__, lambda D, U, rng: Recurrent(cell(D, U, rng)))


def twin(kind):
    """Make a case of a fast twin, in float64 unless the options say otherwise."""
    in_float64 = {"dtype": np.float64}
    return LayerCase(
        f"fast {kind.__name__}", lambda D, U, rng, **o: kind(D, U, rng, **in_float64 | o)
    )


def tagger(D, U, rng, **options):
    """A whole network: tokens in, scores for each step out."""
    return Sequential(
        Embedding(D, U, rng, **options),
        bidirectional(GRUCell(U, 2, rng, **options), LSTMCell(U, 3, rng, **options)),
        SameDropout(0.3, rng),
        Dense(5, U, rng, **options),
    )


LAYERS = [
    *map(recurrent, CELLS),
    *map(twin, [RNN, LSTM, GRU, GRUResetAfter]),
    LayerCase("Dense", Dense),
    LayerCase("Embedding", Embedding, tokens=True),
    LayerCase("Flip", lambda D, U, rng, **o: Flip()),
    LayerCase("Same", lambda D, U, rng, **o: Same()),
    LayerCase("Last", lambda D, U, rng, **o: Last(), padding=False),
    LayerCase("Dropout", lambda D, U, rng, **o: SameDropout(0.4, rng), padding=False, random=True),
    LayerCase(
        "Concat",
        lambda D, U, rng, **o: Concat(
            Dense(D, U, rng, **o), Same(), Sequential(Flip(), Flip()), Dense(D, 1, rng, **o)
        ),
    ),
    LayerCase(
        "stacked",
        lambda D, U, rng, **o: stacked(LSTMCell(D, U, rng, **o), GRUCell(U, 2, rng, **o)),
    ),
    LayerCase(
        "bidirectional",
        lambda D, U, rng, **o: bidirectional(LSTMCell(D, U, rng, **o), RNNCell(D, 2, rng, **o)),
    ),
    LayerCase(
        "bidirectional_last",
        lambda D, U, rng, **o: bidirectional_last(
            LSTMCell(D, U, rng, **o), GRUCell(D, 2, rng, **o)
        ),
    ),
    LayerCase("tagger", tagger, tokens=True, padding=False, random=True),
]


def forms(make):
    """Give the options under which to test: R = 2 models, float32, where they are known."""
    known = inspect.signature(make).parameters
    if not any(p.kind is p.VAR_KEYWORD or name == "replicas" for name, p in known.items()):
        return [{}]
    return [{}, {"replicas": 2}, {"dtype": np.float32}, {"replicas": 2, "dtype": np.float32}]


def label(value):
    """Name a case in the list of tests."""
    if isinstance(value, dict):
        words = {"replicas": "R{}", "dtype": "{0.__name__}"}
        return "-".join(words[name].format(v) for name, v in value.items()) or "plain"
    return getattr(value, "name", None) or getattr(value, "__name__", None)


def pairs(cases, *, wanted=lambda options: True):
    """Give all (case, options)."""
    make = lambda case: getattr(case, "make", case)  # noqa: E731
    return [(case, o) for case in cases for o in forms(make(case)) if wanted(o)]


def in_float64(options):
    return "dtype" not in options


CELL_FORMS = pairs(CELLS)
LAYER_FORMS = pairs(LAYERS)
EXACT_FORMS = pairs(LAYERS, wanted=in_float64)
ROWWISE = [(case, o) for case, o in EXACT_FORMS if not case.random]
REPLICATED = [(case, o) for case, o in ROWWISE if "replicas" in o]
PADDED = [(case, o) for case, o in EXACT_FORMS if case.padding]


def draw_input(case, options, rng, B=3, T=4, D=3):
    """Draw X for a layer: numbers (B, T, D) or tokens (B, T), with R in front for replicas."""
    lead = (options["replicas"],) if "replicas" in options else ()
    if case.tokens:
        return rng.integers(0, D, (*lead, B, T))
    return rng.normal(size=(*lead, B, T, D)).astype(options.get("dtype", np.float64))


def draw_state(cell, B, rng):
    """Draw a state that is not zero."""
    return tuple(rng.normal(size=s.shape).astype(s.dtype) for s in cell.initial_state(B))


def nudge(layer, rng):
    """Move every parameter off its start, so that no bias is zero and no gate is one half."""
    for p in layer.params.values():
        p += rng.normal(size=p.shape) * 0.3
    return layer


MASKS = {
    "none": None,
    "mask": np.array([[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0]], bool),  # behind, before, between
}


def gradient_errors(layer, X, *, mask=None, most=6):
    """The gradient check of the laws: {name: relative error}, the same entries every time."""
    return check_gradients(layer, X, np.random.default_rng(1), mask=mask, most=most)
