"""The environment variables of every kernel that `make test`, `make outputs` and `make lab` start.

Standard library only: it is read before NumPy, whose thread count is fixed at import.
"""

import os
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
NOTEBOOKS = PROJECT / "notebooks"
OFFLINE = Path(__file__).resolve().parent / "offline"


def reader_environment(threads=None):
    """Variables for a reader's JupyterLab: one BLAS thread, TensorFlow's start-up log off."""
    threads = str(threads or os.environ.get("COURSE_THREADS", "1"))
    return {
        "OMP_NUM_THREADS": threads,
        "OPENBLAS_NUM_THREADS": threads,
        "MKL_NUM_THREADS": threads,
        "VECLIB_MAXIMUM_THREADS": threads,
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TF_ENABLE_ONEDNN_OPTS": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }


def run_environment(threads=None):
    """Variables of the test run itself: as for a reader, and nothing that differs between runs."""
    return {
        **reader_environment(threads),
        "CUDA_VISIBLE_DEVICES": "-1",  # the stored outputs were made on a processor
        "PYTHONHASHSEED": "0",
        "TQDM_DISABLE": "1",  # `fit` reads it: a bar is a display update with a rate in it
    }


def kernel_environment(threads=None, *, offline=True):
    """The whole environment of a kernel that runs a notebook: no network, inline figures."""
    environment = {**os.environ, **run_environment(threads)}
    environment.pop("MPLBACKEND", None)  # ipykernel chooses the inline backend when nothing is set
    if offline:
        before = environment.get("PYTHONPATH")
        environment["PYTHONPATH"] = os.pathsep.join([str(OFFLINE), *([before] if before else [])])
    return environment
