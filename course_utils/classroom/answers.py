"""What an assignment's test cells call: record an answer, for a judge outside of this process.

A recorded answer is a message and nothing else.  No expected value is near it, so nothing that runs
here can find one, and nothing here gives marks.  The grader runs the teacher's notebook on its own,
with the same student key, and compares the numbers afterwards.
"""

import contextlib
import copy
import hashlib
import json
import math

import numpy as np

MIME = "application/vnd.rnn-course.answer+json"
MOST_NUMBERS = 20_000  # in one answer
MOST_LETTERS = 10_000  # in one text
DEEPEST = 20  # lists in lists

_collections = []  # where answers go in the reference run; empty in a student's notebook


class NotPlainError(ValueError):
    """A value has no form as numbers, texts, lists and dicts; the message says which part."""


def student_rng(student, assignment):
    """Give the random Generator of one student in one assignment.

    student: the id of the student, blanks around it and capitals do not matter; assignment: name of
    the assignment.  The same pair gives the same numbers on every machine.

    Raises TypeError when one of them is no text, ValueError when it is empty.

    >>> a, b = (student_rng(name, "a1_rnn_and_bptt").normal() for name in ("Ada", " ada "))
    >>> a == b
    True
    """
    key = f"{_text('assignment', assignment).strip()}:{_text('student', student).strip().lower()}"
    digest = hashlib.sha256(key.encode("utf-8")).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def record(case, value, *, tolerance=1e-6, judge=None, points=1):
    """Hand in one answer of the cell that runs; prints nothing and never raises for a wrong value.

    case: a short name, which the feedback shows, once per cell; value: numbers, texts, arrays, or
    lists and dicts of them; tolerance: |answer - expected| <= tolerance (1 + |expected|) counts as
    equal; judge: a function of the value that gives True or False, or a share in [0, 1], for
    questions with more than one right answer; points: the weight of the case in its cell.

    Tolerance, judge and points of the teacher's notebook count.  The judge is given NumPy arrays
    where lists of numbers were recorded.
    """
    if isinstance(value, Exception):
        answer = {"error": _error(value)}
    else:
        answer = _answer(value)
    for collection in _collections:
        collection.append({**answer, "case": case, **_rules(case, tolerance, judge, points)})
    if not _collections:
        _publish({"case": str(case)[:200], **answer})


def attempt(case, function, *args, tolerance=1e-6, judge=None, points=1, **options):
    """Call a function on copies of `args` and record what it returns, or the error it raises.

    So that one crash does not hide the other cases.  Where the teacher's own function raises a
    ValueError or a TypeError, the same kind of error is the right answer.
    `options` are keyword arguments of the function.
    """
    try:
        with np.errstate(all="ignore"):
            value = function(*copy.deepcopy(args), **copy.deepcopy(options))
    except (Exception, SystemExit) as error:
        value = error if isinstance(error, Exception) else RuntimeError("exit() was called")
    record(case, value, tolerance=tolerance, judge=judge, points=points)


@contextlib.contextmanager
def collect():
    """Collect what is recorded inside the block in a list, instead of publishing it."""
    collection = []
    _collections.append(collection)
    try:
        yield collection
    finally:
        _collections.remove(collection)


def plain(value):
    """Turn a value into plain floats, ints, bools, texts, None, and lists and dicts of them.

    Raises NotPlainError for everything else, and for what is too large.

    >>> plain({"H": np.eye(2), "steps": (1, np.int64(2))})
    {'H': [[1.0, 0.0], [0.0, 1.0]], 'steps': [1, 2]}
    """
    budget = [MOST_NUMBERS]
    return _plain(value, budget, 0)


def _plain(value, budget, depth):
    kind = type(value)
    budget[0] -= 1
    if budget[0] < 0:
        raise NotPlainError(f"more than {MOST_NUMBERS} numbers; expected fewer")
    if depth > DEEPEST:
        raise NotPlainError(f"lists more than {DEEPEST} deep; expected fewer")
    if value is None or kind in (bool, float):
        return value
    if kind is int:
        return _whole(value)
    if kind is str:
        return _short_text(value)
    if kind in (list, tuple) or (issubclass(kind, tuple) and hasattr(kind, "_fields")):
        parts = list.__iter__(value) if kind is list else tuple.__iter__(value)
        return [_plain(part, budget, depth + 1) for part in parts]
    if kind is dict:
        return {_key(k): _plain(v, budget, depth + 1) for k, v in value.items()}
    return _plain_array(value, budget)


def _plain_array(value, budget):
    """An array, a NumPy number, or what NumPy reads as one, a tensor for example."""
    name = type(value).__name__[:60]
    if not isinstance(value, (np.ndarray, np.generic)) and not hasattr(value, "__array__"):
        raise NotPlainError(f"a value of type {name}; expected real numbers, texts or lists")
    array = np.array(value, subok=False)
    if array.dtype.kind == "U":
        if array.size > MOST_NUMBERS:
            raise NotPlainError(f"{array.size} texts; expected at most {MOST_NUMBERS}")
        return array.tolist() if array.itemsize < MOST_LETTERS else _short_text(str(array))
    if array.dtype.kind not in "fiub":
        raise NotPlainError(f"a {name} of {array.dtype}; expected real numbers, texts or lists")
    budget[0] -= array.size
    if budget[0] < 0:
        raise NotPlainError(f"an array of shape {array.shape}; expected at most {MOST_NUMBERS}")
    if array.dtype.kind == "f":
        array = array.astype(np.float64)
    return array.tolist()


def _whole(value):
    if value.bit_length() > 1000:
        raise NotPlainError("a whole number of more than 300 digits")
    return value


def _short_text(value):
    if len(value) > MOST_LETTERS:
        raise NotPlainError(f"a text of {len(value)} letters; expected at most {MOST_LETTERS}")
    return value


def _key(key):
    if type(key) not in (str, int, bool, float):
        raise NotPlainError(f"a dict with a key of type {type(key).__name__}; expected texts")
    return str(key)


def _answer(value):
    """{"value": JSON text}, or {"problem": why there is none}; the value's code may do anything."""
    try:
        return {"value": json.dumps(plain(value))}
    except NotPlainError as problem:
        return {"problem": str(problem)}
    except Exception as error:
        return {"problem": f"a value that raised {type(error).__name__} when it was read"}


def _error(error):
    try:
        text = str(error)
    except Exception:
        text = ""
    return [type(error).__name__[:60], text[:200]]


def _rules(case, tolerance, judge, points):
    """What the teacher's notebook says about a case; a slip there is told to the teacher."""
    _text("case", case)
    if not (math.isfinite(tolerance) and tolerance >= 0):
        raise ValueError(f"tolerance of {case!r} is {tolerance}; expected a number of at least 0")
    if not (math.isfinite(points) and points > 0):
        raise ValueError(f"points of {case!r} is {points}; expected a number above 0")
    if judge is not None and not callable(judge):
        raise TypeError(f"judge of {case!r} is {judge!r}; expected a function of the value")
    return {"tolerance": float(tolerance), "judge": judge, "points": float(points)}


def _text(name, value):
    if not isinstance(value, str):
        raise TypeError(f"{name} is {value!r}; expected a text")
    if not value.strip():
        raise ValueError(f"{name} is empty; expected a text")
    return value


def _publish(payload):
    """Send the answer beside the outputs of the cell; do nothing outside of a notebook."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return
    shell = get_ipython()
    if shell is not None:
        shell.display_pub.publish({MIME: payload})
