"""What runs first inside the sandbox: set the limits, give up root, start the notebook's kernel."""

import json
import os
import resource
import shutil
import sys


def main(settings, *arguments):
    """Start an IPython kernel under limits.

    settings: JSON text with "rlimits" {name: value}, "uid" (None: stay), "copies" {from: to} and
    "folder", where the notebook runs; arguments: those of ipykernel.
    """
    settings = json.loads(settings)
    for name, value in settings["rlimits"].items():
        _lower(getattr(resource, name), value)
    if settings["uid"] is not None:
        _give_up_root(settings["uid"])
    os.umask(0o077)
    for source, target in settings["copies"].items():
        shutil.copytree(source, target, dirs_exist_ok=True, copy_function=shutil.copyfile)
    os.makedirs(settings["folder"], exist_ok=True)
    os.chdir(settings["folder"])
    sys.argv = [sys.argv[0], *arguments]

    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance()


def _lower(limit, value):
    _, hard = resource.getrlimit(limit)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(limit, (value, value))


def _give_up_root(uid):
    """Become the user `uid`, for good: the limit on processes does not hold for root."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


if __name__ == "__main__":
    main(*sys.argv[1:])
