"""The checks of notebook 11: right answers pass, empty ones do not, wrong ones hear their cause."""

import numpy as np
from exercise_tests import four_tests

from course_utils.exercises import lesson_11 as lesson

# 11.1 backward


def two_sided(forward, backward, dY):
    U = forward.cell.units
    return forward.backward(dY[..., :U]) + backward.backward(dY[:, ::-1, U:])[:, ::-1]


# 11.2 the summary


def summary(H, U):
    return np.concatenate([H[:, -1, :U], H[:, 0, U:]], axis=-1)


# 11.3 the readers


def readers(job, reader):
    """The right readers of all jobs, and this one for one of them."""
    return lesson.JOBS | {job: reader}


FOURTH = list(lesson.JOBS)[3]

# 11.4 the average


def average(x, width):
    return np.stack(
        [x[:, max(0, t - width + 1) : t + 1].mean(axis=1) for t in range(x.shape[1])], axis=1
    )


def with_sums(x, width):
    sums = np.cumsum(x, axis=1)
    before = np.pad(sums, ((0, 0), (width, 0), (0, 0)))[:, : x.shape[1]]
    count = np.minimum(np.arange(1, x.shape[1] + 1), width)[:, None]
    return (sums - before) / count


def centred(x, width):
    T, half = x.shape[1], width // 2
    return np.stack([x[:, max(0, t - half) : t + half + 1].mean(axis=1) for t in range(T)], axis=1)


def padded(x, width):
    wide = np.pad(x, ((0, 0), (width - 1, 0), (0, 0)))
    return sum(wide[:, i : i + x.shape[1]] for i in range(width)) / width


RIGHT = {
    "check_two_sided_backward": [two_sided],
    "check_summary": [summary],
    "check_readers": [dict(lesson.JOBS)],
    "check_average": [average, with_sums],
}

WRONG = {
    "check_two_sided_backward": [
        (lambda f, b, dY: f.backward(dY[..., :2]), "Only the forward part"),
        (lambda f, b, dY: b.backward(dY[:, ::-1, 2:])[:, ::-1], "Only the backward part"),
        (lambda f, b, dY: f.backward(dY[..., :2]) + b.backward(dY[:, ::-1, 2:]), "from the end"),
        (
            lambda f, b, dY: f.backward(dY[..., :2]) + b.backward(dY[..., 2:])[:, ::-1],
            "before it went into the backward layer",
        ),
        (lambda f, b, dY: f.backward(dY[..., :2]) + b.backward(dY[..., 2:]), "nowhere"),
        (
            lambda f, b, dY: np.concatenate(
                [f.backward(dY[..., :2]), b.backward(dY[:, ::-1, 2:])[:, ::-1]], axis=-1
            ),
            "added, not put side by side",
        ),
        (lambda f, b, dY: f.backward(dY), "shape"),
    ],
    "check_summary": [
        (lambda H, U: H[:, -1], "the backward part has read one step only"),
        (lambda H, U: H[:, 0], "the forward part has read one step only"),
        (lambda H, U: np.concatenate([H[:, 0, :U], H[:, -1, U:]], axis=-1), "ends are swapped"),
        (lambda H, U: np.concatenate([H[:, 0, U:], H[:, -1, :U]], axis=-1), "parts are swapped"),
        (lambda H, U: H.mean(axis=1), "mean"),
        (lambda H, U: H, "shape"),
        (lambda H, U: H[:, -1, :U], "shape"),
    ],
    "check_readers": [
        *(
            (readers(job, reader), f"{job!r}: not {reader!r}. ")
            for job in lesson.JOBS
            for reader in ("forward", "both", "late")
            if reader != lesson.JOBS[job]
        ),
        (readers(FOURTH, ...), "no reader yet"),
        (readers(FOURTH, None), "no reader yet"),
        (readers(FOURTH, "back"), "expected"),
        (readers(FOURTH, 3), "expected"),
    ],
    "check_average": [
        (centred, "0 .. 0 moves when later values change"),
        (lambda x, width: x - x + x.mean(axis=1, keepdims=True), "it uses the future"),
        (lambda x, width: average(x[:, ::-1], width)[:, ::-1], "it uses the future"),
        (padded, "divide by their number"),
        (lambda x, width: average(x, 99), "all values so far"),
        (lambda x, width: average(x, width + 1), "One value too many"),
        (lambda x, width: average(x, width - 1), "One value too few"),
        (
            lambda x, width: np.pad(average(x, width), ((0, 0), (1, 0), (0, 0)))[:, :-1],
            "step t itself",
        ),
        (lambda x, width: average(x, width)[..., 0], "shape"),
        (lambda x, width: average(x, 3), "width 1"),
    ],
}

test_right, test_empty, test_wrong, test_tables_are_complete = four_tests(lesson, RIGHT, WRONG)
