"""One environment: pyproject.toml, the lock, environment.yml and what is installed agree.

Also held true here: the arrows between the modules of course_utils, and what an import costs.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import make_venv
import pytest
import yaml
from course_plan import NOTEBOOKS
from notebook_plugin import read_budget
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parents[1]
PACKAGE = PROJECT / "course_utils"
TABLE = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCKED_EXTRAS = ("jupyter", "test", "classroom", "docs")


def requirements():
    """Every requirement of pyproject.toml that the lock has to answer."""
    texts = list(TABLE["dependencies"])
    for extra in LOCKED_EXTRAS:
        texts += TABLE["optional-dependencies"][extra]
    return [Requirement(text) for text in texts]


def read_lock(text):
    """[(requirement, number of hashes)] of a lock file."""
    pins = []
    for block in re.split(r"\n(?=\S)", text.strip()):
        lines = [line.strip().removesuffix("\\").strip() for line in block.splitlines()]
        hashes = [line for line in lines[1:] if re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", line)]
        pins.append((Requirement(lines[0]), len(hashes)))
    return pins


LOCK = (PROJECT / "requirements.lock").read_text(encoding="utf-8")
PINS = read_lock(LOCK)


def version_of(pin):
    (only,) = pin.specifier
    assert only.operator == "==", pin
    return only.version


# --------------------------------------------------------------------------- one environment


def test_every_pin_has_hashes():
    assert len(PINS) > 100
    assert [str(pin) for pin, hashes in PINS if not hashes] == []


def test_lock_names_no_host_and_no_folder():
    assert not re.search(r"://|--(index|extra-index|find-links|trusted)|file:| @ |(?m:^-)", LOCK)
    assert "/" not in LOCK


@pytest.mark.parametrize("need", requirements(), ids=str)
def test_lock_answers_every_range(need):
    name = canonicalize_name(need.name)
    found = [version_of(pin) for pin, _ in PINS if canonicalize_name(pin.name) == name]
    assert found, f"{need} is not in requirements.lock: run make lock"
    assert all(need.specifier.contains(version) for version in found), found


def test_installed_versions_are_those_of_the_lock():
    wrong = []
    for pin, _ in PINS:
        if pin.marker is None or pin.marker.evaluate():
            try:
                found = metadata.version(pin.name)
            except metadata.PackageNotFoundError:
                found = "nothing"
            if found != version_of(pin):
                wrong.append(f"{pin.name}: {found}, not {version_of(pin)}")
    assert not wrong, "run make setup\n" + "\n".join(wrong)


def test_course_is_installed_editable():
    import course_utils

    assert metadata.version("rnn-course") == TABLE["version"]
    assert Path(course_utils.__file__).resolve().parent == PACKAGE, "data/ is found beside it"


def test_conda_environment_is_the_lock():
    conda = yaml.safe_load((PROJECT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, packages = conda["dependencies"]
    assert conda["name"] == TABLE["name"]
    assert Requirement(f"python{TABLE['requires-python']}").specifier.contains(
        python.removeprefix("python=") + ".0"
    )
    assert pip == "pip"
    assert packages == {"pip": ["-r requirements.lock"]}


def test_python_versions_agree():
    wanted = Requirement(f"python{TABLE['requires-python']}").specifier
    minors = [minor for minor in range(30) if wanted.contains(f"3.{minor}.1")]
    assert (minors[0], minors[-1]) == (make_venv.OLDEST[1], make_venv.NEWEST[1])
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    assert f"{make_venv.OLDEST} <= sys.version_info[:2] <= {make_venv.NEWEST}" in makefile


def test_binder_installs_the_course_after_the_lock():
    path = PROJECT / "postBuild"
    assert "pip install --no-deps --no-build-isolation -e ." in path.read_text(encoding="utf-8")
    assert not (PROJECT / "binder").exists(), "Binder would read that folder and nothing else"
    assert not (PROJECT / ".binder").exists(), "Binder would read that folder and nothing else"
    if os.name != "nt":
        assert os.access(path, os.X_OK)


def test_continuous_integration_runs_make_test_and_nothing_else():
    lines = (PROJECT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]
    assert commands[-1] == "make test"
    assert [line for line in commands[:-1] if not line.startswith("command -v bwrap ")] == []


def test_no_second_lock():
    assert not (PROJECT / "uv.lock").exists(), "it holds names of hosts"


def test_budget_names_what_exists():
    budget = read_budget()
    assert list(budget["notebooks"]) == list(NOTEBOOKS)
    assert set(budget["notebooks"].values()) <= set(budget["kinds"])
    lost = [f for f in budget["usual"] if f.startswith("tests/") and not (PROJECT / f).is_file()]
    assert lost == []


# --------------------------------------------------------------------------- make_venv.py


def test_old_python_gets_an_answer(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))
    with pytest.raises(SystemExit, match=r"needs Python 3\.11, 3\.12 or 3\.13"):
        make_venv.check_python()


def test_missing_venv_gets_an_answer(tmp_path, monkeypatch):
    monkeypatch.setattr(make_venv, "VENV", str(tmp_path / ".venv"))
    monkeypatch.setattr(make_venv, "PYTHON", str(tmp_path / ".venv" / "python"))
    monkeypatch.setitem(sys.modules, "ensurepip", None)  # as on a Debian without python3-venv
    with pytest.raises(SystemExit, match=r"sudo apt install python3\.\d+-venv"):
        make_venv.make_empty(uv=None)


def test_setup_runs_again_only_after_a_change(tmp_path, monkeypatch):
    for name in ("pyproject.toml", "requirements.lock"):
        shutil.copy(PROJECT / name, tmp_path)
    monkeypatch.setattr(make_venv, "PROJECT", str(tmp_path))
    before = make_venv.wanted()
    page = (tmp_path / "pyproject.toml").read_text(encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(page.replace("line-length = 100", "line-length = 99"))
    assert make_venv.wanted() == before, "the lint rules do not touch the environment"
    (tmp_path / "pyproject.toml").write_text(page.replace("numpy>=2.0", "numpy>=2.1"))
    assert make_venv.wanted() != before
    (tmp_path / "pyproject.toml").write_text(page)
    assert make_venv.wanted() == before
    (tmp_path / "requirements.lock").write_text(LOCK.replace("numpy==", "numpy==0"))
    assert make_venv.wanted() != before


@pytest.mark.skipif(not shutil.which("make"), reason="no make on this system")
def test_make_help_lists_every_command():
    done = subprocess.run(["make", "help"], cwd=PROJECT, capture_output=True, text=True, check=True)
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split()
    assert re.findall(r"^  make ([a-z-]+) ", done.stdout, re.MULTILINE) == targets


# --------------------------------------------------------------------------- check_setup


def test_self_test_passes_here(capsys):
    from course_utils.environment import check_setup

    assert check_setup()
    text = capsys.readouterr().out
    assert text.endswith("everything is ready\n")
    assert str(PROJECT) not in text


def test_self_test_names_what_is_wrong(capsys, monkeypatch, tmp_path):
    """A package that is missing, one that is too old, and a damaged data file."""
    from course_utils import environment

    real = metadata.version

    def version(name):
        if name == "tqdm":
            raise metadata.PackageNotFoundError(name)
        return "1.26.4" if name == "numpy" else real(name)

    shutil.copytree(PROJECT / "data", tmp_path / "data")
    shutil.copy(PROJECT / "pyproject.toml", tmp_path)
    (tmp_path / "data" / "sunspots.csv").write_text("year,sunspots\n1700,6.0\n")
    (tmp_path / "data" / "co2.csv").unlink()
    monkeypatch.setattr(environment, "PROJECT", tmp_path)
    monkeypatch.setattr(environment.metadata, "version", version)
    assert not environment.check_setup()
    text = capsys.readouterr().out
    assert re.search(r"^wrong +tqdm +not installed; the course needs ", text, re.MULTILINE)
    assert re.search(r"^wrong +numpy +1\.26\.4; the course needs ", text, re.MULTILINE)
    assert re.search(r"^wrong +data +co2\.csv is missing", text, re.MULTILINE)
    assert re.search(r"^wrong +data +sunspots\.csv is not the file that", text, re.MULTILINE)
    assert text.count("to mend it: ") == 4
    assert "4 of " in text


def test_keras_is_imported_without_a_word():
    code = "from course_utils.environment import import_keras; print(import_keras().__name__)"
    done = run_python(code)
    assert (done.stdout, done.stderr) == ("keras\n", "")


@pytest.mark.parametrize("before", ["enable", "disable"])
@pytest.mark.parametrize("fails", [False, True])
def test_the_garbage_collector_is_as_it_was_after_the_import(before, fails):
    code = f"""
import gc, sys
from course_utils.environment import import_keras
gc.{before}()
{"sys.modules['keras.ops'] = None" if fails else ""}
try:
    import_keras()
except ImportError:
    print("failed", end=" ")
print(gc.isenabled())
"""
    said = run_python(code).stdout
    assert said == f"{'failed ' if fails else ''}{before == 'enable'}\n"


# --------------------------------------------------------------------------- arrows


# A module of course_utils -> the modules of course_utils that it may import.
ARROWS = {
    "require": set(),
    "functions": {"require"},
    "cells": {"require", "functions"},
    "layers": {"require", "functions"},
    "losses": {"require", "functions"},
    "recurrent": {"require", "functions", "layers"},
    "fused": {"require", "functions", "layers", "cells", "recurrent"},  # a twin knows its cell
    "training": {"require"},
    "checks": {"require"},
    "tasks": {"require"},
    "plots": {"require"},
    "exercises": {"require", "functions", "checks", "cells", "recurrent", "layers", "tasks"},
    "environment": set(),
    "keras_bridge": {"require", "cells", "recurrent", "layers", "environment"},
    "bakeoff": set(),
    "claims": set(),
    "classroom": set(),
}
# What it may import from outside at its top, beside NumPy and the standard library.
OUTSIDE = {
    "training": {"tqdm"},
    "plots": {"matplotlib"},
    "classroom": {  # beside `answers`, which costs NumPy only, this runs at the teacher's side
        *("nbformat", "nbclient", "nbconvert", "nbgrader", "jupyter_client", "ipykernel"),
        *("psutil", "tqdm", "traitlets", "zmq"),
    },
}
# What it may import inside a function.
INSIDE = {
    "classroom": {"IPython", "matplotlib"},
    "plots": {"IPython", "PIL", "ipywidgets"},  # PIL comes with matplotlib
    "keras_bridge": {"keras", "tensorflow"},
    "environment": {"keras", "tensorflow", "numpy", "packaging"},
}


def imports(source, package):
    """[(imported module, at the top?)] of a source text, relative imports resolved."""
    tree = ast.parse(source)
    inner = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*parts, node.module or ""]).strip(".") if node.level else node.module
            names = [base]
            if base == "course_utils":
                names = [f"course_utils.{alias.name}" for alias in node.names]
        else:
            continue
        found += [(name, id(node) not in inner) for name in names]
    return found


def forbidden(module, source):
    """The imports of one module of course_utils that no arrow allows."""
    package = f"course_utils.{module}" if (PACKAGE / module).is_dir() else "course_utils"
    wrong = []
    for name, top in imports(source, package):
        first, _, rest = name.partition(".")
        if first == "course_utils":
            target = rest.split(".")[0]
            if target not in ARROWS[module] | {module}:
                wrong.append(name)
            continue
        allowed = set() if module == "environment" else {"numpy"} | OUTSIDE.get(module, set())
        if not top:
            allowed = allowed | INSIDE.get(module, set())
        if first not in allowed and first not in sys.stdlib_module_names:
            wrong.append(name)
    return wrong


def module_files():
    """[(module of course_utils, file)] for every file of the package."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if first != "__init__":
            found.append(pytest.param(first, path, id=path.relative_to(PACKAGE).as_posix()))
    return found


@pytest.mark.parametrize(("module", "path"), module_files())
def test_imports_follow_the_arrows(module, path):
    assert module in ARROWS, "a new module: write its arrows into ARROWS"
    assert forbidden(module, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("functions", "from course_utils.cells import RNNCell"),
        ("recurrent", "from course_utils import cells"),
        ("recurrent", "from .cells import LSTMCell"),
        ("cells", "def f():\n    import course_utils.recurrent"),
        ("training", "import matplotlib.pyplot as plt"),
        ("checks", "def f():\n    import keras"),
        ("keras_bridge", "import keras"),
        ("environment", "import numpy as np"),
        ("plots", "from IPython.display import display"),
    ],
)
def test_forbidden_arrow_is_found(module, source):
    assert forbidden(module, source) != []


def test_package_has_no_star_and_no_own_imports():
    text = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    assert imports(text, "course_utils") == []
    for path in PACKAGE.rglob("*.py"):
        assert not re.search(r"^from .* import \*", path.read_text(encoding="utf-8"), re.MULTILINE)


def run_python(code):
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("TF_", "KERAS_"))}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.mark.parametrize("module", ["cells", "recurrent", "layers", "losses", "functions"])
def test_import_costs_numpy_only(module):
    heavy = "{'matplotlib', 'tensorflow', 'keras', 'tqdm', 'IPython', 'scipy'}"
    code = f"import course_utils.{module}, sys; print(sorted({heavy} & set(sys.modules)))"
    assert run_python(code).stdout == "[]\n"


def test_environment_module_costs_nothing():
    code = "import course_utils.environment, sys; print('numpy' in sys.modules)"
    assert run_python(code).stdout == "False\n"
