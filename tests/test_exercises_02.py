"""The checks of notebook 02: right answers pass, empty ones do not, wrong ones hear their cause."""

import numpy as np
import pytest

from course_utils.exercises import lesson_02

CHECKS = [
    lesson_02.check_recurrence,
    lesson_02.check_units,
    lesson_02.check_first_unit,
    lesson_02.check_last_states,
    lesson_02.check_leaky_forward,
]


def said(check, answer, capsys):
    check(answer)
    return capsys.readouterr().out.strip()


def crash(*_):
    raise ZeroDivisionError("oops")


def nothing(*_):
    return None


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("answer", [..., None, nothing, crash, "text", 3.5, np.array])
def test_an_empty_or_broken_answer_is_not_yet_right(check, answer, capsys):
    assert said(check, answer, capsys).startswith("not yet: ")


# 2.1 the recurrence -----------------------------------------------------------------------------


def recurrence(f, x, h_0):
    h, states = h_0, []
    for x_t in x:
        h = f(x_t, h)
        states.append(h)
    return states


def with_array(f, x, h_0):
    h = np.zeros(len(x) + 1)
    h[0] = h_0
    for t in range(len(x)):
        h[t + 1] = f(x[t], h[t])
    return h[1:]


@pytest.mark.parametrize("answer", [recurrence, with_array])
def test_recurrence_right(answer, capsys):
    assert said(lesson_02.check_recurrence, answer, capsys) == "correct"


def slip(f, x, h_0):
    h = np.zeros(len(x))
    for t in range(len(x)):
        h[t] = f(x[t], h[t])
    return h


def unknown_state(f, x, h_0):
    states = []
    for x_t in x:
        h = f(x_t, h)  # noqa: F821
        states.append(h)
    return states


def from_zero(f, x, h_0):
    return recurrence(f, x, 0.0)


def before_update(f, x, h_0):
    return [h_0, *recurrence(f, x, h_0)[:-1]]


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (slip, "the slip of the slide"),
        (unknown_state, "the slip of the slide"),
        (lambda f, x, h_0: [f(x_t, h_0) for x_t in x], "Every step starts from h_0"),
        (lambda f, x, h_0: [h_0, *recurrence(f, x, h_0)], "starts with h_0"),
        (lambda f, x, h_0: recurrence(f, x, h_0)[-1], "Only the last state"),
        (before_update, "append after the update"),
        (from_zero, "The first state is 0"),
        (lambda f, x, h_0: recurrence(f, x[::-1], h_0), "from the end"),
    ],
)
def test_recurrence_wrong(answer, cause, capsys):
    text = said(lesson_02.check_recurrence, answer, capsys)
    assert text.startswith("not yet: ")
    assert cause in text


# 2.2 units --------------------------------------------------------------------------------------


def test_units_right(capsys):
    assert said(lesson_02.check_units, 29, capsys) == "correct"
    assert said(lesson_02.check_units, np.int64(29), capsys) == "correct"
    assert 29 * (3 + 29 + 1) <= 1000 < 30 * (3 + 30 + 1)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (30, "bias b_h"),
        (250, "W_hh has U times U"),
        (31, "Count W_xh"),
        (1, "All steps share"),
        (100, "Too many"),
        (20, "It fits, and 21 units need only 525"),
        (0, "at least one unit"),
        (-3, "at least one unit"),
        (29.0, "expected a whole number"),
        (True, "expected a whole number"),
    ],
)
def test_units_wrong(answer, cause, capsys):
    text = said(lesson_02.check_units, answer, capsys)
    assert text.startswith("not yet: ")
    assert cause in text


# 2.3 the unit that keeps the first event --------------------------------------------------------


@pytest.mark.parametrize("answer", [(1.0, 3.0), (0.5, 2.0), [2, 8], np.array([1.0, 3.0])])
def test_first_unit_right(answer, capsys):
    assert said(lesson_02.check_first_unit, lambda: answer, capsys) == "correct"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ((6.0, 2.0), "The second event wins"),
        ((1.0, 1.0), "With a of at most 1"),
        ((1.0, 0.0), "With a of at most 1"),
        ((0.0, 3.0), "no event comes in"),
        ((-1.0, 3.0), "w must be positive"),
        ((1.0, -3.0), "changes its sign"),
        ((0.01, 1.02), "make w or a larger"),
        ((1.0,), "expected two numbers"),
        (5.0, "expected two numbers"),
        ((np.nan, 1.0), "not infinite"),
        ("ab", "expected two numbers"),
    ],
)
def test_first_unit_wrong(answer, cause, capsys):
    text = said(lesson_02.check_first_unit, lambda: answer, capsys)
    assert text.startswith("not yet: ")
    assert cause in text


# 2.4 the last real state ------------------------------------------------------------------------


def last_states(H, lengths):
    return H[np.arange(len(H)), lengths - 1]


def last_states_loop(H, lengths):
    return np.stack([h[n - 1] for h, n in zip(H, lengths, strict=True)])


@pytest.mark.parametrize("answer", [last_states, last_states_loop])
def test_last_states_right(answer, capsys):
    assert said(lesson_02.check_last_states, answer, capsys) == "correct"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (lambda H, lengths: H[:, -1], "it is padding"),
        (lambda H, lengths: H[np.arange(len(H)), lengths], "One step too far"),
        (lambda H, lengths: H[:, lengths - 1], "give the rows too"),
        (lambda H, lengths: H[:, 0], "first state"),
        (lambda H, lengths: H.mean(axis=1), "mean over the steps"),
        (lambda H, lengths: H, "shape"),
    ],
)
def test_last_states_wrong(answer, cause, capsys):
    text = said(lesson_02.check_last_states, answer, capsys)
    assert text.startswith("not yet: ")
    assert cause in text


# 2.5 the leaky cell ----------------------------------------------------------------------------


def step(self, X_t, H, *, bias=True, transpose=False, loop=True):
    p = self.params
    A = X_t @ p["W_xh"]
    if loop:
        A = A + H @ (p["W_hh"].T if transpose else p["W_hh"])
    return A + p["b_h"] if bias else A


def leaky(blend):
    """Make a forward from blend(self, X_t, H) -> H_next."""
    return lambda self, X_t, state: ((blend(self, X_t, state[0]),), None)


def in_place(self, X_t, state):
    (H,) = state
    new = np.tanh(step(self, X_t, H))
    H *= 1 - self.rate
    H += self.rate * new
    return (H,), None


def own_mix(self, X_t, H, **options):
    return (1 - self.rate) * H + self.rate * np.tanh(step(self, X_t, H, **options))


def test_leaky_right(capsys):
    assert said(lesson_02.check_leaky_forward, leaky(own_mix), capsys) == "correct"


def test_leaky_remembers_nothing_between_steps(capsys):
    def forward(self, X_t, state):  # right at the first call, wrong in the scan
        (H,) = state
        self.first = getattr(self, "first", H)
        return (own_mix(self, X_t, self.first),), None

    assert said(lesson_02.check_leaky_forward, forward, capsys).startswith("not yet: H of the scan")


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (leaky(lambda s, X, H: np.tanh(step(s, X, H))), "the vanilla step"),
        (
            leaky(lambda s, X, H: s.rate * H + (1 - s.rate) * np.tanh(step(s, X, H))),
            "shares are swapped",
        ),
        (leaky(lambda s, X, H: s.rate * np.tanh(step(s, X, H))), "not blended in"),
        (leaky(lambda s, X, H: H + s.rate * np.tanh(step(s, X, H))), "kept in full"),
        (
            leaky(lambda s, X, H: np.tanh((1 - s.rate) * H + s.rate * step(s, X, H))),
            "not around the blend",
        ),
        (leaky(lambda s, X, H: own_mix(s, X, H, bias=False)), "bias is missing"),
        (leaky(lambda s, X, H: own_mix(s, X, H, transpose=True)), "transposed"),
        (leaky(lambda s, X, H: own_mix(s, X, H, loop=False)), "H W_hh is missing"),
        (leaky(lambda s, X, H: (1 - s.rate) * H + s.rate * step(s, X, H)), "tanh is missing"),
        (leaky(lambda s, X, H: ...), "replace the ..."),
        (lambda s, X, state: (own_mix(s, X, state[0]), None), "a tuple of one array"),
        (lambda s, X, state: own_mix(s, X, state[0]), "expected a pair"),
        (in_place, "changed the old state"),
    ],
)
def test_leaky_wrong(answer, cause, capsys):
    text = said(lesson_02.check_leaky_forward, answer, capsys)
    assert text.startswith("not yet: ")
    assert cause in text
