"""Make or renew the environment .venv from requirements.lock; `make setup` calls this.

It does nothing when the lock, the dependencies, the Python and the folder are those of last time.
uv is used when it is on the PATH, else pip. The file starts on every Python 3, so that a Python
that is too old gets an answer and no SyntaxError.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import time

OLDEST, NEWEST = (3, 11), (3, 13)
PROJECT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
VENV = os.path.join(PROJECT, ".venv")
PYTHON = os.path.join(VENV, *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))
THIS = platform.python_version()
NAME = "python{}.{}".format(*sys.version_info)
STAMP = os.path.join(VENV, "course-setup.txt")


def stop(message):
    sys.exit("\nSet-up stopped: " + message)


def check_python():
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        stop(
            f"the course needs Python 3.11, 3.12 or 3.13, and this is Python {THIS}.\n"
            "Install one of them (python.org, your package manager, or `uv python install 3.12`),\n"
            "then name it: make setup PYTHON=python3.12"
        )
    if sys.maxsize <= 2**32:
        stop("TensorFlow needs a 64-bit Python, and this one has 32 bits.")
    if sys.platform == "darwin" and platform.machine() == "x86_64":
        print("Note: newer TensorFlow has no packages for Macs with an Intel processor.")


def wanted():
    """A fingerprint of everything that the environment depends on."""
    with open(os.path.join(PROJECT, "requirements.lock"), "rb") as file:
        lock = file.read()
    with open(os.path.join(PROJECT, "pyproject.toml"), "rb") as file:
        table = re.split(rb"(?m)^\[tool\.", file.read())[0]  # the lint rules may change freely
    digest = hashlib.sha256(lock.replace(b"\r", b"") + table.replace(b"\r", b"")).hexdigest()
    return "\n".join([digest, THIS, sys.platform, PROJECT, ""])


def finished():
    try:
        with open(STAMP, encoding="utf-8") as file:
            return file.read() == wanted() and os.path.exists(PYTHON)
    except OSError:
        return False


def run(*command):
    environment = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1")
    environment.pop("PYTHONPATH", None)
    return subprocess.call(list(command), cwd=PROJECT, env=environment)


def version_of_venv():
    code = "import platform; print(platform.python_version())"
    try:
        out = subprocess.check_output([PYTHON, "-c", code], stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return None
    return out.decode().strip()


def make_empty(uv):
    """Make .venv when there is none, or when its Python is gone or another one."""
    if version_of_venv() == THIS:
        if not uv and subprocess.call([PYTHON, "-c", "import pip"], stderr=subprocess.DEVNULL):
            run(PYTHON, "-m", "ensurepip")  # uv made this environment, without pip
        return
    if os.path.isdir(VENV):
        print("The environment in .venv does not fit this Python: it is made new.")
        shutil.rmtree(VENV)
    if uv:
        if run(uv, "venv", "--quiet", "--python", sys.executable, VENV):
            stop("uv could not make the environment .venv; its message stands above.")
        return
    try:
        import ensurepip
        import venv
    except ImportError:
        stop(
            "this Python has no module venv. On Debian and Ubuntu:\n"
            f"    sudo apt install {NAME}-venv\nThen run the command again."
        )
    del ensurepip, venv
    if run(sys.executable, "-m", "venv", VENV):
        shutil.rmtree(VENV, ignore_errors=True)
        stop(
            "the environment .venv could not be made; the message of venv stands above.\n"
            f"On Debian and Ubuntu this helps: sudo apt install {NAME}-venv"
        )


def install(uv):
    """Put in what the lock names, each file checked by its hash, then this course, editable."""
    lock, editable = ["-r", "requirements.lock"], ["--no-deps", "--no-build-isolation", "-e", "."]
    if uv:
        pip = [uv, "pip", "install", "--python", PYTHON]
        # pip compiles what it installs, uv only when told; else each kernel may do it again
        first = [*pip, "--compile-bytecode", "--require-hashes", *lock]
        steps = [first, [*pip, "--quiet", *editable]]
    else:
        pip = [PYTHON, "-m", "pip", "install", "--quiet", "--retries", "2"]
        print("pip says nothing while it works. It takes a minute or two.", flush=True)
        steps = [[*pip, "--require-hashes", *lock], [*pip, *editable]]
    for step in steps:
        if run(*step):
            stop(
                "the packages could not be installed; the reason stands above.\n"
                "- A connection that failed: check the network or the proxy, and run the command\n"
                "  again. Nothing has to be removed before.\n"
                "- No space left: the environment needs 2.5 GB.\n"
                "- A hash that differs: the download was damaged, or the lock is not the one of\n"
                "  this commit: git checkout -- requirements.lock"
            )


FINISH = """
import json, pathlib, sys
import matplotlib.font_manager  # the first import looks through all fonts
etc = pathlib.Path(sys.prefix, "etc", "jupyter")
server = {}
for path in (etc / "jupyter_server_config.d").glob("nbgrader*.json"):
    server.update(json.loads(path.read_text())["ServerApp"]["jpserver_extensions"])
off = dict.fromkeys(server, False)
# The news of JupyterLab ask the network.
hidden = ["@jupyter/nbgrader", "@jupyterlab/apputils-extension:announcements"]
pages = {
    "labconfig/page_config.json": {"disabledExtensions": dict.fromkeys(hidden, True)},
    "jupyter_server_config.json": {"ServerApp": {"jpserver_extensions": off}},
}
for name, page in pages.items():
    (etc / name).parent.mkdir(parents=True, exist_ok=True)
    (etc / name).write_text(json.dumps(page, indent=2))
"""


def finish():
    """Turn off JupyterLab's news and the teachers' parts of nbgrader; warm the font cache."""
    if run(PYTHON, "-W", "ignore", "-c", FINISH):
        stop("the new environment does not start; remove the folder .venv and run it again.")


def main():
    check_python()
    if finished():
        return
    start = time.time()
    uv = shutil.which("uv")
    print(f"Setting up .venv with {'uv' if uv else 'pip'}, Python {THIS}", flush=True)
    make_empty(uv)
    install(uv)
    finish()
    with open(STAMP, "w", encoding="utf-8") as file:
        file.write(wanted())
    print(f"Set-up finished in {time.time() - start:.0f} seconds")


if __name__ == "__main__":
    main()
