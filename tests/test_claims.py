"""The claims table: every slip of the slides has a line, every line its evidence in a notebook."""

import re
from pathlib import Path

import pytest
from course_plan import NOTEBOOKS, ROWS, SLIPS
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, writes
from notebook_rules import Notebook

from course_utils import claims
from course_utils.claims import CLAIMS, Claim, Evidence, few, find, judge, most, number

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
CHOICE = FOLDER / "13_choose_a_network.ipynb"
PRINTED = {f"{n:02}": claims.stored_lines(f"{n:02}") for n in range(1, 14)}


PIECES = {  # name -> evidence
    f"{claim.row}-{evidence.place}-{evidence.line}": evidence
    for claim in CLAIMS
    for evidence in claim.supports + claim.limits
}


# --------------------------------------------------------------------------- the table


def test_every_slip_of_the_slides_has_a_claim():
    assert {claim.row for claim in CLAIMS if claim.slip} == set(SLIPS)
    assert {claim.row for claim in CLAIMS} <= set(ROWS)
    assert all(claim.supports for claim in CLAIMS if claim.slip)


@pytest.mark.parametrize("evidence", PIECES.values(), ids=list(PIECES))
def test_evidence_stands_in_its_notebook(evidence):
    notebook, section = evidence.place.split(".")
    found = find(evidence, PRINTED[notebook].get(section, []))
    assert found.line, f"no line {evidence.line!r} in section {section} of notebook {notebook}"


def test_the_notebooks_that_are_read_are_those_of_the_plan():
    assert claims.FILES == tuple(f"{name}.ipynb" for name in NOTEBOOKS[1:])


def test_every_claim_has_one_of_the_three_verdicts():
    assert {judge(claim, PRINTED)[0] for claim in CLAIMS} == set(claims.VERDICTS)


def ends(table):
    """The first two columns and the last of a table: what does not hang on digits."""
    rows = [re.split(r"(?<!\\)\|", row) for row in table.splitlines()]
    return [(row[1], row[2], row[-2]) for row in rows]


def test_the_stored_table_has_the_verdicts_of_the_stored_results():
    """A count may differ by a seed on another machine; a verdict must not."""
    outputs = [o for cell in Notebook.read(CHOICE).code for o in cell.outputs]
    tables = [o.data["text/markdown"] for o in outputs if "text/markdown" in o.get("data", {})]
    wanted = ends(claims.claims_table(CLAIMS, PRINTED))
    assert any(ends(table) == wanted for table in tables), "make outputs NB=13"


# --------------------------------------------------------------------------- reading


def notebook(folder, name, *cells):
    (folder / f"{name}.ipynb").write_text(writes(new_notebook(cells=list(cells))), encoding="utf-8")


def code(*texts):
    outputs = [new_output("stream", name="stdout", text=text) for text in texts]
    return new_code_cell("print()", outputs=outputs)


def test_lines_are_read_by_section(tmp_path):
    error = new_code_cell("x", outputs=[new_output("stream", name="stderr", text="no\n")])
    cells = (new_markdown_cell("# 07 A"), code("before\n"), new_markdown_cell("## 1 B\n\ntext"))
    more = (
        code("one\ntwo\n", "three\n"),
        error,
        new_markdown_cell("### 2 no section"),
        code("4\n"),
    )
    notebook(
        tmp_path,
        "07_build_the_output_gate",
        *cells,
        *more,
        new_markdown_cell("## What we have seen"),
        code("5"),
    )
    lines = claims.stored_lines("07", tmp_path)
    assert lines == {"0": ["before"], "1": ["one", "two", "three", "4"], "": ["5"]}
    assert claims.stored_lines("08", tmp_path) == {}
    notebook(tmp_path, "07_a_copy", code("a line of the copy"))
    assert claims.stored_lines("07", tmp_path) == lines


@pytest.mark.parametrize(
    ("evidence", "line", "counts"),
    [
        (most("1.1", "solved: #"), "solved: 6 of 10", True),
        (most("1.1", "solved: #"), "solved: 5 of 10", False),
        (few("1.1", "solved #"), "solved           4 of 10, median 3", True),
        (few("1.1", "solved: #"), "solved: 5 of 10", False),
        (number("1.1", "left: #", "", 0.1, 1), "left: 5e-01, road 9", True),
        (number("1.1", "left: #", "", 0.1, 1), "left: 5e-02", False),
        (number("1.1", "left: *, road #", "", 0.1), "left: 0, road 1e+05", True),
        (number("1.1", "A (#, 1) [*]", "", 4, 4), "A (4, 1) [x]", True),
        (number("1.1", "it holds"), "it holds for all", True),
        (number("1.1", "nats #", "", 0), "nats nan", False),
        (number("1.1", "nats #", "", -2, -1), "nats -1.5", True),
    ],
)
def test_a_line_is_found_and_weighed(evidence, line, counts):
    found = find(evidence, ["another line", "not solved: 9 of 9", line])
    assert found.line == " ".join(line.split())
    assert found.counts is counts


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        ("solved: #", "solved: none"),
        ("solved: #", "all solved: 3 of 4"),
        ("T = 2: #", "T = 20: 3 of 4"),
        ("a.b #", "a+b 3"),
        ("it holds", "it holdsx"),
    ],
)
def test_another_line_is_not_taken(wanted, line):
    assert find(number("1.1", wanted), [line]).line is None


def test_a_long_line_is_cut_behind_its_number():
    found = find(
        number("1.1", "share *, of ten #", "", 1), ["share 1, of ten 3, " + 30 * "and on "]
    )
    assert found.line == "share 1, of ten 3 ..."


# --------------------------------------------------------------------------- judging

YES, NO = most("01.1", "yes #"), most("01.1", "no #")
LINES = {"01": {"1": ["yes 9 of 10", "no 1 of 10"]}}


@pytest.mark.parametrize(
    ("supports", "limits", "verdict"),
    [
        ((YES,), (), "holds"),
        ((YES,), (NO,), "holds"),
        ((YES,), (YES,), "holds with limits"),
        ((YES, NO), (), "holds with limits"),
        ((NO,), (), "not shown"),
        ((NO,), (YES,), "not shown"),
        ((), (), "not shown"),
        ((most("01.1", "lost #"),), (), "open"),
        ((YES,), (most("01.2", "yes #"),), "open"),
        ((most("02.1", "yes #"),), (), "open"),
    ],
)
def test_verdicts(supports, limits, verdict):
    assert judge(Claim("1.1", "A sentence", supports, limits), LINES)[0] == verdict


def test_table_shows_claim_proof_and_verdict(tmp_path):
    notebook(tmp_path, "01_see_why_order_matters", new_markdown_cell("## 1 A"))
    several = (
        Claim("1.1", "It works", (YES, NO), (YES,), slip=True),
        Claim("1.2", "It flies"),
        Claim("1.3", "It is lost", (Evidence("01.1", "gone #"),)),
        Claim("1.4", "It is clear", (YES,), (NO,)),
        Claim("1.5", "Its limit is lost", (YES,), (Evidence("01.1", "gone #"),)),
    )
    rows = claims.claims_table(several, LINES, tmp_path).splitlines()[2:]
    where = r"\(\[01, section 1\]\(01_see_why_order_matters\.ipynb\)\)"
    assert re.fullmatch(
        rf"\| 1\.1 \(!\) \| It works \| yes 9 of 10 {where}<br>not so: no 1 of 10 {where}<br>"
        rf"but: yes 9 of 10 {where} \| \*\*holds with limits\*\* \|",
        rows[0],
    )
    assert "no experiment" in rows[1]
    assert rows[1].endswith("| **not shown** |")
    assert "run notebook 01" in rows[2]
    assert rows[2].endswith("| **open** |")
    assert "but:" not in rows[3]
    assert rows[3].endswith("| **holds** |")
    assert "run notebook 01" in rows[4]
    assert rows[4].endswith("| **open** |")
