"""Checks: gradients against central differences, leaks, exercises, guesses and verdicts."""

import copy
import functools

import numpy as np

from course_utils import require

STEP = 1e-5  # the best step of a central difference in float64
TOLERANCE = 1e-6  # correct gradients stay below 1e-8, planted bugs above 0.1


def check_gradients(layer, X, rng, *, mask=None, most=60):
    """Compare a layer's backward with central differences.

    layer: any layer with float64 parameters; X (B, T, D), or tokens; rng: a Generator, which draws
    the direction in which the loss is measured; mask (B, T); most: how many entries of each array
    are tried at most.
    Returns {name: relative error}: every parameter, the inputs as "X", and for a recurrent layer
    the initial state as "H_0" and "C_0", with a gradient on the final state as well.
    The error of name v is |backward - difference| / (|backward| + |difference|): below 1e-8
    when all is right, near 1 when it is wrong.

    Raises TypeError for parameters that are not float64, ValueError for a wrong X.

    Taught in: notebooks/03_backpropagate_through_time.
    """
    require.generator("rng", rng)
    if not all(hasattr(layer, name) for name in ("params", "grads", "backward")):
        raise TypeError(f"layer is {type(layer).__name__}; expected a layer, as Recurrent(cell) is")
    for name, p in layer.params.items():
        if p.dtype != np.float64:
            raise TypeError(f"params[{name!r}] is {p.dtype}; expected float64 to check gradients")
    X = np.array(X)
    if X.dtype.kind == "f":
        X = X.astype(np.float64)
    layer.forward(X, mask)  # speaks up when X or mask is wrong
    loss, backward, places = _measured(layer, X, rng, mask)
    analytic = backward()
    return {
        name: _relative_error(loss, place, analytic.get(name), rng, most)
        for name, place in places.items()
    }


def _measured(layer, X, rng, mask):
    """Give the loss as a function, its backward, and the arrays it depends on by name."""
    places = dict(layer.params)
    if X.dtype.kind == "f":
        places["X"] = X
    if not hasattr(layer, "initial_state"):
        G = rng.normal(size=np.shape(layer.forward(X, mask)))

        def loss():
            return np.sum(G * layer.forward(X, mask))

        def backward():
            layer.forward(X, mask)
            dX = layer.backward(G)
            return {**layer.grads, "X": dX}

        return loss, backward, places

    state = tuple(rng.normal(size=s.shape) * 0.5 for s in layer.initial_state(X.shape[-3]))
    names = ["H_0", "C_0"][: len(state)]
    places.update(zip(names, state, strict=True))
    G = rng.normal(size=np.shape(layer.forward(X, mask, state)))
    G_state = tuple(rng.normal(size=s.shape) for s in state)

    def loss():
        Y = layer.forward(X, mask, state)
        return np.sum(G * Y) + sum(np.sum(g * s) for g, s in zip(G_state, layer.state, strict=True))

    def backward():
        layer.forward(X, mask, state)
        dX = layer.backward(G, G_state)
        return {**layer.grads, "X": dX, **dict(zip(names, layer.dstate, strict=True))}

    return loss, backward, places


def _relative_error(loss, place, analytic, rng, most):
    """Nudge up to `most` entries of the array `place`, which `loss` reads, and compare."""
    if analytic is None or np.shape(analytic) != place.shape:
        return 1.0
    tried = rng.permutation(place.size)[:most]
    difference = np.array(
        [_difference(loss, place, np.unravel_index(i, place.shape)) for i in tried]
    )
    ours = np.asarray(analytic).reshape(-1)[tried]
    if not (np.isfinite(ours).all() and np.isfinite(difference).all()):
        return 1.0
    scale = np.linalg.norm(ours) + np.linalg.norm(difference)
    return float(np.linalg.norm(ours - difference) / scale) if scale > 1e-9 else 0.0


def _difference(loss, place, index):
    """Give the central difference of the loss at one entry; the entry is put back in any case."""
    kept = place[index]
    try:
        place[index] = kept + STEP
        above = loss()
        place[index] = kept - STEP
        below = loss()
    finally:
        place[index] = kept
    return (above - below) / (2 * STEP)


def slopes(loss, array):
    """Give the central difference of `loss()` at every entry of `array`, which `loss` reads."""
    found = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        found[index] = _difference(loss, array, index)
    return found


def check_no_future(model, X, rng, *, mask=None):
    """Replace the steps after each step t: how far do the answers at 0 .. t move?

    model: a layer, or any function of X, such as the computation of a feature; X (B, T, D), or
    tokens (B, T), for a layer with R replicas R in front; rng: a Generator; mask (B, T) for a
    layer.  The answers have shape (B, T, ...): one for each step, or more.
    Returns (T - 1,), for each t the largest move of an answer at a step 0 .. t when every later
    step of X is replaced by another one that occurs in X.  All zero: no answer uses the future.
    Above zero: one does, and that is a leak if the future is what is asked.

    Raises TypeError for a model that cannot be called, ValueError for an X of fewer than two steps
    or of steps that are all alike, and for answers without an axis T.

    Taught in: notebooks/11_read_in_both_directions, section 10.

    >>> x, rng = np.arange(12.0).reshape(2, 6, 1), np.random.default_rng(0)
    >>> float(check_no_future(lambda x: np.cumsum(x, axis=1), x, rng).max())
    0.0
    >>> bool(check_no_future(lambda x: x - x.mean(axis=1, keepdims=True), x, rng).min() > 0)
    True
    """
    require.generator("rng", rng)
    answer = (lambda X: model.forward(X, mask)) if hasattr(model, "forward") else model
    if not callable(answer):
        raise TypeError(f"model is {type(model).__name__}; expected a layer or a function")
    X = np.asarray(X)
    axis = 1 if getattr(model, "replicas", None) is None else 2  # the axis T
    if X.ndim <= axis or X.shape[axis] < 2:
        raise ValueError(f"X has shape {X.shape}; expected (B, T, D) or (B, T), two steps or more")
    other = _other_steps(X, axis, rng)
    T, before = X.shape[axis], np.array(answer(X.copy()))
    if before.shape[: axis + 1] != X.shape[: axis + 1]:
        raise ValueError(f"answers have shape {before.shape}; expected {(*X.shape[: axis + 1],)}")
    moves = np.zeros(T - 1)
    for t in range(T - 1):
        changed, after_t = X.copy(), (slice(None),) * axis + (slice(t + 1, None),)
        changed[after_t] = other[after_t]
        up_to_t = (slice(None),) * axis + (slice(t + 1),)
        moves[t] = _largest_move(before[up_to_t], np.asarray(answer(changed))[up_to_t])
    return moves


def _other_steps(X, axis, rng):
    """Give each step of X the value of another step, one that differs from it."""
    steps = X.reshape(int(np.prod(X.shape[: axis + 1])), -1)
    kinds, kind = np.unique(steps, axis=0, return_inverse=True)
    if len(kinds) < 2:
        raise ValueError("X holds the same step everywhere; expected steps that differ")
    moved = kind.reshape(-1) + rng.integers(1, len(kinds), size=len(steps))
    return kinds[moved % len(kinds)].reshape(X.shape)


def _largest_move(a, b):
    """The largest distance; NaN beside NaN has not moved, NaN beside a number has, without end."""
    if a.dtype.kind not in "fc":
        return float((a != b).any())
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(invalid="ignore"):
        distance = np.where(same, 0.0, np.abs(a - b))
    return float(np.where(np.isnan(distance), np.inf, distance).max())


class NotYet(Exception):
    """An answer is not right yet; the message names the first wrong place and a likely cause."""


def exercise(check=None, *, done="correct"):
    """Turn a function that raises `NotYet` for a wrong answer into a check that never raises.

    The check prints `correct`, or `not yet: ` and why.  Whatever the reader's code does (return
    None, raise an error, leave the `...`), the notebook goes on.
    done: what is printed instead of `correct`; with it the decorator is written
    `@exercise(done="correct so far")`.  What follows the answer is handed on to the check.

    Taught in: notebooks/00_start_here.
    """
    if check is None:
        return functools.partial(exercise, done=done)

    @functools.wraps(check)
    def run(answer, *given):
        try:
            if answer is ...:
                raise NotYet("replace the ... by your answer")
            with np.errstate(all="ignore"):
                check(answer, *given)
        except NotYet as reason:
            print(f"not yet: {reason}")
        except (Exception, SystemExit) as error:
            print(f"not yet: {_name(answer)} raised {type(error).__name__}{_text(error)}")
        else:
            print(done)

    return run


def call(answer, *arguments):
    """Call the reader's function on copies of the arguments; `NotYet` when it returns None."""
    result = answer(*copy.deepcopy(arguments))
    if result is None or result is ...:
        raise NotYet(f"{_name(answer)} returned {result!r}")
    return result


def expect(name, came, expected, *, causes=None, tolerance=1e-9):
    """Raise `NotYet` unless `came` equals `expected` within `tolerance`.

    The message names the shape, or the first wrong index with both values.  causes: a dict
    {likely cause: the wrong result it would give}; the first one that fits is named.

    Raises NotYet.
    """
    expected = np.asarray(expected)
    kinds, wanted = ("fiub", "numbers") if expected.dtype.kind in "fiub" else ("U", "text")
    given = came
    try:
        came = np.asarray(given)
    except ValueError:  # rows of different lengths
        came = np.asarray(None)
    if came.dtype.kind not in kinds:
        raise NotYet(f"{name} is {given!r}; expected {wanted} of shape {expected.shape}")
    for cause, wrong in (causes or {}).items():
        if _equal(came, np.asarray(wrong), tolerance) and not _equal(came, expected, tolerance):
            raise NotYet(f"{_first_difference(name, came, expected, tolerance)}. {cause}")
    if not _equal(came, expected, tolerance):
        raise NotYet(_first_difference(name, came, expected, tolerance))


def expect_tuple(name, came, parts):
    """Return the answer when it is a tuple of these parts, none of them missing.

    parts: a name for each.  Raises NotYet.
    """
    if not isinstance(came, (tuple, list)) or len(came) != len(parts):
        raise NotYet(f"{name} returned {type(came).__name__}; expected ({', '.join(parts)})")
    for part, value in zip(parts, came, strict=True):
        if value is None or value is ...:
            raise NotYet(f"{part} is {value!r}")
    return came


def _equal(a, b, tolerance):
    if a.shape != b.shape:
        return False
    if b.dtype.kind not in "fiub":
        return bool((a == b).all())
    return np.allclose(a, b, rtol=tolerance, atol=tolerance)


def _first_difference(name, came, expected, tolerance):
    if came.shape != expected.shape:
        return f"{name} has shape {came.shape}; expected {expected.shape}"
    if expected.dtype.kind in "fiub":
        wrong = ~np.isclose(came, expected, rtol=tolerance, atol=tolerance)
    else:
        wrong = came != expected
    if expected.ndim == 0:
        return f"{name} is {_short(came[()])}; expected {_short(expected[()])}"
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    place = ", ".join(map(str, index))
    return f"{name}[{place}] is {_short(came[index])}; expected {_short(expected[index])}"


def _short(value):
    return f"{value:.4g}" if isinstance(value, (int, float, np.number)) else repr(value)


def _name(answer):
    try:
        return str(answer.__name__)
    except Exception:  # an answer can be any object
        return "the answer"


def _text(error):
    try:
        return f": {error}" if str(error) else ""
    except Exception:  # an error that cannot say what it is
        return ""


def tell(what, guess, value, unit=""):
    """Print a result, and the reader's guess beside it; quiet about the guess when it is `...`.

    Taught in: notebooks/00_start_here, section 3.

    >>> tell("half-life", ..., 6.58, "steps")
    half-life: 6.58 steps
    >>> tell("half-life", 10, 6.58, "steps")
    half-life: 6.58 steps (your guess: 10)
    """
    text = f"{what}: {_short(value)} {unit}".rstrip()
    print(text if guess is ... or guess is None else f"{text} (your guess: {guess})")


def verdict(what, reached, *, at_least=None, at_most=None):
    """Print how many of all runs reached a goal, and hold the claim true.

    reached: bool array, one entry per run.  Raises AssertionError when fewer than `at_least` or
    more than `at_most` did, ValueError when neither is given.

    Taught in: notebooks/01_see_why_order_matters, section 1.

    >>> verdict("clear on a cue", np.ones(20, bool), at_least=18)
    clear on a cue: 20 of 20
    """
    if at_least is None and at_most is None:
        raise ValueError("at_least and at_most are None; expected a claim to hold true")
    reached = np.asarray(reached, dtype=bool)
    count = int(reached.sum())
    print(f"{what}: {count} of {reached.size}")
    assert at_least is None or count >= at_least, f"{what}: {count}, claimed at least {at_least}"
    assert at_most is None or count <= at_most, f"{what}: {count}, claimed at most {at_most}"
