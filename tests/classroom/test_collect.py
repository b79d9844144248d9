"""Submissions are found in every accepted form, and tricks are refused by name."""

import os
import stat
import zipfile

import nbformat
import pytest
import toy

from course_utils.classroom import collect as module
from course_utils.classroom.collect import RefusedError, collect
from course_utils.classroom.limits import Limits
from course_utils.classroom.source import find_source

NOTEBOOK = nbformat.writes(toy.source_notebook())
LIMITS = Limits(notebook=1 << 20, other_files=1 << 20)


@pytest.fixture
def source(tmp_path):
    return find_source("toy", toy.write_source(tmp_path / "course"))


@pytest.fixture
def found(tmp_path, source):
    """A function: {path: text} -> {student: Submission}, from a folder."""

    def find(files, place=None):
        place = tmp_path / "handed-in"
        for name, text in files.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(text)
        return by_student(collect(place, source, LIMITS, tmp_path / "work"))

    return find


@pytest.fixture
def zipped(tmp_path, source):
    """A function: [(name or ZipInfo, data)] -> {student: Submission}, from a zip file."""

    def find(entries):
        path = tmp_path / "handed-in.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in entries:
                archive.writestr(name, data)
        return by_student(collect(path, source, LIMITS, tmp_path / "work"))

    return find


def by_student(submissions):
    return {one.student: one for one in submissions}


def link(name, target):
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry, target


@pytest.mark.parametrize(
    "name",
    [
        "ada/toy.ipynb",
        "ada.ipynb",
        "ada_toy.ipynb",
        "ada/toy/toy.ipynb",
        "ada/my work.ipynb",
        "ada_assignsubmission_file_/toy.ipynb",
        "all/ada/toy.ipynb",
    ],
)
def test_accepted_forms(found, name):
    more = {"all/bob/toy.ipynb": NOTEBOOK} if name.startswith("all/") else {}
    one = found({name: NOTEBOOK, **more})["ada"]
    assert one.refused is None
    assert one.notebook.read_text() == NOTEBOOK
    assert one.notes == (["the notebook came as my work.ipynb"] if "my work" in name else [])


def test_files_beside_the_notebook_come_along(found):
    files = {"ada/toy.ipynb": NOTEBOOK, "ada/text.txt": "x", "ada/more/a.csv": "1"}
    files |= {"ada/.ipynb_checkpoints/toy-checkpoint.ipynb": "{", "ada/.secret": "x"}
    assert sorted(found(files)["ada"].files) == ["more/a.csv", "text.txt"]


def test_files_of_nobody_are_left_alone(found):
    assert list(found({"ada.ipynb": NOTEBOOK, "marks.csv": "x", ".DS_Store": "x"})) == ["ada"]


def test_two_submissions_of_one_student_are_refused(found):
    ada = found({"ada.ipynb": NOTEBOOK, "ada_toy.ipynb": NOTEBOOK})["ada"]
    assert "two submissions: ada.ipynb, ada_toy.ipynb" in ada.refused


@pytest.mark.parametrize("name", ["a*b", "[ada]", "-ada", "x" * 65, "a\nb", "ада+боб"])
def test_ids_that_could_be_something_else_are_refused(found, name):
    (one,) = found({f"{name}/toy.ipynb": NOTEBOOK}).values()
    assert "is no id" in one.refused


def test_too_many_files_are_refused(found):
    one = found({"ada/toy.ipynb": NOTEBOOK, "ada/data.bin": "x" * (2 << 20)})["ada"]
    assert "2 MB of files" in one.refused


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (NOTEBOOK.replace("# Toy", r"# Toy \ud800"), "broken JSON"),
        (
            NOTEBOOK.replace(
                '"cells": [',
                '"cells": [' + '{"cell_type": "raw", "metadata": {}, "id": '
                '"x", "source": ""},' * 3000,
            ),
            "at most 2000",
        ),
    ],
    ids=["half a letter", "many cells"],
)
def test_notebooks_that_would_trouble_later_are_refused(found, text, words):
    assert words in found({"ada.ipynb": text})["ada"].refused


def test_nothing_there_is_told(tmp_path, source):
    (tmp_path / "empty").mkdir()
    with pytest.raises(RefusedError, match="holds no submission"):
        collect(tmp_path / "empty", source, LIMITS, tmp_path)
    with pytest.raises(RefusedError, match="is no folder"):
        collect(tmp_path / "nowhere", source, LIMITS, tmp_path)
    (tmp_path / "a.zip").write_text("PK")
    with pytest.raises(RefusedError, match="is no zip file"):
        collect(tmp_path / "a.zip", source, LIMITS, tmp_path)


def test_zip_of_a_class(zipped):
    found = zipped([("ada/toy.ipynb", NOTEBOOK), ("bob.ipynb", NOTEBOOK), ("__MACOSX/x", "x")])
    assert {name: one.refused for name, one in found.items()} == {"ada": None, "bob": None}


@pytest.mark.parametrize(
    ("entry", "student", "words"),
    [
        (("../eve.ipynb", NOTEBOOK), "eve", "leads outside"),
        (("../../../../tmp/eve/toy.ipynb", NOTEBOOK), "tmp", "leads outside"),
        (("/eve/toy.ipynb", NOTEBOOK), "eve", "leads outside"),
        (("eve/../../toy.ipynb", NOTEBOOK), "eve", "leads outside"),
        (("..\\eve.ipynb", NOTEBOOK), "eve", "leads outside"),
        (("C:\\eve.ipynb", NOTEBOOK), "C-", "leads outside"),
        (link("eve/toy.ipynb", "/etc/passwd"), "eve", "is a link"),
        (link("eve", "/etc"), "eve", "is a link"),
        (("eve/toy.ipynb", " " * (50 << 20)), "eve", "unpacks to more than 1 MB"),
    ],
)
def test_tricks_in_a_zip_are_refused_and_the_others_stay(zipped, tmp_path, entry, student, words):
    found = zipped([("ada/toy.ipynb", NOTEBOOK), entry])
    assert words in found[student].refused
    assert found["ada"].refused is None
    written = {p.relative_to(tmp_path).parts[0] for p in tmp_path.rglob("*") if p.is_file()}
    assert written <= {"course", "handed-in.zip", "work"}
    assert not list((tmp_path / "work").rglob("eve*/toy.ipynb"))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_name_twice_in_a_zip(zipped):
    found = zipped([("eve/toy.ipynb", NOTEBOOK), ("eve/toy.ipynb", "{}")])
    assert "is in the zip twice" in found["eve"].refused


def test_a_file_that_is_also_a_folder(zipped):
    found = zipped([("eve", "x"), ("eve/toy.ipynb", NOTEBOOK), ("ada.ipynb", NOTEBOOK)])
    assert "is in the zip twice" in found["eve"].refused
    assert found["ada"].refused is None


def test_a_zip_that_lies_about_its_size(zipped, monkeypatch):
    real = zipfile.ZipFile.infolist

    def lying(archive):
        entries = real(archive)
        for entry in entries:
            entry.file_size = min(entry.file_size, 10)
        return entries

    monkeypatch.setattr(zipfile.ZipFile, "infolist", lying)
    found = zipped([("eve/toy.ipynb", "x" * (2 << 20)), ("ada.ipynb", "{}")])
    assert found["eve"].refused


def test_too_many_entries(zipped, monkeypatch):
    monkeypatch.setattr(module, "MOST_ENTRIES", 3)
    with pytest.raises(RefusedError, match="more than 3 entries"):
        zipped([(f"s{n}.ipynb", NOTEBOOK) for n in range(4)])


def test_links_in_a_folder_are_refused(found, tmp_path):
    place = tmp_path / "handed-in"
    (place / "eve").mkdir(parents=True)
    os.symlink("/etc", place / "eve" / "data")
    os.symlink("/etc", place / "mallory")
    files = {"eve/toy.ipynb": NOTEBOOK, "ada.ipynb": NOTEBOOK}
    came = found(files)
    assert came["eve"].refused == "data is a link; hand in the file itself"
    assert came["mallory"].refused == "mallory is a link; hand in the file itself"
    assert came["ada"].refused is None
