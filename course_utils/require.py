"""Checks of arguments: each error names the argument, what came and what was expected."""

import numbers

import numpy as np


def positive_integer(name, value):
    """Return `value` as an int when it is a whole number of at least 1.

    Raises TypeError for anything that is not a whole number, ValueError below 1.

    >>> positive_integer("units", 0)
    Traceback (most recent call last):
    ...
    ValueError: units is 0; expected a whole number of at least 1
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} is {value!r}; expected a whole number of at least 1")
    if value < 1:
        raise ValueError(f"{name} is {value}; expected a whole number of at least 1")
    return int(value)


def generator(name, value):
    """Return `value` when it is a NumPy random Generator.

    Raises TypeError otherwise: a seed is not a Generator, `np.random.default_rng(seed)` makes one.
    """
    if not isinstance(value, np.random.Generator):
        raise TypeError(
            f"{name} is {value!r}; expected a random Generator, "
            "for example np.random.default_rng(0)"
        )
    return value


def floating_dtype(name, value):
    """Return `value` as a NumPy dtype when it is a floating type; TypeError otherwise."""
    try:
        dtype = np.dtype(value)
    except TypeError:
        dtype = None
    if dtype is None or dtype.kind != "f":
        raise TypeError(f"{name} is {value!r}; expected a floating type such as np.float64")
    return dtype


def real_array(name, value):
    """Return `value` as an array of real numbers; TypeError for text, objects, complex numbers."""
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError(f"{name} has rows of different lengths; expected one array") from None
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} holds {array.dtype}; expected real numbers")
    return array


def layout(name, array, axes, **sizes):
    """Check that `array` has the axes `axes`, for example "BTD", none of them empty.

    `sizes` fixes some of them: `layout("X", X, "BTD", D=5)`.
    Raises ValueError.

    >>> layout("X", np.zeros((4, 7)), "BTD", D=5)
    Traceback (most recent call last):
    ...
    ValueError: X has shape (4, 7); expected 3 axes (B, T, D) with D = 5
    """
    shape = array.shape
    fits = len(shape) == len(axes) and all(
        size == sizes.get(letter, size) and size > 0
        for letter, size in zip(axes, shape, strict=True)
    )
    if not fits:
        plural = "axis" if len(axes) == 1 else "axes"
        wanted = f"{len(axes)} {plural} ({', '.join(axes)})"
        fixed = ", ".join(f"{k} = {v}" for k, v in sizes.items() if k in axes)
        empty = ", none of them empty" if 0 in array.shape else ""
        raise ValueError(
            f"{name} has shape {array.shape}; expected {wanted}"
            + (f" with {fixed}" if fixed else "")
            + empty
        )
    return array


def no_nan(name, array):
    """Check that no entry of a floating `array` is NaN; ValueError names the first one.

    Inside `np.errstate(invalid="ignore")` NaN may pass: so does `fit` run its models, where a NaN
    comes from a model that diverges, and must not stop the others.
    """
    may_pass = array.dtype.kind != "f" or np.geterr()["invalid"] == "ignore"
    if not may_pass and np.isnan(array).any():
        where = tuple(int(i) for i in np.argwhere(np.isnan(array))[0])
        raise ValueError(f"{name} holds NaN, first at index {where}; expected numbers only")
    return array


def same_shape(name, value, shape, of_what):
    """Return `value` as an array when it has `shape`, the shape of `of_what`; else ValueError."""
    array = real_array(name, value)
    if array.shape != tuple(shape):
        raise ValueError(
            f"{name} has shape {array.shape}; expected {shape}, the shape of {of_what}"
        )
    return array


def state_tuple(name, state, shapes, dtype):
    """Return `state` as a tuple of arrays of `dtype`; ValueError unless it has these `shapes`."""
    if not isinstance(state, tuple) or len(state) != len(shapes):
        came = f"tuple of {len(state)}" if isinstance(state, tuple) else type(state).__name__
        raise ValueError(
            f"{name} is a {came}; expected a tuple of {len(shapes)}, as initial_state(B) gives"
        )
    return tuple(
        same_shape(f"{name}[{i}]", part, shape, "the initial state").astype(dtype, copy=False)
        for i, (part, shape) in enumerate(zip(state, shapes))
    )


def sequence_mask(name, mask, batch, steps):
    """Return `mask` when it is None or a bool array of shape (B, T); TypeError or ValueError."""
    if mask is None:
        return None
    mask = np.asarray(mask)
    if mask.dtype != bool:
        raise TypeError(f"{name} holds {mask.dtype}; expected bool, True where a step is real")
    if mask.shape != (batch, steps):
        raise ValueError(f"{name} has shape {mask.shape}; expected (B, T) = ({batch}, {steps})")
    return mask
