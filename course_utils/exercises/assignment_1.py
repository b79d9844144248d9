"""The visible checks of assignment 1, and the data that belong to one student.

No answer stands here.  What a check expects comes from small cases that are worked out by hand, and
from central differences through the student's own forward step.
"""

import numpy as np

from course_utils.cells import RNNCell
from course_utils.checks import NotYet, call, exercise, expect, expect_tuple, slopes
from course_utils.functions import orthogonal
from course_utils.recurrent import scan

MOST_UNITS = 8  # question 9
GOOD = 0.05  # the error that question 9 allows
APART = 0.15  # and how well the states of different inputs must be told apart

# The data of one student -------------------------------------------------------------------------


def own_matrix(rng, units=6):
    """Draw a matrix (U, U) and a gradient (1, U), which grows on its way before it fades.

    It fades otherwise, by a factor of 1.4 or more, when the matrix is taken for its transpose.
    """
    while True:
        radius, angle = rng.uniform(0.82, 0.92), rng.uniform(0.3, 2.5)
        T = np.triu(rng.normal(size=(units, units)), 1)
        T[np.diag_indices(units)] = rng.uniform(-0.7, 0.7, size=units)
        T[:2, :2] = radius * _turn(angle)
        Q = orthogonal(rng, (units, units))
        W = Q @ T @ Q.T
        stretched = np.linalg.svd(W).Vh[:1]  # the direction that grows most in one step back
        dH = stretched + 0.2 * rng.normal(size=(1, units))
        there = (np.linalg.norm(dH @ np.linalg.matrix_power(W.T, lag)) for lag in range(15, 150, 8))
        other = (np.linalg.norm(dH @ np.linalg.matrix_power(W, lag)) for lag in range(15, 150, 8))
        if all(not 0.7 < a / b < 1.4 for a, b in zip(there, other)):
            return W, dH


def _turn(angle):
    return np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


def own_language(rng, count=4):
    """Draw words and their probabilities: (list of words, array).

    Each word begins with a letter that stands nowhere else, and goes on with up to three vowels.
    """
    starts = rng.permutation(list("bdgkmprt"))[:count]
    words = [f"{s}{rng.choice(list('aio')) * int(n)}" for s, n in zip(starts, rng.permutation(4))]
    parts = rng.integers(4, 20, size=count)
    return [str(word) for word in words], parts / parts.sum()


def own_length(rng):
    """Draw the number of steps of question 9."""
    return int(rng.integers(50, 61))


# 1 one step --------------------------------------------------------------------------------------


@exercise(done="correct so far")
def check_two_step(two_step):
    """Question 1: one step of a cell that sees its last two states, on two cases worked by hand."""
    _hand_cases(two_step)


def _hand_cases(two_step):
    x1, x3, h1, h2 = (np.array(v) for v in ([0.3, -1, 0], [0.2, 0.5, -0.4], [0.6, 0, 1], [0, 1, 2]))
    g1, g2 = np.array([-0.5, 0.8, 0.1]), np.array([0.9, -0.3, -1.2])
    p = {  # A = (x1 + g2 + 0.1, x3 + h1 - 0.2)
        "W_xh": [[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]],
        "W_hh": [[0.0, 1.0], [0.0, 0.0]],
        "W_gh": [[0.0, 0.0], [1.0, 0.0]],
        "b_h": [0.1, -0.2],
    }
    sums = {
        "right": (x1 + g2 + 0.1, x3 + h1 - 0.2),
        "G W_gh is missing: the cell looks two steps back": (x1 + 0.1, x3 + h1 - 0.2),
        "H W_hh is missing": (x1 + g2 + 0.1, x3 - 0.2),
        "The bias is missing": (x1 + g2, x3 + h1),
        "H and G have changed places": (x1 + h2 + 0.1, x3 + g1 - 0.2),
        "W_hh is transposed": (x1 + h2 + g2 + 0.1, x3 - 0.2),
        "W_gh is transposed": (x1 + 0.1, x3 + h1 + g1 - 0.2),
    }
    sums = {name: np.stack(A, axis=1) for name, A in sums.items()}
    causes = {name: np.tanh(A) for name, A in sums.items() if name != "right"}
    causes["tanh is missing"] = sums["right"]
    X_t = np.stack([x1, [4.0, 5.0, 6.0], x3], axis=1)
    H, G = np.stack([h1, h2], axis=1), np.stack([g1, g2], axis=1)
    _one_step(two_step, X_t, H, G, p, np.tanh(sums["right"]), causes)
    one = {"W_xh": [[2.0]], "W_hh": [[1.0]], "W_gh": [[0.5]], "b_h": [-1.0]}
    _one_step(two_step, [[1.0]], [[0.5]], [[-1.0]], one, [[np.tanh(1.0)]], {})


def _one_step(two_step, X_t, H, G, p, H_next, causes):
    X_t, H, G = (np.array(a, dtype=float) for a in (X_t, H, G))
    p = {name: np.array(value) for name, value in p.items()}
    came = expect_tuple("two_step", call(two_step, X_t, H, G, p), ("H_next", "G_next"))
    expect("H_next", came[0], H_next, causes=causes)
    causes = {
        "That is the old G: one step later, H is the older state": G,
        "That is the new state; G_next is the state of one step before it": H_next,
    }
    expect("G_next", came[1], H, causes=causes)


# 2 the scan --------------------------------------------------------------------------------------


@exercise(done="correct so far")
def check_run(run):
    """Question 2: the scan, with a rule of whole numbers: H_next = X_t + 2 H - G."""
    X = np.array([[1.0, 0, 2, 1], [0, 4, 3, 0]])[..., None]
    state = np.array([[1.0], [0]]), np.array([[0.0], [1]])
    no_mask = {
        "Every step starts from the first state: hand the new one on": [
            [3, 2, 4, 3],
            [-1, 3, 2, -1],
        ],
        "G is not handed on": [[3, 6, 14, 29], [-1, 1, 4, 7]],
        "The start is not the state that was given": [[1, 2, 5, 9], [0, 4, 11, 18]],
        "Only the first step is there": [[3] * 4, [-1] * 4],
    }
    H_all = _run(run, X, state, None, [[3, 5, 9, 14], [-1, 2, 8, 14]], no_mask)
    _final(run, X, state, None, H_all, ([14], [14]), ([9], [8]))
    mask = np.array([[True, True, True, True], [True, False, True, True]])
    with_mask = {
        "The mask is not used": [[3, 5, 9, 14], [-1, 2, 8, 14]],
        "H stays at a masked step, and G moves on: both must stay": [[3, 5, 9, 14], [-1, -1, 2, 5]],
        "A masked step gives 0; it must keep the state": [[3, 5, 9, 14], [-1, 0, 1, 3]],
        "A masked step sets the state to 0; it must keep it": [[3, 5, 9, 14], [-1, 0, 3, 6]],
        "The mask is turned around: 1 means a real step": [[1, 1, 1, 1], [0, 3, 3, 3]],
    }
    H_all = _run(run, X, state, mask, [[3, 5, 9, 14], [-1, -1, 1, 3]], with_mask)
    _final(run, X, state, mask, H_all, ([14], [3]), ([9], [1]))


def _rule(X_t, H, G):
    return X_t + 2 * H - G, H


def _run(run, X, state, mask, expected, causes):
    came = expect_tuple("run", call(run, _rule, X, state, mask), ("H_all", "(H, G)"))
    shape = np.shape(came[0])
    if shape == (4, 2, 1):
        raise NotYet(f"H_all has shape {shape}; expected (2, 4, 1). Stack along axis=1: (B, T, U)")
    causes = {cause: np.array(wrong)[..., None] for cause, wrong in causes.items()}
    expect("H_all", came[0], np.array(expected)[..., None], causes=causes)
    return came


def _final(run, X, state, mask, came, H, G):
    with_mask = "" if mask is None else " with a mask"
    last = expect_tuple(f"the final state{with_mask}", came[1], ("H", "G"))
    expect(f"the final H{with_mask}", last[0], H)
    expect(f"the final G{with_mask}", last[1], G, causes={"That is H": H})


# 3 one step back ---------------------------------------------------------------------------------


@exercise(done="correct so far")
def check_two_step_back(two_step_back, two_step):
    """Question 3: the way back against central differences through the student's own step."""
    rng = np.random.default_rng(31)
    B, D, U = 3, 2, 4
    p = {name: rng.normal(size=(U, U)) for name in ("W_hh", "W_gh")}
    p |= {"W_xh": rng.normal(size=(D, U)), "b_h": rng.normal(size=U)}
    X_t, H, G = rng.normal(size=(B, D)), rng.normal(size=(B, U)), rng.normal(size=(B, U))
    dH_next, dG_next = rng.normal(size=(2, B, U))
    # A crash of its own comes first.
    call(two_step_back, dH_next, dG_next, X_t, H, G, np.tanh(H), p)
    try:
        _hand_cases(two_step)
    except NotYet as reason:
        raise NotYet(f"this question needs question 1, and there {reason}") from None
    except Exception as error:
        text = f"two_step raised {type(error).__name__}: {error}"
        raise NotYet(f"this question needs question 1, and there {text}") from None
    H_next, _ = two_step(X_t, H, G, p)
    came = call(two_step_back, dH_next, dG_next, X_t, H, G, H_next, p)
    dX, dH, dG, grads = expect_tuple("two_step_back", came, ("dX_t", "dH", "dG", "grads"))
    if not isinstance(grads, dict):
        raise NotYet(f"grads is {type(grads).__name__}; expected a dict name -> array")
    missing = [name for name in ("W_xh", "W_hh", "W_gh", "b_h") if name not in grads]
    if missing:
        raise NotYet(f"grads has no {missing[0]!r}; expected W_xh, W_hh, W_gh and b_h")
    given = {"dX_t": dX, "dH": dH, "dG": dG, **grads}
    places = {"dX_t": X_t, "dH": H, "dG": G, **p}

    def loss(weights=None, older=dG_next):
        """The loss; with `weights`, one in which they stand where dA belongs."""
        H_new, G_new = two_step(X_t, H, G, p)
        inner = np.sum(dH_next * H_new) if weights is None else np.sum(weights * np.arctanh(H_new))
        return inner + np.sum(older * G_new)

    wrong_dA = {
        "The slope of tanh is missing: dA is not dH_next": dH_next,
        "The value of tanh stands where its slope belongs": dH_next * H_next,
        "That is the slope of a sigmoid": dH_next * H_next * (1 - H_next),
        "H_next is squashed already: no second tanh": dH_next * (1 - np.tanh(H_next) ** 2),
        "The slope belongs to H_next, not to H": dH_next * (1 - H**2),
    }
    for name, place in places.items():
        right = slopes(loss, place)
        causes = {cause: slopes(lambda w=w: loss(w), place) for cause, w in wrong_dA.items()}
        if name == "dH":
            causes["dG_next is missing: G_next is H, so its error comes back into H"] = (
                right - dG_next
            )
        if name == "dG":
            causes["dG_next belongs to H: G_next is H"] = right + dG_next
        if name in ("dH", "dG"):
            W = "W_hh" if name == "dH" else "W_gh"
            causes[f"{W} goes back transposed"] = _with_transposed(loss, place, p, W, right)
        if name in ("W_hh", "W_gh"):
            causes["The transpose stands on the other factor"] = right.T
        if name in p:
            causes["That is the mean over the batch; gradients are summed"] = right / B
        expect(name, given[name], right, causes=causes, tolerance=1e-6)


def _with_transposed(loss, place, p, name, right):
    """What comes out when one matrix goes back as it came: solve for dA, use the other matrix."""
    older = right - slopes(lambda: loss(older=0.0), place)
    dA = np.linalg.solve(p[name], (right - older).T).T
    return dA @ p[name] + older


# 4 a stream in pieces ----------------------------------------------------------------------------


@exercise(done="correct so far")
def check_chunked_gradient(chunked_gradient):
    """Question 4: truncated BPTT against differences with the start of each piece held fixed."""
    rng = np.random.default_rng(41)
    cell = RNNCell(2, 2, rng)
    X, dY = rng.normal(size=(2, 5, 2)), rng.normal(size=(2, 5, 2))
    pieces = [slice(0, 2), slice(2, 4), slice(4, 5)]
    carried = [None] + [scan(cell, X[:, : piece.start])[1] for piece in pieces[1:]]
    answer = call(chunked_gradient, cell, X, dY, 2)
    total, H = expect_tuple("chunked_gradient", answer, ("gradients", "H"))
    if not isinstance(total, dict) or set(total) != set(cell.params):
        raise NotYet(f"the gradients are {total!r}; expected a dict with {', '.join(cell.params)}")

    def piecewise(name, starts):
        """Gradient of each piece from a start that does not move."""
        return [
            slopes(
                lambda piece=piece, start=start: np.sum(
                    dY[:, piece] * scan(cell, X[:, piece], start)[0]
                ),
                cell.params[name],
            )
            for piece, start in zip(pieces, starts)
        ]

    for name, p in cell.params.items():
        each, from_zero = piecewise(name, carried), piecewise(name, [None] * 3)
        causes = {
            "The state is not carried: each piece starts from zero": sum(from_zero),
            "The error runs on over the cuts: that is the full gradient": slopes(
                lambda: np.sum(dY * scan(cell, X)[0]), p
            ),
            "That is the last piece alone; add the pieces up": each[-1],
            "That is the first piece alone": each[0],
            "The last, shorter piece is missing": each[0] + each[1],
            "That is the mean over the pieces; add them up": sum(each) / 3,
        }
        expect(name, total[name], sum(each), causes=causes, tolerance=1e-6)
    H_last = scan(cell, X)[0][:, -1]
    causes = {
        "The last piece has started from zero": scan(cell, X[:, 4:])[0][:, -1],
        "That is the state after the last full piece": scan(cell, X[:, :4])[0][:, -1],
    }
    expect("H", H, H_last, causes=causes)


# 5 how far a gradient reaches --------------------------------------------------------------------


@exercise(done="correct so far")
def check_decay(decay):
    """Question 5: two matrices of which every power is known."""
    lags = np.arange(40)
    # A quarter turn times 0.5: eigenvalues 0.5 i and -0.5 i, every step halves the norm.
    _decay(decay, [[0.0, 0.5], [-0.5, 0.0]], [[3.0, 4.0]], 0.1, 0.5, 0.5**lags, {})
    # [[0.5, 1], [0, 0.5]]: after k steps (0, 1) is (k 0.5^(k-1), 0.5^k).
    norms = np.sqrt((lags * 0.5 ** (lags - 1.0)) ** 2 + 0.25**lags)
    causes = {
        "That is the largest weight; the radius is that of the eigenvalues": 1.0,
        "That is the largest factor of one step, the norm of W": np.linalg.norm(
            [[0.5, 1], [0, 0.5]], 2
        ),
    }
    _decay(decay, [[0.5, 1.0], [0.0, 0.5]], [[0.0, 1.0]], 0.2, 0.5, norms, causes)


def _decay(decay, W, dH, share, radius, norms, causes):
    came = call(decay, np.array(W), np.array(dH), share)
    came = expect_tuple("decay", came, ("radius", "largest", "reach"))
    if np.iscomplexobj(came[0]):
        raise NotYet("the radius is complex: take the absolute value of the eigenvalues")
    size = np.linalg.norm(dH)
    causes = {"Take absolute values: an eigenvalue may be negative or complex": 0.0, **causes}
    expect("radius", came[0], radius, causes=causes, tolerance=1e-7)
    causes = {
        "Divide by the norm at lag 0": norms.max() * size,
        "Lag 0 counts too: its ratio is 1": norms[1:].max(),
        "No growth was seen: dH goes back through the transpose of W": 1.0,
    }
    expect("largest", came[1], norms.max(), causes=causes)
    reach = int((norms < share).argmax())
    causes = {
        "That is one step too early: the norm is not below the share yet": reach - 1,
        "That is one step too late: lag 0 is before the first step back": reach + 1,
        "That is the lag at which a product of radii falls below it": int(
            np.ceil(np.log(share) / np.log(radius))
        ),
    }
    expect("reach", came[2], reach, causes=causes)


# 6 clip in groups --------------------------------------------------------------------------------


@exercise(done="correct so far")
def check_clip_groups(clip_groups):
    """Question 6: norms that are whole numbers: 5 for W_hh, 13 for W_xh and b_h together."""
    grads = {
        "W_hh": np.array([[3.0, 0.0], [0.0, 4.0]]),
        "W_xh": np.array([[3.0, 4.0]]),
        "b_h": np.array([12.0, 0.0]),
        "W": np.array([[7.0], [24.0]]),
    }
    groups = [(("W_hh",), 1.0), (("W_xh", "b_h"), 26.0)]
    clipped, norms = _clipped(clip_groups, grads, groups)
    expect("norms", norms, [5.0, 13.0], causes={"These are the squares": [25.0, 169.0]})
    causes = {
        "Each number was clipped; that turns the direction": np.clip(grads["W_hh"], -1, 1),
        "Nothing was clipped": grads["W_hh"],
        "All groups were clipped together": grads["W_hh"] / np.sqrt(25 + 169),
        "The whole gradient was clipped, with W": grads["W_hh"] / np.sqrt(25 + 169 + 625),
    }
    expect("W_hh", clipped["W_hh"], grads["W_hh"] / 5, causes=causes)
    for name in ("W_xh", "b_h"):
        causes = {"A gradient below the limit stays as it is; it was made longer": 2 * grads[name]}
        expect(f"{name}, below its limit", clipped[name], grads[name], causes=causes)
    expect("W, in no group", clipped["W"], grads["W"])
    clipped, _ = _clipped(clip_groups, grads, [(("W_xh", "b_h"), 6.5)])
    for name in ("W_xh", "b_h"):
        alone = grads[name] * min(1.0, 6.5 / np.linalg.norm(grads[name]))
        causes = {"Each array was clipped alone; the norm is that of its group": alone}
        expect(name, clipped[name], grads[name] / 2, causes=causes)
    lost = grads | {"b_h": np.array([np.inf, 0.0])}
    clipped, _ = _clipped(clip_groups, lost, groups)
    for name in ("W_xh", "b_h"):
        expect(f"{name}, when its group is not finite", clipped[name], 0 * grads[name])
    kept = {name: g.copy() for name, g in grads.items()}
    clip_groups(grads, groups)
    if any(not np.array_equal(grads[name], kept[name]) for name in grads):
        raise NotYet("the gradients that were given are changed: make new arrays")


def _clipped(clip_groups, grads, groups):
    came = expect_tuple("clip_groups", call(clip_groups, grads, groups), ("clipped", "norms"))
    if not isinstance(came[0], dict):
        raise NotYet(f"clipped is {type(came[0]).__name__}; expected a dict name -> array")
    missing = [name for name in grads if name not in came[0]]
    if missing:
        raise NotYet(f"clipped has no {missing[0]!r}; every array comes back, clipped or not")
    return came


# 7 what a language costs -------------------------------------------------------------------------


@exercise(done="correct so far")
def check_floors(floors):
    """Question 7: languages small enough to count the letters by hand."""
    causes = _floor_causes([np.log(2)] * 3, [np.log(2)] * 3, 1, np.log(2))
    _floors(floors, ["a", "b"], [0.5, 0.5], [np.log(2)] * 3, causes)
    choice = _nats(0.25, 0.75)
    # "ab", "c": the shares of a, b, c are .2, .2, .6; after a nothing is open.
    exact = [_nats(0.2, 0.2, 0.6), 0.8 * choice, choice / 1.25]
    equal = [np.log(3), 2 / 3 * np.log(2), np.log(2) / 1.5]
    _floors(floors, ["ab", "c"], [0.25, 0.75], exact, _floor_causes(exact, equal, 1.5, choice))
    # "baa", "d": the shares of b, a, d are 1/6, 1/3, 1/2; after a comes a or, as often, a new word.
    after_a = _nats(0.5, 0.5 * 0.25, 0.5 * 0.75)
    exact = [_nats(1 / 6, 1 / 3, 1 / 2), after_a / 3 + choice / 2, choice / 1.5]
    equal = [_nats(0.25, 0.5, 0.25), _nats(0.5, 0.25, 0.25) / 2 + np.log(2) / 4, np.log(2) / 2]
    causes = _floor_causes(exact, equal, 2, choice)
    _floors(floors, ["baa", "d"], [0.25, 0.75], exact, causes)


def _nats(*shares):
    return -float(np.sum(np.array(shares) * np.log(shares)))


def _floor_causes(exact, equal, mean_length, choice):
    """For each of the three numbers: likely cause -> wrong value."""
    common = [
        {
            "These are bits; the answer is in nats": exact[i] / np.log(2),
            "The words are not equally frequent: use the probabilities": equal[i],
            "The sign is turned around": -exact[i],
        }
        for i in range(3)
    ]
    pair = exact[0] + exact[1]
    common[1]["That is the cost of a pair of letters; the first of them is known"] = pair
    common[2]["That is the cost of a word; divide by the mean number of letters"] = choice
    common[2]["Frequent words count more in the mean number of letters"] = choice / mean_length
    return dict(zip(("unigram", "one letter", "whole past"), common))


def _floors(floors, words, probabilities, exact, causes):
    names = ("unigram", "one letter", "whole past")
    came = expect_tuple("floors", call(floors, words, np.array(probabilities)), names)
    for name, value, right in zip(names, came, exact):
        expect(f"{name} of {words}", value, right, causes=causes.get(name), tolerance=1e-7)


# 9 two numbers through fifty steps ---------------------------------------------------------------


def run_memory(weights, x):
    """Run the weights of question 9: x (B, T) -> answers (B, 2) and all states (B, T, U).

    weights: dict of W_xh (1, U), W_hh (U, U), b_h (U,) and W (U, 2).

    Raises ValueError when an array is missing, has another shape, or is not finite.
    """
    if not isinstance(weights, dict):
        raise ValueError(f"the answer is {type(weights).__name__}; expected a dict")
    missing = [name for name in ("W_xh", "W_hh", "b_h", "W") if name not in weights]
    if missing:
        raise ValueError(f"{missing[0]!r} is missing; expected W_xh, W_hh, b_h and W")
    arrays = {name: np.asarray(weights[name], dtype=float) for name in ("W_xh", "W_hh", "b_h", "W")}
    U = arrays["W_hh"].shape[0] if arrays["W_hh"].ndim else 0
    if not 1 <= U <= MOST_UNITS:
        raise ValueError(f"there are {U} units; expected 1 to {MOST_UNITS}")
    shapes = {"W_xh": (1, U), "W_hh": (U, U), "b_h": (U,), "W": (U, 2)}
    for name, shape in shapes.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} has shape {arrays[name].shape}; expected {shape}")
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f"{name} holds a number that is not finite")
    cell = RNNCell(1, U, np.random.default_rng(0))
    for name in cell.params:
        cell.params[name][...] = arrays[name]
    H, _, _ = scan(cell, np.asarray(x, dtype=float)[..., None])
    return H[:, -1] @ arrays["W"], H


def apart(weights, T):
    """How well the end states of nine inputs are told apart: smallest over largest distance.

    The inputs are all pairs of -0.5, 0 and 0.5.  Two numbers on axes of their own give 0.35.
    """
    x = np.zeros((9, T))
    x[:, :2] = [(a, b) for a in (-0.5, 0, 0.5) for b in (-0.5, 0, 0.5)]
    ends = run_memory(weights, x)[1][:, -1]
    distance = np.linalg.norm(ends[:, None] - ends, axis=-1)
    smallest = distance[~np.eye(9, dtype=bool)].min()
    return float(smallest / distance.max()) if distance.max() > 0 else 0.0


def two_numbers(rng, B, T):
    """Draw x (B, T): numbers from U[-1, 1] at the first two steps, then silence."""
    x = np.zeros((B, T))
    x[:, :2] = rng.uniform(-1, 1, size=(B, 2))
    return x


def _why(y, which):
    """Why one of the two answers is wrong after 0.5 at step 1 + which."""
    if abs(y[1 - which] - 0.5) <= GOOD:
        return "The two answers have changed places"
    if abs(y[1 - which]) <= GOOD < abs(y[which]):
        ratio = y[which] / 0.5
        return f"It comes back times {ratio:.2g}: tanh bends a large state, and W must undo W_xh"
    return "The state holds it; count the steps to see where it stands at step T"


@exercise(done="correct so far")
def check_memory(memory, T):
    """Question 9: two numbers in, T - 2 silent steps, two numbers out."""
    weights = call(memory, T)
    x = np.zeros((4, T))
    x[:, :2] = [[0.5, 0.0], [0.0, 0.5], [1.0, -1.0], [-1.0, 1.0]]
    try:
        y, H = run_memory(weights, x)
    except ValueError as error:
        raise NotYet(str(error)) from None
    if np.abs(H[0, -1] - H[1, -1]).max() < 1e-3 * np.abs(H[0]).max():
        raise NotYet(
            "0.5 at step 1 and 0.5 at step 2 end in the same state: the two numbers are added up. "
            "Let the state look different one step later"
        )
    left = np.linalg.norm(H[0, -1]) / np.linalg.norm(H[0, 0])
    if left < 0.5:
        raise NotYet(f"after {T} steps {left:.1g} of the state is left: the signal fades")
    if left > 2:
        raise NotYet(f"after {T} steps the state is {left:.2g} times as large: the signal grows")
    wrong = np.abs(y - x[:, :2])
    if wrong[:2].max() > GOOD:
        row = int(wrong[:2].max(axis=1).argmax())
        text = f"({y[row, 0]:.2g}, {y[row, 1]:.2g})"
        right = f"({x[row, 0]:g}, {x[row, 1]:g})"
        raise NotYet(
            f"the answer to {right} is {text}; expected an error below {GOOD}. {_why(y[row], row)}"
        )
    if wrong.max() > GOOD:
        raise NotYet(
            f"small numbers come back, and 1 comes back with an error of {wrong.max():.2g}: tanh "
            "bends. Keep the state small, and let the read-out make it large again"
        )
    if apart(weights, T) < APART:
        raise NotYet(
            "the end states are hard to tell apart: the smallest distance is "
            f"{apart(weights, T):.2g} of the largest, expected at least {APART}. "
            "Keep the two numbers on different axes"
        )
