"""Compare recorded answers with those of the reference run, and say what differs, never by what."""

import json
import math
import numbers
import signal

import numpy as np

JUDGE_SECONDS = 10
MOST_LETTERS = 1_000_000  # of one answer, as it arrives
NOT_ANSWERED = "not answered"


class WrongError(Exception):
    """An answer is wrong; the message says in which way."""


def judge_cell(expected, came):
    """Judge the answers of one graded cell.

    expected: the answers of the reference run, each with its case, value or error, tolerance, judge
    and points; came: the payloads that the submission sent from that cell, of any form.
    Returns (share of the points in [0, 1], [a line for each case]).
    """
    answers = _by_case(came)
    earned, lines = 0.0, []
    for wanted in expected:
        share, why = _judge_case(wanted, answers.get(wanted["case"], []))
        earned += share * wanted["points"]
        lines.append(f"{wanted['case']}: {why}")
    return earned / sum(wanted["points"] for wanted in expected), lines


def _by_case(came):
    answers = {}
    for payload in came:
        if isinstance(payload, dict) and isinstance(payload.get("case"), str):
            answers.setdefault(payload["case"], []).append(payload)
    return answers


def _judge_case(wanted, payloads):
    """(share, words) of one case."""
    try:
        if not payloads:
            raise WrongError(NOT_ANSWERED)
        if any(payload != payloads[0] for payload in payloads[1:]):
            raise WrongError("answered more than once, in different ways")
        if "error" in wanted:
            _same_error(wanted["error"], payloads[0])
            return 1.0, "right"
        value = _value(payloads[0])
        if wanted["judge"] is not None:
            return _opinion(wanted["judge"], value)
        compare(json.loads(wanted["value"]), value, wanted["tolerance"])
    except WrongError as reason:
        return 0.0, str(reason)
    return 1.0, "right"


def _value(payload):
    """The value of a payload as plain data; WrongError for everything that holds none."""
    if "error" in payload:
        raise WrongError(_error_text(payload["error"]))
    if "problem" in payload:
        raise WrongError(f"handed in {str(payload['problem'])[:200]}")
    text = payload.get("value")
    if not isinstance(text, str) or len(text) > MOST_LETTERS:
        raise WrongError("handed in something that is no answer")
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise WrongError("handed in something that is no answer") from None


def _error_text(error):
    """Words for a recorded error; the message is the submission's own."""
    name, text = (str(part) for part in [*_pair(error), "", ""][:2])
    if name == "NotImplementedError":
        return NOT_ANSWERED
    return f"raised {name[:60]}{': ' + text[:200] if text else ''}".replace("\n", " ")


def _pair(error):
    return error if isinstance(error, list) else [error]


def _same_error(wanted, payload):
    if "error" not in payload:
        raise WrongError("should raise an error here")
    if _pair(payload["error"])[:1] != wanted[:1]:
        raise WrongError(f"{_error_text(payload['error'])}; another kind of error belongs here")


def _opinion(judge, value):
    """(share, words) by a judge, which is the teacher's code and gets data only."""
    try:
        with _alarm(JUDGE_SECONDS), np.errstate(all="ignore"):
            share = judge(as_arrays(value))
            share = float(share)
    except Exception as error:
        raise WrongError(f"cannot be used here ({type(error).__name__})") from None
    if not 0 <= share <= 1:
        raise WrongError("does not hold")
    return share, {1.0: "right", 0.0: "does not hold"}.get(share, f"{share:.0%} of it holds")


class _alarm:
    """Raise TimeoutError in the block when it takes longer than `seconds`."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __enter__(self):
        self.before = signal.signal(signal.SIGALRM, self._ring)
        signal.setitimer(signal.ITIMER_REAL, self.seconds)

    def __exit__(self, *_):
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self.before)

    @staticmethod
    def _ring(*_):
        raise TimeoutError


def as_arrays(value):
    """Turn lists of numbers into NumPy arrays, also inside lists and dicts.

    >>> as_arrays([[1.0, 2.0], {"b": [1, 2]}])
    [array([1., 2.]), {'b': array([1, 2])}]
    """
    if isinstance(value, dict):
        return {key: as_arrays(part) for key, part in value.items()}
    if not isinstance(value, list):
        return value
    array = _array(value)
    return [as_arrays(part) for part in value] if array is None else array


def _array(value):
    """The array of real numbers that a value is; None when it is something else."""
    if isinstance(value, (str, dict, type(None))):
        return None
    try:
        array = np.asarray(float(value) if type(value) is int else value)
    except (ValueError, OverflowError):
        return None
    return array if array.dtype.kind in "fiub" else None


def compare(expected, came, tolerance):
    """Raise WrongError unless `came` is `expected`, numbers up to tolerance (1 + |expected|).

    Both are plain data.  NaN equals nothing.
    """
    right = _array(expected)
    if right is not None:
        _compare_numbers(right, came, tolerance)
    elif isinstance(expected, dict):
        _compare_dicts(expected, came, tolerance)
    elif isinstance(expected, list):
        _compare_lists(expected, came, tolerance)
    elif type(came) is not type(expected):
        raise WrongError(f"is {_kind(came)}; expected {_kind(expected)}")
    elif came != expected:
        raise WrongError("is another text" if isinstance(came, str) else "differs")


def _compare_dicts(expected, came, tolerance):
    if not isinstance(came, dict):
        raise WrongError(f"is {_kind(came)}; expected a dict")
    if set(came) != set(expected):
        names = ", ".join(sorted(set(expected) ^ set(came))[:5])
        raise WrongError(f"has other names than expected, look at: {names[:200]}")
    for key in expected:
        with _at(f"[{key!r}]"):
            compare(expected[key], came[key], tolerance)


def _compare_lists(expected, came, tolerance):
    if not isinstance(came, list):
        raise WrongError(f"is {_kind(came)}; expected a list")
    if len(came) != len(expected):
        raise WrongError(f"has {len(came)} parts; expected {len(expected)}")
    for number, (right, part) in enumerate(zip(expected, came)):
        with _at(f"[{number}]"):
            compare(right, part, tolerance)


class _at:
    """Put the place of a part before the message."""

    def __init__(self, place):
        self.place = place

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        if kind is WrongError:
            raise WrongError(f"part {self.place} {error}") from None


def _compare_numbers(right, came, tolerance):
    array = _array(came)
    if array is None:
        raise WrongError(f"is {_kind(came)}; expected {_kind(right.tolist())}")
    if array.shape != right.shape:
        raise WrongError(f"has shape {array.shape}; expected {right.shape}")
    if right.size == 0:
        return
    right, array = right.astype(np.float64), array.astype(np.float64)
    wrong = ~np.isclose(array, right, rtol=tolerance, atol=tolerance)
    if wrong.any():
        raise WrongError(_difference(right, array, wrong, tolerance))


def _difference(right, array, wrong, tolerance):
    """Words for the difference of two arrays of one shape; no number of either is in them."""

    def same(other):
        return other.shape == right.shape and np.allclose(other, right, tolerance, tolerance)

    lost = ~np.isfinite(array) & np.isfinite(right)
    if lost.any():
        return f"is not a finite number{_where(lost)}"
    if same(-array):
        return "has the wrong sign" + (" everywhere" if array.ndim else "")
    if array.ndim >= 2 and same(np.swapaxes(array, -1, -2)):
        return "has its last two axes swapped"
    if array.ndim and len(array) > 1 and same(array[::-1]):
        return "stands in reverse order"
    if array.ndim and (array == 0).all():
        return "is zero everywhere"
    return f"differs{_where(wrong)}"


def _where(wrong):
    if wrong.ndim == 0:
        return ""
    index = ", ".join(str(int(i)) for i in np.argwhere(wrong)[0])
    return f" at {int(wrong.sum())} of {wrong.size} places, first at index [{index}]"


def _kind(value):
    """Words for the kind of a plain value."""
    if value is None:
        return "None"
    if isinstance(value, bool):
        return "True or False"
    if isinstance(value, numbers.Real):
        return "a number"
    array = _array(value)
    if array is not None:
        return f"an array of shape {array.shape}"
    return {str: "a text", list: "a list", dict: "a dict"}.get(type(value), "something else")


def check_reference(case, value):
    """Raise ValueError when the reference itself is no answer, because it holds NaN."""
    if isinstance(value, float) and math.isnan(value):
        raise ValueError(f"the source's own answer to {case!r} holds NaN")
    for part in value.values() if isinstance(value, dict) else value if type(value) is list else ():
        check_reference(case, part)
