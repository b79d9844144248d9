"""The checks themselves: the gradient check fails on wrong code, exercise checks never raise."""

import warnings

import numpy as np
import pytest
from contracts import gradient_errors

from course_utils import checks
from course_utils.cells import GRUCell, LSTMCell, RNNCell
from course_utils.checks import (
    NotYet,
    call,
    check_gradients,
    check_no_future,
    exercise,
    expect,
    tell,
    verdict,
)
from course_utils.functions import bias_gradient, sigmoid_derivative, tanh_derivative
from course_utils.fused import LSTM
from course_utils.layers import Concat, Dense, Dropout, Embedding, Flip, Last, Layer, Sequential
from course_utils.recurrent import Recurrent, bidirectional, scan_backward

# ------------------------------------------------------------------ planted bugs


class TransposeLost(RNNCell):
    """dW_hh is written as its transpose."""

    def backward(self, dstate, trace):
        dX, dH, grads = super().backward(dstate, trace)
        return dX, dH, grads | {"W_hh": grads["W_hh"].mT}


class InputsWrong(RNNCell):
    """dX is wrong while every dW is right: a slope is left out on this way only."""

    def backward(self, dstate, trace):
        _, dH, grads = super().backward(dstate, trace)
        return dstate[0] @ self.params["W_xh"].mT, dH, grads


class NoCellGradientBack(LSTMCell):
    """No dC is carried to the step before."""

    def backward(self, dstate, trace):
        dX, (dH, dC), grads = super().backward(dstate, trace)
        return dX, (dH, 0 * dC), grads


class NoHiddenGradientBack(GRUCell):
    """No dH is carried to the step before: backpropagation through one step only."""

    def backward(self, dstate, trace):
        dX, (dH,), grads = super().backward(dstate, trace)
        return dX, (0 * dH,), grads


class ValueForSlope(LSTMCell):
    """sigma in place of sigma' in the forget gate."""

    def backward(self, dstate, trace):
        dX, state, grads = super().backward(dstate, trace)
        dC = dstate[1] + dstate[0] * trace.O * tanh_derivative(np.tanh(trace.C_next))
        dA = dC * trace.C * trace.F
        return dX, state, grads | {"W_xf": trace.X.mT @ dA, "b_f": bias_gradient(dA)}


class OutputGateWithoutTanh(LSTMCell):
    """tanh(C) is left out of the gradient of the output gate."""

    def backward(self, dstate, trace):
        dX, state, grads = super().backward(dstate, trace)
        dA = dstate[0] * trace.C_next * sigmoid_derivative(trace.O)
        return dX, state, grads | {"W_xo": trace.X.mT @ dA, "b_o": bias_gradient(dA)}


class MeanForSum(RNNCell):
    """The gradient of the bias is a mean over the batch."""

    def backward(self, dstate, trace):
        dX, dH, grads = super().backward(dstate, trace)
        return dX, dH, grads | {"b_h": grads["b_h"] / len(trace.X)}


class Forgotten(RNNCell):
    """The gradient of one parameter is left out."""

    def backward(self, dstate, trace):
        dX, dH, grads = super().backward(dstate, trace)
        return dX, dH, {name: g for name, g in grads.items() if name != "b_h"}


class Coth(RNNCell):
    """coth in place of tanh, with the slope of tanh."""

    def forward(self, X, state):
        new, trace = super().forward(X, state)
        return (1 / new[0],), trace._replace(H_next=1 / new[0])

    def backward(self, dstate, trace):
        return super().backward(dstate, trace._replace(H_next=1 / trace.H_next))


class MaskForgotten(Recurrent):
    """Backward does not know the mask of forward."""

    def backward(self, dY, dstate=None):
        tape, _ = self._saved
        dX, self.dstate, self.grads = scan_backward(self.cell, tape, dY, dstate)
        return dX


class StateNotHandedBack(Recurrent):
    """The gradient of the final state is dropped."""

    def backward(self, dY, dstate=None):
        return super().backward(dY)


class SumsUp(Dense):
    """A second backward adds to the gradients of the first."""

    def backward(self, dY):
        before = self.grads
        dX = super().backward(dY)
        self.grads = {name: g + before.get(name, 0) for name, g in self.grads.items()}
        return dX


class EachTokenOnce(Embedding):
    """A token that stands in the batch twice counts once."""

    def backward(self, dY):
        super().backward(dY)
        self.grads["W"][...] = 0
        self.grads["W"][self._saved] += dY


class NotTurnedBack(Flip):
    def backward(self, dY):
        return dY


class FirstForLast(Last):
    def backward(self, dY):
        return super().backward(dY)[..., ::-1, :]


class BackwardNotScaled(Dropout):
    """The mask is scaled forward and not backward."""

    def forward(self, X, mask=None):
        self.rng = np.random.default_rng(3)
        return super().forward(X, mask)

    def backward(self, dY):
        return dY * (self._saved > 0)


class PiecesSwapped(Concat):
    def backward(self, dY):
        pieces = np.split(dY, self._saved[0], axis=-1)
        return sum(part.backward(d) for part, d in zip(self.parts, pieces[::-1], strict=True))


class NotANumber(Dense):
    """The loss is NaN, and the gradient is full of good-looking numbers."""

    def forward(self, X, mask=None):
        return super().forward(X, mask) * np.nan


def bug(layer):
    """Name the class in which the bug is."""
    return type(layer.cell if type(layer) is Recurrent else layer).__name__


rng = np.random.default_rng(0)
X = rng.normal(size=(3, 4, 3))
TOKENS = np.array([[0, 1, 1, 2], [2, 2, 0, 1]])
MASK = np.array([[1, 1, 1, 1], [1, 1, 1, 0], [1, 0, 1, 0]], bool)
PLANTED = [  # layer, X, mask, arrays whose gradient is wrong
    (Recurrent(TransposeLost(3, 3, rng)), X, None, {"W_hh"}),
    (Recurrent(InputsWrong(3, 3, rng)), X, None, {"X"}),
    (Recurrent(NoCellGradientBack(3, 3, rng)), X, None, {"C_0", "H_0", "W_xi", "W_hf"}),
    (Recurrent(NoHiddenGradientBack(3, 3, rng)), X, None, {"H_0", "W_xz", "X"}),
    (Recurrent(ValueForSlope(3, 3, rng)), X, None, {"W_xf", "b_f"}),
    (Recurrent(OutputGateWithoutTanh(3, 3, rng)), X, None, {"W_xo", "b_o"}),
    (Recurrent(MeanForSum(3, 3, rng)), X, None, {"b_h"}),
    (Recurrent(Forgotten(3, 3, rng)), X, None, {"b_h"}),
    (Recurrent(Coth(3, 3, rng)), X, None, {"X", "W_xh", "W_hh"}),
    (MaskForgotten(LSTMCell(3, 3, rng)), X, MASK, {"X", "H_0", "W_xc"}),
    (StateNotHandedBack(LSTMCell(3, 3, rng)), X, None, {"C_0", "W_xc"}),
    (EachTokenOnce(3, 2, rng), TOKENS, None, {"W"}),
    (NotTurnedBack(), X, None, {"X"}),
    (FirstForLast(), X, None, {"X"}),
    (BackwardNotScaled(0.4, rng), X, None, {"X"}),
    (PiecesSwapped(Dense(3, 2, rng), Dense(3, 2, rng)), X, None, {"X", "0.W", "1.b"}),
    (NotANumber(3, 2, rng), X, None, {"X", "W", "b"}),
]


@pytest.mark.parametrize(
    ("layer", "X", "mask", "wrong"),
    PLANTED,
    ids=[bug(case[0]) for case in PLANTED],
)
def test_the_gradient_check_fails_on_planted_bugs(layer, X, mask, wrong):
    errors = gradient_errors(layer, X, mask=mask, most=20)
    assert min(errors[name] for name in wrong) > 0.01, errors


@pytest.mark.parametrize("name", ["TransposeLost", "InputsWrong", "ValueForSlope", "MeanForSum"])
def test_the_gradient_check_does_not_blame_what_is_right(name):
    case = next(c for c in PLANTED if bug(c[0]) == name)
    layer, X, mask, wrong = case
    errors = gradient_errors(layer, X, mask=mask, most=20)
    assert max(e for n, e in errors.items() if n not in wrong) < checks.TOLERANCE


def test_a_backward_that_sums_up_is_found_by_looking_twice():
    layer = SumsUp(3, 2, np.random.default_rng(0))
    first = gradient_errors(layer, X)
    second = gradient_errors(layer, X)
    assert max(first.values()) < checks.TOLERANCE
    assert second["W"] > 0.1
    assert second["b"] > 0.1


# ------------------------------------------------------------------ the gradient check as a tool


def test_the_gradient_check_leaves_everything_as_it_was():
    layer = Recurrent(LSTMCell(3, 2, np.random.default_rng(0)))
    mine = X.copy()
    before = {name: p.tobytes() for name, p in layer.params.items()}
    check_gradients(layer, mine, np.random.default_rng(0))
    assert mine.tobytes() == X.tobytes()
    assert before == {name: p.tobytes() for name, p in layer.params.items()}


class Stops(Dense):
    """Raises in the middle of the check, as Ctrl-C does."""

    calls = 0

    def forward(self, X, mask=None):
        self.calls += 1
        if self.calls > 7:
            raise KeyboardInterrupt
        return super().forward(X, mask)


def test_a_check_that_is_stopped_puts_the_nudged_number_back():
    layer = Stops(3, 2, np.random.default_rng(0))
    before = {name: p.tobytes() for name, p in layer.params.items()}
    with pytest.raises(KeyboardInterrupt):
        check_gradients(layer, X, np.random.default_rng(0))
    assert before == {name: p.tobytes() for name, p in layer.params.items()}


def test_parameters_of_any_memory_order_can_be_checked():
    layer = Dense(3, 2, np.random.default_rng(0))
    layer.params["W"] = np.asfortranarray(layer.params["W"])
    layer.params["b"] = np.zeros((2, 2))[:, 0]
    assert max(check_gradients(layer, X, np.random.default_rng(0)).values()) < checks.TOLERANCE


def test_all_zero_gradients_are_no_error():
    layer = Dense(3, 2, np.random.default_rng(0))
    errors = check_gradients(layer, np.zeros((2, 3, 3)), np.random.default_rng(0))
    assert errors["W"] == 0


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((RNNCell(3, 2, rng), X, rng), TypeError, "layer is RNNCell; expected a layer"),
        ((Dense(3, 2, rng), X, 0), TypeError, "rng is 0; expected a random Generator"),
        ((Dense(3, 2, rng), X[..., :2], rng), ValueError, r"X has shape \(3, 4, 2\); expected"),
        ((Recurrent(RNNCell(3, 2, rng)), X[0], rng), ValueError, r"X has shape \(4, 3\); expected"),
        ((Dense(3, 2, rng, dtype=np.float32), X, rng), TypeError, "is float32; expected float64"),
    ],
)
def test_the_gradient_check_names_a_bad_argument(arguments, error, message):
    with pytest.raises(error, match=message):
        check_gradients(*arguments)


# ------------------------------------------------------------------ exercises


@exercise
def check_double(double):
    """An exercise: give twice the input."""
    x = np.array([1.0, 2.0])
    expect("the result", call(double, x), 2 * x, causes={"Did you square it?": x**2})


@exercise
def check_number(number):
    expect("the number", number, 3)


@exercise
def check_word(word):
    expect("the word", word, "gate")


class EqualsEverything:
    def __eq__(self, other):
        return True

    __hash__ = None


class Hostile:
    """Every question to it is an error."""

    def __getattribute__(self, name):
        raise RuntimeError("no")

    def __repr__(self):
        raise RuntimeError("no")

    def __bool__(self):
        raise RuntimeError("no")


class SilentError(Exception):
    def __str__(self):
        raise ValueError


def raises(error):
    def answer(*arguments):
        raise error

    return answer


def endless(x):
    return endless(x)


NOT_ANSWERS = [
    None,
    ...,
    3.5,
    "3",
    "text",
    b"gate",
    [],
    {},
    [1, [2, 3]],
    np.zeros((0, 3)),
    np.nan,
    np.array([np.nan, 1.0]),
    1j,
    int,
    object(),
    EqualsEverything(),
    Hostile(),
    lambda: None,
    lambda x: None,
    lambda x: ...,
    lambda x: "text",
    lambda x: "2.0",
    lambda x: [["2.0", "4.0"]],
    lambda x: ["2.0", "4.0"],
    lambda x: x[:, None],
    lambda x: x[0],
    lambda x: EqualsEverything(),
    lambda x: [EqualsEverything(), EqualsEverything()],
    lambda x: Hostile(),
    lambda x: np.nan * x,
    lambda x: [[1], [2, 3]],
    lambda x: x + undefined,  # noqa: F821
    raises(ZeroDivisionError("x")),
    raises(SilentError()),
    raises(SystemExit()),
    raises(SystemExit("bye")),
    raises(RecursionError()),
    raises(StopIteration()),
    raises(AssertionError()),
    raises(NotYet("by hand")),
    endless,
]


@pytest.mark.parametrize(
    "check", [check_double, check_number, check_word], ids=lambda c: c.__name__
)
@pytest.mark.parametrize("number", range(len(NOT_ANSWERS)))
def test_a_check_never_raises_and_no_strange_answer_is_correct(check, number, capsys):
    answer = NOT_ANSWERS[number]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert check(answer) is None
    printed = capsys.readouterr().out
    assert printed.startswith("not yet: ")
    assert printed.count("\n") == 1
    assert len(printed) < 300


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (check_double, lambda x: 2 * x),
        (check_double, lambda x: [2, 4]),
        (check_double, lambda x: np.float32([2, 4])),
        (check_number, 3),
        (check_number, 3.0),
        (check_number, np.array(3)),
        (check_word, "gate"),
    ],
)
def test_a_right_answer_is_correct(check, answer, capsys):
    check(answer)
    assert capsys.readouterr().out == "correct\n"


def test_ctrl_c_inside_an_answer_stops_the_notebook():
    with pytest.raises(KeyboardInterrupt):
        check_double(raises(KeyboardInterrupt()))


@pytest.mark.parametrize(
    ("check", "answer", "message"),
    [
        (check_double, ..., "not yet: replace the ... by your answer\n"),
        (check_double, lambda x: x**2, "the result[0] is 1; expected 2. Did you square it?"),
        (check_double, lambda x: 2 * x + [0, 1e-3], "the result[1] is 4.001; expected 4\n"),
        (check_double, lambda x: x[:1], "the result has shape (1,); expected (2,)"),
        (check_double, raises(ZeroDivisionError("x")), "answer raised ZeroDivisionError: x"),
        (check_number, 4, "the number is 4; expected 3"),
        (check_word, "gates", "the word is np.str_('gates'); expected"),
    ],
)
def test_a_check_says_what_is_wrong(check, answer, message, capsys):
    check(answer)
    assert message in capsys.readouterr().out


def test_a_check_keeps_its_name_and_text():
    assert check_double.__name__ == "check_double"
    assert check_double.__doc__ == "An exercise: give twice the input."


def test_an_answer_cannot_change_what_it_is_checked_with(capsys):
    def in_place(x):
        x *= 2
        return x

    check_double(in_place)
    assert capsys.readouterr().out == "correct\n"


def test_a_cause_that_fits_the_right_answer_too_is_not_named(capsys):
    exercise(lambda a: expect("a", a, 3, causes={"wrong": 3}))(3)
    assert capsys.readouterr().out == "correct\n"


# ------------------------------------------------------------------ tell and verdict


@pytest.mark.parametrize("guess", [..., None])
def test_tell_is_quiet_about_a_guess_that_was_not_made(guess, capsys):
    tell("half-life", guess, 6.58123, "steps")
    assert capsys.readouterr().out == "half-life: 6.581 steps\n"


@pytest.mark.parametrize("guess", [0, "about ten", False, np.zeros(2), EqualsEverything()])
def test_tell_shows_every_other_guess(guess, capsys):
    tell("half-life", guess, 6.58123)
    assert capsys.readouterr().out.startswith("half-life: 6.581 (your guess: ")


def test_verdict_counts_and_holds_the_claim_true(capsys):
    reached = np.array([True, True, False, True])
    verdict("solved", reached, at_least=3)
    verdict("solved", reached, at_most=3)
    verdict("solved", reached, at_least=3, at_most=3)
    assert capsys.readouterr().out == "solved: 3 of 4\n" * 3
    with pytest.raises(AssertionError, match="solved: 3, claimed at least 4"):
        verdict("solved", reached, at_least=4)
    with pytest.raises(AssertionError, match="solved: 3, claimed at most 2"):
        verdict("solved", reached, at_most=2)
    with pytest.raises(ValueError, match="at_least and at_most are None"):
        verdict("solved", reached)


def test_layers_of_a_reader_can_be_checked_too():
    class Squared(Layer):
        def forward(self, X, mask=None):
            self._saved = X
            return X**2

        def backward(self, dY):
            return 2 * self._saved * dY

    errors = check_gradients(Sequential(Squared(), Squared()), X, np.random.default_rng(0))
    assert errors.keys() == {"X"}
    assert errors["X"] < checks.TOLERANCE


# ------------------------------------------------------------------ no answer uses the future


def future_moves(model, X, **options):
    return check_no_future(model, X, np.random.default_rng(3), **options)


def numbers(*shape):
    return np.random.default_rng(5).normal(size=shape)


@pytest.mark.parametrize("cell", [RNNCell, LSTMCell, GRUCell])
def test_a_forward_layer_does_not_use_the_future(cell):
    layer = Recurrent(cell(2, 3, np.random.default_rng(1)))
    moves = future_moves(layer, numbers(4, 6, 2))
    assert moves.shape == (5,)
    assert (moves == 0).all()


def test_a_bidirectional_layer_uses_it_at_every_step():
    cells = (LSTMCell(2, 3, np.random.default_rng(i)) for i in range(2))
    assert (future_moves(bidirectional(*cells), numbers(4, 6, 2)) > 1e-3).all()


def test_replicas_and_a_mask():
    rng = np.random.default_rng(1)
    layer = Recurrent(RNNCell(2, 3, rng, replicas=5))
    mask = np.arange(6) < np.array([[6], [4], [2], [6]])
    assert (future_moves(layer, numbers(5, 4, 6, 2), mask=mask) == 0).all()
    both = bidirectional(*(RNNCell(2, 3, rng, replicas=5) for _ in range(2)))
    assert future_moves(both, numbers(5, 4, 6, 2), mask=mask).shape == (5,)
    assert (future_moves(both, numbers(5, 4, 6, 2)) > 0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_fast_twins(dtype):
    layer = LSTM(3, 8, np.random.default_rng(1), replicas=2, dtype=dtype)
    assert (future_moves(layer, numbers(2, 4, 12, 3)) == 0).all()


def test_tokens():
    rng = np.random.default_rng(1)
    layer = Sequential(Embedding(5, 3, rng), Recurrent(RNNCell(3, 4, rng)))
    tokens = rng.integers(0, 5, size=(3, 7))
    assert (future_moves(layer, tokens) == 0).all()
    assert (future_moves(Sequential(*layer.parts, Flip()), tokens) > 0).all()


def third_step_from_fourth(x):
    return np.where(np.arange(6)[:, None] == 2, x[:, 3:4], x)


@pytest.mark.parametrize(
    ("feature", "leaks"),
    [
        (lambda x: np.cumsum(x, axis=1), [False] * 5),
        (lambda x: x - x.mean(axis=1, keepdims=True), [True] * 5),
        (lambda x: x / np.abs(x).sum(axis=1, keepdims=True), [True] * 5),
        (lambda x: np.roll(x, 1, axis=1), [True] * 5),  # the last step comes first
        (lambda x: np.pad(x, ((0, 0), (1, 0), (0, 0)))[:, :-1], [False] * 5),
        (lambda x: np.pad(x, ((0, 0), (0, 1), (0, 0)))[:, 1:], [True] * 5),
        (third_step_from_fourth, [False, False, True, False, False]),
        (lambda x: np.where(np.arange(6)[:, None] < 2, np.nan, x), [False] * 5),
        (lambda x: np.where(x[:, -1:] > 0, np.nan, x), [True] * 5),
        (lambda x: (x > 0)[..., 0], [False] * 5),
        (lambda x: (x > 0)[:, ::-1, 0], [True] * 5),
    ],
)
def test_features_that_look_ahead_are_found_at_the_right_step(feature, leaks):
    assert (future_moves(feature, numbers(40, 6, 1)) > 0).tolist() == leaks


def test_two_values_are_enough_and_the_inputs_stay():
    X = np.random.default_rng(0).integers(0, 2, size=(1, 9, 1)).astype(float)
    kept = X.copy()
    assert (future_moves(lambda x: x[:, ::-1], X) > 0).sum() >= 7
    assert (X == kept).all()

    def spoils(x):
        x *= 0
        return x

    assert (future_moves(spoils, X) == 0).all()
    assert (X == kept).all()


@pytest.mark.parametrize(
    ("model", "X", "error", "words"),
    [
        (3, numbers(2, 4, 1), TypeError, "expected a layer or a function"),
        (np.sum, numbers(2, 1, 1), ValueError, "two steps or more"),
        (np.sum, numbers(4), ValueError, "two steps or more"),
        (np.abs, np.ones((2, 4, 1)), ValueError, "same step everywhere"),
        (lambda x: x[:, -1], numbers(2, 4, 1), ValueError, r"answers have shape \(2, 1\)"),
        (np.sum, numbers(2, 4, 1), ValueError, "answers have shape"),
    ],
)
def test_no_future_says_what_is_wrong(model, X, error, words):
    with pytest.raises(error, match=words):
        future_moves(model, X)
    with pytest.raises(TypeError, match="rng"):
        check_no_future(np.abs, numbers(2, 4, 1), 3)


@exercise(done="correct so far")
def check_scaled(answer, factor):
    """A visible check of an assignment: other words, and a second argument."""
    expect("the result", call(answer, 3), 3 * factor)


def test_a_check_has_words_and_arguments_of_its_own(capsys):
    check_scaled(lambda x: 5 * x, 5)
    check_scaled(lambda x: 4 * x, 5)
    assert capsys.readouterr().out.splitlines() == [
        "correct so far",
        "not yet: the result is 12; expected 15",
    ]
