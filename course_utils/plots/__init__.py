"""Pictures of the course: arrays in, axes out; nothing is changed at import.

style: looks and how a figure is shown; figures: curves, dots, maps; media: pictures that move and
coloured text; graphs: the unrolled graph, the map of the course; diagrams: the cells; sliders:
figures that a reader can pull at.
"""

from course_utils.plots.diagrams import (
    cell_alt,
    draw_gru_cell,
    draw_lstm_cell,
    draw_rnn_cell,
    gru_cell,
    lstm_cell,
    rnn_cell,
)
from course_utils.plots.figures import (
    dots_per_seed,
    heat,
    learning_curves,
    level,
    norm_against_lag,
    success_over_gap,
    surface,
    wilson,
)
from course_utils.plots.graphs import course_map, shapes_of, unrolled_graph
from course_utils.plots.media import animate_frames, coloured_text, frames
from course_utils.plots.sliders import play, playground
from course_utils.plots.style import COLOURS, LINESTYLES, MARKERS, look, save, show, show_svg

__all__ = [
    "COLOURS",
    "LINESTYLES",
    "MARKERS",
    "animate_frames",
    "cell_alt",
    "coloured_text",
    "course_map",
    "dots_per_seed",
    "draw_gru_cell",
    "draw_lstm_cell",
    "draw_rnn_cell",
    "frames",
    "gru_cell",
    "heat",
    "learning_curves",
    "level",
    "look",
    "lstm_cell",
    "norm_against_lag",
    "play",
    "playground",
    "rnn_cell",
    "save",
    "shapes_of",
    "show",
    "show_svg",
    "success_over_gap",
    "surface",
    "unrolled_graph",
    "wilson",
]
