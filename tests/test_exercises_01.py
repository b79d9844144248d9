"""The checks of notebook 01: right answers pass, empty ones do not, wrong ones hear their cause."""

from math import comb

import numpy as np
from exercise_tests import four_tests

from course_utils.exercises import lesson_01 as lesson
from course_utils.functions import softmax

# 1.2 the accuracy


def accuracy(Y, labels):
    return np.mean(Y.argmax(axis=-1) == labels)


def with_the_bug(Y, labels):
    return np.mean(softmax(Y).max(axis=-1) == labels)


def accuracy_by_hand(Y, labels):
    return sum(y.argmax() == k for y, k in zip(Y, labels)) / len(labels)


# 1.3 the limit of a bag


def limit_by_counting(n):
    return sum(max(1, 0) for _ in range(n + 1)) / 2**n


# 1.4 the window


def window(system):
    k = 1
    while system.best_error(k) > 1.02 * system.kalman_error():
        k += 1
    return k


# 1.5 the verdict


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


RIGHT = {
    "check_same_bag": [
        ("a b", "b a"),
        ["The dog bit the man", "the man bit the dog"],
        ("x y x", "x x y"),
    ],
    "check_accuracy": [accuracy, accuracy_by_hand],
    "check_bag_limit": [lambda n: (n + 1) / 2**n, limit_by_counting],
    "check_window": [window],
    "check_verdict": [verdict],
}

WRONG = {
    "check_same_bag": [
        (("a dog", "dog the"), "'a' stands more often in the first"),
        (("a dog", "dog a dog"), "'dog' stands more often in the second"),
        (("a dog", "a  Dog"), "both sentences are the same"),
        (("", ""), "not empty"),
        (("a b", "b a", "a b"), "expected two sentences"),
        ("ab", "expected two sentences"),
    ],
    "check_accuracy": [
        (lambda Y, labels: 0.0, "compares a probability with the number of a class"),
        (lambda Y, labels: len(Y) * accuracy(Y, labels), "divide by the number of all"),
        (lambda Y, labels: 100 * accuracy(Y, labels), "share in percent"),
        (lambda Y, labels: 1.0, "opposite of an oracle"),
        (with_the_bug, "accuracy of an oracle"),
        (lambda Y, labels: accuracy(Y[:, None], labels), "accuracy of an oracle"),
        (lambda Y, labels: np.sum(Y.argmax(axis=-1) == labels) / 200, "7 sequences"),
    ],
    "check_bag_limit": [
        (lambda n: 0.5**n, "That is guessing"),
        (lambda n: 0.5, "one half in every case"),
        (lambda n: 0.75, "n is an argument"),
        (lambda n: n + 1, "divide by the number of classes"),
        (lambda n: sum(comb(n, k) ** 2 for k in range(n + 1)) / 4**n, "limit(2) is 0.375"),
    ],
    "check_window": [
        (lambda system: window(system) - 1, "one step too early"),
        (lambda system: window(system) + 1, "one step too late"),
        (lambda system: 1, "2 % below the variance"),
        (lambda system: 12, "for a quicker one"),
        (lambda system: 20, "for the pendulum is 20; expected 12"),
    ],
    "check_verdict": [
        (lambda *a: verdict(*a, clear=False), "that is a bag of words"),
        (before, "It stops at 'but'"),
        (after_first, "the last one decides"),
        (lambda *a: -verdict(*a), "score of 'charming and elegant"),
    ],
}

test_right, test_empty, test_wrong, test_tables_are_complete = four_tests(lesson, RIGHT, WRONG)
