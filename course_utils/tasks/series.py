"""Read the small data files, and a reader's own .csv and .txt files."""

from __future__ import annotations

import csv
import datetime
import hashlib
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

DATA = Path(__file__).resolve().parents[2] / "data"

# SHA-256 of each file with "\n" line ends; data/README.md shows the same, and a test compares them.
CHECKSUMS = {
    "sunspots.csv": "a7459ac790a1e40cf4b78b44fdf8248c9a0514ed672ec42cc555f4e8ddcbfd1b",
    "co2.csv": "2737f74222cf1fb702d41058927d2b8d2a34778d519bfa6b1dea2f1b47c234f4",
    "el_nino.csv": "4f706f671e6668e1821299371b1305347e16ff951b69317bc2c94baad483c58e",
}
GAP_MARKS = {"", "na", "n/a", "nan", "null", "none", "-"}


class Series(NamedTuple):
    """Hold a series of numbers: name, time (T,), values (T,) float64 with NaN for gaps, unit.

    Time is in years where the file has dates, else the numbers of the time column, else 0, 1, ...

    Taught in: notebooks/01_see_why_order_matters
    """

    name: str
    time: np.ndarray
    values: np.ndarray
    unit: str


def sunspots() -> Series:
    """Read the yearly mean sunspot numbers, 1700 to 2008.

    Raises FileNotFoundError or ValueError, with the way to mend it, if the file is not as
    delivered.

    Taught in: notebooks/01_see_why_order_matters
    """
    series = read_series(_delivered("sunspots.csv"), "sunspots", time="year", unit="sunspots")
    return series._replace(name="yearly sunspots")


def co2() -> Series:
    """Read the weekly carbon dioxide in the air at Mauna Loa, 1958 to 2001, with 59 gaps (NaN).

    Raises FileNotFoundError or ValueError, with the way to mend it, if the file is not as
    delivered.

    Taught in: notebooks/01_see_why_order_matters
    """
    path = _delivered("co2.csv")
    series = read_series(path, "co2", time="date", unit="ppm", gaps_allowed=True)
    return series._replace(name="weekly CO2, Mauna Loa")


def el_nino() -> Series:
    """Read the monthly sea-surface temperature of the region Nino 1+2, 1950 to 2010.

    Raises FileNotFoundError or ValueError, with the way to mend it, if the file is not as
    delivered.

    Taught in: notebooks/01_see_why_order_matters
    """
    path = _delivered("el_nino.csv")
    series = read_series(path, "sea_surface_temperature", unit="degrees Celsius")
    year = read_series(path, "year").values
    month = read_series(path, "month").values
    return series._replace(name="monthly sea-surface temperature", time=year + (month - 0.5) / 12)


def read_series(
    path: str | Path,
    column: str,
    *,
    time: str | None = None,
    unit: str = "",
    gaps_allowed: bool = False,
) -> Series:
    """Read one column of a .csv file: first line the names of the columns, then one row per time.

    path: a file, or the name of a file in the data folder. `time` names a column of numbers or of
    dates like 1958-03-29. A gap is an empty field or NA; with gaps_allowed=True it becomes NaN.
    Blank lines are skipped.
    Raises FileNotFoundError if there is no file; ValueError that names the file, the line and the
    way to mend it if the file is empty, has no rows, is not UTF-8, lacks the column, or holds a gap
    or something that is not a number.

    Taught in: notebooks/01_see_why_order_matters
    """
    path = find_file(path)
    rows = [
        (number, row)
        for number, row in enumerate(csv.reader(_decode(path).splitlines()), start=1)
        if len(row) > 1 or "".join(row).strip()
    ]
    if not rows:
        raise ValueError(f"{path} is empty; expected a line of column names, then one row per time")
    names = [name.strip() for name in rows[0][1]]
    wanted = [column] if time is None else [column, time]
    for name in wanted:
        if name not in names:
            hint = ""
            if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
                hint = "; columns must be separated by commas, save the file again that way"
            raise ValueError(f"{path} has no column {name!r}; it has {names}{hint}")
    if len(rows) < 3:
        raise ValueError(
            f"{path} has {len(rows)} line(s); expected column names and two or more rows of numbers"
        )
    places = [names.index(name) for name in wanted]
    columns = [[] for _ in wanted]
    for number, row in rows[1:]:
        for name, place, values in zip(wanted, places, columns, strict=True):
            if place >= len(row):
                raise ValueError(
                    f"{path}, line {number}: {len(row)} field(s), so there is none for the column "
                    f"{name!r}; expected {len(names)} fields separated by commas"
                )
            values.append(_number(path, number, name, row[place].strip(), name == time))
    values = np.array(columns[0])
    gaps = np.flatnonzero(np.isnan(values))
    if len(gaps) and not gaps_allowed:
        raise ValueError(
            f"{path} has {len(gaps)} gap(s) in column {column!r}, the first in line "
            f"{rows[1 + gaps[0]][0]}; fill them in the file, or read it with gaps_allowed=True and "
            "call fill_gaps(series)"
        )
    if len(gaps) == len(values):
        raise ValueError(f"{path} has no number at all in column {column!r}")
    times = np.arange(len(values), dtype=float) if time is None else np.array(columns[1])
    if np.isnan(times).any():
        raise ValueError(f"{path} has a gap in the time column {time!r}; fill it in the file")
    return Series(column, times, values, unit)


def fill_gaps(series: Series) -> Series:
    """Fill the gaps (NaN) of a series on a straight line between their neighbours in time.

    Gaps at an end get the nearest value. Raises ValueError if there is no value at all.

    Taught in: notebooks/01_see_why_order_matters
    """
    known = ~np.isnan(series.values)
    if not known.any():
        raise ValueError(f"series {series.name!r} has no value at all; expected at least one")
    values = np.interp(series.time, series.time[known], series.values[known])
    return series._replace(values=np.where(known, series.values, values))


def read_text(path: str | Path, *, least_characters: int = 1000) -> str:
    """Read a text file in UTF-8, all line ends as "\\n".

    path: a file, or the name of a file in the data folder. Raises FileNotFoundError if there is no
    file, ValueError that names it and the way to mend it if it is not UTF-8, is empty, or has fewer
    than `least_characters` characters.

    Taught in: notebooks/03_backpropagate_through_time
    """
    path = find_file(path)
    text = _decode(path)
    if not text.strip():
        raise ValueError(f"{path} is empty; expected a text in UTF-8")
    if len(text) < least_characters:
        lines = len(text.splitlines())
        raise ValueError(
            f"{path} has {len(text)} characters in {lines} line(s); expected at least "
            f"{least_characters} to learn from. Add text, or pass least_characters={len(text)}"
        )
    return text


def find_file(path: str | Path) -> Path:
    """Find a file by its path, or by its name in the data folder.

    Raises FileNotFoundError that says where we looked and what lies there.

    Taught in: notebooks/01_see_why_order_matters
    """
    given = Path(path).expanduser()
    for candidate in (given, DATA / given):
        if candidate.is_file():
            return candidate
    there = sorted(p.name for p in DATA.glob("*.[ct][sx][vt]")) if DATA.is_dir() else []
    raise FileNotFoundError(
        f"no file {given} here and none in {DATA} (there: {', '.join(there) or '-'}); "
        "check the name, or copy your .txt or .csv file into that folder"
    )


def _delivered(name: str) -> Path:
    path = DATA / name
    mend = f"get it back with: git checkout -- data/{name}"
    if not path.is_file():
        raise FileNotFoundError(f"the data file {path} is missing; {mend}")
    content = path.read_bytes().replace(b"\r\n", b"\n")
    if hashlib.sha256(content).hexdigest() != CHECKSUMS[name]:
        raise ValueError(
            f"the data file {path} is damaged or was edited (its checksum is not the one in "
            f"data/README.md); {mend}. Give your own data another file name"
        )
    return path


def _decode(path: Path) -> str:
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        kind = "UTF-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "another encoding"
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(
            f"{path} is not in UTF-8 but in {kind} (byte {error.start}, line {line}); "
            "save it again as UTF-8 (most editors: Save as, Encoding)"
        ) from None
    if "\0" in text:
        raise ValueError(f"{path} holds zero bytes, so it is no text file; save it again as UTF-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _number(path: Path, line: int, name: str, cell: str, dates: bool) -> float:
    if cell.lower() in GAP_MARKS:
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        value = None
    if value is not None and math.isfinite(value):
        return value
    if dates:
        try:
            date = datetime.date.fromisoformat(cell)
        except ValueError:
            raise ValueError(
                f"{path}, line {line}: {cell!r} in column {name!r} is neither a number nor a date "
                "like 1958-03-29"
            ) from None
        first = datetime.date(date.year, 1, 1)
        days = (datetime.date(date.year, 12, 31) - first).days + 1
        return date.year + ((date - first).days + 0.5) / days
    hint = "; write 3.5, not 3,5" if "," in cell else ""
    raise ValueError(
        f"{path}, line {line}: {cell!r} in column {name!r} is not a number{hint}. "
        "Leave the field empty if the value is missing"
    )
