"""The same numbers in Keras: build a Keras layer from one of ours, and one of ours from Keras.

Keras joins the gates into one matrix; the bridge cuts it into the symbols of the slides.  Keras
is imported inside the functions, so the rest of the package costs NumPy only.
"""

import numpy as np

from course_utils import cells
from course_utils.environment import import_keras
from course_utils.layers import Concat, Dense, Embedding, Flip, Last, Sequential
from course_utils.recurrent import Recurrent, bidirectional, bidirectional_last

GATES = {  # the order in which Keras joins the gates
    cells.RNNCell: "h",
    cells.LSTMCell: "ifco",
    cells.GRUCell: "zrh",
    cells.GRUResetAfterCell: "zrh",
}
KERAS_NAMES = {
    cells.RNNCell: "SimpleRNN",
    cells.LSTMCell: "LSTM",
    cells.GRUCell: "GRU",
    cells.GRUResetAfterCell: "GRU",
}


def to_keras(ours):
    """Build the Keras layer that computes the same as `ours`, with the same numbers.

    ours: a cell, `Recurrent` or a fast twin, `Dense`, `Embedding`, what `bidirectional` or
    `bidirectional_last` give, or a `Sequential` of these (`Last` after a recurrent layer included).
    A cell becomes a Keras cell, `Recurrent` a layer with `return_sequences=True`.
    Raises TypeError for other layers, ValueError for a layer with replicas: take
    `layer.replica(r)`.

    Taught in: notebooks/02_run_a_vanilla_rnn.
    """
    if getattr(ours, "replicas", None) is not None:
        raise ValueError(f"replicas is {ours.replicas}; expected one model: layer.replica(r)")
    keras, ours = import_keras(), _readable(ours)
    if isinstance(ours, Sequential) and _pair(ours) is None:
        parts = [to_keras(part) for part in _merge_last(ours.parts)]
        return keras.Sequential([_input(keras, ours), *parts])
    layer = _empty(keras, ours)
    layer.build(_input_shape(ours))
    layer.set_weights(to_keras_weights(ours))
    return layer


def _readable(ours):
    """Put the readable layer in the place of every fast twin."""
    if hasattr(ours, "to_cell"):
        return Recurrent(ours.to_cell())
    if isinstance(ours, Sequential | Concat):
        return type(ours)(*map(_readable, ours.parts))
    return ours


def _input(keras, ours):
    """Say what the first part of a Sequential reads; Keras would turn float64 into float32."""
    while isinstance(ours, Sequential | Concat):
        ours = ours.parts[0]
    if isinstance(ours, Embedding):
        return keras.Input((None,), dtype="int32")
    dtype = getattr(ours, "cell", ours).dtype.name
    return keras.Input(_input_shape(ours)[1:], dtype=dtype)


class _LastOf:
    """A recurrent layer of which only the last step is asked for."""

    replicas = None

    def __init__(self, layer):
        self.layer = layer


def _merge_last(parts):
    """Turn `Recurrent, Last` into one part, as Keras has it."""
    merged = []
    for part in parts:
        if isinstance(part, Last):
            if not merged or not isinstance(merged[-1], Recurrent):
                raise TypeError("Last can go to Keras behind a recurrent layer only")
            part = _LastOf(merged.pop())
        merged.append(part)
    return merged


def _empty(keras, ours):
    """Make the Keras layer, without its numbers."""
    pair = _pair(ours)
    if pair is not None:
        forward, backward, sequences = pair
        make = _recurrent_layer
        both = keras.layers.Bidirectional(
            make(keras, forward, sequences),
            backward_layer=make(keras, backward, sequences, go_backwards=True),
            dtype=forward.dtype.name,
        )
        # Bidirectional writes zeros where the mask is False; every other layer carries the state.
        both.forward_layer.zero_output_for_mask = False
        both.backward_layer.zero_output_for_mask = False
        return both
    if isinstance(ours, _LastOf):
        return _recurrent_layer(keras, ours.layer.cell, False)
    if isinstance(ours, Recurrent):
        return _recurrent_layer(keras, ours.cell, True)
    if type(ours) in GATES:
        kind = getattr(keras.layers, KERAS_NAMES[type(ours)] + "Cell")
        return kind(ours.units, dtype=ours.dtype.name, **_form(ours))
    if isinstance(ours, Dense):
        return keras.layers.Dense(ours.units, dtype=ours.dtype.name)
    if isinstance(ours, Embedding):
        return keras.layers.Embedding(ours.num_inputs, ours.units, dtype=ours.dtype.name)
    raise TypeError(f"{type(ours).__name__} has no counterpart in Keras that this bridge knows")


def _recurrent_layer(keras, cell, sequences, **options):
    if type(cell) not in GATES:
        raise TypeError(f"{type(cell).__name__} is not one of the cells that Keras has")
    return getattr(keras.layers, KERAS_NAMES[type(cell)])(
        cell.units,
        return_sequences=sequences,
        dtype=cell.dtype.name,
        **_form(cell),
        **options,
    )


def _form(cell):
    """Give the option that tells the two forms of the GRU apart."""
    if isinstance(cell, cells.GRUCell):
        return {"reset_after": False}
    if isinstance(cell, cells.GRUResetAfterCell):
        return {"reset_after": True}
    return {}


def _pair(ours):
    """Recognise what `bidirectional` and `bidirectional_last` build -> (cell, cell, sequences)."""
    if not isinstance(ours, Concat) or len(ours.parts) != 2:
        return None
    first, second = ours.parts
    inner = getattr(second, "parts", ())
    kinds = [type(part) for part in inner]
    if isinstance(first, Recurrent) and kinds == [Flip, Recurrent, Flip]:
        return first.cell, inner[1].cell, True
    outer = getattr(first, "parts", ())
    if [type(part) for part in outer] == [Recurrent, Last] and kinds == [Flip, Recurrent, Last]:
        return outer[0].cell, inner[1].cell, False
    return None


def _cells_of(ours):
    """Give the cells of a recurrent layer of any kind, in the order of Keras' weights."""
    pair = _pair(ours)
    if pair is not None:
        return pair[:2]
    if isinstance(ours, _LastOf):
        return (ours.layer.cell,)
    if isinstance(ours, Recurrent):
        return (ours.cell,)
    return (ours,) if type(ours) in GATES else ()


def _input_shape(ours):
    found = _cells_of(ours)
    if type(ours) in GATES:
        return (None, ours.num_inputs)
    if found:
        return (None, None, found[0].num_inputs)
    return (None, None) if isinstance(ours, Embedding) else (None, ours.num_inputs)


def to_keras_weights(ours):
    """Give the parameters of a layer as the list of arrays that Keras holds, gates joined.

    Taught in: notebooks/02_run_a_vanilla_rnn.
    """
    ours = _readable(ours)
    found = _cells_of(ours)
    if not found:
        return list(ours.params.values())
    return [array for cell in found for array in _joined(cell)]


def _joined(cell):
    p, gates = cell.params, GATES[type(cell)]
    kernel = np.concatenate([p[f"W_x{g}"] for g in gates], axis=1)  # (D, gates * U)
    recurrent = np.concatenate([p[f"W_h{g}"] for g in gates], axis=1)  # (U, gates * U)
    if isinstance(cell, cells.GRUResetAfterCell):
        bias = np.stack([np.concatenate([p[f"b_{s}{g}"] for g in gates]) for s in "xh"])
    else:
        bias = np.concatenate([p[f"b_{g}"] for g in gates])
    return [kernel, recurrent, bias]


def from_keras_weights(ours, arrays):
    """Cut Keras' arrays into the symbols of `ours`: {name: array}; weights or their gradients.

    arrays: in the order of the Keras layer's `weights`.  Raises ValueError when their number does
    not fit.

    Taught in: notebooks/02_run_a_vanilla_rnn.
    """
    ours, arrays = _readable(ours), [np.asarray(a) for a in arrays]
    if isinstance(ours, Sequential) and _pair(ours) is None:
        return _of_parts(ours, arrays)
    found = _cells_of(ours)
    wanted = 3 * len(found) if found else len(ours.params)
    if len(arrays) != wanted:
        raise ValueError(f"arrays has {len(arrays)} entries; expected {wanted}")
    if not found:
        return dict(zip(ours.params, arrays, strict=True))
    cut = [_cut(cell, arrays[3 * i : 3 * i + 3]) for i, cell in enumerate(found)]
    names = [list(cell.params) for cell in found]
    in_order = [parts[name] for parts, order in zip(cut, names, strict=True) for name in order]
    return dict(zip(ours.params, in_order, strict=True))


def _of_parts(ours, arrays):
    """Hand each part of a Sequential its own arrays."""
    named, start = {}, 0
    for i, part in enumerate(ours.parts):
        count = 3 * len(_cells_of(part)) or len(part.params)
        for name, array in from_keras_weights(part, arrays[start : start + count]).items():
            named[f"{i}.{name}"] = array
        start += count
    return named


def _cut(cell, arrays):
    kernel, recurrent, bias = arrays
    named = {}
    for n, gate in enumerate(GATES[type(cell)]):
        columns = slice(n * cell.units, (n + 1) * cell.units)
        named[f"W_x{gate}"] = kernel[:, columns]
        named[f"W_h{gate}"] = recurrent[:, columns]
        if isinstance(cell, cells.GRUResetAfterCell):
            named[f"b_x{gate}"], named[f"b_h{gate}"] = bias[:, columns]
        else:
            named[f"b_{gate}"] = bias[columns]
    return named


def from_keras(layer):
    """Build our layer with the numbers of a built Keras layer.

    layer: `SimpleRNN`, `LSTM`, `GRU`, their cells, `Dense`, `Embedding`, `Bidirectional` or a
    `Sequential` of these.  A recurrent layer with `return_sequences=False` becomes
    `Sequential(Recurrent(cell), Last())`.  Raises TypeError for other layers, ValueError for one
    that is not built.

    Taught in: notebooks/02_run_a_vanilla_rnn.
    """
    kind = type(layer).__name__
    if kind == "Sequential":
        return Sequential(*(ours for part in layer.layers for ours in _pieces(from_keras(part))))
    if not layer.built:
        raise ValueError(f"{kind} is not built; expected one that has seen data: layer.build(...)")
    ours = _ours(kind, layer)
    for name, array in from_keras_weights(ours, layer.get_weights()).items():
        ours.params[name][...] = array
    if kind in KERAS_NAMES.values() and not layer.return_sequences:
        return Sequential(ours, Last())
    return ours


def _pieces(ours):
    """Take `Sequential(Recurrent, Last)`, one layer in Keras, apart."""
    return ours.parts if isinstance(ours, Sequential) else (ours,)


def _ours(kind, layer):
    """Make our counterpart of a Keras layer; its numbers are still to be filled in."""
    rng = np.random.default_rng(0)
    dtype = layer.dtype
    if kind == "Bidirectional":
        build = bidirectional if layer.forward_layer.return_sequences else bidirectional_last
        halves = (layer.forward_layer, layer.backward_layer)
        return build(*(_cell_like(half, rng) for half in halves))
    if kind in KERAS_NAMES.values():
        return Recurrent(_cell_like(layer, rng))
    if kind.removesuffix("Cell") in KERAS_NAMES.values():
        return _cell_like(layer, rng)
    if kind == "Dense":
        return Dense(*layer.kernel.shape, rng, dtype=dtype)
    if kind == "Embedding":
        return Embedding(layer.input_dim, layer.output_dim, rng, dtype=dtype)
    raise TypeError(f"{kind} has no counterpart that this bridge knows")


def _cell_like(layer, rng):
    kind = type(layer).__name__.removesuffix("Cell")
    reset_after = getattr(layer, "reset_after", False)
    cell_type = {
        "SimpleRNN": cells.RNNCell,
        "LSTM": cells.LSTMCell,
        "GRU": cells.GRUResetAfterCell if reset_after else cells.GRUCell,
    }[kind]
    num_inputs = np.shape(layer.get_weights()[0])[0]
    return cell_type(num_inputs, layer.units, rng, dtype=layer.dtype)


def keras_forward_backward(layer, X, dY, mask=None):
    """Run a Keras layer forward, and backward from the gradient dY.

    layer: a built Keras layer; X (B, T, D) or tokens (B, T); dY shaped as its output; mask (B, T).
    Returns Y, dX (None for tokens), and the gradients of `layer.trainable_weights`, as arrays.

    Taught in: notebooks/03_backpropagate_through_time.
    """
    import tensorflow as tf

    X = tf.convert_to_tensor(X)
    tokens = not X.dtype.is_floating
    options = {} if mask is None else {"mask": tf.convert_to_tensor(mask)}
    with tf.GradientTape() as tape:
        if not tokens:
            tape.watch(X)
        Y = layer(X, **options)
        loss = tf.reduce_sum(Y * tf.convert_to_tensor(dY))
    dX, grads = tape.gradient(loss, (X, layer.trainable_weights))
    return (
        Y.numpy(),
        None if dX is None else dX.numpy(),
        [tf.convert_to_tensor(g).numpy() for g in grads],
    )
