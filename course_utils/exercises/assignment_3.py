"""The visible checks of assignment 3: stacked, two-sided and gated networks, lessons 10 to 12.

They look at limit cases, at numbers worked out by hand and at central differences.  The marks come
from other cases.
"""

import numbers

import numpy as np

from course_utils.cells import Cell, GRUCell, GRUResetAfterCell, LSTMCell, RNNCell
from course_utils.checks import TOLERANCE, NotYet, call, check_gradients, exercise, expect
from course_utils.exercises.cells import drawn_cell
from course_utils.recurrent import Recurrent, bidirectional, scan

STEP = 1e-5  # of a central difference


def _written(*calls):
    """Raise NotYet with the words of every part that is not written yet; other errors can wait."""
    words = []
    for part, arguments in calls:
        try:
            part(*arguments)
        except NotImplementedError as open_part:
            words.append(str(open_part))
        except Exception:
            continue
    if words:
        raise NotYet("; ".join(words))


# --------------------------------------------------------------------------- 1: parameters

# (D, U, depth, join): right, one direction only, every layer reads D, joins swapped, no biases
SIZES = {
    (1, 1, 1, "concat"): (18, 9, 18, 18, 12),
    (2, 3, 1, "sum"): (108, 54, 108, 108, 90),
    (2, 3, 2, "concat"): (288, 144, 216, 234, 252),
    (2, 3, 2, "sum"): (234, 117, 216, 288, 198),
    (4, 2, 3, "concat"): (252, 126, 252, 204, 216),
    (4, 2, 3, "sum"): (204, 102, 252, 252, 168),
}
SLIPS = (
    "Two GRUs read in each layer, one from each end",
    "Only the first layer reads D numbers per step",
    "Side by side the halves give 2U numbers per step, added they give U",
    "Each of the three blocks has U biases",
)


@exercise(done="correct so far")
def check_sizes(two_sided_parameters):
    """Check `two_sided_parameters(D, U, depth, join)` against numbers worked out by hand."""
    for (D, U, depth, join), (right, *wrong) in SIZES.items():
        came = call(two_sided_parameters, D, U, depth, join)
        name = f"two_sided_parameters({D}, {U}, {depth}, {join!r})"
        if isinstance(came, bool) or not isinstance(came, numbers.Real):
            raise NotYet(f"{name} is {came!r}; expected a whole number")
        if came * 3 == right * 4:
            raise NotYet(f"{name} is {came}; expected {right}. Four blocks is an LSTM")
        expect(name, came, right, causes=dict(zip(SLIPS, wrong, strict=True)))


# --------------------------------------------------------------------------- 2: every k-th step


def _bits(*rows):
    return np.array([[letter == "1" for letter in row] for row in rows])


@exercise(done="correct so far")
def check_every_kth(every_kth):
    """Check `every_kth(mask, k)` on padding at the end, in front, on both sides and inside."""
    full, right = _bits("111111", "111111"), _bits("111100", "111111")
    left, holes = _bits("001111", "000111"), _bits("101101", "011011")
    cases = [
        ("no padding, k = 1", full, 1, full),
        ("no padding, k = 2", full, 2, _bits("101010", "101010")),
        ("padding at the end", right, 2, _bits("101000", "101010")),
        ("padding in front", left, 2, _bits("001010", "000101")),
        ("masked steps inside", holes, 2, _bits("100100", "010010")),
        ("k = 3", full, 3, _bits("100100", "100100")),
    ]
    for what, mask, k, right_mask in cases:
        came = np.asarray(call(every_kth, mask, k))
        if came.dtype != bool:
            raise NotYet(f"{what}: the answer holds {came.dtype}; expected a mask of bool")
        if came.shape != mask.shape:
            raise NotYet(f"{what}: the answer has shape {came.shape}; expected {mask.shape}")
        if (came & ~mask).any():
            b, t = (int(i) for i in np.argwhere(came & ~mask)[0])
            raise NotYet(f"{what}: the answer is True at [{b}, {t}], a step that is not real")
        alone = np.asarray(call(every_kth, mask[1:], k))
        if alone.shape == (1, mask.shape[1]) and (alone[0] != came[1]).any():
            raise NotYet(
                f"{what}: a sequence gets another mask when it stands alone. "
                "Steps are counted along each row, not down the batch"
            )
        started = came[np.arange(len(mask)), mask.argmax(axis=1)].all()
        in_columns = not came[:, np.arange(mask.shape[1]) % k > 0].any()
        if in_columns and not started and mask is not full:
            raise NotYet(f"{what}: count the real steps of each sequence, not the columns")
        if not started:
            raise NotYet(f"{what}: the first real step of each sequence is one that runs")
        expect(f"{what}: the mask", came.astype(int), right_mask.astype(int))


# --------------------------------------------------------------------------- 3: the two ends


@exercise(done="correct so far")
def check_ends(ends):
    """Check `ends(Y, mask)` on an array whose numbers say where they come from."""
    B, T, U = 4, 5, 2
    b, t, j = np.meshgrid(np.arange(B), np.arange(T), np.arange(2 * U), indexing="ij")
    mask = _bits("11111", "11100", "00111", "01110")
    Y = np.where(mask[..., None], 1000 + 100 * b + 10 * t + j, 0).astype(float)

    def taken(there, back):
        """The numbers that an answer shows which takes these steps; None for a padded one."""
        rows = [
            [0 if s is None else 1000 + 100 * b + 10 * s + j for j, s in enumerate((f, f, g, g))]
            for b, (f, g) in enumerate(zip(there, back, strict=True))
        ]
        return np.array(rows, dtype=float)

    right = taken([4, 2, 4, 3], [0, 0, 2, 1])
    came = call(ends, Y, mask)
    if np.shape(came) == (B, U):
        raise NotYet(f"the answer has shape {(B, U)}; expected {(B, 2 * U)}: both halves")
    causes = {
        "At a padded step there are zeros: take the last *real* step": (
            taken([4, None, 4, None], [0, 0, None, None])
        ),
        "With padding in front the last real step is not step (number of real steps) - 1": (
            taken([4, 2, 2, 2], [0, 0, 2, 1])
        ),
        "The forward half is right. The backward half ends at the first *real* step": (
            taken([4, 2, 4, 3], [0, 0, None, None])
        ),
        "The backward half has read everything at the *first* real step": (
            taken([4, 2, 4, 3], [4, 2, 4, 3])
        ),
        "The two ends are swapped": taken([0, 0, 2, 1], [4, 2, 4, 3]),
    }
    named = "the answer (1000 + 100 b + 10 t + number)"
    if np.shape(came) == right.shape:
        bad = np.flatnonzero((np.asarray(came) != right).any(axis=1))
        if len(bad):
            named = f"sequence {bad[0]}, mask {mask[bad[0]].astype(int)}: {named}"
    expect(named, came, right, causes=causes)


# --------------------------------------------------------------------------- 4: a product


@exercise(done="correct so far")
def check_meet(meet_class):
    """Check a class `Meet(Concat)`: limit cases of forward, then central differences."""
    if not isinstance(meet_class, type):
        raise NotYet(f"the answer is {meet_class!r}; expected a class")
    rng = np.random.default_rng(3)
    B, T, D, U = 2, 4, 3, 2
    parts = bidirectional(RNNCell(D, U, rng), RNNCell(D, U, rng)).parts
    layer = meet_class(*parts)
    X = rng.normal(size=(B, T, D))
    _written((layer.forward, [X]), (layer.backward, [np.ones((B, T, U))]))
    Y = call(layer.forward, X)
    if np.shape(Y) == (B, T, 2 * U):
        raise NotYet(f"Y has shape {(B, T, 2 * U)}; expected {(B, T, U)}: one number per unit")
    for still, other in ((0, 1), (1, 0)):
        (cell,) = [
            p.cell for p in getattr(parts[still], "parts", [parts[still]]) if hasattr(p, "cell")
        ]
        kept = {name: p.copy() for name, p in cell.params.items()}
        for constant in (0.0, 0.5):
            for name, p in cell.params.items():
                p[...] = np.arctanh(constant) if name == "b_h" else 0
            came = np.asarray(call(layer.forward, X))
            if constant == 0 and came.shape == (B, T, U) and (came != 0).any():
                raise NotYet("one half is 0 everywhere and Y is not: the halves are multiplied")
            if constant:
                words = "Y where one half is 1/2 everywhere, which is half of the other,"
                expect(words, came, parts[other].forward(X) / 2)
        for name, p in cell.params.items():
            p[...] = kept[name]
    nothing = np.zeros((B, U))
    expect("Y where mask hides step 0", layer.forward(X, _bits("0111", "0111"))[:, 0], nothing)
    layer.forward(X)
    dX = call(layer.backward, np.ones((B, T, U)))
    if np.shape(dX) != X.shape:
        raise NotYet(f"dX has shape {np.shape(dX)}; expected {X.shape}")
    errors = check_gradients(layer, X, rng, most=20)
    wrong = [name for name, error in errors.items() if not error < TOLERANCE]
    if wrong:
        raise NotYet(f"the gradients of {', '.join(wrong)} are wrong. {_meet_hint(wrong, layer)}")


def _meet_hint(wrong, layer):
    if wrong == ["X"]:
        return "X reaches Y through both halves: their gradients are added"
    there = {name.split(".")[0] for name in wrong if name != "X"}
    if len(there) == 1:
        return f"Part {there.pop()} is wrong alone: how much does Y move when this half moves?"
    return "When one half moves by a little, Y moves by that little times the *other* half"


# --------------------------------------------------------------------------- 5: highway


@exercise(done="correct so far")
def check_highway(highway):
    """Check `highway(X, H, W_g, b_g) -> Y, G`: limit cases and one number by hand."""
    rng = np.random.default_rng(5)
    X, H = rng.normal(size=(2, 2, 3, 4))
    zero = np.zeros((4, 4))
    for bias, kept, words in (
        (1e3, H, "an open gate (b_g = 1000) hands on H"),
        (-1e3, X, "a shut gate (b_g = -1000) hands on X"),
    ):
        Y, G = _pair(highway, X, H, zero, np.full(4, bias))
        if np.shape(Y) == X.shape and np.allclose(Y, X + H - kept):
            raise NotYet(f"{words}, and here it is the other way round")
        expect(f"Y: {words}; it", Y, kept)
        expect("G", G, np.full(X.shape, float(bias > 0)))
    Y, _ = _pair(highway, X, H, zero, np.zeros(4))
    expect("Y at G = 1/2, the mean of both,", Y, (X + H) / 2)
    x, h = np.array([[[1.0, 2.0]]]), np.array([[[3.0, 0.0]]])
    W = np.array([[0.0, np.log(3)], [0.0, 0.0]])
    by_hand, of_h = np.array([[[2.0, 0.5]]]), np.array([[[2.0, 2 * (1 - 27 / 28)]]])
    Y, _ = _pair(highway, x, h, W, np.zeros(2))
    causes = {
        "The gate reads X, not H": of_h,
        "The gate reads X through W_g, and not through its transpose": np.array([[[2.8, 1.0]]]),
    }
    expect("Y of the example by hand", Y, by_hand, causes=causes)


def _pair(highway, *arguments):
    came = call(highway, *arguments)
    if not isinstance(came, tuple) or len(came) != 2:
        raise NotYet(f"highway returns {type(came).__name__}; expected the pair Y, G")
    return came


def make_check_highway_backward(highway):
    """Make the check of `highway_backward(dY, X, H, G, W_g)` behind the reader's own `highway`."""

    @exercise(done="correct so far")
    def check_highway_backward(highway_backward):
        """Take the gate by its limits first, then compare with central differences."""
        rng = np.random.default_rng(55)
        X, H, dY = rng.normal(size=(3, 2, 3, 4))
        W, b = rng.normal(size=(4, 4)), rng.normal(size=4)
        _written((highway_backward, [dY, X, H, np.full(X.shape, 0.5), W]))

        def back(X, H, W, b):
            _, G = _pair(highway, X, H, W, b)
            came = call(highway_backward, dY, X, H, G, W)
            if not isinstance(came, tuple) or len(came) != 4:
                raise NotYet(f"it returns {type(came).__name__}; expected dX, dH, dW_g, db_g")
            return dict(zip(("dX", "dH", "dW_g", "db_g"), came, strict=True))

        shapes = {"dX": X.shape, "dH": H.shape, "dW_g": W.shape, "db_g": b.shape}
        for name, part in back(X, H, W, b).items():
            if np.shape(part) != shapes[name]:
                words = " Add up over the batch and over the steps" if "_g" in name else ""
                raise NotYet(f"{name} has shape {np.shape(part)}; expected {shapes[name]}.{words}")
        zero, none = np.zeros((4, 4)), np.zeros(4)
        expect("dX behind a shut gate", back(X, H, zero, none - 1e3)["dX"], dY)
        expect("dH behind an open gate", back(X, H, zero, none + 1e3)["dH"], dY)
        same = back(X, X, W, b)
        for name in ("dW_g", "db_g"):
            if np.abs(same[name]).max() > 1e-9:
                raise NotYet(
                    f"{name} is not 0 where H = X. There the gate changes nothing: "
                    "Y moves by (H - X) times the move of G"
                )
        half, true = back(X, H, zero, none), _differences(highway, dY, X, H, zero, none)
        for factor, words in ((4, "G (1 - G) is missing"), (2, "G (1 - G) is there in part")):
            if np.allclose(half["db_g"], factor * true["db_g"]):
                raise NotYet(f"db_g is {factor} times too large at G = 1/2: the slope {words}")
        expect("dX at W_g = 0", half["dX"], true["dX"], tolerance=1e-6)
        came, true = back(X, H, W, b), _differences(highway, dY, X, H, W, b)
        hints = {
            "db_g": "",
            "dW_g": "W_g gets, from each step, X.mT @ (the gradient before the sigmoid)",
            "dH": "H reaches Y on one road, and the gate stands on it",
            "dX": "The gate reads X as well: is that road there, and through W_g.T?",
        }
        for name, words in hints.items():
            try:
                expect(name, came[name], true[name], tolerance=1e-6)
            except NotYet as reason:
                raise NotYet(f"{reason}. {words}".rstrip(". ")) from None

    return check_highway_backward


def _differences(highway, dY, X, H, W, b):
    """Central differences of sum(dY * Y), by name."""
    places = {"dX": X, "dH": H, "dW_g": W, "db_g": b}
    places = {name: array.copy() for name, array in places.items()}

    def loss():
        return np.sum(dY * highway(*places.values())[0])

    found = {}
    for name, array in places.items():
        found[name] = np.zeros_like(array)
        for index in np.ndindex(array.shape):
            kept = array[index]
            array[index] = kept + STEP
            above = loss()
            array[index] = kept - STEP
            found[name][index] = (above - loss()) / (2 * STEP)
            array[index] = kept
    return found


# --------------------------------------------------------------------------- 6: minimal gated unit

MGU_NAMES = ("W_xf", "W_hf", "b_f", "W_xh", "W_hh", "b_h")
MGU_HINTS = {
    "h": "H_next moves by F times the move of H_tilde; then comes the slope of tanh",
    "f": "F stands in two places: in the mix, and inside the candidate, beside H",
    "W_hh": "W_hh is multiplied by F * H, so its gradient has F * H in it, not H",
    "X": "X reaches the gate and the candidate: dX is a sum of two",
    "H_0": "H has three roads: past the candidate, into the gate, and through F * H",
}


@exercise(done="correct so far")
def check_mgu(mgu_class):
    """Check a class of cells: limit cases, a step by hand, then central differences."""
    if not (isinstance(mgu_class, type) and issubclass(mgu_class, Cell)):
        raise NotYet(f"the answer is {mgu_class!r}; expected a class of cells")
    rng = np.random.default_rng(6)
    cell = drawn_cell(mgu_class, MGU_NAMES, rng, 0.4)
    X, H = rng.normal(size=(2, 5, 3)), rng.uniform(-0.9, 0.9, (2, 4))
    _written((cell.forward, [X[:, 0], (H,)]), (cell.backward, [(H,), None]))
    _mgu_limits(cell, X[:, 0], H)
    _mgu_by_hand(mgu_class)
    layer = Recurrent(cell)
    for T in (1, 4):
        layer.forward(X[:, :T])
        came = call(layer.backward, np.ones((2, T, 4)))
        if np.shape(came) != (2, T, 3):
            raise NotYet(f"dX has shape {np.shape(came)}; expected {(2, T, 3)}")
        errors = check_gradients(layer, X[:, :T], rng, most=12)
        wrong = [name for name, error in errors.items() if not error < TOLERANCE]
        if wrong:
            raise NotYet(f"the gradients of {', '.join(wrong)} are wrong. {_mgu_hint(wrong)}")


def _mgu_step(cell, X, H):
    given = H.copy()
    came = cell.forward(X, (given,))
    if not isinstance(came, tuple) or len(came) != 2:
        raise NotYet("forward returns no pair (new state, trace)")
    state, _ = came
    if not isinstance(state, tuple) or len(state) != 1:
        raise NotYet(f"the new state is {type(state).__name__}; expected the tuple (H_next,)")
    if state[0] is ... or state[0] is None:
        raise NotYet("forward: replace the ... by your lines")
    if not np.array_equal(given, H):
        raise NotYet("forward changes the old state; make a new array")
    return state[0]


def _mgu_limits(cell, X, H):
    """A shut gate keeps the state, an open one makes a vanilla RNN of the cell."""
    kept = cell.params["b_f"].copy()
    vanilla = RNNCell(3, 4, np.random.default_rng(0))
    for name in vanilla.params:
        vanilla.params[name][...] = cell.params[name]
    (new,), (blind,) = (vanilla.forward(X, (state,))[0] for state in (H, 0 * H))
    for bias, right, other in ((-1e3, H, blind), (1e3, new, H)):
        cell.params["b_f"][...] = bias
        words = "a shut gate (b_f = -1000)" if bias < 0 else "an open gate (b_f = 1000)"
        goal = "keeps the state" if bias < 0 else "makes a vanilla RNN"
        causes = {"F and 1 - F have changed places: here F *writes*": other}
        expect(f"{words} {goal}: H_next", _mgu_step(cell, X, H), right, causes=causes)
    cell.params["b_f"][...] = kept


def _mgu_by_hand(mgu_class):
    """One unit without input: H = 1/2, W_hh = 2, F = 3/4."""
    one = mgu_class(1, 1, np.random.default_rng(0))
    for p in one.params.values():
        p[...] = 0
    one.params["b_f"][...], one.params["W_hh"][...] = np.log(3), 2.0
    came = _mgu_step(one, np.zeros((1, 1)), np.full((1, 1), 0.5))
    by_hand = 0.125 + 0.75 * np.tanh(0.75)
    causes = {
        "The candidate sees F * H, not H": 0.125 + 0.75 * np.tanh(1.0),
        "The candidate sees F * H, not (1 - F) * H": 0.125 + 0.75 * np.tanh(0.25),
        "F and 1 - F have changed places: here F *writes*": 0.375 + 0.25 * np.tanh(0.75),
        "The candidate is squashed by tanh": 0.125 + 0.75 * 0.75,
    }
    causes = {words: np.full((1, 1), wrong) for words, wrong in causes.items()}
    expect("one unit by hand: H_next", came, np.full((1, 1), by_hand), causes=causes)


def _mgu_hint(wrong):
    if "b_h" in wrong:
        return MGU_HINTS["h"]
    if "b_f" in wrong:
        return MGU_HINTS["f"]
    return MGU_HINTS.get(wrong[0], "Each W_h* gets H.mT @ dA, with what it was multiplied with")


# --------------------------------------------------------------------------- 7: a deaf reset gate


@exercise(done="correct so far")
def check_reset_after(to_reset_after):
    """Check `to_reset_after(params)` by running both cells; the reset gate does not listen."""
    rng = np.random.default_rng(7)
    cell = GRUCell(3, 4, rng)
    cell.params["W_xr"][...] = cell.params["W_hr"][...] = 0
    names = list(GRUResetAfterCell(3, 4, rng).params)
    limits = (
        ("R = 1 (b_r = 1000)", np.full(4, 1e3)),
        ("the same R for all units", np.full(4, -0.5)),
        ("R different in each unit", np.array([-1.0, 0.0, 1.0, 2.0])),
    )
    for words, bias in limits:
        for name in ("b_z", "b_h"):
            cell.params[name][...] = rng.normal(size=4)
        cell.params["b_r"][...] = bias
        came = call(to_reset_after, cell.params)
        if not isinstance(came, dict) or set(came) != set(names):
            raise NotYet(f"the answer is no dictionary with the names {', '.join(names)}")
        other = GRUResetAfterCell(3, 4, rng)
        for name, p in other.params.items():
            if np.shape(came[name]) != p.shape:
                raise NotYet(f"{name} has shape {np.shape(came[name])}; expected {p.shape}")
            p[...] = came[name]
        X = rng.normal(size=(5, 6, 3))
        apart = np.abs(scan(cell, X)[0] - scan(other, X)[0]).max()
        if not apart < 1e-9:
            raise NotYet(f"{words}: the states are {apart:.2g} apart. {_reset_hint(cell, came)}")


def _reset_hint(cell, came):
    W, ones = cell.params["W_hh"], np.ones((4, 4))
    ratio = came["W_hh"] / W
    if np.any(came["b_hh"]):
        return "b_hh stands inside the reset gate; the first form has nothing there"
    if np.allclose(ratio, ones):
        return (
            "W_hh is copied. Write both candidates without matrices, for unit j: "
            "which R stands beside W_hh[i, j]?"
        )
    if np.allclose(ratio, ratio[:, :1] * ones) or np.allclose(ratio, ratio[:1] * ones):
        return "In one form R belongs to the unit that is read, in the other to the one that reads"
    if np.allclose(ratio * ratio.T, ones):
        return "This is the way back, from reset-after to reset-before"
    return "Look at the biases first: with W_hh = 0 both forms must agree"


# --------------------------------------------------------------------------- 8: who looks ahead


def _shifted(X, steps):
    """X at step t + steps; the last step stands in for those behind the end."""
    T = X.shape[1]
    return X[:, np.minimum(np.arange(T) + steps, T - 1)]


@exercise(done="correct so far")
def check_look_ahead(look_ahead):
    """Check `look_ahead(model, X, rng)` on features of which we know how far they look."""
    rng = np.random.default_rng(8)
    X = rng.normal(size=(3, 9, 1))
    features = {
        "x itself": (lambda x: x, 0),
        "the sum so far": (lambda x: np.cumsum(x, axis=1), 0),
        "the step before": (lambda x: np.roll(x, 1, axis=1) * (np.arange(9) > 0)[:, None], 0),
        "the next step": (lambda x: _shifted(x, 1), 1),
        "the mean of this and the next three": (
            lambda x: sum(_shifted(x, j) for j in range(4)) / 4,
            3,
        ),
        "minus the mean of the series": (lambda x: x - x.mean(axis=1, keepdims=True), 8),
    }
    for words, (feature, right) in features.items():
        came = np.asarray(call(look_ahead, feature, X, rng))
        if came.shape != (1,):
            raise NotYet(f"{words}: the answer has shape {came.shape}; expected (1,), one output")
        causes = {
            "Only steps *behind* t count: an answer may depend on the past": np.array([8]),
            "It depends on a later step; 0 says that it does not": np.array([0]),
        }
        if right == 3:
            causes["Not the nearest, the farthest step on which it depends"] = np.array([1])
        expect(f"{words}: the answer", came, np.array([right]), causes=causes)

    def together(x):
        return np.concatenate([feature(x) for feature, _ in features.values()], axis=-1)

    came = call(look_ahead, together, X, rng)
    expect("all six side by side: the answer", came, [right for _, right in features.values()])


# --------------------------------------------------------------------------- 9: resting points


@exercise(done="correct so far")
def check_resting_points(resting_points):
    """Check `resting_points(cell, x)` on units whose resting points are known."""
    rng = np.random.default_rng(9)
    unit = GRUCell(1, 1, rng)
    for p in unit.params.values():
        p[...] = 0
    points, slopes = _rests(resting_points, unit, 0.0)
    expect("the unit with all weights 0: its resting points", points, [0.0], tolerance=1e-3)
    expect("its slope there, Z = 1/2,", slopes, [0.5], tolerance=1e-2)
    unit.params["b_h"][...] = 0.8
    unit.params["b_z"][...] = np.log(9)  # Z = 0.9
    points, slopes = _rests(resting_points, unit, 0.0)
    expect("a candidate of tanh(0.8): the resting points", points, [np.tanh(0.8)], tolerance=1e-3)
    expect("the slope, Z = 0.9,", slopes, [0.9], tolerance=1e-2)
    unit.params["W_xh"][...] = 1.0
    points, _ = _rests(resting_points, unit, -2.0)
    causes = {"The input x is not 0 here": [np.tanh(0.8)]}
    expect("with input -2: the resting points", points, [np.tanh(-1.2)], tolerance=1e-3)
    unit.params["b_h"][...] = 0
    unit.params["b_r"][...] = 1e3  # R = 1
    unit.params["W_hh"][...] = 3.0
    points, slopes = _rests(resting_points, unit, 0.0)
    if len(points) != 3:
        raise NotYet(
            f"a unit that sees itself strongly: {len(points)} resting point(s); expected 3. "
            "Look for changes of sign of (new state - old state) on a fine grid from -1 to 1"
        )
    outer = 0.99505  # tanh(3 h) = h
    causes = {"Ascending, please": [outer, 0, -outer]}
    expect("their places", points, [-outer, 0, outer], causes=causes, tolerance=1e-3)
    steep = 0.9 + 0.1 * 3 * np.array([1 - outer**2, 1, 1 - outer**2])
    causes = {"The slope of the whole step, with Z in it": 3 * np.array([1 - outer**2, 1] * 2)[:3]}
    expect("the slopes there", slopes, steep, causes=causes, tolerance=1e-2)


def _rests(resting_points, unit, x):
    came = call(resting_points, unit, x)
    if not isinstance(came, tuple) or len(came) != 2:
        raise NotYet(f"it returns {type(came).__name__}; expected the pair points, slopes")
    points, slopes = (np.atleast_1d(np.asarray(part, dtype=float)) for part in came)
    if points.ndim != 1 or points.shape != slopes.shape:
        raise NotYet(
            f"points have shape {points.shape} and slopes {slopes.shape}; expected the same, (N,)"
        )
    return points, slopes


# --------------------------------------------------------------------------- 10: a counter


def make_check_counter(roles):
    """Make the check of `my_counter() -> params, scale` for an alphabet of five symbols.

    roles: a list, what each symbol does: "up", "down", "leap", "clear" or "nothing".
    """

    @exercise(done="correct so far")
    def check_counter(my_counter):
        """Run short strings, one role after the other, then long ones."""
        came = call(my_counter)
        if not isinstance(came, tuple) or len(came) != 2:
            raise NotYet(f"my_counter returns {type(came).__name__}; expected params, scale")
        params, scale = came
        cell = lstm_of(params)
        if not isinstance(scale, numbers.Real) or not np.isfinite(scale):
            raise NotYet(f"scale is {scale!r}; expected a number")
        place = {role: roles.index(role) for role in roles}
        for words, string, right in (
            ("up once", ["up"], 1),
            ("up three times", ["up"] * 3, 3),
            ("up, down", ["up", "down"], 0),
            ("down twice", ["down"] * 2, -2),
            ("leap", ["leap"], 2),
            ("up, then nothing twice", ["up", "nothing", "nothing"], 1),
            ("leap, clear", ["leap", "clear"], 0),
            ("up 40 times, clear, up", ["up"] * 40 + ["clear", "up"], 1),
            ("up 200 times", ["up"] * 200, 200),
            ("up 100, nothing 100, down 90", ["up"] * 100 + ["nothing"] * 100 + ["down"] * 90, 10),
        ):
            X = np.eye(5)[[place[role] for role in string]][None]
            C = scan(cell, X)[1][1][0, 0]
            if not abs(scale * C - right) < 0.5:
                raise NotYet(
                    f"{words}: C is {C:.4g}, so scale * C is {scale * C:.4g}; expected {right}. "
                    f"{COUNTER_HINTS[string[-1] if len(string) < 40 else 'long']}"
                )

    return check_counter


COUNTER_HINTS = {
    "up": "F must be 1 here, and I * C_tilde one step",
    "down": "A step down is a candidate of the other sign",
    "leap": "A leap is two steps: let a step be less than the most that C_tilde can give",
    "nothing": "F must be 1 here, and I * C_tilde 0",
    "clear": "F must be 0 here, and I * C_tilde 0",
    "long": "Small leaks add up: how near to 0 and 1 are the gates?",
}


def lstm_of(params):
    """Make an LSTM cell with five inputs and one unit from a dict of parameters.

    Raises NotYet when a name or a shape does not fit.
    """
    cell = LSTMCell(5, 1, np.random.default_rng(0))
    if not isinstance(params, dict) or set(params) != set(cell.params):
        raise NotYet(f"params is no dictionary with the names {', '.join(cell.params)}")
    for name, p in cell.params.items():
        given = np.asarray(params[name], dtype=float)
        if given.shape != p.shape:
            raise NotYet(f"{name} has shape {given.shape}; expected {p.shape}")
        if not np.isfinite(given).all():
            raise NotYet(f"{name} holds {given[~np.isfinite(given)][0]}; expected finite numbers")
        p[...] = given
    return cell
