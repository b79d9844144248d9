"""The visible checks of assignment 2, and the data that belong to one student.

No answer stands here.  What a check expects comes from single units that are worked out by hand,
from central differences through the student's own forward step, and from what a cell has to do.
"""

import numpy as np

from course_utils.cells import LSTMCell
from course_utils.checks import (
    TOLERANCE,
    NotYet,
    call,
    check_gradients,
    exercise,
    expect,
    expect_tuple,
    slopes,
)
from course_utils.functions import sigmoid
from course_utils.recurrent import Recurrent, scan

GATES = "ifoc"
GOOD = 0.05  # the error that question 10 allows
COLUMNS = ("x", "w", "r", "q")  # the inputs of question 10: amount, add, reset, show

# The data of one student -------------------------------------------------------------------------


def peephole_params(rng, D, U, size=1.0):
    """Draw the parameters of an LSTM with peepholes: W_x* (D, U), W_h* (U, U), b_* and p_* (U,)."""
    p = {}
    for g in GATES:
        p[f"W_x{g}"] = size * rng.normal(size=(D, U))
        p[f"W_h{g}"] = size * rng.normal(size=(U, U))
        p[f"b_{g}"] = size * rng.normal(size=U)
    return p | {f"p_{g}": size * rng.normal(size=U) for g in "ifo"}


def own_run(rng, units=5, T=12):
    """Draw an LSTM, run it: (cell, tape, dC), dC (1, U) the gradient at the last cell state."""
    cell = LSTMCell(2, units, rng)
    cell.params["b_f"][...] = rng.uniform(1.5, 3, size=units)
    for g in GATES:
        cell.params[f"W_h{g}"] *= 1.5
    state = tuple(rng.normal(size=(2, 1, units)))
    _, _, tape = scan(cell, rng.normal(size=(1, T, 2)), state)
    return cell, tape, rng.normal(size=(1, units))


def own_gates(rng, B=8, T=40):
    """Draw forget gates (B, T, 3) of three units that do different things, and a mask (B, T).

    One keeps, one is cleared now and then, one lets everything pass, in an order of the student's.
    """
    roles = [str(role) for role in rng.permutation(["keeps", "clears", "passes"])]
    F = np.empty((B, T, 3))
    for unit, role in enumerate(roles):
        high, low = rng.uniform(0.91, 1, size=(B, T)), rng.uniform(0, 0.09, size=(B, T))
        open_share = {"keeps": 0.97, "clears": 0.82, "passes": 0.04}[role]
        F[..., unit] = np.where(rng.random(size=(B, T)) < open_share, high, low)
    middle = rng.random(size=F.shape) < 0.03
    F[middle] = rng.uniform(0.2, 0.8, size=middle.sum())
    lengths = rng.integers(T // 3, T, size=B)
    mask = np.arange(T) < lengths[:, None]
    F[~mask] = 0.5  # what padding gives
    return F, mask


def own_columns(rng):
    """Draw the order in which the four inputs of question 10 come: a list of x, w, r and q."""
    return [str(name) for name in rng.permutation(COLUMNS)]


def _named(name, came, keys):
    """Return the answer when it is a dict that has all the keys; `NotYet` otherwise."""
    if not isinstance(came, dict):
        raise NotYet(f"{name} is {type(came).__name__}; expected a dict with {', '.join(keys)}")
    missing = [key for key in keys if key not in came]
    if missing:
        raise NotYet(f"{name} has no {missing[0]!r}; expected {', '.join(keys)}")
    return came


# 1 a step with peepholes -------------------------------------------------------------------------

STEP_PARTS = ("H_next", "C_next", "gates")


@exercise(done="correct so far")
def check_peephole_step(peephole_step):
    """Question 1: one unit with numbers worked by hand, and two units to see a transpose."""
    _hand_cases(peephole_step)


def _hand_cases(peephole_step):
    # One unit, two rows: x = 1, h = 0.5, c = 2, and all zero.
    numbers = {"i": (0.5, -1, 0.5), "f": (0, 2, 2), "o": (-1, 2, 0), "c": (1, 0, -0.5)}
    p = {"p_i": np.array([0.25]), "p_f": np.array([-0.5]), "p_o": np.array([0.5])}
    for g, (x, h, b) in numbers.items():
        p |= {f"W_x{g}": np.array([[x]]), f"W_h{g}": np.array([[h]]), f"b_{g}": np.array([b])}
    X_t, H, C = np.array([[1.0], [0]]), np.array([[0.5], [0]]), np.array([[2.0], [0]])
    I, F = sigmoid(np.array([[1.0], [0.5]])), sigmoid(np.array([[2.0], [2]]))
    C_tilde = np.tanh([[0.5], [-0.5]])
    new = np.array([[2 * F[0, 0]], [0]]) + I * C_tilde
    O = sigmoid(0.5 * new)  # W_xo x + W_ho h = 0 in both rows
    right = {"i": I, "f": F, "c": C_tilde, "o": O}
    causes = {
        "i": {"p_i C is missing: the gate looks at the memory": sigmoid([[0.5], [0.5]])},
        "f": {"p_f C is missing: the gate looks at the memory": sigmoid([[3], [2]])},
        "c": {"The input node has no peephole": np.tanh([[1.0], [-0.5]])},
        "o": {
            "p_o C_next is missing: the gate looks at the memory": sigmoid([[0], [0]]),
            "The output gate looks at the new memory, not at the old one": sigmoid([[1.0], [0]]),
            "The output gate looks at the memory itself, not at its tanh": sigmoid(
                0.5 * np.tanh(new)
            ),
        },
    }
    came = expect_tuple("peephole_step", call(peephole_step, X_t, H, C, p), STEP_PARTS)
    gates = _named("gates", came[2], tuple(GATES))
    for g in "ifco":
        expect(f"gates[{g!r}]", gates[g], right[g], causes=causes[g])
    wrong = {"tanh is missing: H = O tanh(C)": O * new, "That is C_next": new}
    expect("C_next", came[1], new, causes={"F C is missing": I * C_tilde})
    expect("H_next", came[0], O * np.tanh(new), causes=wrong)
    _transposes(peephole_step)


def _transposes(peephole_step):
    """Unit 1 speaks to unit 2 through one gate at a time, and not the other way round."""
    for g in GATES:
        p = {f"{kind}{name}": np.zeros((2, 2)) for kind in ("W_x", "W_h") for name in GATES}
        p |= {f"b_{name}": np.zeros(2) for name in GATES}
        p |= {f"p_{name}": np.zeros(2) for name in "ifo"}
        p[f"W_h{g}"] = np.array([[0.0, 4.0], [0.0, 0.0]])
        squash = np.tanh if g == "c" else sigmoid
        zero, H, C = np.zeros((1, 2)), np.array([[1.0, 0.25]]), np.zeros((1, 2))
        gates = call(peephole_step, zero, H, C, p)[2]
        causes = {f"W_h{g} is transposed": squash(np.array([[1.0, 0.0]]))}
        expect(f"gates[{g!r}]", gates[g], squash(np.array([[0.0, 4.0]])), causes=causes)


# 2 one step back ---------------------------------------------------------------------------------


@exercise(done="correct so far")
def check_peephole_back(peephole_back, peephole_step):
    """Question 2: the way back against central differences through the student's own step."""
    rng = np.random.default_rng(21)
    B, D, U = 2, 2, 3
    p = peephole_params(rng, D, U)
    X_t, (H, C, dH_next, dC_next) = rng.normal(size=(B, D)), rng.normal(size=(4, B, U))
    dH_next *= 3
    some = {g: np.full((B, U), 0.5) for g in GATES}
    # A crash of its own comes first.
    call(peephole_back, dH_next, dC_next, C, C, some, p)
    try:
        _hand_cases(peephole_step)
    except NotYet as reason:
        raise NotYet(f"this question needs question 1, and there {reason}") from None
    except Exception as error:
        text = f"peephole_step raised {type(error).__name__}: {error}"
        raise NotYet(f"this question needs question 1, and there {text}") from None
    _, C_next, gates = peephole_step(X_t, H, C, p)
    answer = call(peephole_back, dH_next, dC_next, C, C_next, gates, p)
    dA, dC, dp = expect_tuple("peephole_back", answer, ("dA", "dC", "dp"))
    _named("dA", dA, tuple(GATES))
    _named("dp", dp, tuple("ifo"))
    # A bias of its own for every row: its gradient is that of the pre-activation.
    p = p | {f"b_{g}": np.tile(p[f"b_{g}"], (B, 1)) for g in GATES}
    seen = {"O": gates["o"], "tanh": np.tanh(C_next), "C": C.copy()}

    def loss(kind="right", q=None):
        H_new, C_new, now = peephole_step(X_t, H, C, q or p)
        shown = {
            "right": H_new,
            "no peephole": seen["O"] * np.tanh(C_new),
            "no slope": now["o"] * seen["tanh"] + seen["O"] * C_new,
            "no road": now["o"] * seen["tanh"],
        }[kind]
        return np.sum(dH_next * shown) + np.sum(dC_next * C_new)

    roads = {
        "p_o is missing: O looks at C_next, so its error comes back into C_next": "no peephole",
        "The slope of tanh(C_next) is missing on the road from H": "no slope",
        "The road from H through tanh into C_next is missing": "no road",
    }
    for g in "ocif":
        place, value = p[f"b_{g}"], gates[g]
        right = slopes(loss, place)
        causes = (
            {} if g == "o" else {c: slopes(lambda k=k: loss(k), place) for c, k in roads.items()}
        )
        slope = 1 - value**2 if g == "c" else value * (1 - value)
        name = "1 - C_tilde^2" if g == "c" else "gate (1 - gate)"
        causes[f"The slope {name} is missing"] = right / slope
        causes["The value of the gate stands where its slope belongs"] = right / slope * value
        if g == "o":
            causes["O multiplies tanh(C_next), not C_next"] = right / seen["tanh"] * C_next
            other = gates["c"] * (1 - gates["c"])
            causes["C_tilde stands in the place of O: look at the order"] = right / slope * other
        expect(f"dA[{g!r}]", dA[g], right, causes=causes, tolerance=1e-6)
    _memory_back(dC, loss, C, p, seen, roads)
    for g in "ifo":
        right = slopes(loss, p[f"p_{g}"])
        each = slopes(loss, p[f"b_{g}"])
        causes = {
            "That is the mean over the batch; gradients are summed": right / B,
            "Not yet summed over the batch": each * (C_next if g == "o" else C),
            "What the peephole looks at is missing: times the memory": each.sum(axis=0),
            "The output gate looked at C_next": (each * C).sum(axis=0),
        }
        expect(f"dp[{g!r}]", dp[g], right, causes=causes, tolerance=1e-6)


def _memory_back(dC, loss, C, p, seen, roads):
    """The gradient of the old memory: the road with F, and two peepholes."""
    blind = {
        names: p
        | {f"p_{g}": np.zeros_like(p[f"p_{g}"]) for g in names}
        | {f"b_{g}": p[f"b_{g}"] + p[f"p_{g}"] * seen["C"] for g in names}
        for names in ("i", "f", "if")
    }
    causes = {
        "The peephole p_i is missing: I looks at C": slopes(lambda: loss(q=blind["i"]), C),
        "The peephole p_f is missing: F looks at C": slopes(lambda: loss(q=blind["f"]), C),
        "The peepholes p_i and p_f are missing: I and F look at C": slopes(
            lambda: loss(q=blind["if"]), C
        ),
    }
    causes |= {cause: slopes(lambda k=k: loss(k), C) for cause, k in roads.items()}
    expect("dC", dC, slopes(loss, C), causes=causes, tolerance=1e-6)


# 3 weights from another library ------------------------------------------------------------------


@exercise(done="correct so far")
def check_from_file(from_file):
    """Question 3: every block of the file can be told from the others."""
    rng, D, U = np.random.default_rng(32), 3, 2
    x, h = ({g: rng.normal(size=(U, n)) for g in GATES} for n in (D, U))
    b, c = ({g: rng.normal(size=U) for g in GATES} for _ in range(2))
    in_file = [np.concatenate([blocks[g] for g in "iofc"]) for blocks in (x, h, b, c)]
    came = call(from_file, *in_file[:2], np.concatenate(in_file[2:]))
    names = ("kernel", "recurrent_kernel", "bias")
    came = expect_tuple("from_file", came, names)

    def side_by_side(blocks, order="ifco"):
        return np.concatenate([blocks[g].T for g in order], axis=-1)

    for name, given, blocks in zip(names, came, (x, h)):
        if np.shape(given) == (4 * U, blocks["i"].shape[1]) != (blocks["i"].shape[1], 4 * U):
            raise NotYet(
                f"{name} has shape {np.shape(given)}; expected {np.shape(given)[::-1]}. In the "
                "file each unit is a row, in Keras a column"
            )
        turned = {g: block.T for g, block in blocks.items()} if name == names[1] else blocks
        causes = {
            "The gates stand in the order of the file, i o f c": side_by_side(blocks, "iofc"),
            "That is the order i f o c; Keras has i f c o": side_by_side(blocks, "ifoc"),
            "Each block must be transposed": side_by_side(turned),
        }
        expect(name, given, side_by_side(blocks), causes=causes)
    both = {g: b[g] + c[g] for g in GATES}
    causes = {
        "The recurrent biases, the second half, are missing: add them": side_by_side(b),
        "The input biases, the first half, are missing: add them": side_by_side(c),
        "The gates stand in the order of the file, i o f c": side_by_side(both, "iofc"),
        "That is the order i f o c; Keras has i f c o": side_by_side(both, "ifoc"),
        "That is the mean of the two biases; they are added": side_by_side(both) / 2,
    }
    expect("bias", came[2], side_by_side(both), causes=causes)


# 4 how long a memory lasts -----------------------------------------------------------------------


@exercise(done="correct so far")
def check_steps_to_half(steps_to_half):
    """Question 4: gates whose products are known."""
    F = np.full((2, 6, 2), 0.9)
    F[0, :, 0] = [0.8, 0.8, 0.7, 1, 1, 1]  # .8 .64 .448
    F[1, :, 0] = [1, 1, 1, 1, 1, 0.1]
    F[0, :, 1] = 0.95  # .735 after six steps
    F[1, :, 1] = [0.2, 1, 1, 1, 1, 1]
    right = np.array([[3, -1], [6, 1]])
    causes = {
        "One too few: after the first step one gate has been passed": [[2, -1], [5, 0]],
        "One too few, and 0 for a memory that lasts": [[2, 0], [5, 0]],
        "A memory that lasts to the end is -1": [[3, 1], [6, 1]],
        "A memory that lasts to the end is -1, not 0": [[3, 0], [6, 1]],
        "A memory that lasts to the end is -1, not T": [[3, 6], [6, 1]],
        "That is the first gate of at most one half; gates multiply up, along the steps": [
            [-1, -1],
            [6, 1],
        ],
    }
    expect("the steps", call(steps_to_half, F), right, causes=causes)


# 5 a start with many half-lives ------------------------------------------------------------------


@exercise(done="correct so far")
def check_spread_biases(spread_biases):
    """Question 5: half-lives 1, 10, 100, for which the gate is sigmoid(b_f)."""
    came = expect_tuple("spread_biases", call(spread_biases, 3, 1, 100), ("b_f", "b_i"))
    b_f = np.asarray(came[0], dtype=float)
    if b_f.shape != (3,):
        raise NotYet(f"b_f has shape {b_f.shape}; expected (3,), one bias for each unit")
    if ((0 < b_f) & (b_f < 1)).all():
        raise NotYet("these are values of gates; the bias is what sigmoid turns into the gate")
    life = -np.log(2) / np.log(sigmoid(b_f))
    causes = {
        "The half-lives are spaced evenly; each should be the same factor longer": [1, 50.5, 100],
        "That is the time until 1 / e is left, not one half": np.array([1, 10, 100]) * np.log(2),
        "The longest comes first": [100, 10, 1],
    }
    right = np.array([1.0, 10, 100])
    expect("the half-life of sigmoid(b_f)", life, right, causes=causes, tolerance=1e-6)
    causes = {"b_i is b_f: the input gate must open where the forget gate closes": b_f}
    expect("b_i", came[1], -b_f, causes=causes, tolerance=1e-6)


# 6 roads back ------------------------------------------------------------------------------------


@exercise(done="correct so far")
def check_roads(roads):
    """Question 6: no gate against the product of F, all against central differences, one alone."""
    rng = np.random.default_rng(62)
    cell = LSTMCell(2, 3, rng)
    X, state = rng.normal(size=(2, 4, 2)), list(rng.normal(size=(2, 2, 3)))
    _, _, tape = scan(cell, X, tuple(state))
    dC = rng.normal(size=(2, 3))
    product = np.prod([trace.F for trace in tape], axis=0)

    def loss():
        return np.sum(dC * scan(cell, X, tuple(state))[1][1])

    right = slopes(loss, state[1])
    causes = {
        "That is the product of the forget gates alone, without dC": product,
        "That is one step; go back over all of them": dC * tape[-1].F,
        "Nothing happens on the road: there C was multiplied by F": dC,
        "Errors come back through H, and no gate is open: use open_gates": right,
    }
    expect('roads with ""', call(roads, cell, tape, dC, ""), dC * product, causes=causes)
    came = call(roads, cell, tape, dC, GATES)
    causes = {
        "That is the road of C alone: what of the way through H?": dC * product,
        "That is the way through H alone; both roads add up": right - dC * product,
    }
    if np.allclose(call(roads, cell, tape[::-1], dC, GATES), right, atol=TOLERANCE):
        causes["Begin with the last step of the tape"] = came
    turned = LSTMCell(2, 3, rng)
    turned.params = {name: w.T if "W_h" in name else w for name, w in cell.params.items()}
    if np.allclose(call(roads, turned, tape, dC, GATES), right, atol=TOLERANCE):
        causes["W_h* goes back transposed"] = came
    expect('roads with "ifoc"', came, right, causes=causes, tolerance=1e-6)
    for g in GATES:
        if np.allclose(call(roads, cell, tape, dC, g), right, atol=1e-9):
            raise NotYet(f"the gate {g!r} alone gives what all four give: use open_gates")
        _one_gate(roads, g, X, state, dC)


def _one_gate(roads, g, X, state, dC):
    """In a cell in which the gate g alone reads H, its way is all there is."""
    lone = LSTMCell(2, 3, np.random.default_rng(63))
    for other in GATES.replace(g, ""):
        lone.params[f"W_h{other}"][...] = 0
    _, _, tape = scan(lone, X, tuple(state))
    right = slopes(lambda: np.sum(dC * scan(lone, X, tuple(state))[1][1]), state[1])
    causes = {
        "That is the road of C alone": dC * np.prod([trace.F for trace in tape], axis=0),
        f"The way through {g!r} is not the one that is open": call(
            roads, lone, tape, dC, GATES.replace(g, "")
        ),
    }
    name = f"roads with {g!r}, where no other gate reads H"
    expect(name, call(roads, lone, tape, dC, g), right, causes=causes, tolerance=1e-6)


# 7 a planted bug ---------------------------------------------------------------------------------


@exercise(done="correct so far")
def check_coupled_back(coupled_back, cell_class):
    """Question 7: the gradient check with the mended method in place."""
    if not callable(coupled_back):
        raise NotYet(f"the answer is {coupled_back!r}; expected a function")
    rng = np.random.default_rng(72)
    mended = type("Mended", (cell_class,), {"backward": coupled_back})(3, 4, rng)
    X, state = rng.normal(size=(2, 3, 3)), tuple(rng.normal(size=(2, 2, 4)))
    _, trace = mended.forward(X[:, 0], state)
    came = expect_tuple(
        "coupled_back", call(mended.backward, state, trace), ("dX", "dstate", "grads")
    )
    expect_tuple("dstate", came[1], ("dH", "dC"))
    one = check_gradients(Recurrent(mended), X[:, :1], rng)
    errors = check_gradients(Recurrent(mended), X, rng)
    wrong = [name for name, error in errors.items() if error > TOLERANCE]
    if not wrong:
        return
    first = [name for name, error in one.items() if error > TOLERANCE]
    why = "It goes wrong over several steps only: look at what is carried"
    if first == ["X"]:
        why = "Over one step only X is wrong: which gates read X?"
    elif set(first) == {"X", "H_0"}:
        why = "Over one step X and H_0 are wrong: which gates read them?"
    elif {"W_xf", "W_hf", "b_f"} <= set(first) and "C_0" not in first:
        why = "Over one step the forget gate is wrong: F stands in two products"
    elif "C_0" in first:
        why = "Over one step C_0 is wrong: which roads lead into C?"
    raise NotYet(f"the gradient check fails for {', '.join(wrong)}. {why}")


# 8 a saturation plot in numbers ------------------------------------------------------------------


@exercise(done="correct so far")
def check_saturation(saturation):
    """Question 8: two units, two sequences of length 4 and 2, counted by hand."""
    F = np.array([[[0.95, 0.05], [0.92, 0.5], [0.3, 0.02], [0.99, 0.93]], [[0.91, 0.08]] * 4])
    F[1, 2:] = 0.05  # padding
    mask = np.array([[True] * 4, [True, True, False, False]])
    right = np.array([[0, 5 / 6], [4 / 6, 1 / 6]])
    by_sequence = np.array([[0, 0.875], [0.75, 0.125]])
    causes = {
        "The mask is not used: padding is counted": [[2 / 8, 5 / 8], [6 / 8, 1 / 8]],
        "Divide by the number of real steps, not of all steps": [[0, 5 / 8], [4 / 8, 1 / 8]],
        "The two columns have changed places: below 0.1 comes first": right[:, ::-1],
        "That is the mean of the two sequences; a long one counts for more": by_sequence,
        "One row for each unit, not one column": right.T,
        "These are counts; divide by the number of real steps": 6 * right,
    }
    expect("the shares", call(saturation, F, mask), right, causes=causes)


# 10 a till ---------------------------------------------------------------------------------------


def run_till(rows, inputs, columns):
    """Run the unit of question 10: inputs (B, T, 4) in the order x, w, r, q -> answers (B, T).

    rows: dict of "i", "f", "o", "c", each the weights of the four inputs in the order of `columns`
    and the bias, and "y", the read-out.

    Raises ValueError when a row is missing, has not five numbers, or is not finite.
    """
    if not isinstance(rows, dict):
        raise ValueError(f"the answer is {type(rows).__name__}; expected a dict")
    missing = [name for name in (*GATES, "y") if name not in rows]
    if missing:
        raise ValueError(f"{missing[0]!r} is missing; expected i, f, o, c and y")
    cell = LSTMCell(4, 1, np.random.default_rng(0))
    for g in GATES:
        row = np.asarray(rows[g], dtype=float)
        if row.shape != (5,) or not np.isfinite(row).all():
            raise ValueError(
                f"{g!r} is {rows[g]!r}; expected five numbers: four weights and a bias"
            )
        cell.params[f"W_x{g}"][:, 0] = row[:4]
        cell.params[f"W_h{g}"][...] = 0
        cell.params[f"b_{g}"][...] = row[4]
    y = np.asarray(rows["y"], dtype=float)
    if y.shape != () or not np.isfinite(y):
        raise ValueError(f"'y' is {rows['y']!r}; expected one number, the read-out")
    X = np.asarray(inputs, dtype=float)[..., [COLUMNS.index(name) for name in columns]]
    return float(y) * scan(cell, X)[0][..., 0]


def till_batch(rng, B, T, *, add=0.3, reset=0.05, show=0.2):
    """Draw inputs (B, T, 4) of the till, in the order x, w, r, q, and the right answers (B, T)."""
    X = np.stack(
        [
            rng.uniform(-1, 1, size=(B, T)),
            rng.random(size=(B, T)) < add,
            rng.random(size=(B, T)) < reset,
            rng.random(size=(B, T)) < show,
        ],
        axis=-1,
    )
    total, answers = np.zeros(B), []
    for x, w, r, q in X.transpose(1, 2, 0):
        total = np.where(r == 1, 0, total) + w * x
        answers.append(q * total)
    return X, np.stack(answers, axis=1)


def _story(*steps):
    """Steps such as "0.5 w", "-1", "0 r q": an amount and the flags that are up -> (1, T, 4)."""
    rows = [(float(step.split()[0]), *(flag in step.split() for flag in "wrq")) for step in steps]
    return np.array([rows], dtype=float)


STORIES = {  # what comes, what the last step should say, what is wrong otherwise
    "an amount is added, then asked for": (("0.5 w", "0 q"), 0.5, "It does not come back"),
    "asked in the very step in which it is added": (("0.5 w q",), 0.5, "It is shown too late"),
    "two amounts": (("0.5 w", "0.25 w", "0 q"), 0.75, "The second one replaced the first"),
    "a negative amount": (("0.5 w", "-0.75 w", "0 q"), -0.25, "The sign is lost"),
    "amounts without the flag w": (
        ("0.5 w", *["1"] * 20, "1 q"),
        0.5,
        "What has no flag must stay outside",
    ),
    "a long wait": (("0.5 w", *["0"] * 150, "0 q"), 0.5, "The sum fades"),
    "asked twice": (("0.5 w", "0 q", "0", "0 q"), 0.5, "Asking must not change the sum"),
    "not asked": (("0.5 w", "0.5 w", "0"), 0.0, "The sum shows when nobody asks"),
    "a reset": (("0.5 w", "0 r", "0 q"), 0.0, "The reset does not clear"),
    "a reset and an amount in one step": (
        ("0.5 w", "0.25 w r", "0 q"),
        0.25,
        "The old sum goes first, then the new amount comes in",
    ),
    "forty full amounts": (
        ("1 w",) * 40 + ("0 q",),
        40.0,
        "tanh bends a large memory: keep it small",
    ),
}


@exercise(done="correct so far")
def check_till(till, columns):
    """Question 10: eleven short stories, and how each should end."""
    rows = call(till, list(columns))
    for story, (steps, wanted, why) in STORIES.items():
        try:
            answer = float(run_till(rows, _story(*steps), columns)[0, -1])
        except ValueError as error:
            raise NotYet(str(error)) from None
        if not abs(answer - wanted) <= GOOD:
            raise NotYet(f"{story}: the answer is {answer:.3g}, expected {wanted:g}. {why}")
