"""The checks of notebook 11: right answers pass, empty ones do not, wrong ones hear their cause."""

import numpy as np
import pytest

from course_utils.exercises import lesson_11

CHECKS = [
    lesson_11.check_two_sided_backward,
    lesson_11.check_summary,
    lesson_11.check_readers,
    lesson_11.check_average,
]


def said(check, answer, capsys):
    check(answer)
    return capsys.readouterr().out.strip()


def crash(*_):
    raise ZeroDivisionError("oops")


def nothing(*_):
    return None


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("answer", [..., None, nothing, crash, "text", 3.5, np.array, {}])
def test_an_empty_or_broken_answer_is_not_yet_right(check, answer, capsys):
    assert said(check, answer, capsys).startswith("not yet: ")


def wrong(check, answer, cause, capsys):
    text = said(check, answer, capsys)
    assert text.startswith("not yet: ")
    assert cause in text


# 11.1 backward ----------------------------------------------------------------------------------


def two_sided(forward, backward, dY):
    U = forward.cell.units
    return forward.backward(dY[..., :U]) + backward.backward(dY[:, ::-1, U:])[:, ::-1]


def test_two_sided_backward_right(capsys):
    assert said(lesson_11.check_two_sided_backward, two_sided, capsys) == "correct"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
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
)
def test_two_sided_backward_wrong(answer, cause, capsys):
    wrong(lesson_11.check_two_sided_backward, answer, cause, capsys)


# 11.2 the summary -------------------------------------------------------------------------------


def summary(H, U):
    return np.concatenate([H[:, -1, :U], H[:, 0, U:]], axis=-1)


def test_summary_right(capsys):
    assert said(lesson_11.check_summary, summary, capsys) == "correct"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (lambda H, U: H[:, -1], "the backward part has read one step only"),
        (lambda H, U: H[:, 0], "the forward part has read one step only"),
        (lambda H, U: np.concatenate([H[:, 0, :U], H[:, -1, U:]], axis=-1), "ends are swapped"),
        (lambda H, U: np.concatenate([H[:, 0, U:], H[:, -1, :U]], axis=-1), "parts are swapped"),
        (lambda H, U: H.mean(axis=1), "mean"),
        (lambda H, U: H, "shape"),
        (lambda H, U: H[:, -1, :U], "shape"),
    ],
)
def test_summary_wrong(answer, cause, capsys):
    wrong(lesson_11.check_summary, answer, cause, capsys)


# 11.3 the readers -------------------------------------------------------------------------------


def test_readers_right(capsys):
    assert said(lesson_11.check_readers, dict(lesson_11.JOBS), capsys) == "correct"


@pytest.mark.parametrize("job", lesson_11.JOBS)
@pytest.mark.parametrize("reader", ["forward", "both", "late"])
def test_every_wrong_reader_hears_why(job, reader, capsys):
    if reader != lesson_11.JOBS[job]:
        answer = lesson_11.JOBS | {job: reader}
        wrong(lesson_11.check_readers, answer, f"{job!r}: not {reader!r}. ", capsys)


@pytest.mark.parametrize(
    ("reader", "cause"),
    [(..., "no reader yet"), (None, "no reader yet"), ("back", "expected"), (3, "expected")],
)
def test_readers_that_are_none(reader, cause, capsys):
    job = list(lesson_11.JOBS)[3]
    wrong(lesson_11.check_readers, lesson_11.JOBS | {job: reader}, cause, capsys)


# 11.4 the average -------------------------------------------------------------------------------


def average(x, width):
    return np.stack(
        [x[:, max(0, t - width + 1) : t + 1].mean(axis=1) for t in range(x.shape[1])], axis=1
    )


def with_sums(x, width):
    sums = np.cumsum(x, axis=1)
    before = np.pad(sums, ((0, 0), (width, 0), (0, 0)))[:, : x.shape[1]]
    count = np.minimum(np.arange(1, x.shape[1] + 1), width)[:, None]
    return (sums - before) / count


@pytest.mark.parametrize("answer", [average, with_sums])
def test_average_right(answer, capsys):
    assert said(lesson_11.check_average, answer, capsys) == "correct"


def centred(x, width):
    T, half = x.shape[1], width // 2
    return np.stack([x[:, max(0, t - half) : t + half + 1].mean(axis=1) for t in range(T)], axis=1)


def padded(x, width):
    wide = np.pad(x, ((0, 0), (width - 1, 0), (0, 0)))
    return sum(wide[:, i : i + x.shape[1]] for i in range(width)) / width


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
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
)
def test_average_wrong(answer, cause, capsys):
    wrong(lesson_11.check_average, answer, cause, capsys)
