"""What checks of several lessons do with a class of cells that a reader has written or mended."""

from course_utils.checks import TOLERANCE, NotYet, call, check_gradients
from course_utils.recurrent import Recurrent


def drawn_cell(cell_class, names, rng, spread):
    """Make a cell with 3 inputs and 4 units, its parameters moved away from where they start.

    NotYet names the first of the parameters `names` that it does not have.
    """
    cell = cell_class(3, 4, rng)
    missing = [name for name in names if name not in cell.params]
    if missing:
        raise NotYet(f"params has no {missing[0]!r}; expected {', '.join(names)}")
    for p in cell.params.values():
        p += spread * rng.normal(size=p.shape)
    return cell


def mended_cell(cell_class, my_backward, rng):
    """Make a cell (2 inputs, 3 units) of a class, with `my_backward` in the place of its backward.

    NotYet when it is no function, or does not run one step.
    """
    if not callable(my_backward):
        raise NotYet(f"the answer is {my_backward!r}; expected a function")
    cell = type("Mended", (cell_class,), {"backward": my_backward})(2, 3, rng)
    state = tuple(rng.normal(size=part.shape) for part in cell.initial_state(2))
    _, trace = cell.forward(rng.normal(size=(2, 2)), state)
    call(cell.backward, state, trace)
    return cell


def wrong_gradients(cell, steps, rng):
    """Name the gradients of a mended cell that differ from central differences over some steps."""
    errors = check_gradients(Recurrent(cell), rng.normal(size=(2, steps, 2)), rng)
    return [name for name, error in errors.items() if error > TOLERANCE]
