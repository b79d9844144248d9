"""Checks for the exercises of notebook 10: counts, widths, the residual step, a mended dropout."""

import numbers

import numpy as np

from course_utils.cells import LSTMCell
from course_utils.checks import TOLERANCE, NotYet, call, check_gradients, exercise, expect
from course_utils.layers import Dense, Sequential
from course_utils.recurrent import Recurrent


def lstm_parameters(num_inputs, units):
    """Count the parameters of one LSTM layer: 4 U (D + U + 1).

    Taught in: notebooks/10_stack_lstm_layers, section 2
    """
    return 4 * units * (num_inputs + units + 1)


def _counts(num_inputs, widths):
    below = [num_inputs, *widths[:-1]]
    return [lstm_parameters(D, U) for D, U in zip(below, widths, strict=True)]


@exercise
def check_counts(my_counts):
    """Check `my_counts(D, widths)`: the parameters of every layer of a stack, from below.

    Taught in: notebooks/10_stack_lstm_layers, section 2
    """
    for D, widths in ((5, [3]), (5, [4, 3]), (2, [8, 3, 6])):
        above = [*widths[1:], widths[-1]]
        causes = {
            "Only the first layer takes D inputs; the others take the units of the layer below": [
                lstm_parameters(D, U) for U in widths
            ],
            "The biases are missing: U for each of the four gates": [
                n - 4 * U for n, U in zip(_counts(D, widths), widths, strict=True)
            ],
            "There are four gates": [n // 4 for n in _counts(D, widths)],
            "A layer takes as many inputs as the layer below has units, not the one above": [
                lstm_parameters(n, U) for n, U in zip(above, widths, strict=True)
            ],
        }
        expect(
            f"my_counts({D}, {widths})",
            call(my_counts, D, widths),
            _counts(D, widths),
            causes=causes,
        )


@exercise
def check_width(my_width):
    """Check `my_width(D, depth, budget)`: the most units per layer that the budget pays for.

    Taught in: notebooks/10_stack_lstm_layers, section 4
    """
    for D, depth, budget in ((5, 1, 1000), (7, 2, 2000), (12, 3, 10_000), (3, 8, 3000)):

        def total(U, D=D, depth=depth):
            return sum(_counts(D, [U] * depth))

        came = call(my_width, D, depth, budget)
        name = f"my_width({D}, {depth}, {budget})"
        if not isinstance(came, numbers.Real) or came != int(came):
            raise NotYet(f"{name} is {came!r}; expected a whole number of units")
        U = int(came)
        if U < 1:
            raise NotYet(f"{name} is {U}; expected at least one unit")
        if total(U) > budget:
            cause = "" if depth == 1 else " The layers above the first have U inputs, not D."
            raise NotYet(f"{name} is {U}; that stack has {total(U)} parameters, too many.{cause}")
        if total(U + 1) <= budget:
            raise NotYet(
                f"{name} is {U}; {U + 1} units cost {total(U + 1)} parameters and fit as well"
            )


@exercise
def check_residual_backward(my_backward):
    """Check `my_backward(layer, dY)`: the gradient of X behind Y = X + layer(X).

    Taught in: notebooks/10_stack_lstm_layers, section 6
    """
    rng = np.random.default_rng(10)
    layer = Recurrent(LSTMCell(3, 3, rng))
    X, dY = rng.normal(size=(2, 2, 4, 3))
    layer.forward(X)
    through = layer.backward(dY)
    came = my_backward(layer, dY.copy())
    if came is None or came is ...:
        raise NotYet(f"{getattr(my_backward, '__name__', 'the answer')} returned {came!r}")
    causes = {
        "That is the way through the layer; X also reaches Y directly": through,
        "That is the direct way; X also reaches Y through the layer": dY,
        "Two ways lead from X to Y: their gradients are added, not multiplied": dY * through,
        "The forward pass adds X, so its gradient is added as it is, not X itself": X + through,
    }
    expect("dX", came, dY + through, causes=causes)


def make_check_mended(dropout_class):
    """Make the check of `my_backward(self, dY)` for a given class of dropout layers.

    The class takes (rate, rng), and draws the same numbers in every forward.

    Taught in: notebooks/10_stack_lstm_layers, section 11
    """

    @exercise
    def check_mended(my_backward):
        if not callable(my_backward):
            raise NotYet(f"the answer is {my_backward!r}; expected a function")
        mended = type("Mended", (dropout_class,), {"backward": my_backward})
        for rate in (0.2, 0.5, 0.8):
            rng = np.random.default_rng(10)
            thin = mended(rate, rng)
            X = rng.normal(size=(2, 3, 4))
            thin.forward(X)
            call(thin.backward, np.ones_like(X))
            net = Sequential(Dense(4, 5, rng), mended(rate, rng), Dense(5, 2, rng))
            errors = check_gradients(net, X, rng)
            wrong = [name for name, error in errors.items() if error > TOLERANCE]
            if wrong:
                raise NotYet(
                    f"with rate {rate} the gradient check fails for {', '.join(wrong)}. "
                    "Backward must do to dY exactly what forward did to X"
                )

    return check_mended
