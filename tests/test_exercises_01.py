"""The checks of notebook 01: right answers pass, empty ones do not, wrong ones hear their cause."""

from math import comb

import numpy as np
import pytest

from course_utils.exercises import lesson_01
from course_utils.functions import softmax

CHECKS = [
    lesson_01.check_same_bag,
    lesson_01.check_accuracy,
    lesson_01.check_bag_limit,
    lesson_01.check_window,
    lesson_01.check_verdict,
]


def said(check, answer, capsys):
    check(answer)
    return capsys.readouterr().out.strip()


def crash(*_):
    raise ZeroDivisionError("oops")


def nothing(*_):
    return None


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("answer", [..., None, nothing, crash, "text", 3.5, (), ("a", 3)])
def test_an_empty_or_broken_answer_is_not_yet_right(check, answer, capsys):
    assert said(check, answer, capsys).startswith("not yet: ")


def hears(check, answer, words, capsys):
    told = said(check, answer, capsys)
    assert told.startswith("not yet: ")
    assert words in told


# 1.1 the same bag -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pair", [("a b", "b a"), ["The dog bit the man", "the man bit the dog"], ("x y x", "x x y")]
)
def test_same_bag_right(pair, capsys):
    assert said(lesson_01.check_same_bag, pair, capsys) == "correct"


@pytest.mark.parametrize(
    ("pair", "words"),
    [
        (("a dog", "dog the"), "'a' stands more often in the first"),
        (("a dog", "dog a dog"), "'dog' stands more often in the second"),
        (("a dog", "a  Dog"), "both sentences are the same"),
        (("", ""), "not empty"),
        (("a b", "b a", "a b"), "expected two sentences"),
        ("ab", "expected two sentences"),
    ],
)
def test_same_bag_wrong(pair, words, capsys):
    hears(lesson_01.check_same_bag, pair, words, capsys)


# 1.2 the accuracy -------------------------------------------------------------------------------


def accuracy(Y, labels):
    return np.mean(Y.argmax(axis=-1) == labels)


def with_the_bug(Y, labels):
    return np.mean(softmax(Y).max(axis=-1) == labels)


def test_accuracy_right(capsys):
    assert said(lesson_01.check_accuracy, accuracy, capsys) == "correct"
    by_hand = said(
        lesson_01.check_accuracy,
        lambda Y, labels: sum(y.argmax() == k for y, k in zip(Y, labels)) / len(labels),
        capsys,
    )
    assert by_hand == "correct"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda Y, labels: 0.0, "compares a probability with the number of a class"),
        (lambda Y, labels: len(Y) * accuracy(Y, labels), "divide by the number of all"),
        (lambda Y, labels: 100 * accuracy(Y, labels), "share in percent"),
        (lambda Y, labels: 1.0, "opposite of an oracle"),
        (with_the_bug, "accuracy of an oracle"),
        (lambda Y, labels: accuracy(Y[:, None], labels), "accuracy of an oracle"),
        (lambda Y, labels: np.sum(Y.argmax(axis=-1) == labels) / 200, "7 sequences"),
    ],
)
def test_accuracy_wrong(answer, words, capsys):
    hears(lesson_01.check_accuracy, answer, words, capsys)


# 1.3 the limit of a bag -------------------------------------------------------------------------


def limit_by_counting(n):
    return sum(max(1, 0) for _ in range(n + 1)) / 2**n


@pytest.mark.parametrize("answer", [lambda n: (n + 1) / 2**n, limit_by_counting])
def test_bag_limit_right(answer, capsys):
    assert said(lesson_01.check_bag_limit, answer, capsys) == "correct"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda n: 0.5**n, "That is guessing"),
        (lambda n: 0.5, "one half in every case"),
        (lambda n: 0.75, "n is an argument"),
        (lambda n: n + 1, "divide by the number of classes"),
        (lambda n: sum(comb(n, k) ** 2 for k in range(n + 1)) / 4**n, "limit(2) is 0.375"),
    ],
)
def test_bag_limit_wrong(answer, words, capsys):
    hears(lesson_01.check_bag_limit, answer, words, capsys)


# 1.4 the window ---------------------------------------------------------------------------------


def window(system):
    k = 1
    while system.best_error(k) > 1.02 * system.kalman_error():
        k += 1
    return k


def test_window_right(capsys):
    assert said(lesson_01.check_window, window, capsys) == "correct"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda system: window(system) - 1, "one step too early"),
        (lambda system: window(system) + 1, "one step too late"),
        (lambda system: 1, "2 % below the variance"),
        (lambda system: 12, "for a quicker one"),
        (lambda system: 20, "for the pendulum is 20; expected 12"),
    ],
)
def test_window_wrong(answer, words, capsys):
    hears(lesson_01.check_window, answer, words, capsys)


# 1.5 the verdict --------------------------------------------------------------------------------


def verdict(words, good, bad, *, clear=True):
    h = 0
    for word in words:
        if word == "but" and clear:
            h = 0
        h += (word in good) - (word in bad)
    return h


def before(words, good, bad):
    return verdict(words[: words.index("but")] if "but" in words else words, good, bad)


def after_first(words, good, bad):
    start = words.index("but") + 1 if "but" in words else 0
    return verdict(words[start:], good, bad, clear=False)


def test_verdict_right(capsys):
    assert said(lesson_01.check_verdict, verdict, capsys) == "correct"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda *a: verdict(*a, clear=False), "that is a bag of words"),
        (before, "It stops at 'but'"),
        (after_first, "the last one decides"),
        (lambda *a: -verdict(*a), "score of 'charming and elegant"),
    ],
)
def test_verdict_wrong(answer, words, capsys):
    hears(lesson_01.check_verdict, answer, words, capsys)
