"""Checks of the exercises in notebooks/11_read_in_both_directions."""

import numpy as np

from course_utils.cells import LSTMCell, RNNCell
from course_utils.checks import NotYet, call, check_no_future, exercise, expect
from course_utils.recurrent import Recurrent, bidirectional, bidirectional_last

JOBS = {
    "mark the negated findings of a finished report": "both",
    "suggest the next word while a report is being typed": "forward",
    "subtitles for live speech, two seconds behind": "late",
    "tomorrow's temperature from those so far": "forward",
    "fill a gap in last year's temperatures": "both",
    "colour the code of a saved file": "both",
    "release a brake at the very step of the alarm": "forward",
}
_WHY_NOT = {
    ("both", "forward"): "Everything is there before the answer is due: why not read it all?",
    ("both", "late"): "Everything is there before the answer is due: nobody has to wait",
    ("forward", "both"): "What comes later is asked for, or is not there yet: reading it is a leak",
    ("forward", "late"): "The answer is due before the next step comes: there is no time to wait",
    ("late", "forward"): "A short wait is allowed, and the next steps help: use them",
    ("late", "both"): "The end is not there while it runs: only the next steps can be waited for",
}


@exercise
def check_two_sided_backward(my_two_sided_backward):
    """11.1: my_two_sided_backward(forward_layer, backward_layer, dY) -> dX.

    Both layers have run: the first on X, the second on X turned around.

    Taught in: notebooks/11_read_in_both_directions, section 2
    """
    rng = np.random.default_rng(11)
    B, T, D, U = 3, 5, 3, 2
    cells = RNNCell(D, U, rng), LSTMCell(D, U + 1, rng)
    X, dY = rng.normal(size=(B, T, D)), rng.normal(size=(B, T, 2 * U + 1))
    reference = bidirectional(*cells)
    reference.forward(X)
    layers = [Recurrent(cell) for cell in cells]
    layers[0].forward(X)
    layers[1].forward(X[:, ::-1])
    first, second = dY[..., :U], dY[..., U:]
    there, back = layers[0].backward(first), layers[1].backward(second[:, ::-1])
    unturned = layers[1].backward(second)
    causes = {
        "Only the forward part: X has reached the output on two roads": there,
        "Only the backward part: X has reached the output on two roads": back[:, ::-1],
        "What comes out of the backward layer runs from the end: turn it around": there + back,
        "dY was not turned around before it went into the backward layer": (
            there + unturned[:, ::-1]
        ),
        "The backward part was turned around nowhere": there + unturned,
    }
    came = call(my_two_sided_backward, *layers, dY)
    if np.shape(came) == (B, T, 2 * D):
        raise NotYet(
            f"dX has shape {(B, T, 2 * D)}; expected {X.shape}. X is read twice, so its two "
            "gradients are added, not put side by side"
        )
    expect("dX", came, reference.backward(dY), causes=causes)


@exercise
def check_summary(my_summary):
    """11.2: my_summary(H, units) -> (B, 2 units), where each part has read the whole sequence.

    H (B, T, 2 units) comes from a two-sided layer.

    Taught in: notebooks/11_read_in_both_directions, section 4
    """
    rng = np.random.default_rng(11)
    for B, T, U in ((2, 4, 3), (4, 4, 2)):
        cells = [RNNCell(2, U, rng) for _ in range(2)]
        X = rng.normal(size=(B, T, 2))
        H = bidirectional(*cells).forward(X)
        parts = H[..., :U], H[..., U:]
        causes = {
            "At the last step the backward part has read one step only: its end is the first": (
                H[:, -1]
            ),
            "At the first step the forward part has read one step only": H[:, 0],
            "The two ends are swapped": np.concatenate([parts[0][:, 0], parts[1][:, -1]], axis=-1),
            "The two parts are swapped": np.concatenate([parts[1][:, 0], parts[0][:, -1]], axis=-1),
            "This is the mean over the steps": H.mean(axis=1),
            "These are sequences of the batch: the steps are the second axis": (
                np.concatenate([parts[0][-1], parts[1][0]], axis=-1) if B == T else np.nan
            ),
        }
        came = call(my_summary, H, U)
        expect("the summary", came, bidirectional_last(*cells).forward(X), causes=causes)


@exercise
def check_readers(my_readers):
    """11.3: a reader for each job: "forward", "both" or "late".

    Taught in: notebooks/11_read_in_both_directions, section 7
    """
    if not isinstance(my_readers, dict):
        raise NotYet(f"my_readers is {type(my_readers).__name__}; expected a dict job -> reader")
    for job, right in JOBS.items():
        came = my_readers.get(job, ...)
        if came is ... or came is None:
            raise NotYet(f"{job!r} has no reader yet")
        if not isinstance(came, str) or ((right, came) not in _WHY_NOT and came != right):
            raise NotYet(f"{job!r} has {came!r}; expected 'forward', 'both' or 'late'")
        if came != right:
            raise NotYet(f"{job!r}: not {came!r}. {_WHY_NOT[right, came]}")


@exercise
def check_average(my_average):
    """11.4: my_average(x, width): the mean of the last `width` values, x (B, T, 1) -> (B, T, 1).

    Taught in: notebooks/11_read_in_both_directions, section 10
    """
    rng = np.random.default_rng(11)
    x, width = rng.normal(size=(3, 9, 1)), 3
    came = np.asarray(call(my_average, x, width))
    right = _average(x, width)
    padded = np.pad(x, ((0, 0), (width - 1, 0), (0, 0)))
    over_width = sum(padded[:, i : i + x.shape[1]] for i in range(width)) / width
    causes = {
        "At the start there are fewer than `width` values: divide by their number": over_width,
        "This is the mean of all values so far": _average(x, x.shape[1]),
        "The value of step t itself belongs to the mean": np.concatenate(
            [np.zeros_like(x[:, :1]), right[:, :-1]], axis=1
        ),
        "One value too many": _average(x, width + 1),
        "One value too few": _average(x, width - 1),
    }
    if came.shape == x.shape and came.dtype.kind in "fiu":
        moves = check_no_future(lambda x: my_average(x, width), x, rng)
        if (moves > 0).any():
            t = int(np.argmax(moves > 0))
            raise NotYet(
                f"the average at a step 0 .. {t} moves when later values change: it uses the future"
            )
    expect("the average", came, right, causes=causes)
    expect("the average with width 1", call(my_average, x, 1), x)


def _average(x, width):
    return np.stack(
        [x[:, max(0, t + 1 - width) : t + 1].mean(axis=1) for t in range(x.shape[1])], axis=1
    )
