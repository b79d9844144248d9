"""The fast twins give the numbers of the readable cells, and the work space never shows.

The laws (form, side effects, gradients, replicas, padding) are held against the twins as well: they
stand in the list `contracts.LAYERS`.  Here is what is special about a twin.
"""

import copy
import pickle
import tracemalloc
import warnings
from unittest import mock

import numpy as np
import pytest
from contracts import draw_state, gradient_errors, nudge
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import cells, fused
from course_utils.checks import TOLERANCE
from course_utils.fused import GRU, LSTM, RNN, GRUResetAfter
from course_utils.layers import Concat, Dense, Flip, Last, Sequential
from course_utils.losses import mean_squared_error
from course_utils.recurrent import Recurrent, bidirectional, bidirectional_last
from course_utils.training import Adam, fit

TWINS = [RNN, LSTM, GRU, GRUResetAfter]
MANY_CHUNKS = mock.patch.object(fused, "CHUNK", 1.0)  # every shape is cut, for both threads

each_twin = pytest.mark.parametrize("kind", TWINS, ids=lambda kind: kind.__name__)


def pair(kind, D=3, U=4, seed=0, **options):
    """A twin in float64 and the layer of its readable cell, away from the starting values."""
    rng = np.random.default_rng(seed)
    twin = nudge(kind(D, U, rng, **{"dtype": np.float64, **options}), rng)
    return twin, Recurrent(twin.to_cell())


def close(a, b, tolerance=1e-12):
    """Equal to `tolerance`, relative to the largest entry."""
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape
    np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * max(1.0, np.abs(b).max()))


def everything(layer, X, mask, state, dY, dstate):
    """All that one forward and one backward give, by name."""
    results = {"H": layer.forward(X, mask, state)}
    results |= {f"state {i}": part for i, part in enumerate(layer.state)}
    results["dX"] = layer.backward(dY, dstate)
    results |= {f"dstate {i}": part for i, part in enumerate(layer.dstate)}
    return results | layer.grads


# ------------------------------------------------------------------ the same numbers


@each_twin
@given(
    replicas=st.sampled_from([None, 1, 3]),
    B=st.integers(1, 4),
    T=st.integers(1, 7),
    D=st.integers(1, 4),
    U=st.integers(1, 5),
    masked=st.booleans(),
    with_state=st.booleans(),
    with_dstate=st.booleans(),
    chunk=st.sampled_from([1.0, fused.CHUNK]),
    seed=st.integers(0, 1000),
)
@settings(max_examples=60)
def test_a_twin_equals_its_readable_cell(
    kind, replicas, B, T, D, U, masked, with_state, with_dstate, chunk, seed
):
    rng = np.random.default_rng(seed)
    twin, readable = pair(kind, D, U, seed, replicas=replicas)
    lead = () if replicas is None else (replicas,)
    X, dY = rng.normal(size=(*lead, B, T, D)), rng.normal(size=(*lead, B, T, U))
    mask = rng.random((B, T)) < 0.6 if masked else None
    state = draw_state(twin, B, rng) if with_state else None
    dstate = draw_state(twin, B, rng) if with_dstate else None
    with mock.patch.object(fused, "CHUNK", chunk):
        ours = everything(twin, X, mask, state, dY, dstate)
    wanted = everything(readable, X, mask, state, dY, dstate)
    assert list(ours) == list(wanted)
    for name in wanted:
        close(ours[name], wanted[name])


@each_twin
@pytest.mark.parametrize("where", ["end", "middle"])
@pytest.mark.parametrize("gradient", ["nothing at padded steps", "everywhere"])
@pytest.mark.parametrize("replicas", [None, 2])
def test_the_way_around_padded_steps_is_left_out_only_where_nothing_goes_there(
    kind, where, gradient, replicas
):
    rng = np.random.default_rng(0)
    twin, readable = pair(kind, replicas=replicas)
    lead = () if replicas is None else (replicas,)
    X, dY = rng.normal(size=(*lead, 3, 6, 3)), rng.normal(size=(*lead, 3, 6, 4))
    mask = np.arange(6) < np.array([[2], [6], [4]])
    if where == "middle":
        mask[:, 5] = True
    if gradient != "everywhere":
        dY[..., ~mask, :] = 0
    left_out = where == "end" and gradient != "everywhere"
    with mock.patch.object(fused, "_take_out", wraps=fused._take_out) as take_out:
        ours = everything(twin, X, mask, None, dY, None)
        assert take_out.called != left_out
        last = tuple(np.zeros_like(part) for part in twin.state)
        everything(twin, X, mask, None, dY, last)  # a gradient of the final state has to go around
        assert take_out.called
    for name, wanted in everything(readable, X, mask, None, dY, None).items():
        close(ours[name], wanted)


@each_twin
@pytest.mark.parametrize("replicas", [None, 2])
def test_a_twin_starts_with_the_numbers_of_the_cell(kind, replicas):
    form = {"replicas": replicas, "dtype": np.float32}
    twin = kind(3, 4, np.random.default_rng(5), **form)
    cell = kind.readable(3, 4, np.random.default_rng(5), **form)
    assert list(twin.params) == list(cell.params)
    for name, p in cell.params.items():
        assert (twin.params[name].shape, twin.params[name].dtype) == (p.shape, p.dtype)
        assert (twin.params[name] == p).all()
    assert twin.initial_state(2)[0].dtype == np.float32


@each_twin
def test_float32_is_the_default_and_stays_near_float64(kind):
    rng = np.random.default_rng(0)
    twin = kind(5, 16, rng)
    X, dY = rng.normal(size=(8, 30, 5)), rng.normal(size=(8, 30, 16))
    ours = everything(twin, X, None, None, dY, None)
    exact = kind(5, 16, rng, dtype=np.float64)
    for name, p in twin.params.items():
        exact.params[name][...] = p
    wanted = everything(exact, X, None, None, dY, None)
    for name in wanted:
        assert ours[name].dtype == np.float32
        close(ours[name], wanted[name], 1e-5)


@each_twin
def test_the_second_thread_changes_no_bit(kind):
    rng = np.random.default_rng(0)
    with MANY_CHUNKS:
        twin, _ = pair(kind)
        X, dY = rng.normal(size=(3, 20, 3)), rng.normal(size=(3, 20, 4))
        both = everything(twin, X, None, None, dY, None)
        (work,) = twin._work.values()
        assert len(work.chunks) > 1
        assert work.two_hands
        work.two_hands = False
        alone = everything(twin, X, None, None, dY, None)
    assert {n: a.tobytes() for n, a in both.items()} == {n: a.tobytes() for n, a in alone.items()}


def test_a_large_shape_is_cut_and_a_small_one_is_not():
    twin = LSTM(32, 64, np.random.default_rng(0))
    assert len(fused.Work(twin, 32, 50).chunks) > 1
    assert len(fused.Work(twin, 1, 10).chunks) == 1
    chunks = fused.Work(twin, 1024, 2).chunks  # never more chunks than steps
    assert [(c.start, c.stop) for c in chunks] == [(0, 1), (1, 2)]


@each_twin
def test_a_wrong_slope_in_a_twin_is_found_by_the_gradient_check(kind):
    class Wrong(kind):
        def _slopes(self, work, chunk):
            super()._slopes(work, chunk)
            work.dA[chunk] *= 1.1

    rng = np.random.default_rng(0)
    X = rng.normal(size=(2, 4, 3))
    right, _ = pair(kind)
    wrong = nudge(Wrong(3, 4, rng, dtype=np.float64), rng)
    assert max(gradient_errors(right, X).values()) < TOLERANCE
    assert min(gradient_errors(wrong, X).values()) > 1e3 * TOLERANCE


# ------------------------------------------------------------------ parameters


@each_twin
def test_a_parameter_that_is_changed_in_place_counts_from_the_next_forward(kind):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2, 5, 3))
    for name in pair(kind)[0].params:
        twin, readable = pair(kind)
        before = twin.forward(X)
        twin.params[name][...] += 1
        readable.params[name][...] += 1
        close(twin.forward(X), readable.forward(X))
        assert np.abs(twin.forward(X) - before).max() > 1e-3


@each_twin
def test_a_parameter_that_is_replaced_counts_too(kind):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2, 5, 3))
    twin, readable = pair(kind)
    name = next(iter(twin.params))
    twin.params[name] = readable.params[name] = rng.normal(size=twin.params[name].shape)
    close(twin.forward(X), readable.forward(X))
    twin.params[name][...] = readable.params[name][...] = 0.1
    close(twin.forward(X), readable.forward(X))
    twin.params[name] = np.zeros((7, 7))
    with pytest.raises(ValueError, match=rf"params\['{name}'\] has shape \(7, 7\); expected"):
        twin.forward(X)


@each_twin
@pytest.mark.parametrize("replicas", [None, 2])
@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda twin: pickle.loads(pickle.dumps(twin))]
)
def test_a_copy_is_a_twin_of_its_own(kind, replicas, again):
    twin, _ = pair(kind, replicas=replicas)
    X = np.random.default_rng(0).normal(size=(*(() if replicas is None else (2,)), 2, 5, 3))
    before = twin.forward(X)
    other = again(twin)
    assert other.forward(X).tobytes() == before.tobytes()
    for p in other.params.values():
        p += 1
    assert np.abs(other.forward(X) - before).max() > 1e-3
    assert twin.forward(X).tobytes() == before.tobytes()


@each_twin
@pytest.mark.parametrize("replicas", [None, 2])
def test_from_cell_and_to_cell_copy_the_numbers(kind, replicas):
    _, readable = pair(kind, replicas=replicas)
    twin = kind.from_cell(readable.cell)
    assert (twin.dtype, twin.replicas) == (np.float64, replicas)
    back = twin.to_cell()
    for name, p in readable.params.items():
        assert (twin.params[name] == p).all()
        assert (back.params[name] == p).all()
        twin.params[name][...] = 0
        assert (back.params[name] == p).all()
        assert (readable.params[name] == p).all()


@each_twin
def test_from_cell_wants_the_cell_of_its_kind(kind):
    other = cells.LSTMCell if kind is not LSTM else cells.GRUCell
    with pytest.raises(TypeError, match=f"expected {kind.readable.__name__}"):
        kind.from_cell(other(3, 4, np.random.default_rng(0)))


# ------------------------------------------------------------------ work space


@each_twin
@pytest.mark.parametrize("cut", [False, True])
def test_what_was_returned_is_never_overwritten(kind, cut):
    rng = np.random.default_rng(0)
    with mock.patch.object(fused, "CHUNK", 1.0 if cut else fused.CHUNK):
        twin, _ = pair(kind)
        draw = lambda: [  # noqa: E731
            *(rng.normal(size=(2, 6, 3)), None, draw_state(twin, 2, rng)),
            *(rng.normal(size=(2, 6, 4)), draw_state(twin, 2, rng)),
        ]
        first = everything(twin, *draw())
        kept = {name: array.copy() for name, array in first.items()}
        everything(twin, *draw())
        for name, array in first.items():
            assert array.tobytes() == kept[name].tobytes(), name


@each_twin
def test_a_reader_who_writes_into_results_or_inputs_disturbs_nothing(kind):
    rng = np.random.default_rng(0)
    twin, readable = pair(kind)
    X, dY = rng.normal(size=(2, 5, 3)), rng.normal(size=(2, 5, 4))
    wanted = everything(readable, X, None, None, dY, None)
    twin.forward(X)[...] = 0
    twin.state[0][...] = 0
    X[...] = 0
    close(twin.backward(dY), wanted["dX"])
    close(twin.backward(dY), wanted["dX"])  # and a second backward of the same forward


@each_twin
def test_shapes_can_alternate_and_few_work_spaces_are_kept(kind):
    rng = np.random.default_rng(0)
    twin, readable = pair(kind)
    for B, T in [(2, 5), (1, 5), (2, 3), (4, 4), (3, 3), (5, 2), (2, 5)]:
        X, dY = rng.normal(size=(B, T, 3)), rng.normal(size=(B, T, 4))
        close(twin.forward(X), readable.forward(X))
        close(twin.backward(dY), readable.backward(dY))
    assert len(twin._work) == fused.SHAPES_KEPT


@each_twin
@pytest.mark.parametrize("cut", [False, True])
def test_chunks_of_a_long_sequence_allocate_only_what_they_return(kind, cut):
    """Truncated backpropagation: the state goes on from chunk to chunk, the memory stays."""
    rng = np.random.default_rng(0)
    with mock.patch.object(fused, "CHUNK", 1.0 if cut else fused.CHUNK):
        twin = kind(8, 32, rng)
        X, dY = rng.normal(size=(16, 40, 8)).astype("f"), np.ones((16, 40, 32), np.float32)
        state = twin.initial_state(16)
        results = everything(twin, X, None, state, dY, None)
        returned = sum(array.nbytes for array in results.values())
        del results
        tracemalloc.start()
        for _ in range(3):
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            H = twin.forward(X, None, state)
            twin.backward(dY)
            state = twin.state
            peak = tracemalloc.get_traced_memory()[1] - before
            del H
        tracemalloc.stop()
    (work,) = twin._work.values()
    assert peak < 2 * returned + 100_000  # the results, those of the chunk before, small objects
    assert work.A.nbytes + work.dA.nbytes > returned


def test_chunks_with_the_state_carried_are_one_long_sequence():
    rng = np.random.default_rng(0)
    twin, readable = pair(LSTM)
    X = rng.normal(size=(2, 12, 3))
    whole, state, pieces = readable.forward(X), None, []
    for start in range(0, 12, 4):
        pieces.append(twin.forward(X[:, start : start + 4], None, state))
        state = twin.state
    close(np.concatenate(pieces, axis=1), whole)


def test_work_that_was_handed_over_is_dropped_after_an_error():
    done = []

    def stopped():
        with fused.Hands(two=False) as hands:
            hands.give(done.append, 1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert done == []
    with fused.Hands(two=True) as hands:
        pieces = [hands.give(done.append, i) for i in range(5)]
        pieces[3].finish()
        assert 3 in done
    assert sorted(done) == [0, 1, 2, 3, 4]


def test_an_error_in_the_second_thread_is_raised_here():
    with pytest.raises(ZeroDivisionError), fused.Hands(two=True) as hands:
        hands.give(divmod, 1, 0)


# ------------------------------------------------------------------ errors


BAD = {
    "two axes": lambda twin, X: (X[0],),
    "another D": lambda twin, X: (X[..., :2],),
    "no steps": lambda twin, X: (X[:, :0],),
    "text": lambda twin, X: (np.full(X.shape, "a"),),
    "NaN": lambda twin, X: (np.where(np.arange(5)[:, None] == 3, np.nan, X),),
    "a mask of numbers": lambda twin, X: (X, np.ones((2, 5))),
    "a mask of another shape": lambda twin, X: (X, np.ones((5, 2), bool)),
    "a state that is an array": lambda twin, X: (X, None, twin.initial_state(2)[0]),
    "a state of another batch": lambda twin, X: (X, None, twin.initial_state(3)),
    "a state with one array more": lambda twin, X: (X, None, twin.initial_state(2) * 3),
}


@each_twin
@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_bad_input_gets_the_error_of_the_readable_layer(kind, bad):
    twin, readable = pair(kind)
    arguments = bad(twin, np.random.default_rng(0).normal(size=(2, 5, 3)))
    with pytest.raises((TypeError, ValueError)) as ours:
        twin.forward(*arguments)
    with pytest.raises((TypeError, ValueError)) as wanted:
        readable.forward(*arguments)
    assert (ours.type, str(ours.value)) == (wanted.type, str(wanted.value))


@each_twin
def test_bad_gradients_are_named(kind):
    twin, _ = pair(kind)
    with pytest.raises(RuntimeError, match="backward was called before forward"):
        twin.backward(np.zeros((2, 5, 4)))
    twin.forward(np.zeros((2, 5, 3)))
    with pytest.raises(ValueError, match=r"dY has shape \(2, 4, 4\); expected \(2, 5, 4\)"):
        twin.backward(np.zeros((2, 4, 4)))
    with pytest.raises(ValueError, match="dstate"):
        twin.backward(np.zeros((2, 5, 4)), twin.initial_state(3))


@each_twin
def test_bad_sizes_get_the_error_of_the_cell(kind):
    for arguments in [(0, 4, np.random.default_rng(0)), (3, 4, 0)]:
        with pytest.raises((TypeError, ValueError)) as ours:
            kind(*arguments)
        with pytest.raises((TypeError, ValueError)) as wanted:
            kind.readable(*arguments)
        assert str(ours.value) == str(wanted.value)


# ------------------------------------------------------------------ in a network


@pytest.mark.parametrize("last", [False, True])
def test_twins_compose_to_a_bidirectional_network(last):
    rng = np.random.default_rng(0)
    (ahead, ahead_readable), (back, back_readable) = pair(LSTM, U=4), pair(GRU, U=2)
    end = Last if last else Flip
    ours = Concat(
        Sequential(ahead, Last()) if last else ahead,
        Sequential(Flip(), back, end()),
    )
    build = bidirectional_last if last else bidirectional
    wanted = build(ahead_readable.cell, back_readable.cell)
    X, mask = rng.normal(size=(3, 5, 3)), np.arange(5) < np.array([[5], [2], [1]])
    close(ours.forward(X, mask), wanted.forward(X, mask))
    dY = rng.normal(size=wanted.forward(X, mask).shape)
    close(ours.backward(dY), wanted.backward(dY))
    for ours_part, wanted_part in zip(ours.grads.values(), wanted.grads.values(), strict=True):
        close(ours_part, wanted_part)


@each_twin
def test_fit_trains_twins_as_it_trains_the_cells(kind):
    rng = np.random.default_rng(0)
    twin, readable = pair(kind, replicas=3)
    dense = Dense(4, 1, rng, replicas=3)
    models = [
        Sequential(twin, Last(), dense),
        Sequential(readable, Last(), copy.deepcopy(dense)),
    ]
    batches = [(rng.normal(size=(3, 2, 5, 3)), rng.normal(size=(3, 2, 1)), None) for _ in range(6)]
    rates = np.array([0.01, 0.1, 0.3])
    with MANY_CHUNKS:
        ours, wanted = (
            fit(model, iter(batches), mean_squared_error, Adam(rates), 6, clip_norm=0.5)
            for model in models
        )
    close(ours.loss, wanted.loss, 1e-10)
    close(ours.grad_norm, wanted.grad_norm, 1e-10)


def test_a_replica_that_diverges_stops_in_silence_and_leaves_the_others_alone():
    rng = np.random.default_rng(0)
    model = Sequential(LSTM(2, 3, rng, replicas=3), Last(), Dense(3, 1, rng, replicas=3))
    model.params["0.W_hc"][1] = np.inf
    batches = [(rng.normal(size=(3, 2, 5, 2)), rng.normal(size=(3, 2, 1)), None) for _ in range(4)]
    with MANY_CHUNKS, warnings.catch_warnings():
        warnings.simplefilter("error")
        history = fit(model, iter(batches), mean_squared_error, Adam(0.01), 4)
    assert history.diverged.tolist() == [-1, 1, -1]
    assert np.isfinite(history.loss[:, [0, 2]]).all()


@each_twin
def test_the_keras_bridge_takes_a_twin_like_its_cell(kind):
    from course_utils.keras_bridge import from_keras_weights, to_keras_weights

    twin, readable = pair(kind)
    weights = to_keras_weights(twin)
    for ours, wanted in zip(weights, to_keras_weights(readable), strict=True):
        assert (ours == wanted).all()
    back = from_keras_weights(twin, weights)
    assert list(back) == list(twin.params)
    assert all((back[name] == p).all() for name, p in twin.params.items())


def test_keras_computes_the_same_as_a_network_with_a_twin():
    from course_utils.keras_bridge import to_keras

    network = Sequential(pair(LSTM)[0], Last(), Dense(4, 2, np.random.default_rng(0)))
    X = np.random.default_rng(0).normal(size=(2, 5, 3))
    close(to_keras(network)(X), network.forward(X), 1e-6)  # keras.Sequential reads X in float32
