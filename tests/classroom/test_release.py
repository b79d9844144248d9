"""What students are given holds no secret, and fails in the answers only."""

import io
import json
import subprocess
import sys
import zipfile

import nbformat
import pytest
import toy
from nbformat import v4

from course_utils.classroom import release as module
from course_utils.classroom.release import check_fails_in_answers, check_no_secret, release
from course_utils.classroom.source import AssignmentError, Source, find_source


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return toy.write_source(tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def bundle(root):
    """{path: text} of the zip file."""
    data = release("toy", root=root).read_bytes()
    assert release("toy", root=root).read_bytes() == data, "the same source gives the same bytes"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_bundle_holds_what_a_student_needs(bundle, tmp_path):
    names = {name.removeprefix("toy/") for name in bundle}
    assert {"toy.ipynb", "README.md", "numbers.txt", "requirements.lock"} <= names
    assert {"environment.yml", "data/README.md", "course_utils/classroom/answers.py"} <= names
    assert not any("grade" in n or "reference" in n or "__pycache__" in n for n in names)
    for name, data in bundle.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(data)
    code = "import course_utils.classroom.answers as a, course_utils.tasks; print(a.__file__)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=tmp_path / "toy", capture_output=True, text=True)
    assert done.stdout.strip() == str(tmp_path / "toy/course_utils/classroom/answers.py")


def test_bundle_holds_no_secret(bundle):
    text = "".join(map(str, bundle.values()))
    for secret in ("BEGIN SOLUTION", "HIDDEN TESTS", "secret_rng", "latch_holds"):
        assert secret not in text
    for secret in ("np.tanh(x + h @ W)", "2.0, 3.0"):
        assert secret not in bundle["toy/toy.ipynb"].decode()


def test_stub_says_what_to_write(bundle):
    cells = json.loads(bundle["toy/toy.ipynb"])["cells"]
    (text,) = ["".join(c["source"]) for c in cells if c["id"] == "q1-step"]
    assert '"""Return tanh(x + h W)."""' in text
    assert 'raise NotImplementedError("q1-step: return tanh(x + h W)")' in text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("toy.ipynb", "h, states = np.zeros(3), []"),
        ("numbers.txt", "    states.append(h)\n"),
        ("course_utils/x.py", "    good.append(np.sign(h) == first and abs(h) > 0.5)"),
        ("course_utils/x.py", "### BEGIN SOLUTION"),
        ("README.md", "### END HIDDEN TESTS"),
    ],
)
def test_secrets_are_found(root, name, text):
    source = find_source("toy", root)

    def file(text):
        notebook = v4.new_notebook(cells=[v4.new_code_cell(f"x = 1\n{text}")])
        return (nbformat.writes(notebook) if name.endswith(".ipynb") else text).encode()

    check_no_secret(source, {name: file("states, h")})
    with pytest.raises(AssignmentError, match="gives away"):
        check_no_secret(source, {name: file(text)})


def test_course_code_may_hold_what_a_solution_holds(root):
    source = find_source("toy", root)
    check_no_secret(source, {"course_utils/x.py": b"    h, states = np.zeros(3), []"})


def test_a_notebook_that_fails_elsewhere_is_not_released(root, monkeypatch):
    source = Source(find_source("toy", root).folder)
    released = nbformat.read(root / "release/toy/toy.ipynb", as_version=4)
    released.cells.append(v4.new_code_cell("not_there + 1"))
    with pytest.raises(AssignmentError, match="fails with NameError"):
        check_fails_in_answers(source, released)
    released.cells.pop()
    number = [c.id for c in released.cells].index("q3-latch-test")
    released.cells[number].source = ""
    with pytest.raises(AssignmentError, match="nothing says 'q3-latch: return the pair"):
        check_fails_in_answers(source, released)


def test_a_source_that_fails_is_not_released(tmp_path):
    root = toy.write_source(tmp_path)
    path = root / "source/toy/toy.ipynb"
    notebook = nbformat.read(path, as_version=4)
    number = [c.id for c in notebook.cells].index("q3-latch")
    notebook.cells[number].source = toy.LATCH.replace("2.0, 3.0", "2.0, 0.5")
    nbformat.write(notebook, path)
    with pytest.raises(AssignmentError, match="does not accept"):
        release("toy", root=root)
    assert not list(root.rglob("*.zip"))


def test_no_assignment_is_told(tmp_path):
    with pytest.raises(AssignmentError, match="there is no assignment"):
        module.release_all(root=tmp_path)
