"""One contender of the benchmark, in a process of its own; `bench.py` starts it and asks.

    python tests/tools/bench_contender.py twin

Each line on standard input is a question in JSON, each line on standard output an answer:
how long training steps took, in seconds. One training step is forward, backward through time, and
all gradients. Only the contender's own library is imported.
"""

import json
import os
import resource
import sys
import time

CORES = int(os.environ.get("BENCH_CORES", "2"))
SEQUENCES = 24  # batches in one call of `fit`


def numbers(rng, *shape):
    return rng.standard_normal(shape, dtype="float32")


def numpy_data(B, T, D, U, replicas=None):
    import numpy as np

    rng, lead = np.random.default_rng(0), () if replicas is None else (replicas,)
    return rng, numbers(rng, *lead, B, T, D), numbers(rng, *lead, B, T, U)


def readable(kind, B, T, D, U):
    import numpy as np

    from course_utils import cells
    from course_utils.recurrent import Recurrent

    rng, X, dY = numpy_data(B, T, D, U)
    layer = Recurrent(getattr(cells, kind + "Cell")(D, U, rng, dtype=np.float32))

    def step():
        layer.forward(X)
        layer.backward(dY)

    return step, 1


def twin(kind, B, T, D, U, replicas=None):
    from course_utils import fused

    if CORES == 1:
        fused.CHUNK = float("inf")  # one core: one hand
    rng, X, dY = numpy_data(B, T, D, U, replicas)
    layer = getattr(fused, kind)(D, U, rng, replicas=replicas)

    def step():
        layer.forward(X)
        layer.backward(dY)

    return step, 1


def twin_alone(kind, B, T, D, U):
    from course_utils import fused

    fused.CHUNK = float("inf")
    return twin(kind, B, T, D, U)


def twin20(kind, B, T, D, U):
    return twin(kind, B, T, D, U, replicas=20)


def twin_fit(kind, B, T, D, U):
    """The twin in `fit`: loss, clipping and Adam are in the time."""
    from course_utils import fused
    from course_utils.losses import mean_squared_error
    from course_utils.training import Adam, fit

    rng, X, target = numpy_data(B, T, D, U)
    layer, optimizer = getattr(fused, kind)(D, U, rng), Adam(1e-6)
    batches = [(X, target, None)] * SEQUENCES

    def step():
        fit(layer, iter(batches), mean_squared_error, optimizer, SEQUENCES, clip_norm=1.0)

    return step, SEQUENCES


def keras_layer(kind, D, U):
    import keras

    name = {"RNN": "SimpleRNN", "GRUResetAfter": "GRU"}.get(kind, kind)
    options = {"reset_after": kind != "GRU"} if name == "GRU" else {}
    layer = getattr(keras.layers, name)(U, return_sequences=True, **options)
    layer.build((None, None, D))
    return keras, layer


def keras_fit(kind, B, T, D, U):
    """`model.fit`: loss, global clipping and Adam are in the time."""
    keras, layer = keras_layer(kind, D, U)
    _, X, target = numpy_data(B * SEQUENCES, T, D, U)
    model = keras.Sequential([keras.Input((T, D)), layer])
    model.compile(keras.optimizers.Adam(1e-6, global_clipnorm=1.0), "mean_squared_error")

    def step():
        model.fit(X, target, batch_size=B, epochs=1, verbose=0)

    return step, SEQUENCES


def keras_tape(kind, B, T, D, U):
    import tensorflow as tf

    _, layer = keras_layer(kind, D, U)
    _, X, dY = numpy_data(B, T, D, U)
    X, dY = tf.constant(X), tf.constant(dY)

    @tf.function
    def gradients():
        with tf.GradientTape() as tape:
            tape.watch(X)
            Y = layer(X)
        return tape.gradient(Y, [X, *layer.trainable_weights], output_gradients=dY)

    return lambda: gradients()[0].numpy(), 1


def torch(kind, B, T, D, U):
    import torch

    torch.set_num_threads(CORES)
    name = kind.removesuffix("ResetAfter")
    layer = getattr(torch.nn, name)(D, U, batch_first=True)
    X, dY = torch.randn(B, T, D, requires_grad=True), torch.randn(B, T, U)

    def step():
        layer.zero_grad()
        X.grad = None
        layer(X)[0].backward(dY)

    return step, 1


def floor(kind, B, T, D, U):
    """The matrix products and the tanh of one training step, and nothing else; one thread."""
    import numpy as np

    rng = np.random.default_rng(0)
    gates = {"RNN": 1, "LSTM": 4}.get(kind, 3)
    G, shape = gates * U, lambda *s: numbers(rng, *s)
    W_h, H, A, back = shape(G, U), shape(U, B), shape(G, B), shape(U, G)
    W_x, X, dA, X_back = shape(G, D), shape(D, T * B), shape(G, T * B), shape(D, G)
    H_all = shape(U, T * B)
    C, cells_too = shape(U, B), kind == "LSTM"
    products = [np.empty(s, np.float32) for s in ((G, B), (U, B), (G, T * B), (D, T * B))]

    def multiply():
        np.matmul(W_x, X, out=products[2])
        for _ in range(T):
            np.matmul(W_h, H, out=products[0])
        for _ in range(T):
            np.matmul(back, A, out=products[1])
        np.matmul(X_back, dA, out=products[3])
        np.matmul(dA, H_all.T)
        np.matmul(dA, X.T)

    def squash():
        for _ in range(T):
            np.tanh(A, out=products[0])
            if cells_too:
                np.tanh(C, out=products[1])

    return multiply, squash


def measure(step, steps_per_call, seconds):
    """Call `step` for `seconds`, three training steps at least; give the seconds of each one."""
    times, end = [], time.perf_counter() + seconds
    while len(times) * steps_per_call < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        step()
        times.append((time.perf_counter() - start) / steps_per_call)
    return times


def memory():
    """The most memory that this process has used so far, in MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 if sys.platform != "darwin" else peak / 1024**2


def versions(name):
    import platform
    from importlib import metadata

    package = {"torch": "torch", "keras_fit": "keras", "keras_tape": "keras"}.get(name, "numpy")
    also = ["tensorflow-cpu"] if package == "keras" else []
    found = {"Python": platform.python_version()}
    for one in [package, *also]:
        try:
            found[one] = metadata.version(one)
        except metadata.PackageNotFoundError:
            found["tensorflow"] = metadata.version("tensorflow")
    return found


def main(name):
    make, steps = globals()[name], {}
    if name == "torch":
        __import__("torch")  # fails here where it is missing
    for line in sys.stdin:
        question = json.loads(line)
        if "versions" in question:
            answer = versions(name)
        else:
            key = (question["kind"], *question["size"], question.get("replicas"))
            if key not in steps:
                steps.clear()
                more = {"replicas": key[-1]} if key[-1] else {}
                steps[key] = make(*key[:-1], **more)
                answer = {"memory before": memory()}
                first = steps[key][0]
                first()
                answer |= {"memory": memory()}
                measure(first, 1, 0.1)
            elif name == "floor":
                multiply, squash = steps[key]
                answer = {
                    "products": measure(multiply, 1, question["seconds"] / 2),
                    "tanh": measure(squash, 1, question["seconds"] / 2),
                }
            else:
                answer = {"times": measure(*steps[key], question["seconds"])}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    if CORES == 1 and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TQDM_DISABLE", "1")
    main(sys.argv[1])
