"""The checks of notebook 02: right answers pass, empty ones do not, wrong ones hear their cause."""

import numpy as np
from exercise_tests import four_tests, hears

from course_utils.exercises import lesson_02 as lesson

# 2.1 the recurrence


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


# 2.3 the unit that keeps the first event


def weights(*numbers):
    """An answer to exercise 2.3 that returns these numbers."""
    return lambda: numbers


# 2.4 the last real state


def last_states(H, lengths):
    return H[np.arange(len(H)), lengths - 1]


def last_states_loop(H, lengths):
    return np.stack([h[n - 1] for h, n in zip(H, lengths, strict=True)])


# 2.5 the leaky cell


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


def remembers_between_steps(self, X_t, state):  # right at the first call, wrong in the scan
    (H,) = state
    self.first = getattr(self, "first", H)
    return (own_mix(self, X_t, self.first),), None


RIGHT = {
    "check_recurrence": [recurrence, with_array],
    "check_units": [29, np.int64(29)],
    "check_first_unit": [
        weights(1.0, 3.0),
        weights(0.5, 2.0),
        lambda: [2, 8],
        lambda: np.array([1.0, 3.0]),
    ],
    "check_last_states": [last_states, last_states_loop],
    "check_leaky_forward": [leaky(own_mix)],
}

WRONG = {
    "check_recurrence": [
        (slip, "the slip of the slide"),
        (unknown_state, "the slip of the slide"),
        (lambda f, x, h_0: [f(x_t, h_0) for x_t in x], "Every step starts from h_0"),
        (lambda f, x, h_0: [h_0, *recurrence(f, x, h_0)], "starts with h_0"),
        (lambda f, x, h_0: recurrence(f, x, h_0)[-1], "Only the last state"),
        (before_update, "append after the update"),
        (from_zero, "The first state is 0"),
        (lambda f, x, h_0: recurrence(f, x[::-1], h_0), "from the end"),
    ],
    "check_units": [
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
    "check_first_unit": [
        (weights(6.0, 2.0), "The second event wins"),
        (weights(1.0, 1.0), "With a of at most 1"),
        (weights(1.0, 0.0), "With a of at most 1"),
        (weights(0.0, 3.0), "no event comes in"),
        (weights(-1.0, 3.0), "w must be positive"),
        (weights(1.0, -3.0), "changes its sign"),
        (weights(0.01, 1.02), "make w or a larger"),
        (weights(1.0), "expected two numbers"),
        (lambda: 5.0, "expected two numbers"),
        (weights(np.nan, 1.0), "not infinite"),
        (lambda: "ab", "expected two numbers"),
    ],
    "check_last_states": [
        (lambda H, lengths: H[:, -1], "it is padding"),
        (lambda H, lengths: H[np.arange(len(H)), lengths], "One step too far"),
        (lambda H, lengths: H[:, lengths - 1], "give the rows too"),
        (lambda H, lengths: H[:, 0], "first state"),
        (lambda H, lengths: H.mean(axis=1), "mean over the steps"),
        (lambda H, lengths: H, "shape"),
    ],
    "check_leaky_forward": [
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
        (remembers_between_steps, "H of the scan"),
    ],
}

test_right, test_empty, test_wrong, test_tables_are_complete = four_tests(lesson, RIGHT, WRONG)


def test_29_units_are_the_most_that_fit():
    assert 29 * (3 + 29 + 1) <= 1000 < 30 * (3 + 30 + 1)


def test_a_cell_that_remembers_is_told_first_where():
    hears(lesson.check_leaky_forward, remembers_between_steps, "not yet: H of the scan")
