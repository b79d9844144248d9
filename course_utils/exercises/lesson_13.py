"""Checks for the exercises of notebook 13: coins, fair comparisons, a rule to choose, an audit."""

import numbers
from math import comb

import numpy as np

from course_utils.checks import NotYet, call, exercise, expect


def two_sided_p(wins, losses):
    """The chance that fair coins fall at least as unevenly."""
    n, few = wins + losses, min(wins, losses)
    return min(1.0, 2 * sum(comb(n, k) for k in range(few + 1)) / 2**n)


@exercise
def check_p(my_p):
    """Check `my_p(wins, losses)`: the two-sided p-value of the sign test.

    Taught in: notebooks/13_choose_a_network, section 2
    """
    for wins, losses in ((14, 2), (2, 14), (10, 0), (9, 1), (8, 8), (3, 2)):
        n, few = wins + losses, min(wins, losses)
        tail = sum(comb(n, k) for k in range(few + 1)) / 2**n
        p = call(my_p, wins, losses)
        where = f"my_p({wins}, {losses})"
        if isinstance(p, bool) or not isinstance(p, numbers.Real):
            raise NotYet(f"{where} is {p!r}; expected a number")
        if p > 1:
            raise NotYet(f"{where} is {p:.4g}; a chance is at most 1. Both tails share the middle")
        upper = sum(comb(n, k) for k in range(wins, n + 1)) / 2**n
        causes = {
            "As uneven the other way counts as well: two tails": tail,
            "That is the chance of exactly this outcome; less likely ones count too": comb(n, few)
            / 2**n,
            "That is exactly this outcome, both ways; less likely ones count too": 2
            * comb(n, few)
            / 2**n,
            "That is the tail on the side of the wins alone": upper,
        }
        expect(where, p, two_sided_p(wins, losses), causes=causes)


FAULTS = ("parameters", "rate", "test data", "one seed", "other task", "fair")
REPORTS = {  # the report -> its fault
    "stacked, three layers of 64, beats one layer of 64: 16 of 16 pairs": "parameters",
    "GRU at its best of five rates beats an LSTM at Adam's default: 16 of 16 pairs": "rate",
    "the best of 40 settings, picked by test error, has this test error": "test data",
    "LSTM 2.31 bits, GRU 2.33 bits, one run each: the LSTM is better": "one seed",
    "the GRU wins on hidden labels, so it is better at counting": "other task",
    "equal parameters, one grid of rates, chosen on other seeds: 9 of 16 pairs, p = 0.8": "fair",
}


@exercise
def check_faults(my_faults):
    """Check `my_faults`: for each of six reports what is wrong with the comparison.

    Taught in: notebooks/13_choose_a_network, section 8
    """
    if not isinstance(my_faults, dict):
        raise NotYet(f"my_faults is {my_faults!r:.40}; expected a dictionary report -> fault")
    reasons = {
        "parameters": "which of the two has more numbers to learn?",
        "rate": "did both arms have the same choice?",
        "test data": "what was the test error used for?",
        "one seed": "would the order hold for other starting weights?",
        "other task": "where was it measured, and where is it claimed?",
        "fair": "a result without a winner can come from a fair comparison",
    }
    for report, fault in REPORTS.items():
        if report not in my_faults:
            raise NotYet(f"{report!r} is missing")
        answer = my_faults[report]
        if answer is ...:
            raise NotYet(f"{report!r} has no answer yet")
        if answer not in FAULTS:
            raise NotYet(f"{report!r}: {answer!r} is not one of {', '.join(FAULTS)}")
        if answer != fault:
            raise NotYet(f"{report!r}: not {answer!r}. Ask: {reasons[fault]}")


def choose(errors, price):
    """The cheapest of those that the best one does not beat in a sign test at p < 0.05."""
    best = min(errors, key=lambda name: np.median(errors[name]))
    kept = []
    for name, error in errors.items():
        wins = int((errors[best] < error).sum())
        losses = int((errors[best] > error).sum())
        if name == best or not (wins > losses and two_sided_p(wins, losses) < 0.05):
            kept.append(name)
    return min(kept, key=lambda name: price[name])


def cases_for_choice():
    """Three sets of results: a clear winner, a draw, and a draw with one network far behind."""
    rng = np.random.default_rng(13)
    base = rng.uniform(0.2, 0.3, 16)
    noise = 0.01 * np.where(np.arange(16) % 2, 1, -1)
    clear = {"A": base, "B": base + 0.05, "C": base + 0.1}
    draw = {"A": base + 0.001, "B": base + noise, "C": base + 0.002 - 1.1 * noise}
    behind = {"A": base + 0.2, "B": base, "C": base - noise}
    return (
        (clear, {"A": 3.0, "B": 1.0, "C": 2.0}),
        (draw, {"A": 3.0, "B": 2.0, "C": 1.0}),
        (behind, {"A": 1.0, "B": 3.0, "C": 2.0}),
    )


@exercise
def check_choice(my_choice):
    """Check `my_choice(errors, price)`: the cheapest that the best one does not beat.

    Taught in: notebooks/13_choose_a_network, section 7
    """
    for errors, price in cases_for_choice():
        came, right = call(my_choice, errors, price), choose(errors, price)
        if came not in list(errors):
            raise NotYet(f"the answer is {came!r}; expected one of {', '.join(errors)}")
        if came == right:
            continue
        medians = {name: round(float(np.median(e)), 3) for name, e in errors.items()}
        best = min(medians, key=medians.get)
        text = f"medians {medians}, prices {price}: not {came!r}. "
        if came == best:
            raise NotYet(text + f"{best!r} has the best median, but does it beat the others?")
        if came == min(price, key=price.get):
            raise NotYet(text + f"It is the cheapest, but {best!r} beats it in nearly every pair")
        raise NotYet(text + "Keep those that the best one does not beat, then take the cheapest")


def right_accuracy(scores, target, mask):
    """Share of right answers at the steps that count.  (B, T, K), (B, T), (B, T) -> a number"""
    return float((scores.argmax(axis=-1) == target)[mask].mean())


def _padding_is_right(scores, target, mask):
    return float(((scores.argmax(axis=-1) == target) | ~mask).mean())


def _all_steps(scores, target, mask):
    return float((scores.argmax(axis=-1) == target).mean())


def _divided_by_all(scores, target, mask):
    return float(((scores.argmax(axis=-1) == target) & mask).mean())


def _share_wrong(scores, target, mask):
    return float((scores.argmax(axis=-1) != target)[mask].mean())


def _always_zero(scores, target, mask):
    return 0.0


def _never_looks(scores, target, mask):
    return 1.0


WRONG_ACCURACIES = {  # a cause -> a function with this fault
    "counts padding as right": _padding_is_right,
    "counts the answers at padded steps": _all_steps,
    "divides by all steps, padded ones as well": _divided_by_all,
    "gives the share of wrong answers": _share_wrong,
    "is always 0": _always_zero,
    "is always 1": _never_looks,
}


@exercise
def check_audit(my_audit):
    """Check `my_audit(accuracy)`: True for an accuracy function that may be trusted, else False.

    Taught in: notebooks/13_choose_a_network, section 11
    """
    came = call(my_audit, right_accuracy)
    if not isinstance(came, (bool, np.bool_)):
        raise NotYet(f"my_audit gave {came!r}; expected True or False")
    if not came:
        raise NotYet("the right function does not pass: what must an oracle score, and a constant?")
    for cause, function in WRONG_ACCURACIES.items():
        try:
            trusted = call(my_audit, function)
        except AssertionError:  # an audit that asserts has found the fault
            raise NotYet("give False for a wrong function; an assert stops the others") from None
        if trusted:
            raise NotYet(f"a function that {cause} passes")
