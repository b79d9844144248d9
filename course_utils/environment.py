"""The set-up of the course: Keras imported quietly, and a self-test of five seconds.

``python -m course_utils.environment`` runs the self-test (`make check` does the same). Only the
standard library is imported here at first, so that the test can speak on a machine where
everything else is missing.
"""

import contextlib
import gc
import hashlib
import importlib
import os
import platform
import re
import sys
import tempfile
from importlib import metadata
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
MEND = "run `make setup` in the folder of the course"

QUIET = {
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",  # no start-up log
    "TF_ENABLE_ONEDNN_OPTS": "0",  # the same sums on every processor, and one log line less
}

# what a reader sees; the other packages follow from these
SHOWN = ("numpy", "matplotlib", "keras", "tensorflow", "tensorflow-cpu", "jupyterlab")


def import_keras():
    """Import Keras without its log lines and return the module.

    Sets the variables that quieten TensorFlow, unless they are set already, and turns standard
    error away once, while TensorFlow starts. What is written there is shown if the start fails.

    Raises ImportError, with the way to mend it, when Keras or TensorFlow cannot be imported.

    Taught in: notebooks/00_start_here
    """
    if "keras" in sys.modules and "tensorflow" in sys.modules:
        return sys.modules["keras"]
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    with tempfile.TemporaryFile() as log:
        try:
            with _standard_error_to(log), _collecting_no_garbage():
                keras = importlib.import_module("keras")
                keras.ops.zeros(1)  # the devices are looked up here, and that logs too
        except Exception as error:  # a damaged TensorFlow raises many kinds
            log.seek(0)
            said = log.read().decode("utf-8", "replace").strip()
            reason = f"Keras cannot be imported: {type(error).__name__}: {error}"
            raise ImportError(f"{reason}\nTo mend it: {MEND}.\n{said}") from error
    return keras


@contextlib.contextmanager
def _standard_error_to(file):
    """Send file descriptor 2 to `file`: C++ code writes there, past sys.stderr."""
    sys.stderr.flush()
    before = os.dup(2)
    try:
        os.dup2(file.fileno(), 2)
        yield
    finally:
        sys.stderr.flush()
        os.dup2(before, 2)
        os.close(before)


@contextlib.contextmanager
def _collecting_no_garbage():
    """Turn the garbage collector off: TensorFlow makes many objects at its start and keeps all."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def check_setup():
    """Test the set-up in about five seconds and print one line for each thing tested.

    Tested are Python, the packages against the ranges of pyproject.toml, a folder that can be
    written, the data files, a matrix product, and one forward pass of a small Keras layer. A line
    that starts with "wrong" says what is wrong and how to mend it.
    Returns True when everything is as the course needs it. It never raises.

    Taught in: notebooks/00_start_here
    """
    tests = (_python, _packages, _folder, _data, _product, _keras)
    lines = [line for test in tests for line in _run(test)]
    wrong = 0
    for name, found, mend in lines:
        print(f"{'wrong' if mend else 'ok':<6}{name:<16}{found}")
        if mend:
            wrong += 1
            print(f"      to mend it: {mend}")
    print("everything is ready" if not wrong else f"{wrong} of {len(lines)} things to mend")
    return not wrong


def _run(test):
    try:
        return list(test())
    except Exception as error:  # the self-test reports; it never stops a reader
        name = test.__name__.strip("_")
        return [(name, f"{type(error).__name__}: {error}", MEND)]


def _project_table():
    """The [project] table of pyproject.toml."""
    import tomllib  # new in Python 3.11: an older Python gets its own line in the report

    return tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _specifiers():
    try:
        return importlib.import_module("packaging.requirements")
    except ImportError:  # a bare environment: pip carries a copy
        return importlib.import_module("pip._vendor.packaging.requirements")


def _python():
    version = platform.python_version()
    bits = 64 if sys.maxsize > 2**32 else 32
    oldest, newest = (3, 11), (3, 13)
    if not oldest <= sys.version_info[:2] <= newest or bits != 64:
        yield (
            "Python",
            f"{version}, {bits} bit",
            "install a 64-bit Python 3.11, 3.12 or 3.13, then run `make setup PYTHON=python3.12`",
        )
    else:
        yield "Python", version, None


def _packages():
    table = _project_table()
    wanted = table["dependencies"] + table["optional-dependencies"]["jupyter"]
    requirement = _specifiers().Requirement
    for need in map(requirement, wanted):
        if need.marker is not None and not need.marker.evaluate():
            continue
        try:
            version = metadata.version(need.name)
        except metadata.PackageNotFoundError:
            yield need.name, f"not installed; the course needs {need.specifier}", MEND
            continue
        if not need.specifier.contains(version, prereleases=True):
            yield need.name, f"{version}; the course needs {need.specifier}", MEND
        elif need.name in SHOWN:
            yield need.name, version, None


def _folder():
    try:
        with tempfile.TemporaryFile(dir="."):
            pass
    except OSError as error:
        yield (
            "folder",
            f"this folder cannot be written: {error.strerror}",
            "copy the course into a folder of your own",
        )
    else:
        yield "folder", "can be written", None


def _data():
    folder = PROJECT / "data"
    page = folder / "README.md"
    mend = "run `git checkout -- data` in the folder of the course"
    if not page.is_file():
        yield "data", "the page data/README.md is missing", mend
        return
    text = page.read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if re.search(r"\b[0-9a-f]{64}\b", line)]
    names = [name for row in rows for name in re.findall(r"`([\w-]+\.csv)`", row)]
    whole = 0
    for name in names:
        path = folder / name
        if not path.is_file():
            yield "data", f"{name} is missing", mend
        elif not _stands_in(text, path.read_bytes()):
            yield "data", f"{name} is not the file that data/README.md describes", mend
        else:
            whole += 1
    if whole == len(names) and names:
        yield "data", f"{whole} files, all whole", None
    elif not names:
        yield "data", "data/README.md names no file", mend


def _stands_in(text, content):
    """True when the checksum of `content`, with Unix line ends, stands in `text`."""
    return any(
        hashlib.sha256(form).hexdigest() in text
        for form in (content, content.replace(b"\r\n", b"\n"))
    )


def _product():
    import numpy as np

    rng = np.random.default_rng(0)
    A, B = rng.normal(size=(2, 300, 300))
    error = np.abs(A @ B - np.einsum("ij,jk->ik", A, B)).max()
    if error < 1e-9:
        yield "matrix product", "as the sum of its terms", None
    else:
        yield "matrix product", f"off by {error:.1e}", f"NumPy is damaged: {MEND}"


def _keras():
    import numpy as np

    keras = import_keras()
    shape = tuple(keras.layers.SimpleRNN(4)(np.zeros((2, 3, 5), "float32")).shape)
    backend = keras.backend.backend()
    if backend != "tensorflow":
        yield (
            "Keras layer",
            f"runs on {backend}; the course needs tensorflow",
            "take KERAS_BACKEND out of your environment and ~/.keras/keras.json",
        )
    elif shape == (2, 4):
        yield "Keras layer", "(2, 3, 5) -> (2, 4)", None
    else:
        yield "Keras layer", f"(2, 3, 5) -> {shape}, not (2, 4)", MEND


if __name__ == "__main__":
    sys.exit(0 if check_setup() else 1)
