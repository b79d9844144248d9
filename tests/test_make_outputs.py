"""`make outputs`: outputs are stored in a form that can be compared; a failing notebook stays."""

import make_outputs
import nbformat
import pytest
from notebook_rules import RULES, Notebook
from test_dead_kernel import write_notebook


def test_outputs_are_stored_in_place(tmp_path):
    path = write_notebook(
        tmp_path,
        "import os, sys\nassert 'inline' in os.environ['MPLBACKEND']",
        "print('a')\nprint('b')",
        "assert os.environ['TQDM_DISABLE'] == '1'",
        "assert sys.course_is_offline\nos.environ['OMP_NUM_THREADS']",
    )
    assert make_outputs.execute(path) is None
    nb = nbformat.read(path, as_version=4)
    code = [cell for cell in nb.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2, 3, 4]
    assert [len(cell.outputs) for cell in code] == [0, 1, 0, 1]
    assert code[1].outputs[0].text == "a\nb\n"
    assert set(nb.metadata) == {"kernelspec"}, "no version of this machine's Python"
    assert all("execution" not in cell.metadata for cell in code), "no clock times"
    once = path.read_bytes()
    assert make_outputs.execute(path) is None
    assert path.read_bytes() == once, "the same notebook gives the same file"
    for rule in ("counts_are_consecutive", "format_is_valid", "no_standard_error_stored"):
        assert RULES[rule](Notebook.read(path)) == []


@pytest.mark.parametrize("source", ["1 / 0", "import os\nos._exit(1)"])
def test_failing_notebook_is_named_and_left_as_it_was(tmp_path, source):
    path = write_notebook(tmp_path, "x = 1", source, "x")
    before = path.read_bytes()
    told = make_outputs.execute(path)
    assert told.startswith("trial.ipynb, In [2]:")
    assert "ZeroDivisionError" in told or "died" in told.lower()
    assert path.read_bytes() == before


def test_notebooks_are_chosen_by_the_start_of_their_names(tmp_path):
    for name in ("01_a.ipynb", "02_b.ipynb", "03_c.ipynb"):
        (tmp_path / name).touch()
    chosen = [path.name for path in make_outputs.choose(["03", "01"], tmp_path)]
    assert chosen == ["01_a.ipynb", "03_c.ipynb"]
    assert len(make_outputs.choose([], tmp_path)) == 3
    with pytest.raises(SystemExit, match="no notebook starts with 09"):
        make_outputs.choose(["01", "09"], tmp_path)
