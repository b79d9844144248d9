"""Open JupyterLab at the first notebook; `make lab` calls this. Further arguments go to Jupyter.

Without a desktop no browser is opened, and the address that Jupyter prints can be opened elsewhere.
"""

import os
import subprocess
import sys
import webbrowser

import kernel_environment

FIRST = "notebooks/00_start_here.ipynb"


def has_desktop():
    """True when a browser with a window can open here."""
    remote = "SSH_CONNECTION" in os.environ and "DISPLAY" not in os.environ
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return not remote


def arguments(more):
    options = ["--ServerApp.root_dir=.", "--log-level=WARN"]
    options += [f"--LabApp.default_url=/lab/tree/{FIRST}"]  # the printed address leads there too
    if not has_desktop():
        options.append("--no-browser")
    else:
        try:
            webbrowser.get()
        except webbrowser.Error:
            options.append("--no-browser")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        options.append("--allow-root")  # in a container root is often the only user
    return [sys.executable, "-m", "jupyterlab", *options, *more]


def main():
    environment = {**os.environ, **kernel_environment.reader_environment()}
    command = arguments(sys.argv[1:])
    if "--no-browser" in command:
        print("No browser is opened from here. Open the address below in yours.")
    print("Ctrl-C stops JupyterLab.", flush=True)
    try:
        return subprocess.call(command, cwd=kernel_environment.PROJECT, env=environment)
    except KeyboardInterrupt:
        return 0


if __name__ == "__main__":
    sys.exit(main())
