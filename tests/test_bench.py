"""The arithmetic of the benchmark; it measures nothing here."""

import bench
import bench_contender
import pytest


def test_exponent_of_a_power_law():
    assert bench.exponent([1, 10, 100], [3.0, 300.0, 30000.0]) == pytest.approx(2)
    assert bench.exponent([25, 50, 100, 200], [7.0] * 4) == pytest.approx(0)


def test_a_ratio_is_taken_inside_each_round():
    medians = {"twin": [1.0, 10.0, 100.0], "torch": [2.0, 20.0, 200.0]}
    assert bench.ratio(medians, "twin", "torch") == (0.5, 0.0)


def test_goals_name_contenders_and_have_one_number_for_each_size_at_most():
    for (kind, other), goals in bench.GOALS.items():
        assert kind in bench.KINDS
        assert other in bench.TITLES
        assert len(goals) <= len(bench.SIZES)


def test_the_report_shows_every_ratio_and_leaves_out_who_was_not_there():
    rounds = {"twin": [0.001, 0.001, 0.001], "keras_fit": [0.004, 0.004, 0.004]}
    alone = {"twin": [0.002] * 3, "floor": [[0.0004, 0.0001]] * 3}
    size = bench.SIZES[0]
    names = ["twin", "keras_fit"]
    text = bench.report(
        {"LSTM": {size: rounds}}, {"LSTM": {size: alone}}, names, None, None, {"numpy": "2"}, 3
    )
    assert "0.25 ± 0.00 (goal 0.45) | – |" in text  # PyTorch took no part
    assert "| LSTM | (32, 50, 32, 64) | 0.4 | 0.1 | 2 | 4.00 |" in text
    assert "## How the cost grows" not in text


@pytest.mark.parametrize("name", ["readable", "twin", "twin20"])
def test_a_contender_takes_a_step(name):
    step, count = getattr(bench_contender, name)("LSTM", 2, 3, 4, 5)
    step()
    assert count == 1
    assert len(bench_contender.measure(step, count, 0)) == 3
