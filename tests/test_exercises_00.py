"""The check of notebook 00: the right answer passes, wrong ones hear their likely cause."""

import numpy as np
from exercise_tests import four_tests, said

from course_utils.exercises import lesson_00 as lesson


def count(words, vocabulary):
    return np.array([words.count(word) for word in vocabulary])


def count_in_a_loop(words, vocabulary):
    counts = [0] * len(vocabulary)
    for word in words:
        counts[vocabulary.index(word)] += 1
    return counts


RIGHT = {"check_count_words": [count, count_in_a_loop]}

WRONG = {
    "check_count_words": [
        (lambda w, v: np.array([word in w for word in v]), "not how often"),
        (lambda w, v: count(w, v) / len(w), "These are shares"),
        (lambda w, v: [w.count(word) for word in dict.fromkeys(w)], "shape (4,); expected (5,)"),
        (lambda w, v: count(w, v) + 1, "start at 0"),
        (lambda w, v: count(w, sorted(v)), "another vocabulary"),
        (lambda w, v: np.zeros(len(v)), "counts[0] is 0; expected 1"),
    ],
}

test_right, test_empty, test_wrong, test_tables_are_complete = four_tests(lesson, RIGHT, WRONG)


def test_the_answer_cannot_spoil_the_words():
    def greedy(words, vocabulary):
        counts = count(words, vocabulary)
        words.clear()
        return counts

    for _ in range(2):
        assert said(lesson.check_count_words, greedy) == "correct"
