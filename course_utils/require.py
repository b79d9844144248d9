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
    dtype = np.dtype(value)
    if dtype.kind != "f":
        raise TypeError(f"{name} is {dtype}; expected a floating type such as float64 or float32")
    return dtype


def real_array(name, value):
    """Return `value` as an array of real numbers; TypeError for text, objects, complex numbers."""
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} holds {array.dtype}; expected real numbers")
    return array


def layout(name, array, axes, **sizes):
    """Check that `array` has the axes `axes`, for example "BTD", none of them empty.

    `sizes` fixes some of them: `layout("X", X, "BTD", D=5)`.  A dot in `axes` stands for any
    number of axes.  Raises ValueError.

    >>> layout("X", np.zeros((4, 7)), "BTD", D=5)
    Traceback (most recent call last):
    ...
    ValueError: X has shape (4, 7); expected 3 axes (B, T, D) with D = 5
    """
    shape = array.shape
    if axes.startswith("."):
        axes = axes[1:]
        shape = shape[max(0, len(shape) - len(axes)) :]
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
    """Check that no entry of a floating `array` is NaN; ValueError names the first one."""
    if array.dtype.kind == "f" and np.isnan(array).any():
        where = tuple(int(i) for i in np.argwhere(np.isnan(array))[0])
        raise ValueError(f"{name} holds NaN, first at index {where}; expected numbers only")
    return array


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
