"""Figures with sliders: they redraw, and where outputs are stored they are plain figures."""

import matplotlib

matplotlib.use("Agg")

import pytest
from matplotlib import pyplot as plt

from course_utils.plots import play, playground

ALT = "One straight line that starts at zero and ends at the height of the slider."
seen = []


def draw(height, width=1.0):
    seen.append((height, width))
    fig, ax = plt.subplots(figsize=(2, 1))
    ax.plot([0, width], [0, height])
    ax.set(xlim=(0, 5), ylim=(0, 5))
    return fig


def test_a_moved_slider_redraws_the_picture():
    box = playground(draw, height=(0, 4, 1.0), width=(1, 5, 2.0))
    *sliders, picture = box.children
    first = bytes(picture.value)
    assert [slider.description for slider in sliders] == ["height", "width"]
    assert first.startswith(b"\x89PNG")
    sliders[0].value = 3.0
    assert seen[-1] == (3.0, 2.0)
    assert bytes(picture.value) != first
    sliders[0].value = 1.0
    assert bytes(picture.value) == first
    assert not plt.get_fignums()


def test_stored_outputs_are_plain_figures(monkeypatch, capsys):
    monkeypatch.setenv("TQDM_DISABLE", "1")
    play(draw, ALT, height=(0, 4, 1.0))
    assert capsys.readouterr().out.strip() == ALT
    assert not plt.get_fignums()


def test_a_live_notebook_gets_the_sliders(monkeypatch):
    monkeypatch.setenv("TQDM_DISABLE", "0")
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    play(draw, ALT, height=(0, 4, 1.0))
    assert [type(part).__name__ for part in shown[0].children] == ["FloatSlider", "Image"]


@pytest.mark.parametrize(
    ("alt", "sliders", "message"),
    [(ALT, {"height": (0, 1, 2)}, "height starts at 2"), ("short", {}, "alt is")],
)
def test_bad_arguments_are_named(alt, sliders, message):
    with pytest.raises(ValueError, match=message):
        play(draw, alt, **sliders)
