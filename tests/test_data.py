"""The data files are what data/README.md says, and the readers say clearly what is wrong."""

import csv
import hashlib
import re

import numpy as np
import pytest

from course_utils.tasks import co2, el_nino, fill_gaps, read_series, read_text, series, sunspots

README = (series.DATA / "README.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip().replace("`", "") for cell in line.strip("|\n").split("|")]
    for line in README.splitlines()
    if line.startswith("| `")
]
READERS = {"sunspots.csv": sunspots, "co2.csv": co2, "el_nino.csv": el_nino}
VALUE_COLUMN = -1


def test_readme_lists_every_file_and_no_other():
    listed = {row[0] for row in ROWS}
    assert listed == {p.name for p in series.DATA.glob("*.csv")} & set(series.CHECKSUMS)
    assert listed == set(series.CHECKSUMS) == set(READERS)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_readme_row_is_true(row):
    name, what, count, columns, unit, span, checksum = row
    content = (series.DATA / name).read_bytes().replace(b"\r\n", b"\n")
    assert hashlib.sha256(content).hexdigest() == checksum == series.CHECKSUMS[name]
    table = list(csv.reader(content.decode("utf-8").splitlines()))
    assert table[0] == columns.split(", ")
    assert len(table) - 1 == int(count)
    values = np.array([float(line[VALUE_COLUMN]) for line in table[1:] if line[VALUE_COLUMN]])
    low, high = map(float, span.split(" to "))
    assert (values.min(), values.max()) == (low, high)
    gaps = re.search(r"(\d+) gaps", what)
    assert len(table) - 1 - len(values) == (int(gaps.group(1)) if gaps else 0)
    years = list(map(int, re.findall(r"\b(1[789]\d\d|20[01]\d)\b", what)))
    assert int(table[1][0][:4]) == years[0]
    assert int(table[-1][0][:4]) == years[-1]
    read = READERS[name]()
    assert read.unit == unit
    assert len(read.values) == len(read.time) == int(count)
    np.testing.assert_array_equal(read.values[~np.isnan(read.values)], values)
    assert int(read.time[0]) == years[0]
    assert int(read.time[-1]) == years[-1]
    assert (np.diff(read.time) > 0).all()


def test_provenance_and_licence_are_named():
    for word in ("statsmodels", "NOAA", "CDIAC", "Keeling", "ERSST"):
        assert word in README
    assert README.count("Licence: public domain") == len(ROWS)


def test_fill_gaps_draws_a_straight_line():
    filled = fill_gaps(co2())
    assert not np.isnan(filled.values).any()
    known = ~np.isnan(co2().values)
    np.testing.assert_array_equal(filled.values[known], co2().values[known])
    values = np.array([np.nan, 1.0, np.nan, np.nan, 4.0])
    line = fill_gaps(series.Series("line", np.arange(5.0), values, ""))
    np.testing.assert_allclose(line.values, [1, 1, 2, 3, 4])
    with pytest.raises(ValueError, match="'line' has no value at all"):
        fill_gaps(series.Series("line", np.arange(2.0), np.full(2, np.nan), ""))


@pytest.fixture
def data_folder(tmp_path, monkeypatch):
    """A data folder that a test may spoil."""
    for name in series.CHECKSUMS:
        (tmp_path / name).write_bytes((series.DATA / name).read_bytes())
    monkeypatch.setattr(series, "DATA", tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", READERS)
def test_missing_or_damaged_file_is_named(data_folder, name):
    content = (data_folder / name).read_bytes()
    (data_folder / name).write_bytes(content.replace(b"\n", b"\r\n"))
    READERS[name]()  # other line ends are no damage
    (data_folder / name).write_bytes(content[:-3])
    with pytest.raises(ValueError, match=rf"{name} is damaged .* git checkout -- data/{name}"):
        READERS[name]()
    (data_folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"{name} is missing; .* git checkout"):
        READERS[name]()


GOOD = "time,rain\n1,2.5\n2,3.5\n3,4.5\n"


def test_own_table_is_found_by_path_and_by_name(data_folder):
    path = data_folder / "own.csv"
    path.write_text(GOOD, encoding="utf-8-sig")  # as spreadsheet programs save it
    for name in (path, str(path), "own.csv"):
        read = read_series(name, "rain", time="time", unit="mm")
        assert read.unit == "mm"
        np.testing.assert_array_equal(read.values, [2.5, 3.5, 4.5])
        np.testing.assert_array_equal(read.time, [1, 2, 3])
    np.testing.assert_array_equal(read_series(path, "rain").time, [0, 1, 2])


def test_dates_become_years(tmp_path):
    path = tmp_path / "dates.csv"
    path.write_text("day,x\n1999-01-01,1\n2000-12-31,2\n2001-07-02,3\n", encoding="utf-8")
    time = read_series(path, "x", time="day").time
    np.testing.assert_allclose(time, [1999 + 0.5 / 365, 2001 - 0.5 / 366, 2001.5])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "bad.csv is empty"),
        (b"\n \n", "bad.csv is empty"),
        (b"time,rain\n", r"bad.csv has 1 line\(s\)"),
        (b"time,rain\n1,2\n", r"bad.csv has 2 line\(s\)"),
        (b"time,snow\n1,2\n2,3\n", r"bad.csv has no column 'rain'; it has \['time', 'snow'\]"),
        (b"date,rain\n1,2\n2,3\n", r"bad.csv has no column 'time'"),
        (b"time;rain\n1;2,5\n2;3,5\n", "separated by commas, save the file again"),
        (b"time,rain\n1,2\n2\n", r"line 3: 1 field\(s\), so there is none for the column 'rain'"),
        (b"time,rain\n1,2\n2,\n3,NA\n", r"2 gap\(s\) in column 'rain', the first in line 3; fill"),
        (b"time,rain\n1,2\n,3\n", "bad.csv has a gap in the time column 'time'"),
        (b"time,rain\n1,2\n2,wet\n", "line 3: 'wet' in column 'rain' is not a number"),
        (b'time,rain\n1,2\n2,"3,5"\n', "write 3.5, not 3,5"),
        (b"time,rain\n1,2\n2,inf\n", "'inf' in column 'rain' is not a number"),
        (b"time,rain\n1,2\nMonday,3\n", "'Monday' in column 'time' is neither a number nor a date"),
        ("time,rain,Höhe\n1,2,3\n".encode("latin-1"), r"not in UTF-8 but in another .* line 1\)"),
        (GOOD.encode("utf-16"), "bad.csv is not in UTF-8 but in UTF-16"),
        (b"time,rain\n1,2\0\n2,3\n", "bad.csv holds zero bytes"),
    ],
)
def test_bad_tables_get_a_clear_error(tmp_path, content, message):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        read_series(path, "rain", time="time")
    assert str(path) in str(error.value)


def test_gaps_can_be_allowed_but_not_everywhere(tmp_path):
    path = tmp_path / "gaps.csv"
    path.write_text("x,y\n1,\n,\n\n3,\n", encoding="utf-8")
    values = read_series(path, "x", gaps_allowed=True).values
    np.testing.assert_array_equal(values, [1, np.nan, 3])
    with pytest.raises(ValueError, match="no number at all in column 'y'"):
        read_series(path, "y", gaps_allowed=True)


def test_no_such_file_says_where_we_looked(data_folder):
    with pytest.raises(
        FileNotFoundError, match=r"no file nowhere\.csv here and none in .*co2\.csv"
    ):
        read_series("nowhere.csv", "x")
    with pytest.raises(FileNotFoundError, match=r"no file nowhere\.txt"):
        read_text("nowhere.txt")


def test_own_text(tmp_path):
    path = tmp_path / "own.txt"
    text = "Zwölf Boxkämpfer jagen Viktor.\r\n" * 50
    path.write_bytes(text.encode("utf-8"))
    assert read_text(path) == text.replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "bad.txt is empty"),
        (b" \n\n", "bad.txt is empty"),
        (b"one line", r"bad.txt has 8 characters in 1 line\(s\); expected at least 1000"),
        (
            "Zwölf".encode("latin-1") * 500,
            r"not in UTF-8 but in another encoding \(byte 2, line 1\)",
        ),
        (("text\n" * 500).encode("utf-16"), "not in UTF-8 but in UTF-16"),
        (b"text\0" * 500, "holds zero bytes"),
    ],
)
def test_bad_texts_get_a_clear_error(tmp_path, content, message):
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_text(path)
