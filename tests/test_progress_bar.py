"""The progress bar of `fit` stays away when TQDM_DISABLE asks for it, also in a notebook."""

import numpy as np
import pytest
from tqdm import tqdm

from course_utils import training
from course_utils.layers import Dense
from course_utils.losses import mean_squared_error
from course_utils.tasks import Batch


@pytest.mark.parametrize(
    ("value", "quiet"), [("1", True), ("0", False), ("", False), (None, False)]
)
def test_the_variable_decides(monkeypatch, value, quiet):
    seen = {}

    def bar(*args, **options):
        seen.update(options)
        return tqdm(*args, **{**options, "disable": True})

    monkeypatch.setattr(training, "tqdm", bar)
    if value is None:
        monkeypatch.delenv("TQDM_DISABLE", raising=False)
    else:
        monkeypatch.setenv("TQDM_DISABLE", value)
    batches = iter([Batch(np.ones((2, 1)), np.ones((2, 1)))])
    model = Dense(1, 1, np.random.default_rng(0))
    training.fit(model, batches, mean_squared_error, training.SGD(0.1), 1)
    assert seen["disable"] is quiet
