"""Pictures of the course: arrays in, axes out; nothing is changed at import.

Taught in: notebooks/00_start_here
"""

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
from course_utils.plots.style import COLOURS, LINESTYLES, MARKERS, look, show, show_svg

__all__ = [
    "COLOURS",
    "LINESTYLES",
    "MARKERS",
    "dots_per_seed",
    "heat",
    "learning_curves",
    "level",
    "look",
    "norm_against_lag",
    "show",
    "show_svg",
    "success_over_gap",
    "surface",
    "wilson",
]
