"""The checks of notebook 04 say correct to right answers and name the cause of wrong ones."""

import numpy as np
import pytest

from course_utils.exercises import lesson_04 as lesson


def said(capsys, check, answer):
    check(answer)
    return capsys.readouterr().out.strip()


def clip(grads, limit):
    norm = np.sqrt(sum((g**2).sum() for g in grads.values()))
    return {name: g * min(1, limit / norm) for name, g in grads.items()}


RIGHT = {
    "check_reach": lambda gain, share: int(np.floor(np.log(share) / np.log(gain) + 1e-12)),
    "check_spread": lambda units: units**-0.5,
    "check_clip": clip,
    "check_start": lambda units: np.roll(np.eye(units), 1, axis=0),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_answers_are_correct(capsys, name):
    assert said(capsys, getattr(lesson, name), RIGHT[name]) == "correct"


@pytest.mark.parametrize(
    "answer", [..., None, lambda *a: None, lambda *a: 1 / 0, 3, lambda *a: "x"]
)
@pytest.mark.parametrize("name", RIGHT)
def test_empty_and_broken_answers_are_not_yet(capsys, name, answer):
    assert said(capsys, getattr(lesson, name), answer).startswith("not yet: ")


@pytest.mark.parametrize(
    ("name", "answer", "cause"),
    [
        ("check_reach", lambda g, s: np.log(s) / np.log(g), "whole number"),
        ("check_reach", lambda g, s: int(np.log(s) / np.log(g)) + 1, "one step too far"),
        ("check_reach", lambda g, s: -int(np.log(s) / np.log(g)), "sign"),
        ("check_spread", lambda u: 1 / u, "variance"),
        ("check_spread", np.sqrt, "fall"),
        (
            "check_clip",
            lambda gs, m: {n: g * min(1, m / np.linalg.norm(g)) for n, g in gs.items()},
            "alone",
        ),
        ("check_clip", lambda gs, m: {n: np.clip(g, -m, m) for n, g in gs.items()}, "each number"),
        ("check_clip", lambda gs, m: gs, "nothing was clipped"),
        ("check_clip", lambda gs, m: {n: g * m / 13 for n, g in gs.items()}, "made longer"),
        ("check_start", np.eye, "identity"),
        ("check_start", lambda u: 2 * np.eye(u), "W_hh.T @ W_hh[0, 0] is 4"),
    ],
)
def test_wrong_answers_are_told_their_cause(capsys, name, answer, cause):
    text = said(capsys, getattr(lesson, name), answer)
    assert text.startswith("not yet: ")
    assert cause in text
