"""Typical mistakes in assignment 3, the marks they leave, and what the visible check says."""


def change(code, old, new):
    """The code with one place changed; the place must be there."""
    assert code.count(old) == 1, old
    return code.replace(old, new)


SIZES = """
def two_sided_parameters(D, U, depth, join):
    width = 2 * U if join == "concat" else U
    inputs = [D] + [width] * (depth - 1)
    return sum(2 * 3 * U * (n + U + 1) for n in inputs)
"""

SLOW = """
def every_kth(mask, k):
    number = np.cumsum(mask, axis=1) - 1
    return mask & (number % k == 0)
"""

ENDS = """
def ends(Y, mask):
    rows, T, U = np.arange(len(Y)), Y.shape[1], Y.shape[2] // 2
    first = mask.argmax(axis=1)
    last = T - 1 - mask[:, ::-1].argmax(axis=1)
    return np.concatenate([Y[rows, last, :U], Y[rows, first, U:]], axis=1)
"""

MEET = """
class Meet(Concat):
    def forward(self, X, mask=None):
        self.halves = [part.forward(X, mask) for part in self.parts]
        return self.halves[0] * self.halves[1]

    def backward(self, dY):
        there, back = self.halves
        return self.parts[0].backward(dY * back) + self.parts[1].backward(dY * there)
"""

BACK = """
def highway_backward(dY, X, H, G, W_g):
    dA = dY * (H - X) * G * (1 - G)
    dX = dY * (1 - G) + dA @ W_g.T
    dW_g = (X.mT @ dA).sum(axis=0)
    return dX, dY * G, dW_g, dA.sum(axis=(0, 1))
"""

MGU = """
class MGUCell(Cell):
    def _draw(self, rng):
        for gate in "fh":
            self._weights(gate, rng)

    def forward(self, X, state):
        (H,), p = state, self.params
        F = sigmoid(X @ p["W_xf"] + H @ p["W_hf"] + p["b_f"])
        H_tilde = np.tanh(X @ p["W_xh"] + (F * H) @ p["W_hh"] + p["b_h"])
        return ((1 - F) * H + F * H_tilde,), (X, H, F, H_tilde)

    def backward(self, dstate, trace):
        (dH_next,), (X, H, F, H_tilde), p = dstate, trace, self.params
        dA_h = dH_next * F * (1 - H_tilde**2)
        dFH = dA_h @ p["W_hh"].mT
        dA_f = (dH_next * (H_tilde - H) + dFH * H) * F * (1 - F)
        dX = dA_h @ p["W_xh"].mT + dA_f @ p["W_xf"].mT
        dH = dH_next * (1 - F) + dFH * F + dA_f @ p["W_hf"].mT
        grads = {"W_xf": X.mT @ dA_f, "W_hf": H.mT @ dA_f, "b_f": bias_gradient(dA_f)}
        grads |= {"W_xh": X.mT @ dA_h, "W_hh": (F * H).mT @ dA_h, "b_h": bias_gradient(dA_h)}
        return dX, (dH,), grads
"""

RESET = """
def to_reset_after(params):
    R = sigmoid(params["b_r"])
    new = {name: p for name, p in params.items() if name.startswith("W")}
    new["W_hh"] = R[:, None] * params["W_hh"] / R
    for gate in "zrh":
        new[f"b_x{gate}"] = params[f"b_{gate}"]
        new[f"b_h{gate}"] = np.zeros_like(R)
    return new
"""

AHEAD = """
def look_ahead(model, X, rng):
    before, T = model(X), X.shape[1]
    farthest = np.zeros(before.shape[2], dtype=int)
    for s in range(T):
        changed = X.copy()
        changed[:, s] += rng.normal(size=changed[:, s].shape)
        moved = (np.abs(model(changed) - before) > 1e-9).any(axis=0)
        for t in range(s):
            farthest = np.maximum(farthest, (s - t) * moved[t])
    return farthest
"""

REST = """
def resting_points(cell, x):
    def step(h):
        return cell.forward(np.full((h.size, 1), float(x)), (h[:, None],))[0][0][:, 0]

    h = np.linspace(-1, 1, 20_002)
    above = step(h) > h
    left = np.flatnonzero(above[1:] != above[:-1])
    points = (h[left] + h[left + 1]) / 2
    return points, (step(points + 1e-5) - step(points - 1e-5)) / 2e-5
"""

ONE_POINT = """
def resting_points(cell, x):
    def step(h):
        return cell.forward(np.full((h.size, 1), float(x)), (h[:, None],))[0][0][:, 0]

    h = np.zeros(1)
    for _ in range(2000):
        h = step(h)
    return h, (step(h + 1e-5) - step(h - 1e-5)) / 2e-5
"""

COUNTER = """
def my_counter():
    params = {f"W_x{g}": np.zeros((5, 1)) for g in "ifoc"}
    params |= {f"W_h{g}": np.zeros((1, 1)) for g in "ifoc"}
    params |= {f"b_{g}": np.zeros(1) for g in "ifoc"}
    params["b_i"] += 30
    params["b_f"] += 30
    params["W_xf"][roles.index("clear")] = -60
    for role, steps in (("up", 1), ("down", -1), ("leap", 2)):
        params["W_xc"][roles.index(role)] = np.arctanh(steps / 4)
    return params, 4.0
"""

# name: answer cell, its code, what the visible check says
WRONG = {
    "every layer reads D": (
        "q1-sizes",
        change(SIZES, "[width] * (depth - 1)", "[D] * (depth - 1)"),
        "Only the first layer reads D numbers",
    ),
    "the sum counted as side by side": (
        "q1-sizes",
        change(SIZES, 'width = 2 * U if join == "concat" else U', "width = 2 * U"),
        "added they give U",
    ),
    "columns counted, not real steps": (
        "q2-slow",
        change(SLOW, "np.cumsum(mask, axis=1) - 1", "np.arange(mask.shape[1])"),
        "count the real steps of each sequence",
    ),
    "counted down the batch": (
        "q2-slow",
        change(SLOW, "axis=1", "axis=0"),
        "not down the batch",
    ),
    "wrong axis": (
        "q3-ends",
        change(ENDS, "first = mask.argmax(axis=1)", "first = mask.argmax(axis=0)"),
        "raised",
    ),
    "last column, not last real step": (
        "q3-ends",
        change(ENDS, "Y[rows, last, :U], Y[rows, first, U:]", "Y[:, -1, :U], Y[:, 0, U:]"),
        "take the last *real* step",
    ),
    "padding expected at the end only": (
        "q3-ends",
        change(ENDS, "T - 1 - mask[:, ::-1].argmax(axis=1)", "mask.sum(axis=1) - 1"),
        "With padding in front",
    ),
    "halves added": (
        "q4-meet",
        change(MEET, "self.halves[0] * self.halves[1]", "self.halves[0] + self.halves[1]"),
        "the halves are multiplied",
    ),
    "each half times itself": (
        "q4-meet",
        change(MEET, "dY * back) + self.parts[1].backward(dY * there",
               "dY * there) + self.parts[1].backward(dY * back"),
        "times the *other* half",
    ),
    "mask not handed on": (
        "q4-meet",
        change(MEET, "part.forward(X, mask)", "part.forward(X)"),
        "where mask hides step 0",
    ),
    "the gate's own road missing": (
        "q5-back",
        change(BACK, " + dA @ W_g.T", ""),
        "The gate reads X as well",
    ),
    "sigma for sigma'": (
        "q5-back",
        change(BACK, "* G * (1 - G)", "* G"),
        "db_g is 2 times too large",
    ),
    "bias gradient over the batch only": (
        "q5-back",
        change(BACK, "dA.sum(axis=(0, 1))", "bias_gradient(dA)"),
        "Add up over the batch and over the steps",
    ),
    "dropped transpose in the highway": (
        "q5-back",
        change(BACK, "dA @ W_g.T", "dA @ W_g"),
        "and through W_g.T?",
    ),
    "F keeps": (
        "q6-mgu",
        change(MGU, "((1 - F) * H + F * H_tilde,)", "(F * H + (1 - F) * H_tilde,)"),
        "here F *writes*",
    ),
    "the candidate sees all of H": (
        "q6-mgu",
        change(change(MGU, "(F * H) @ p", "H @ p"), "(F * H).mT @ dA_h", "H.mT @ dA_h"),
        "The candidate sees F * H, not H",
    ),
    "missing carry": (
        "q6-mgu",
        change(MGU, "dH = dH_next * (1 - F) + dFH * F", "dH = dFH * F"),
        "H has three roads",
    ),
    "dropped transpose": (
        "q6-mgu",
        change(MGU, 'dA_h @ p["W_hh"].mT', 'dA_h @ p["W_hh"]'),
        "F stands in two places",
    ),
    "F forgotten inside the candidate": (
        "q6-mgu",
        change(MGU, " + dFH * H) * F", ") * F"),
        "F stands in two places",
    ),
    "W_hh copied": (
        "q7-reset",
        change(RESET, 'R[:, None] * params["W_hh"] / R', 'params["W_hh"]'),
        "W_hh is copied",
    ),
    "the way back": (
        "q7-reset",
        change(RESET, 'R[:, None] * params["W_hh"] / R', 'R * params["W_hh"] / R[:, None]'),
        "This is the way back",
    ),
    "the past counted as well": (
        "q8-look-ahead",
        change(AHEAD, "for t in range(s):\n            farthest = np.maximum(farthest, (s - t)",
               "for t in range(T):\n            farthest = np.maximum(farthest, abs(s - t)"),
        "may depend on the past",
    ),
    "the next step only": (
        "q8-look-ahead",
        change(AHEAD, "for t in range(s)", "for t in range(max(s - 1, 0), s)"),
        "the farthest step",
    ),
    "one resting point": ("q9-rest", ONE_POINT, "expected 3"),
    "slope of the candidate": (
        "q9-rest",
        change(REST, "(step(points + 1e-5) - step(points - 1e-5)) / 2e-5",
               '1 - points**2 + 0 * cell.params["b_h"]'),
        "its slope there",
    ),
    "gates ajar": (
        "q10-counter",
        change(COUNTER, 'params["b_f"] += 30', 'params["b_f"] += 5'),
        "Small leaks add up",
    ),
    "no step for a leap": (
        "q10-counter",
        change(COUNTER, '("leap", 2)', '("leap", 1)'),
        "A leap is two steps",
    ),
    "the clear symbol does nothing": (
        "q10-counter",
        change(COUNTER, "= -60", "= 0"),
        "F must be 0 here",
    ),
}  # fmt: skip

# the marks that are left in the test cell of the question
LEFT = {
    "every layer reads D": 0.5,
    "the sum counted as side by side": 1.75,
    "columns counted, not real steps": 0.6,
    "counted down the batch": 0.0,
    "wrong axis": 0.0,
    "last column, not last real step": 0.5,
    "padding expected at the end only": 1.0,
    "halves added": 3.0,
    "each half times itself": 2.0,
    "mask not handed on": 3.0,
    "the gate's own road missing": 3.0,
    "sigma for sigma'": 1.0,
    "bias gradient over the batch only": 4.0,
    "dropped transpose in the highway": 3.5,
    "F keeps": 3.2,
    "the candidate sees all of H": 0.0,
    "missing carry": 6.0,
    "dropped transpose": 4.4,
    "F forgotten inside the candidate": 4.4,
    "W_hh copied": 0.8,
    "the way back": 0.8,
    "the past counted as well": 0.5,
    "the next step only": 1.0,
    "one resting point": 2.0,
    "slope of the candidate": 2.5,
    "gates ajar": 3.8,
    "no step for a leap": 2.25,
    "the clear symbol does nothing": 2.8,
}

MISTAKES = {
    name: {"cells": {cell: code}, "points": {f"{cell}-test": LEFT[name]}, "says": words}
    for name, (cell, code, words) in WRONG.items()
}
