"""Write requirements.lock from pyproject.toml with uv; `make lock` calls this.

One file for Linux, macOS and Windows and for Python 3.11 to 3.13, a hash for every file, no name
of a host: settings of pip and uv on this machine are not read. The pins stay as they are where
they still fit; --upgrade takes the newest.
"""

import os
import shutil
import subprocess
import sys

import kernel_environment

EXTRAS = ("jupyter", "test", "classroom", "docs")
OPTIONS = [
    "--no-config",
    "--default-index=https://pypi.org/simple",
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-header",
    "--no-annotate",
    "--quiet",
]


def find_uv():
    """The command of uv; it is put into .venv when it is not on the PATH."""
    if shutil.which("uv"):
        return ["uv"]
    module = [sys.executable, "-m", "uv"]
    if subprocess.call(
        [*module, "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ):
        print("uv is not here: installing it into .venv")
        subprocess.check_call([sys.executable, "-m", "pip", "install", "--quiet", "uv"])
    return module


def compile_lock(output="requirements.lock", more=()):
    ignored = ("UV_", "PIP_")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(ignored)}
    extras = [f"--extra={name}" for name in EXTRAS]
    command = [
        *find_uv(),
        "pip",
        "compile",
        *OPTIONS,
        *extras,
        "pyproject.toml",
        "-o",
        output,
        *more,
    ]
    return subprocess.call(command, cwd=kernel_environment.PROJECT, env=environment)


if __name__ == "__main__":
    sys.exit(compile_lock(more=sys.argv[1:]))
