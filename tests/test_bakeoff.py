"""The sign test: its counts, its chance against a count of all coins, its errors."""

from itertools import product

import numpy as np
import pytest

from course_utils.bakeoff import sign_test, sign_test_p


@pytest.mark.parametrize("n", [1, 2, 5, 10])
def test_p_is_the_share_of_coin_rows_that_are_as_uneven(n):
    heads = np.array([sum(coins) for coins in product((0, 1), repeat=n)])
    for wins in range(n + 1):
        as_uneven = np.abs(heads - n / 2) >= abs(wins - n / 2)
        assert sign_test_p(wins, n - wins) == pytest.approx(as_uneven.mean())


def test_fair_coins_reach_five_percent_at_most_so_often():
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 2000, 16))
    below = np.mean([sign_test(x, y).p < 0.05 for x, y in zip(a, b, strict=True)])
    assert 0.005 < below <= 0.05


def test_counts():
    assert sign_test([1, 2, 3], [2, 1, 3])[:3] == (1, 1, 1)
    assert sign_test([1, 2, 3], [2, 3, 4], lower_is_better=False)[:3] == (0, 3, 0)
    assert sign_test([np.nan, np.nan], [1, np.nan])[:3] == (0, 1, 1)
    assert sign_test([np.nan], [1], lower_is_better=False)[:3] == (0, 1, 0)
    assert sign_test([1, 1], [1, 1]).p == 1


@pytest.mark.parametrize(("ours", "theirs"), [([1, 2], [1]), ([[1]], [[2]]), ([], []), (1, 2)])
def test_other_shapes_are_refused(ours, theirs):
    with pytest.raises(ValueError, match="expected \\(R,\\) both"):
        sign_test(ours, theirs)


def test_negative_counts_are_refused():
    with pytest.raises(ValueError, match="wins is -1"):
        sign_test_p(-1, 3)
