"""The modules beside the tests can be imported by name; a course with the toy assignment."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def toy_course(tmp_path_factory):
    """A folder with the source and the gradebook of the toy, made once for all tests."""
    import toy

    from course_utils.classroom.grade import prepare
    from course_utils.classroom.gradebook import Course
    from course_utils.classroom.source import find_source

    root = toy.write_source(tmp_path_factory.mktemp("toy") / "course")
    prepare(Course(root), find_source("toy", root))
    return root


@pytest.fixture
def root(toy_course, tmp_path):
    """A copy of the toy's course."""
    return shutil.copytree(toy_course, tmp_path / "course")
