"""Find the submissions in a folder or a zip file, and refuse by name what cannot be graded."""

import json
import re
import shutil
import stat
import warnings
import zipfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import nbformat
from nbformat.validator import normalize

from course_utils.classroom.source import settings

STUDENT = re.compile(r"\w[\w.@ -]{0,63}")
PLATFORM = re.compile(
    r"_assignsubmission_file_?.*$"
)  # Moodle: "Ada Lovelace_123_assignsubmission..."
SKIPPED = ("__MACOSX", ".ipynb_checkpoints", ".DS_Store", "Thumbs.db", "desktop.ini")
MOST_ENTRIES = 20_000
MOST_CELLS = 2_000


class RefusedError(ValueError):
    """A submission cannot be graded; the message is for the teacher and the student."""


@dataclass
class Submission:
    """One student's work: the notebook, files beside it, or the reason why it is refused."""

    student: str
    notebook: Path | None = None
    files: dict[str, Path] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    refused: str | None = None


def collect(place, source, limits, workshop):
    """Give the submissions in `place`, sorted by student.

    place: a folder or a zip file, which holds, for each student, a folder STUDENT with the notebook
    and files beside it, or a file STUDENT.ipynb or STUDENT_NAME.ipynb; source: Source; limits:
    Limits; workshop: an own folder, where the contents of a zip file go.

    Raises RefusedError when there is nothing that could be a submission.
    """
    place = Path(place)
    refused = {}
    if place.is_file():
        place = _unpack(place, workshop, limits, refused)
    if not place.is_dir():
        raise RefusedError(f"{place} is no folder and no zip file")
    place = _descend(place)
    found = {}
    for path in sorted(place.iterdir()):
        if path.name not in SKIPPED and not path.name.startswith("."):
            found.setdefault(_student(path, source), []).append(path)
    submissions = [_submission(student, paths, source, limits) for student, paths in found.items()]
    submissions = [one for one in submissions if one is not None]
    known = {one.student for one in submissions}
    for student, why in refused.items():
        if student in known:
            next(one for one in submissions if one.student == student).refused = why
        else:
            submissions.append(Submission(student, refused=why))
    if not submissions:
        raise RefusedError(f"{place} holds no submission: no folder and no notebook")
    return sorted(submissions, key=lambda one: one.student)


def _descend(place):
    """Go down where an archive has one folder around all students: STUDENT/NAME.ipynb stays."""
    inside = [p for p in place.iterdir() if p.name not in SKIPPED and not p.name.startswith(".")]
    if len(inside) == 1 and inside[0].is_dir() and not inside[0].is_symlink():
        below = [p for p in inside[0].iterdir() if p.name not in SKIPPED]
        if below and all(p.is_dir() for p in below) and len(below) > 1:
            return inside[0]
    return place


def _student(path, source):
    """The student that a file or a folder belongs to."""
    name = path.name if path.is_dir() else path.name.removesuffix(".ipynb")
    name = PLATFORM.sub("", name)
    return name.removesuffix(f"_{source.name}").strip()


def _submission(student, paths, source, limits):
    """The submission of one student; None for a file that belongs to nobody."""
    if all(path.is_file() and path.suffix != ".ipynb" for path in paths):
        return None
    one = Submission(student)
    try:
        if not STUDENT.fullmatch(student):
            raise RefusedError(f"{student[:80]!r} is no id: letters, digits and . _ - @ only")
        if len(paths) > 1:
            raise RefusedError(f"two submissions: {', '.join(p.name for p in paths)}; keep one")
        one.notebook, one.files = _parts(paths[0], source, limits, one.notes)
        _check_notebook(one.notebook, source, limits)
    except RefusedError as reason:
        one.refused = str(reason)
    return one


def _parts(path, source, limits, notes):
    """(notebook, {name: Path of a file beside it}) of a submission."""
    if path.is_symlink():
        raise RefusedError(f"{path.name} is a link; hand in the file itself")
    if not path.is_dir():
        return _regular(path), {}
    files = {}
    for inside in sorted(path.rglob("*")):
        relative = inside.relative_to(path)
        if inside.is_symlink():
            raise RefusedError(f"{relative} is a link; hand in the file itself")
        if inside.is_dir() or any(p in SKIPPED or p.startswith(".") for p in relative.parts):
            continue
        files[relative.as_posix()] = _regular(inside)
    notebooks = {name: file for name, file in files.items() if name.endswith(".ipynb")}
    name = _choose(notebooks, source, limits, notes)
    folder = PurePosixPath(name).parent
    beside = {
        str(PurePosixPath(n).relative_to(folder)): file
        for n, file in files.items()
        if n not in notebooks and PurePosixPath(n).is_relative_to(folder)
    }
    size = sum(file.stat().st_size for file in beside.values())
    if size > limits.other_files:
        raise RefusedError(
            f"{size >> 20} MB of files beside the notebook; at most {limits.other_files >> 20} MB"
        )
    return notebooks[name], beside


def _regular(path):
    if not stat.S_ISREG(path.lstat().st_mode):
        raise RefusedError(f"{path.name} is no ordinary file")
    return path


def _choose(notebooks, source, limits, notes):
    """The name of the notebook that counts; a single renamed one is taken and noted."""
    named = [name for name in notebooks if PurePosixPath(name).name == source.path.name]
    if len(named) == 1:
        return named[0]
    if not notebooks:
        raise RefusedError(f"no notebook; expected {source.path.name}")
    if len(notebooks) > 1:
        names = ", ".join(sorted(notebooks)[:5])
        raise RefusedError(f"{len(notebooks)} notebooks ({names}); expected one {source.path.name}")
    (name,) = notebooks
    notes.append(f"the notebook came as {PurePosixPath(name).name}")
    return name


def _check_notebook(path, source, limits):
    """Read a notebook once, to be sure that it is one, and one of this assignment."""
    size = path.stat().st_size
    if size > limits.notebook:
        raise RefusedError(
            f"the notebook has {size >> 20} MB; at most {limits.notebook >> 20} MB. "
            "Clear its outputs"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # two cells with one id are mended, not told
            notebook = nbformat.reads(_json(path), as_version=4)
            nbformat.validate(normalize(notebook)[1], relax_add_props=True)
    except RefusedError:
        raise
    except Exception:  # there is no end of ways in which a form can be broken
        raise RefusedError(f"{path.name} is no notebook: broken form") from None
    if len(notebook.cells) > MOST_CELLS:
        raise RefusedError(f"{len(notebook.cells)} cells; at most {MOST_CELLS}")
    ids = {settings(cell).get("grade_id") for cell in notebook.cells}
    if not ids & set(source.known):
        raise RefusedError(f"{path.name} is a notebook, but none of {source.name}: no graded cell")


def _json(path):
    """The text of a file; RefusedError unless it is JSON."""
    try:
        text = path.read_text(encoding="utf-8")
        json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8")  # no half letters
    except (ValueError, RecursionError):
        raise RefusedError(f"{path.name} is no notebook: broken JSON") from None
    return text


def _unpack(path, workshop, limits, refused):
    """Write the ordinary files of a zip file below `workshop`; nothing is written elsewhere.

    An entry that is a trick is refused under the name of its student; the others stay.
    """
    target = Path(workshop) / "unpacked"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    try:
        with zipfile.ZipFile(path) as archive:
            if len(archive.infolist()) > MOST_ENTRIES:
                raise RefusedError(f"{path.name} has more than {MOST_ENTRIES} entries")
            for entry in archive.infolist():
                try:
                    _write_entry(archive, entry, target, limits)
                except RefusedError as reason:
                    refused.setdefault(_owner(entry.filename), str(reason))
    except (zipfile.BadZipFile, NotImplementedError, OSError) as error:
        raise RefusedError(f"{path.name} is no zip file ({error})") from None
    return target


def _write_entry(archive, entry, target, limits):
    name = entry.filename
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name) or ".." in parts:
        raise RefusedError(f"the path {name[:80]!r} in the zip leads outside")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise RefusedError(f"{name[:80]!r} in the zip is a link or a device")
    if entry.is_dir() or any(part in SKIPPED for part in parts):
        return
    most = limits.notebook if name.endswith(".ipynb") else limits.other_files
    if entry.file_size > most:
        raise RefusedError(f"{name[:80]!r} in the zip unpacks to more than {most >> 20} MB")
    place = target.joinpath(*parts)
    if place.exists() or any(p.is_file() for p in place.parents if target in p.parents):
        raise RefusedError(f"{name[:80]!r} is in the zip twice")
    try:
        with archive.open(entry) as stream:
            data = stream.read(most + 1)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
        raise RefusedError(f"{name[:80]!r} in the zip cannot be read ({error})") from None
    if len(data) > most:
        raise RefusedError(f"{name[:80]!r} in the zip unpacks to more than {most >> 20} MB")
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)


def _owner(name):
    """Under which name a refused entry is listed: the first harmless part of its path."""
    parts = [p for p in PurePosixPath(name.replace("\\", "/")).parts if p not in ("/", "..", "\\")]
    first = parts[0] if parts else "?"
    return re.sub(r"[^\w.@ -]", "-", first.removesuffix(".ipynb"))[:64] or "?"
