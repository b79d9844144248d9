"""The checks of notebook 13 say correct to right answers and name the cause of wrong ones."""

from math import comb

import numpy as np
import pytest

from course_utils.exercises import lesson_13 as lesson


def said(capsys, check, answer):
    check(answer)
    return capsys.readouterr().out.strip()


def outcome(wins, losses):
    n = wins + losses
    return comb(n, wins) / 2**n


def one_tail(wins, losses):
    n = wins + losses
    return sum(comb(n, k) for k in range(min(wins, losses) + 1)) / 2**n


CHECKS = (lesson.check_p, lesson.check_faults, lesson.check_choice, lesson.check_audit)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("answer", [..., None, 3, "a", lambda *_: None, lambda *_: 1 / 0])
def test_no_answer_is_not_yet(capsys, check, answer):
    assert said(capsys, check, answer).startswith("not yet")


def test_p_of_the_sign_test(capsys):
    assert said(capsys, lesson.check_p, lesson.two_sided_p) == "correct"
    for wrong, words in (
        (one_tail, "two tails"),
        (lambda w, l: 2 * one_tail(w, l), "at most 1"),
        (outcome, "less likely ones count too"),
        (lambda w, l: min(1.0, 2 * outcome(w, l)), "less likely ones count too"),
        (lambda w, l: "0.05", "expected a number"),
        (lambda w, l: True, "expected a number"),
    ):
        answer = said(capsys, lesson.check_p, wrong)
        assert answer.startswith("not yet")
        assert words in answer


def test_faults_of_reports(capsys):
    assert said(capsys, lesson.check_faults, dict(lesson.REPORTS)) == "correct"
    for report, fault in lesson.REPORTS.items():
        assert fault in lesson.FAULTS
        for wrong, words in (
            (lesson.REPORTS | {report: ...}, "no answer yet"),
            (lesson.REPORTS | {report: "magic"}, "is not one of"),
            ({r: f for r, f in lesson.REPORTS.items() if r != report}, "missing"),
            (lesson.REPORTS | {report: "fair" if fault != "fair" else "rate"}, "Ask:"),
        ):
            assert words in said(capsys, lesson.check_faults, wrong)
    assert set(lesson.REPORTS.values()) == set(lesson.FAULTS)


def test_choice(capsys):
    assert said(capsys, lesson.check_choice, lesson.choose) == "correct"
    chosen = [lesson.choose(*case) for case in lesson.cases_for_choice()]
    assert chosen == ["A", "C", "C"]
    for wrong, words in (
        (lambda errors, price: min(errors, key=lambda n: np.median(errors[n])), "best median"),
        (lambda errors, price: min(price, key=price.get), "in nearly every pair"),
        (lambda errors, price: "D", "expected one of"),
    ):
        assert words in said(capsys, lesson.check_choice, wrong)


def audit(accuracy):
    """Feed an oracle, its opposite and a constant; change the padding."""
    rng = np.random.default_rng(0)
    target, mask = rng.integers(0, 4, (30, 12)), np.arange(12) < rng.integers(1, 13, (30, 1))
    oracle = np.eye(4)[np.where(mask, target, (target + 1) % 4)]
    wrong = np.eye(4)[np.where(mask, (target + 1) % 4, target)]
    return accuracy(oracle, target, mask) == 1 and accuracy(wrong, target, mask) == 0


def test_audit(capsys):
    assert said(capsys, lesson.check_audit, audit) == "correct"
    assert "does not pass" in said(capsys, lesson.check_audit, lambda accuracy: False)
    assert "passes" in said(capsys, lesson.check_audit, lambda accuracy: True)
    assert "expected True or False" in said(capsys, lesson.check_audit, lambda accuracy: 0.5)


@pytest.mark.parametrize("cause", lesson.WRONG_ACCURACIES)
def test_audit_that_misses_one_fault_is_told(capsys, cause):
    missed = lesson.WRONG_ACCURACIES[cause]

    def lenient(accuracy):
        return accuracy is missed or audit(accuracy)

    assert cause in said(capsys, lesson.check_audit, lenient)


def test_audit_that_asserts_is_told_to_answer(capsys):
    def loud(accuracy):
        assert audit(accuracy)
        return True

    assert "give False" in said(capsys, lesson.check_audit, loud)
