"""Run the notebooks and compare every stored text; `make test-strict` calls this.

It must pass on the machine that made the outputs, with one BLAS thread and with two
(COURSE_THREADS). On other machines the last digits of sums may differ: there `make test` is the
gate, which compares the cells tagged nbval-check-output.
"""

import os
import sys

import kernel_environment
import pytest

SANITIZE = kernel_environment.PROJECT / "tests" / "sanitize.cfg"
OPTIONS = [
    "--override-ini=addopts=",
    "-p",
    "notebook_plugin",
    "-p",
    "no:cacheprovider",
    "--nbval",
    "--nbval-current-env",
    "--nbval-cell-timeout=300",
    "--no-loadscope-reorder",
    "--dist=loadfile",
    "--tb=short",
    "--no-header",
    "-q",
    f"--nbval-sanitize-with={SANITIZE}",
    "notebooks",
]

if __name__ == "__main__":
    print(f"comparing every stored output, BLAS threads: {os.environ.get('COURSE_THREADS', '1')}")
    os.chdir(kernel_environment.PROJECT)
    sys.exit(pytest.main(OPTIONS + sys.argv[1:]))
