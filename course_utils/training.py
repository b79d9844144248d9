"""Optimizers, clipping, and one training loop that records what it does and never draws."""

import itertools
import os
from dataclasses import dataclass, field

import numpy as np
from tqdm.auto import tqdm

from course_utils import require

GROUP = 2**14  # numbers; with more of them at a time they leave the cache


class _Optimizer:
    """Hold what optimizers share: a learning rate, and a memory for every group of parameters."""

    def __init__(self, learning_rate):
        if not callable(learning_rate) and not np.all(np.asarray(learning_rate) > 0):
            raise ValueError(f"learning_rate is {learning_rate}; expected a positive number")
        self.learning_rate = learning_rate
        self.step = 0
        self.memory = {}  # names and shapes of the parameters -> rows

    def update(self, params, grads):
        """Change every array of `params` in place, by the gradients of the same names.

        The memory belongs to these names and shapes; with others a new one begins.
        Raises TypeError or ValueError, before anything has changed, when a parameter is not an
        array, when names or shapes differ, or when there is not one learning rate per replica.
        """
        rate = self.learning_rate
        rate = np.asarray(rate(self.step + 1) if callable(rate) else rate)
        for name, p in params.items():
            if not isinstance(p, np.ndarray):
                raise TypeError(f"params[{name!r}] is a {type(p).__name__}; expected an array")
            if name not in grads or np.shape(grads[name]) != p.shape:
                came = f"has shape {np.shape(grads[name])}" if name in grads else "is missing"
                raise ValueError(f"grads[{name!r}] {came}; expected shape {p.shape}")
            if rate.ndim and rate.shape != p.shape[:1]:
                raise ValueError(
                    f"learning_rate has shape {rate.shape}; expected one number, or (R,) for "
                    f"params[{name!r}] of shape {p.shape}"
                )
        self.step += 1
        for group in _groups(params):
            self._move(group, [grads[name] for name in group], rate)

    def _move(self, group, grads, rate):
        """Change the parameters of a group, with all their numbers beside each other in a row."""
        grad = _row(grads, next(iter(group.values())).dtype)
        if rate.ndim:
            rate = _row([np.repeat(rate, p[0].size) for p in group.values()], grad.dtype)
        whose = tuple((name, p.shape) for name, p in group.items())
        change, start = self._change(whose, grad, rate.astype(grad.dtype)), 0
        for p in group.values():
            p -= change[start : start + p.size].reshape(p.shape)
            start += p.size

    def _change(self, whose, grad, rate):
        """Give what to take from a row of parameters; rate is one number or a row."""
        raise NotImplementedError


def _groups(params):
    """Gather arrays of one type in their order: small ones together, up to about GROUP numbers."""
    groups, size, dtype = [], 0, ""
    for name, p in params.items():
        if size >= GROUP or p.dtype.str != dtype:
            groups, size, dtype = [*groups, {}], 0, p.dtype.str
        groups[-1][name] = p
        size += p.size
    return groups


def _row(arrays, dtype):
    """Copy all numbers of some arrays into one row."""
    return np.concatenate(arrays, axis=None, dtype=dtype)


class SGD(_Optimizer):
    """Take a step against the gradient, with momentum if asked for.

    learning_rate: a positive number, an array (R,) with one for each replica, or a function of
    the step number that gives one of these.

    Taught in: notebooks/03_backpropagate_through_time.
    """

    def __init__(self, learning_rate, momentum=0.0):
        super().__init__(learning_rate)
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum is {momentum}; expected a number from 0 up to, not, 1")
        self.momentum = momentum

    def _change(self, whose, grad, rate):
        if not self.momentum:
            return rate * grad
        velocity = self.memory.setdefault(whose, np.zeros_like(grad))
        velocity *= self.momentum
        velocity += rate * grad
        return velocity


class Adam(_Optimizer):
    """Take steps of a size that adapts to each parameter; the form and the defaults of Keras.

    learning_rate as in `SGD`.

    Source: Kingma & Ba 2015.  Taught in: notebooks/03_backpropagate_through_time.
    """

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
        super().__init__(learning_rate)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def _change(self, whose, grad, rate):
        if whose not in self.memory:
            self.memory[whose] = (np.zeros_like(grad), np.zeros_like(grad))
        mean, square = self.memory[whose]
        _follow(mean, np.copy(grad), 1 - self.beta_1)
        _follow(square, grad * grad, 1 - self.beta_2)
        correction = np.sqrt(1 - self.beta_2**self.step) / (1 - self.beta_1**self.step)
        size = np.sqrt(square)
        size += self.epsilon
        return np.divide(rate * grad.dtype.type(correction) * mean, size, out=size)


def _follow(average, value, share):
    """Move a running average a share of the way to a new value, in place; overwrites `value`."""
    value -= average
    value *= share
    average += value


def drop_at_end(learning_rate, steps, *, last=0.25, factor=0.1):
    """Make a learning rate that is multiplied by `factor` for the last share of `steps`.

    Taught in: notebooks/03_backpropagate_through_time.

    >>> rate = drop_at_end(0.02, 100)
    >>> rate(1), round(rate(100), 4)
    (0.02, 0.002)
    """
    return lambda step: learning_rate * (factor if step > (1 - last) * steps else 1.0)


def clip_by_global_norm(grads, max_norm, *, replicas=None):
    """Shrink all gradients together so that their joint norm is at most `max_norm`.

    grads: name -> array.  max_norm: a positive number, or an array (R,) with `replicas=R`; then
    each replica has its own norm.  Returns new gradients and the norm before clipping, a float or
    (R,).  The direction stays, which clipping each array alone would not do.

    Source: Pascanu, Mikolov & Bengio 2013.  Taught in: notebooks/04_watch_gradients_vanish.

    >>> clipped, norm = clip_by_global_norm({"w": np.array([3.0, 4.0])}, 1.0)
    >>> norm, clipped["w"].round(2).tolist()
    (5.0, [0.6, 0.8])
    """
    if not np.all(np.asarray(max_norm) > 0):
        raise ValueError(f"max_norm is {max_norm}; expected a positive number")
    if np.ndim(max_norm) and np.shape(max_norm) != (replicas,):
        raise ValueError(f"max_norm has shape {np.shape(max_norm)}; expected () or ({replicas},)")
    norm = global_norm(grads, replicas=replicas)
    scale = np.minimum(1.0, max_norm / np.maximum(norm, np.finfo(float).tiny))
    return {name: _per_model(scale, g) * g for name, g in grads.items()}, norm


def global_norm(grads, *, replicas=None):
    """Give the joint Euclidean norm of all gradients: a float, or (R,) with `replicas=R`."""
    models = 1 if replicas is None else replicas
    # in float64: the square of a large float32 gradient would overflow
    squares = (np.square(g.reshape(models, -1), dtype=np.float64) for g in grads.values())
    norm = np.sqrt(sum(square.sum(axis=1) for square in squares))
    return float(norm[0]) if replicas is None else norm


def _per_model(scale, g):
    """Shape a number per model (R,), or one number, so that it multiplies g."""
    scale = np.asarray(scale, g.dtype)
    return scale.reshape(scale.shape + (1,) * (g.ndim - 1)) if scale.ndim else scale


@dataclass
class History:
    """What happened in a training run.

    `loss` and `grad_norm` (before clipping) have shape (steps,), with R replicas (steps, R).
    `validation` holds what `validate` gave after the steps in `validation_steps`.  `diverged` is
    the step at which a model's gradient stopped being finite, -1 for never; its losses are NaN
    from there on, and the run ends early when no model is left.  `interrupted` is True when the
    reader stopped the run.
    """

    loss: np.ndarray
    grad_norm: np.ndarray
    validation_steps: np.ndarray
    validation: np.ndarray
    diverged: np.ndarray
    interrupted: bool = False


@dataclass
class _Record:
    """Collect a History while it happens."""

    loss: list = field(default_factory=list)
    grad_norm: list = field(default_factory=list)
    validation_steps: list = field(default_factory=list)
    validation: list = field(default_factory=list)

    def history(self, diverged, interrupted):
        steps = min(len(self.loss), len(self.grad_norm))
        return History(
            np.array(self.loss[:steps]),
            np.array(self.grad_norm[:steps]),
            np.array(self.validation_steps[: len(self.validation)]),
            np.array(self.validation),
            diverged,
            interrupted,
        )


def fit(
    model,
    batches,
    loss,
    optimizer,
    steps,
    *,
    clip_norm=None,
    validate=None,
    every=None,
    description="training",
):
    """Train a layer on batches and record what happens; the parameters change in place.

    model: a layer; batches: an iterator of (X, target, mask), as `Task.batches` gives; loss: a
    function of `course_utils.losses`; optimizer: `SGD` or `Adam`; steps: how many updates.
    clip_norm: largest global norm of the gradient, None for no clipping.  validate: a function of
    the model, called before the first step, after every `every` steps and at the end.

    R replicas are R models that train side by side.  A model whose gradient is no longer finite is
    stopped there, and the others go on.  Ctrl-C (the stop button) ends the run and gives the
    History so far.

    Raises ValueError for NaN in a batch, and when the batches end before the steps.

    Taught in: notebooks/03_backpropagate_through_time.
    """
    require.positive_integer("steps", steps)
    every = steps if every is None else require.positive_integer("every", every)
    replicas = model.replicas
    diverged = np.full(() if replicas is None else (replicas,), -1)
    record = _Record()

    def look(step):
        if validate is not None:
            record.validation.append(validate(model))
            record.validation_steps.append(step)

    interrupted = False
    # In a notebook tqdm shows a widget and does not look at TQDM_DISABLE by itself.
    quiet = os.environ.get("TQDM_DISABLE", "0") not in ("", "0")
    steps_left = itertools.islice(batches, steps)
    bar = tqdm(steps_left, total=steps, desc=description, leave=False, disable=quiet)
    try:
        look(0)
        for step, batch in enumerate(bar, start=1):
            with np.errstate(over="ignore", invalid="ignore"):
                value, grads = loss_and_gradients(model, batch, loss)
                norm = global_norm(grads, replicas=replicas)
            diverged = np.where((diverged < 0) & ~np.isfinite(norm), step, diverged)
            record.loss.append(np.where(diverged < 0, value, np.nan))
            record.grad_norm.append(norm)
            alive = diverged < 0
            _update(model, optimizer, _usable(grads, norm, alive, clip_norm), alive)
            if step % every == 0 or step == steps or not alive.any():
                with np.errstate(over="ignore", invalid="ignore"):
                    look(step)
            if not alive.any():
                break
        else:
            if len(record.loss) < steps:
                raise ValueError(f"batches ended after {len(record.loss)}; expected {steps} steps")
    except KeyboardInterrupt:
        interrupted = True
    finally:
        bar.close()
    return record.history(diverged, interrupted)


def loss_and_gradients(model, batch, loss):
    """Run a model forward and backward on one batch -> (loss, gradients by parameter name).

    With R replicas the loss is (R,).  Raises ValueError for NaN in the batch.
    """
    X, target, mask = batch
    with np.errstate(invalid="warn"):  # NaN in the data is an error even where NaN may pass
        require.no_nan("X", np.asarray(X))
        require.no_nan("target", np.asarray(target))
    Y = model.forward(X, mask)
    value, dY = loss(Y, target, model.mask_after(mask), replicas=model.replicas)
    model.backward(dY)
    return value, model.grads


def _update(model, optimizer, grads, alive):
    """Take one step of the optimizer; the models that are not alive stay as they are."""
    if not alive.any():
        return
    if alive.all():
        return optimizer.update(model.params, grads)
    kept = {name: p[~alive] for name, p in model.params.items()}
    optimizer.update(model.params, grads)  # the memory of Adam moves even without a gradient
    for name, p in model.params.items():
        p[~alive] = kept[name]


def _usable(grads, norm, alive, clip_norm):
    """Clip the gradients of the models that are alive; those of the others become zero."""
    scale = np.where(alive, 1.0, 0.0)
    if clip_norm is not None:
        with np.errstate(invalid="ignore", divide="ignore"):
            scale = scale * np.fmin(1.0, clip_norm / norm)
    if not np.all(alive):
        grads = {
            name: np.where(_per_model(alive, g).astype(bool), g, 0) for name, g in grads.items()
        }
    if np.all(scale == 1):
        return grads
    return {name: _per_model(scale, g) * g for name, g in grads.items()}
