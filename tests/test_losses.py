"""Losses against the same formulas in plain loops, and the values that are known."""

import itertools
import math

import numpy as np
import pytest
from slow_losses import LOSS_FORMS, SLOW_LOSSES, draw_target, loss_gradient_error

from course_utils import losses
from course_utils.checks import TOLERANCE


@pytest.mark.parametrize("form", LOSS_FORMS, ids=lambda f: f"{len(f[0])}-{'-'.join(f[1])}")
@pytest.mark.parametrize("name", SLOW_LOSSES)
def test_value_and_gradient_are_those_of_plain_loops(name, form):
    shape, options = form
    rng = np.random.default_rng(0)
    Y, target = rng.normal(size=shape) * 3, draw_target(name, rng, shape)
    before = Y.tobytes(), target.tobytes()
    loss, dY = getattr(losses, name)(Y, target, **options)
    np.testing.assert_allclose(loss, SLOW_LOSSES[name](Y, target, **options), rtol=1e-12)
    assert loss_gradient_error(SLOW_LOSSES[name], Y, target, dY, options) < TOLERANCE
    assert (Y.tobytes(), target.tobytes()) == before
    assert isinstance(loss, float) if "replicas" not in options else loss.shape == (3,)


@pytest.mark.parametrize("name", SLOW_LOSSES)
def test_the_order_in_memory_does_not_matter(name):
    rng = np.random.default_rng(0)
    Y = rng.normal(size=(2, 3, 4))
    target = draw_target(name, rng, Y.shape)
    wanted = getattr(losses, name)(Y, target)
    for order in itertools.permutations(range(3)):
        turned = Y.transpose(order).copy().transpose(np.argsort(order))  # the same numbers
        came = getattr(losses, name)(turned, target)
        assert came[0] == pytest.approx(wanted[0], rel=1e-15)
        np.testing.assert_allclose(came[1], wanted[1], rtol=1e-15)


@pytest.mark.parametrize("name", SLOW_LOSSES)
def test_float32_stays_float32(name):
    rng = np.random.default_rng(0)
    Y = rng.normal(size=(2, 3, 4)).astype(np.float32)
    _, dY = getattr(losses, name)(Y, draw_target(name, rng, Y.shape), np.ones((2, 3), bool))
    assert dY.dtype == np.float32


@pytest.mark.parametrize("name", SLOW_LOSSES)
def test_masked_positions_do_not_count_whatever_they_hold(name):
    rng = np.random.default_rng(0)
    mask = np.array([[True, False, True]])
    Y = rng.normal(size=(1, 3, 4))
    target = draw_target(name, rng, Y.shape)
    loss, dY = getattr(losses, name)(Y, target, mask)
    Y[0, 1] = 1e6
    again, dY_again = getattr(losses, name)(Y, target, mask)
    assert again == loss
    assert (dY[0, 1] == 0).all()
    assert (dY_again == dY).all()
    short, _ = getattr(losses, name)(Y[:, [0, 2]], target[:, [0, 2]])
    assert short == pytest.approx(loss, rel=1e-14)


@pytest.mark.parametrize("name", SLOW_LOSSES)
def test_replicas_are_losses_one_by_one(name):
    rng = np.random.default_rng(0)
    Y = rng.normal(size=(3, 2, 4))
    target = draw_target(name, rng, Y.shape)
    loss, dY = getattr(losses, name)(Y, target, replicas=3)
    for r in range(3):
        alone, dY_alone = getattr(losses, name)(Y[r], target[r])
        assert loss[r] == pytest.approx(alone, rel=1e-14)
        np.testing.assert_allclose(dY[r], dY_alone, rtol=1e-14)


@pytest.mark.parametrize("K", [2, 5, 100])
def test_an_untrained_network_starts_at_ln_k(K):
    labels = np.random.default_rng(0).integers(0, K, (4, 6))
    assert losses.softmax_cross_entropy(np.zeros((4, 6, K)), labels)[0] == pytest.approx(
        math.log(K)
    )
    zeros = np.zeros((4, K))
    assert losses.binary_cross_entropy(zeros, zeros)[0] == pytest.approx(math.log(2))


def test_huge_scores_overflow_nowhere():
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        loss, dY = losses.softmax_cross_entropy(np.array([[1e4, -1e4]]), np.array([1]))
        assert loss == pytest.approx(2e4)
        assert dY.tolist() == [[1, -1]]
        loss, dY = losses.binary_cross_entropy(np.array([[1e4, -1e4]]), np.array([[0.0, 1.0]]))
        assert loss == pytest.approx(1e4)
        assert dY.tolist() == [[0.5, -0.5]]


def test_the_gradient_of_cross_entropy_sums_to_zero_over_the_classes():
    rng = np.random.default_rng(0)
    _, dY = losses.softmax_cross_entropy(rng.normal(size=(4, 5, 3)), rng.integers(0, 3, (4, 5)))
    np.testing.assert_allclose(dY.sum(axis=-1), 0, atol=1e-15)
