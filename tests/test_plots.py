"""The pictures: arrays in, axes out, a description on each, readable in grey, always the same."""

import base64
import io
import itertools
import re
import subprocess
import sys
from html import unescape
from typing import NamedTuple

import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from course_utils import plots
from course_utils.plots import diagrams, media, style

ALT = "Two lines go down, the lower one is the LSTM."
EYES = {  # Machado, Oliveira & Fernandes 2009, full strength, on linear RGB
    "all cones": np.eye(3),
    "no red": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "no green": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "no blue": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


@pytest.fixture
def ax():
    figure, axes = plt.subplots(figsize=(4, 3))
    yield axes
    plt.close(figure)


def linear(colour):
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    xyz = np.array([[0.412, 0.358, 0.180], [0.213, 0.715, 0.072], [0.019, 0.119, 0.951]]) @ rgb
    f = np.cbrt(np.clip(xyz / [0.951, 1, 1.089], 0, 1))
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def lightness(colour):
    return lab(linear(colour))[0]


# looks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("group", style.GROUPS, ids=lambda group: group[-1])
def test_ideas_of_a_group_are_told_apart_by_every_eye(group, eye):
    for a, b in itertools.combinations(group, 2):
        seen = [lab(np.clip(EYES[eye] @ linear(plots.COLOURS[idea]), 0, 1)) for idea in (a, b)]
        assert np.linalg.norm(seen[0] - seen[1]) > 14, (a, b)


@pytest.mark.parametrize("group", style.GROUPS, ids=lambda group: group[-1])
def test_ideas_of_a_group_are_told_apart_in_grey(group):
    for a, b in itertools.combinations(group, 2):
        assert plots.LINESTYLES[a] != plots.LINESTYLES[b], (a, b)
        assert plots.MARKERS[a] != plots.MARKERS[b], (a, b)


def test_lightness_alone_parts_the_ideas_that_are_drawn_without_markers():
    for a, b in [("forward", "backward"), ("training", "validation"), ("baseline", "optimum")]:
        assert abs(lightness(plots.COLOURS[a]) - lightness(plots.COLOURS[b])) > 20, (a, b)
    assert all(lightness(colour) < 75 for colour in plots.COLOURS.values())  # seen on white


@pytest.fixture(autouse=True)
def _no_figure_stays():
    yield
    plt.close("all")


def test_every_idea_of_the_course_has_a_look():
    assert {"H", "C", "I", "F", "O", "C_tilde", "Z", "R"} <= set(plots.COLOURS)
    assert {"forward", "backward", "training", "validation"} <= set(plots.COLOURS)
    assert {"baseline", "optimum"} <= set(plots.COLOURS)
    assert set(plots.COLOURS) == set(plots.MARKERS) == set(plots.LINESTYLES)
    with pytest.raises(ValueError, match="idea is 'G'"):
        plots.look("G")


def test_import_changes_no_setting_and_needs_no_notebook():
    code = (
        "import matplotlib, sys; matplotlib.use('Agg'); before = dict(matplotlib.rcParams);"
        "import course_utils.plots; assert dict(matplotlib.rcParams) == before;"
        "assert 'IPython' not in sys.modules and 'keras' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# show -------------------------------------------------------------------------------------------


@pytest.fixture
def outputs(monkeypatch):
    """What would stand under a notebook cell."""
    found = []
    monkeypatch.setattr(style, "_display", lambda bundle, images: found.append((bundle, images)))
    return found


def test_show_gives_picture_and_description_and_closes_the_figure(ax, outputs):
    ax.plot([1, 2])
    plots.show(ax.figure, ALT)
    bundle, images = outputs[0]
    assert bundle["text/plain"] == ALT
    assert images == {"image/png": {"alt": ALT}}
    assert not plt.fignum_exists(ax.figure.number)


def test_show_refuses_a_missing_description_and_a_wide_figure(ax, outputs):
    for bad in ("", "   ", "a plot", None):
        with pytest.raises(ValueError, match="alt is"):
            plots.show(ax.figure, bad)
    wide, _ = plt.subplots(figsize=(11, 2))
    with pytest.raises(ValueError, match="inches wide; expected at most 8"):
        plots.show(wide, ALT)
    with pytest.raises(ValueError, match="inches wide; expected at most 8"):
        plots.show_svg(plt.subplots(figsize=(11, 2))[0], ALT)
    assert not outputs
    assert not plt.fignum_exists(wide.number)


@pytest.mark.filterwarnings("error")
def test_flags_that_drawing_raises_print_no_warning(ax, outputs, monkeypatch):
    def draw(renderer):
        np.float32(3e38) * np.float32(10)  # what a projection may do

    monkeypatch.setattr(ax.plot([0, 1])[0], "draw", draw)
    plots.show(ax.figure, ALT)
    assert outputs[0][0]["text/plain"] == ALT


def test_show_outside_a_notebook_prints_the_description(ax, capsys):
    plots.show(ax.figure, ALT)
    assert capsys.readouterr().out == ALT + "\n"


def two_figures():
    for _ in range(2):
        figure, axes = plt.subplots(figsize=(3, 2))
        axes.plot([1, 3, 2], **plots.look("F"), label="$F_t$")
        axes.legend()
        yield figure


def test_png_and_svg_are_the_same_bytes_every_time(outputs):
    for form in ("png", "svg"):
        first, second = (style._save(figure, form) for figure in two_figures())
        assert first == second
        assert len(first) < 60_000
    for figure in two_figures():
        plots.show_svg(figure, ALT)
    assert outputs[0] == outputs[1]


def test_a_figure_that_is_shown_as_svg_comes_as_png_too(outputs):
    """JupyterLab shows no SVG of a notebook that it does not trust yet."""
    figure = next(two_figures())
    png = style._save(figure, "png")
    plots.show_svg(figure, ALT)
    bundle, images = outputs[0]
    assert bundle["image/png"] == base64.b64encode(png).decode()
    assert images == {"image/svg+xml": {"alt": ALT}, "image/png": {"alt": ALT}}
    assert not plt.fignum_exists(figure.number)


def test_svg_carries_role_title_and_description_and_its_own_names(outputs):
    figure = next(two_figures())
    plots.show_svg(figure, "One curve <rises>: then it falls again.")
    svg = outputs[0][0]["image/svg+xml"]
    assert 'role="img"' in svg
    assert "One curve &lt;rises&gt;</title>" in svg
    assert "then it falls again.</desc>" in svg
    assert "date" not in svg.lower()
    assert svg.count('id="') == svg.count('id="f')
    plots.show_svg('<svg width="9"><path d="M0 0"/></svg>', ALT)
    assert f"{ALT}</desc>" in outputs[1][0]["image/svg+xml"]
    with pytest.raises(ValueError, match="expected a figure or the text of an SVG"):
        plots.show_svg("no picture", ALT)
    with pytest.raises(ValueError, match="alt is"):
        plots.show_svg("<svg></svg>", "")


# curves -----------------------------------------------------------------------------------------


def line_with(ax, text):
    found = [line for line in ax.get_lines() if str(line.get_label()).startswith(text)]
    assert len(found) == 1, text
    return found[0]


def test_learning_curves_draw_every_seed_the_median_and_both_lines(ax):
    curves = np.arange(12.0).reshape(4, 3)
    same = plots.learning_curves(
        ax, range(4), curves, baseline=9, optimum=1, unit="nats", levels={"unigram": 5}
    )
    assert same is ax
    assert ax.get_ylabel() == "nats"
    np.testing.assert_allclose(line_with(ax, "median").get_ydata(), [1, 4, 7, 10])
    assert line_with(ax, "median").get_linewidth() > 2 * ax.get_lines()[0].get_linewidth()
    assert line_with(ax, "baseline: 9").get_linestyle() == "--"
    assert line_with(ax, "best possible: 1").get_linestyle() == ":"
    line_with(ax, "unigram: 5")
    plots.learning_curves(ax, range(4), curves + 1, baseline=9, optimum=1, unit="nats", label="b")
    line_with(ax, "baseline: 9")  # once, not twice


def test_a_diverged_seed_counts_as_worst_and_ends_in_a_cross(ax):
    curves = np.array([[3.0, 3, 3], [2, 2, 9], [1, np.nan, np.nan]])
    plots.learning_curves(ax, range(3), curves, baseline=3, optimum=0, unit="MSE")
    np.testing.assert_allclose(line_with(ax, "median").get_ydata(), [3, 2, np.nan])
    assert sorted(line.get_ydata()[0] for line in ax.get_lines() if line.get_marker() == "x") == [
        2,
        9,
    ]


def test_median_of_one_diverged_seed_follows_the_direction_of_the_task():
    curves = np.array([[0.2, 0.6, np.nan]])
    for baseline, optimum, middle in ((1, 0, 0.6), (0, 1, 0.2)):
        figure, axes = plt.subplots()
        plots.learning_curves(axes, [0], curves, baseline=baseline, optimum=optimum, unit="")
        assert line_with(axes, "median").get_ydata() == [middle]
        plt.close(figure)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda ax: plots.learning_curves(ax, [0, 1], [1, 2, 3], **LINES), "curves has shape"),
        (lambda ax: plots.learning_curves(ax, [], [], **LINES), "steps has shape"),
        (lambda ax: plots.learning_curves(ax, [0], [1], idea="x", **LINES), "idea is 'x'"),
        (lambda ax: plots.success_over_gap(ax, [1, 2], [1], 10, ""), "successes has shape"),
        (lambda ax: plots.success_over_gap(ax, [1], [11], 10, ""), "0 <= successes <= total"),
        (lambda ax: plots.norm_against_lag(ax, [1, 2], [1], ""), "norms has shape"),
        (lambda ax: plots.norm_against_lag(ax, [1], [-1], ""), "numbers >= 0"),
        (lambda ax: plots.dots_per_seed(ax, [[1, 2]], ["a", "b"], 1, 0), "labels has 2 names"),
        (lambda ax: plots.heat(ax, [1, 2]), "matrix has shape"),
        (lambda ax: plots.heat(ax, [[1, 2]], rows=["a", "b"]), "rows has 2 names; expected 1"),
        (lambda ax: plots.surface(ax, [1, 2], [1], [[1], [2]]), "z has shape"),
    ],
)
def test_a_wrong_argument_is_named(ax, call, message):
    with pytest.raises(ValueError, match=message):
        call(ax)


LINES = {"baseline": 1, "optimum": 0, "unit": "nats"}


def test_wilson_gives_the_known_intervals():
    known = {(5, 5): (0.57, 1), (10, 10): (0.72, 1), (20, 20): (0.84, 1), (0, 10): (0, 0.28)}
    for (k, n), edges in known.items():
        np.testing.assert_allclose(plots.wilson(k, n), edges, atol=0.005)
    for bad in ((-1, 10), (3, 2), (0, 0)):
        with pytest.raises(ValueError, match="expected 0 <= successes <= total"):
            plots.wilson(*bad)


def test_success_over_gap_draws_shares_and_intervals(ax):
    assert plots.success_over_gap(ax, [10, 20], [10, 0], 10, "LSTM") is ax
    bars = ax.containers[0]
    np.testing.assert_allclose(bars.lines[0].get_ydata(), [1, 0])
    (segments,) = bars.lines[2]
    np.testing.assert_allclose(segments.get_segments()[0][:, 1], plots.wilson(10, 10))


def test_norms_stand_on_a_log_axis_and_zeros_leave_a_gap(ax):
    plots.norm_against_lag(ax, [0, 1, 2], [1, 0.1, 0], "RNN")
    assert ax.get_yscale() == "log"
    np.testing.assert_allclose(line_with(ax, "RNN").get_ydata(), [1, 0.1, np.nan])


def test_dots_show_every_seed_and_count_the_lost_ones(ax):
    groups = [[1, 2, 6], [3, np.nan, 4]]
    assert plots.dots_per_seed(ax, groups, ["a", "b"], 7, 0, unit="MSE", ideas=["I", "F"]) is ax
    np.testing.assert_allclose(np.sort(ax.get_lines()[0].get_ydata()), [1, 2, 6])
    np.testing.assert_allclose(ax.get_lines()[1].get_ydata(), [2, 2])
    assert ax.get_xticklabels()[1].get_text() == "b\n(1 diverged)"


def test_heat_and_surface_keep_their_numbers(ax):
    plots.heat(ax, [[-1, 3], [0, 2]], rows="ab", columns="cd")
    assert ax.get_images()[0].get_clim() == (-3, 3)
    assert {text.get_text() for text in ax.texts} == {"-1", "3", "0", "2"}
    figure = plt.figure()
    for other in (figure.add_subplot(121), figure.add_subplot(122, projection="3d")):
        assert plots.surface(other, [0, 1, 2], [0, 1], np.eye(3)[:2]) is other
    plt.close(figure)


# pictures that move, coloured text ----------------------------------------------------------------


def ball(steps=20, size=16):
    y, x = np.mgrid[:size, :size]
    return np.stack([np.exp(-((x - 0.7 * t) ** 2 + (y - 8) ** 2) / 3) for t in range(steps)])


def test_animation_is_one_small_moving_png_and_always_the_same(outputs):
    from PIL import Image

    data = media.moving_png(ball())
    picture = Image.open(io.BytesIO(data))
    assert picture.n_frames == 20
    assert picture.is_animated
    assert len(data) < 300_000
    assert data == media.moving_png(ball())
    plots.animate_frames(ball(), ALT)
    assert outputs[0][0]["text/plain"] == ALT
    assert base64.b64decode(outputs[0][0]["image/png"]) == data
    with pytest.raises(ValueError, match="alt is"):
        plots.animate_frames(ball(), "")
    with pytest.raises(ValueError, match="images has shape"):
        plots.animate_frames(ball()[0], ALT)


def test_frames_spread_over_the_axes():
    figure, axs = plt.subplots(1, 3)
    assert plots.frames(axs, ball()) is axs
    assert [axes.get_title() for axes in axs] == ["t = 0", "t = 10", "t = 19"]
    assert len({axes.get_images()[0].get_clim() for axes in axs}) == 1
    with pytest.raises(ValueError, match="expected 3 pictures or more"):
        plots.frames(axs, ball(2))
    plt.close(figure)


def test_coloured_text_keeps_the_text_and_marks_what_is_high_and_low(outputs):
    text = 'a<b> "c"'
    plots.coloured_text(text, [1, 1, -1, -1, 0, 0.1, np.nan, 0.3], ALT)
    html = outputs[0][0]["text/html"]
    body = re.search("<pre[^>]*>(.*)\n\n", html, re.S)[1]
    assert unescape(re.sub("<[^>]*>", "", body)) == text
    assert re.search("<u [^>]*>a&lt;</u><i [^>]*>b&gt;</i>", body)
    assert outputs[0][0]["text/plain"] == ALT
    with pytest.raises(ValueError, match="one per character"):
        plots.coloured_text("ab", [1], ALT)
    with pytest.raises(ValueError, match="limit is 0"):
        plots.coloured_text("a", [1], ALT, limit=0)


# graphs and diagrams ------------------------------------------------------------------------------


def words(axes):
    return [text.get_text() for text in axes.texts]


class Trace(NamedTuple):
    X: np.ndarray
    H: np.ndarray
    H_next: np.ndarray


def test_the_unrolled_graph_is_drawn_from_a_tape(ax):
    tape = [Trace(np.zeros((4, 7)), np.zeros((4, 3)), np.zeros((4, 3)))] * 3
    steps = plots.shapes_of(tape)
    assert steps[0] == {"X": (4, 7), "H": (4, 3), "H_next": (4, 3)}
    assert plots.unrolled_graph(ax, steps, weights="W_xh W_hh b_h") is ax
    found = words(ax)
    assert found.count("(4, 7)") == found.count("W_xh W_hh b_h") == 3
    assert {rf"$\mathbf{{X}}_{{{t}}}$" for t in (1, 2, 3)} <= set(found)
    assert {rf"$\mathbf{{H}}_{{{t}}}$" for t in (0, 1, 2, 3)} <= set(found)
    assert not dashed(ax)
    plots.unrolled_graph(ax, steps, backward=True)
    assert len(dashed(ax)) == 3 + 3 + 4  # into every X, from every H, along the state
    for bad in ([], [{"X": (1, 2)}]):
        with pytest.raises(ValueError, match="steps is"):
            plots.unrolled_graph(ax, bad)


def dashed(axes):
    return [line for line in axes.get_lines() if line.get_color() == plots.COLOURS["backward"]]


def test_a_long_tape_shows_its_first_steps_and_its_last(ax):
    step = {"X": (1, 2), "H": (1, 3), "C": (1, 3), "H_next": (1, 3), "C_next": (1, 3)}
    plots.unrolled_graph(ax, [step] * 50, most=3)
    found = words(ax)
    assert [t for t in range(60) if rf"$\mathbf{{X}}_{{{t}}}$" in found] == [1, 2, 50]
    assert found.count(r"$\cdots$") == 2  # once on the road of H, once on that of C


STOPS = [(f"{number:02d}_build_the_gate", 40 + number) for number in range(14)]


def test_the_map_shows_every_stop_with_its_minutes(ax):
    parts = [(STOPS[0][0], "start", "RNN"), (STOPS[5][0], "memory", "LSTM")]
    assert plots.course_map(ax, STOPS, parts=parts, here=STOPS[5][0]) is ax
    found = words(ax)
    for name, minutes in STOPS:
        assert name[:2] in found
        assert any(text.endswith(f"{minutes} min") for text in found)
    assert {"start", "memory"} <= set(found)
    with pytest.raises(ValueError, match="here is '99'"):
        plots.course_map(ax, STOPS, here="99")


SYMBOLS = {
    "LSTM": ["X", "H", "C", "F", "I", "O", r"\tilde{\mathbf{C}}_t"],
    "GRU": ["X", "H", "Z", "R", r"1-\mathbf{Z}_t", r"\tilde{\mathbf{H}}_t"],
    "RNN": ["X", "H"],
}
CELLS = {"LSTM": plots.lstm_cell, "GRU": plots.gru_cell, "RNN": plots.rnn_cell}


@pytest.mark.parametrize("kind", CELLS)
def test_every_symbol_of_the_equations_is_in_the_diagram(kind, ax):
    assert CELLS[kind](ax, weights=True) is ax
    found = " ".join(words(ax))
    for symbol in SYMBOLS[kind]:
        assert (symbol if "{" in symbol else rf"\mathbf{{{symbol}}}_t") in found
    for state in {"LSTM": "HC", "GRU": "H", "RNN": "H"}[kind]:
        assert rf"\mathbf{{{state}}}_{{t-1}}" in found
    weights = {"LSTM": "fico", "GRU": "zrh", "RNN": "h"}[kind]
    for gate in weights:
        assert rf"\mathbf{{W}}_{{x{gate}}}" in found
        assert rf"\mathbf{{W}}_{{h{gate}}}" in found


def colour_of(axes, part):
    symbol = rf"\tilde{{\mathbf{{{part[0]}}}}}_t" if "_" in part else rf"\mathbf{{{part}}}_t"
    return next(text.get_color() for text in axes.texts if text.get_text() == f"${symbol}$")


def edges(axes, colour):
    return [patch for patch in axes.patches if patch.get_edgecolor()[:3] == to_rgb(colour)]


@pytest.mark.parametrize(
    ("kind", "part"), [(kind, part) for kind in CELLS for part in diagrams.PARTS[kind]]
)
def test_a_part_is_grey_then_in_colour_then_in_ink(kind, part):
    looks = {}
    others = set(diagrams.PARTS[kind]) - {part}
    for stage, built, lit in (("grey", others, None), ("lit", others, part), ("ink", None, None)):
        figure, axes = plt.subplots()
        CELLS[kind](axes, built, lit)
        greys, colours = edges(axes, diagrams.FAINT), edges(axes, plots.COLOURS[part])
        looks[stage] = (colour_of(axes, part), bool(greys), bool(colours))
        plt.close(figure)
    assert looks["grey"] == (diagrams.FAINT_TEXT, True, False)
    assert looks["lit"] == (style.INK, False, True)
    assert looks["ink"] == (style.INK, False, False)
    assert lightness(diagrams.FAINT) - lightness(style.INK) > 60


def test_the_description_tells_what_is_lit_built_and_grey(outputs):
    plt.close("all")
    plots.draw_lstm_cell(built={"C"}, lit="F")
    bundle = outputs[0][0]
    assert bundle["text/plain"] == plots.cell_alt("LSTM", {"C"}, "F")
    assert "In colour: forget gate F. In ink: cell state C. Grey, not built" in bundle["text/plain"]
    assert bundle["text/plain"].replace("<", "&lt;") in bundle["image/svg+xml"]
    for draw in (plots.draw_gru_cell, plots.draw_rnn_cell):
        draw(lit="H")
        draw(lit="H")
    assert outputs[1] == outputs[2]  # the same bytes
    assert outputs[3] == outputs[4]
    assert not plt.get_fignums()
    for bundle, _ in outputs:
        assert len(bundle["image/svg+xml"]) < 80_000


def test_a_part_that_the_cell_does_not_have_is_named(ax, outputs):
    with pytest.raises(ValueError, match="lit has Z; expected parts of C, F, I"):
        plots.lstm_cell(ax, lit="Z")
    with pytest.raises(ValueError, match="built has C; expected parts of R, H_tilde"):
        plots.draw_gru_cell(built={"C"})
    assert not outputs


def test_values_are_printed_and_widen_the_roads():
    widths = []
    for forget in (0.1, 0.9):
        figure, axes = plt.subplots()
        plots.lstm_cell(axes, values={"C": 1.0, "F": forget, "C_tilde": -0.5})
        assert {"1.00", f"{forget:.2f}", "−0.50"} <= set(words(axes))
        widths.append(sum(patch.get_linewidth() for patch in axes.patches))
        plt.close(figure)
    assert widths[1] > widths[0] + 5
    assert "F = 0.90" in plots.cell_alt("LSTM", values={"F": 0.9})
    figure, axes = plt.subplots()
    plots.lstm_cell(axes, built={"C"}, values={"F": 0.9})
    assert "0.90" not in words(axes)  # not built yet: no number
    plt.close(figure)


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_save_writes_the_same_file_every_time(tmp_path, ending):
    for number in range(2):
        figure, axes = plt.subplots(figsize=(7.5, 4.2))
        plots.course_map(axes, STOPS)
        plots.save(figure, tmp_path / f"{number}.{ending}", ALT)
    first, second = (tmp_path / f"{number}.{ending}" for number in range(2))
    assert first.read_bytes() == second.read_bytes()
    assert ALT.encode() in first.read_bytes()
    with pytest.raises(ValueError, match=r"expected \.png or \.svg"):
        plots.save(figure, tmp_path / "map.gif", ALT)
