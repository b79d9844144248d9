"""Figures that a reader can pull at: one slider for each number."""

import os

from matplotlib import pyplot as plt

from course_utils.plots.style import _save, check_alt, show


def play(draw, alt, **sliders):
    """Show the figure of draw(**values) with one slider for each value; moving one redraws it.

    draw: a function of numbers that returns a figure; alt: what the figure shows at the start;
    sliders: name=(lowest, highest, start).  Where TQDM_DISABLE is set, as for stored outputs and
    tests, and without ipywidgets, the figure at the start is shown alone.

    Raises ValueError when a start lies outside its range, or alt is shorter than 20 characters.

    Taught in: notebooks/05_build_the_forget_gate.
    """
    check_alt(alt)
    for name, (low, high, start) in sliders.items():
        if not low <= start <= high:
            raise ValueError(f"{name} starts at {start}; expected a number from {low} to {high}")
    if os.environ.get("TQDM_DISABLE", "0") in ("", "0"):
        try:
            from IPython.display import display
        except ImportError:
            pass
        else:
            return display(playground(draw, **sliders))
    return show(draw(**{name: start for name, (_, _, start) in sliders.items()}), alt)


def playground(draw, **sliders):
    """Return the sliders and the picture under them as one widget of ipywidgets.

    Taught in: notebooks/05_build_the_forget_gate.
    """
    import ipywidgets as widgets

    handles = {
        name: widgets.FloatSlider(
            start, min=low, max=high, step=(high - low) / 100, description=name
        )
        for name, (low, high, start) in sliders.items()
    }
    picture = widgets.Image(format="png")

    def redraw(_=None):
        fig = draw(**{name: handle.value for name, handle in handles.items()})
        picture.value = _save(fig, "png")
        plt.close(fig)

    for handle in handles.values():
        handle.observe(redraw, names="value")
    redraw()
    return widgets.VBox([*handles.values(), picture])
