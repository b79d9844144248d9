"""The command that starts a kernel inside bubblewrap, and the question whether that works here."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import psutil

PACKAGE = Path(__file__).resolve().parents[1]
HOME = "/home/student"
WIRES = "/wires"  # where the kernel finds its sockets inside
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store")
ETC = ("ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "fonts", "alternatives")
FIRST_UID, UIDS = 50_000, 10_000  # of nobody; each sandbox that root starts gets its own
INSTALL = """\
bubblewrap starts every submission in a box of its own: no network, no files of this machine, and
limits on memory, time and processes. How to get it:
  Debian, Ubuntu   sudo apt-get install bubblewrap      (0.8 or newer: Debian 12, Ubuntu 24.04)
  Fedora           sudo dnf install bubblewrap
  Arch             sudo pacman -S bubblewrap
  Windows, macOS   grade in WSL 2, or in a Linux virtual machine
Ubuntu 24.04 lets bwrap in with: sudo apt-get install apparmor-profiles, then
  sudo ln -s /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/
  sudo systemctl reload apparmor
In a container, user namespaces have to be allowed from outside.
Without a sandbox, a submission can do whatever you can do. `--unsafe` grades all the same."""


class NoSandboxError(RuntimeError):
    """There is no sandbox here; the message says why, and how to get one."""


@dataclass(frozen=True)
class Box:
    """Where one submission runs: `wires` is a folder for its sockets, `seed` holds its files.

    seed/work is copied into the working directory, seed/cache into the home's .cache.
    """

    wires: Path
    seed: Path
    uid: int | None


@contextlib.contextmanager
def box(files):
    """Make a Box with copies of `files` {name: Path} as its working directory; remove it after."""
    place = Path(tempfile.mkdtemp(prefix=f"c-{os.getpid()}-", dir=_short_folder()))
    uid = FIRST_UID + os.getpid() % UIDS if os.geteuid() == 0 else None
    try:
        made = Box(place / "w", place / "seed", uid)
        made.wires.mkdir()
        (made.seed / "work").mkdir(parents=True)
        for name, path in files.items():
            (made.seed / "work" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, made.seed / "work" / name)
        _seed_cache(made.seed / "cache")
        if uid is not None:
            os.chown(made.wires, uid, uid)
            for path in [place, made.seed, *made.seed.rglob("*")]:
                path.chmod(0o755)
        yield made
    finally:
        _remove(place)


def sweep():
    """Remove the boxes of trials that were killed before they could do it."""
    for place in Path(_short_folder()).glob("c-*-*"):
        pid = place.name.split("-")[1]
        with contextlib.suppress(OSError):
            if (
                pid.isdigit()
                and not psutil.pid_exists(int(pid))
                and place.stat().st_uid == os.geteuid()
            ):
                _remove(place)


def _runs(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _remove(place):
    """Remove a folder with rm: a submission can leave more folders than Python can walk."""
    subprocess.run(["rm", "-rf", "--", str(place)], check=False, stderr=subprocess.DEVNULL)


def _short_folder():
    """A folder for temporary files; the path of a socket has at most 107 letters."""
    folder = tempfile.gettempdir()
    return folder if len(os.fsencode(folder)) <= 80 else "/tmp"


def _seed_cache(cache):
    """Hand over the list of fonts, which takes seconds to make."""
    import matplotlib

    target = cache / "matplotlib"
    target.mkdir(parents=True)
    for path in Path(matplotlib.get_cachedir()).glob("fontlist-*.json"):
        shutil.copyfile(path, target / path.name)


def kernel_command(box, limits, *, safe=True):
    """Give the command that starts a kernel for one submission, for a Jupyter kernel spec."""
    settings = {
        "rlimits": _rlimits(limits),
        "uid": box.uid if safe else None,
        "copies": {"/seed/work": f"{HOME}/work", "/seed/cache": f"{HOME}/.cache"},
        "folder": f"{HOME}/work",
    }
    if not safe:
        home = box.wires.parent / "home"
        settings["copies"] = {str(box.seed / "work"): str(home / "work")}
        settings["folder"] = str(home / "work")
        del settings["rlimits"]["RLIMIT_NPROC"]
    kernel = [
        *(sys.executable, "-P", "-m", "course_utils.classroom.kernel", json.dumps(settings)),
        *("-f", f"{WIRES}/inside.json" if safe else "{connection_file}"),
    ]
    return [*bwrap(limits, box), *kernel] if safe else kernel


def bwrap(limits, box=None):
    """Give the words of bubblewrap that stand before a command."""
    words = [
        shutil.which("bwrap") or "bwrap",
        *_namespaces(),
        "--die-with-parent",
        "--new-session",
        "--clearenv",
    ]
    for name, value in environment().items():
        words += ["--setenv", name, value]
    for path in map(Path, SYSTEM):
        if path.is_symlink():
            words += ["--symlink", os.readlink(path), str(path)]
        elif path.is_dir():
            words += ["--ro-bind", str(path), str(path)]
    for name in ETC:
        words += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    words += ["--proc", "/proc", "--dev", "/dev"]
    words += _tmpfs("/dev/shm", limits.shared_memory)
    words += _tmpfs("/tmp", limits.scratch) + _tmpfs(HOME, limits.scratch)
    for path in _python_folders():
        words += _parents(path) + ["--ro-bind", path, path]
    if box is not None:
        words += ["--ro-bind", str(box.seed), "/seed", "--bind", str(box.wires), WIRES]
    return [*words, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", HOME, "--"]


def environment():
    """Give the environment variables of a submission's kernel; it has no others."""
    return {
        "HOME": HOME,
        "USER": "student",
        "LOGNAME": "student",
        "LANG": "C.UTF-8",
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "TQDM_DISABLE": "1",
    }


def _namespaces():
    """All new namespaces.

    An ordinary user gets a user namespace, which cannot be made twice.  Root starts without one
    and keeps, for a moment, the right to become nobody: only so a limit on processes holds.
    """
    if os.geteuid() != 0:
        return ["--unshare-all", "--unshare-user", "--disable-userns"]
    words = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    words += ["--unshare-cgroup-try", "--cap-drop", "ALL"]
    return [*words, "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]


def _tmpfs(path, size):
    return ["--perms", "0777", "--size", str(size), "--tmpfs", path]


def _parents(path):
    """Make the folders above a path, open to the user inside: bubblewrap closes them."""
    above = [str(folder) for folder in reversed(Path(path).parents)]
    made = [folder for folder in above if folder != "/"]
    return [word for folder in made for word in ("--perms", "0755", "--dir", folder)]


def _python_folders():
    """The folders that Python and the course are read from, outside of /usr; outer ones first."""
    folders = {sys.prefix, sys.base_prefix, str(PACKAGE), str(PACKAGE.parent / "data")}
    folders |= {os.path.realpath(folder) for folder in folders}
    folders.add(str(Path(os.path.realpath(sys.executable)).parents[1]))
    wanted = [f for f in sorted(folders) if os.path.isdir(f) and not _below(f, SYSTEM)]
    return [f for i, f in enumerate(wanted) if not _below(f, wanted[:i])]


def _below(path, folders):
    return any(path == folder or path.startswith(folder + "/") for folder in folders)


def _rlimits(limits):
    return {
        "RLIMIT_AS": limits.address_space,
        "RLIMIT_DATA": limits.process_memory,
        "RLIMIT_CPU": int(limits.total_seconds) + 60,
        "RLIMIT_FSIZE": limits.file_size,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_NPROC": limits.processes,
        "RLIMIT_CORE": 0,
    }


def require_sandbox(limits):
    """Start a command in the sandbox.

    Raises NoSandboxError when that does not work here, with the way to get it.
    """
    if not sys.platform.startswith("linux"):
        raise NoSandboxError(f"The sandbox needs Linux; this is {sys.platform}.\n{INSTALL}")
    if shutil.which("bwrap") is None:
        raise NoSandboxError(f"bubblewrap is not installed.\n{INSTALL}")
    help_text = subprocess.run(["bwrap", "--help"], capture_output=True, text=True).stdout
    lost = [word for word in ("--size", "--disable-userns") if word not in help_text]
    if lost:
        raise NoSandboxError(f"This bubblewrap is too old: it has no {lost[0]}.\n{INSTALL}")
    probe = [*bwrap(limits), sys.executable, "-c", "import course_utils"]
    done = subprocess.run(probe, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        why = done.stderr.strip().splitlines()[-1:] or ["no reason was given"]
        raise NoSandboxError(f"bubblewrap cannot start here: {why[0]}\n{INSTALL}")
