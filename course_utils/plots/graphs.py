"""The unrolled graph, drawn from a live tape, and the map of the course as a road."""

import textwrap

from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from course_utils.plots.style import COLOURS, INK, check_idea, readable_on, rounded_path

ROW = 5  # stops in one row of the map
PITCH, WIDE = 3.4, 2.0  # of the boxes of the unrolled graph
NO_GAP = {"shrinkA": 0, "shrinkB": 0}


def shapes_of(tape):
    """Return one dict name -> shape per step of a tape (a list of NamedTuples of arrays).

    Taught in: notebooks/02_run_a_vanilla_rnn.
    """
    return [{name: value.shape for name, value in trace._asdict().items()} for trace in tape]


def unrolled_graph(ax, steps, *, cell="cell", weights="", backward=False, most=4):
    """Draw the computational graph across time: one box per step, the same weights in each.

    steps: one dict name -> shape per step, as `shapes_of(tape)` gives; a state is a name that has a
    partner with `_next`.  `weights` is written into every box.  `backward` adds the road of the
    gradients.  Of a long tape the first steps and the last are drawn, at most `most`.
    Raises ValueError when there is no step, or a step has no X and no state.
    Source: slide rows 1.5, 1.9.

    Taught in: notebooks/02_run_a_vanilla_rnn.
    """
    if not steps or "X" not in steps[0] or not _states(steps[0]):
        raise ValueError(
            f"steps is {steps!r:.60}; expected dicts with X, H and H_next, one per step"
        )
    total, most = len(steps), max(most, 2)
    drawn = list(range(total)) if total <= most else [*range(most - 1), total - 1]
    states = _states(steps[0])
    lanes = dict(zip(sorted(states), [0.0] if len(states) == 1 else [0.48, -0.48], strict=True))
    half = max(lanes.values()) + 0.55
    ax.set(xlim=(-0.5, PITCH * len(drawn) + 0.5), ylim=(-half - 1.5, half + 1.5), aspect="equal")
    ax.set_axis_off()
    ax.set_position((0, 0, 1, 1))
    for place, t in enumerate(drawn):
        x = PITCH * (place + 0.5)
        _step(ax, x, half, t + 1, steps[t], (cell, weights), backward)
        before = drawn[place - 1] + 1 if place else 0
        for name, y in lanes.items():
            _between(ax, x - PITCH, y, name, (before, t), place == 0, backward)
    for name, y in lanes.items():
        end = PITCH * len(drawn)
        _road(ax, (end - (PITCH - WIDE) / 2, y), (end, y), backward)
        _label(ax, end + 0.28, y, _symbol(name, total), INK)
    return ax


def _states(step):
    return [name for name in step if f"{name}_next" in step]


def _step(ax, x, half, t, step, words, backward):
    """One step: its box, X from below, H upward."""
    box = FancyBboxPatch((x - WIDE / 2, -half), WIDE, 2 * half, "round,pad=0,rounding_size=.14")
    box.set(facecolor="white", edgecolor=INK, linewidth=1.5, zorder=4)
    ax.add_patch(box)
    _label(ax, x, 0.17 if words[1] else 0, words[0], INK, size=10)
    _label(ax, x, -0.2, words[1], "#555555", size=7.5)
    _road(ax, (x, -half - 0.7), (x, -half), backward)
    _road(ax, (x, half), (x, half + 0.7), backward)
    for side, name, field in ((-1, "X", "X"), (1, "H", "H_next")):
        _label(ax, x, side * (half + 0.9), _symbol(name, t), INK)
        _label(ax, x, side * (half + 1.22), str(tuple(step[field])), "#555555", size=7.5)
        if backward:
            _label(ax, x + 0.5, side * (half + 0.35), f"d{field[0]}", COLOURS["backward"], size=8)


def _between(ax, x, y, name, times, first, backward):
    """The road of one state from the box at x to the next; dots where steps are left out."""
    start, end, middle = x + WIDE / 2, x + PITCH - WIDE / 2, x + PITCH / 2
    if first:
        _road(ax, (middle, y), (end, y), backward)
        _label(ax, middle - 0.28, y, _symbol(name, 0), INK)
        return
    gap = 0.0 if times[0] == times[1] else 0.2
    above = y + (0.32 if backward else 0.22)
    if gap:
        _road(ax, (start, y), (middle - gap, y), backward)
        _label(ax, middle, y, r"$\cdots$", INK)
        _road(ax, (middle + gap, y), (end, y), backward)
        return
    _road(ax, (start, y), (end, y), backward)
    _label(ax, middle, above, _symbol(name, times[0]), INK, size=9.5)
    if backward:
        _label(ax, middle, y - 0.3, f"d{name}", COLOURS["backward"], size=8)


def _road(ax, start, end, backward):
    """An arrow; with `backward` a second one beside it, dashed, the other way."""
    across = 0.1 if backward else 0.0
    dx, dy = (across, 0) if start[0] == end[0] else (0, across)
    _arrow(ax, (start[0] - dx, start[1] + dy), (end[0] - dx, end[1] + dy), "forward")
    if backward:
        _arrow(ax, (end[0] + dx, end[1] - dy), (start[0] + dx, start[1] - dy), "backward")


def _arrow(ax, start, end, idea):
    """Solid forward, dashed backward; the head is drawn apart so that it is never dashed."""
    line = {"color": COLOURS[idea], "linewidth": 1.6, "zorder": 3}
    dashes = "-" if idea == "forward" else (0, (3, 1.5))
    ax.plot([start[0], end[0]], [start[1], end[1]], linestyle=dashes, **line)
    near = [e - 0.02 * (e - s) for s, e in zip(start, end, strict=True)]
    style = "-|>,head_length=.4,head_width=.2"
    ax.add_patch(FancyArrowPatch(near, end, arrowstyle=style, mutation_scale=14, **NO_GAP, **line))


def _symbol(name, t):
    letter = (
        rf"\tilde{{\mathbf{{{name[0]}}}}}" if name.endswith("_tilde") else rf"\mathbf{{{name}}}"
    )
    return rf"${letter}_{{{t}}}$"


def _label(ax, x, y, text, colour, size=12, weight="normal"):
    words = {"color": colour, "fontsize": size, "fontweight": weight, "math_fontfamily": "cm"}
    ax.text(x, y, text, ha="center", va="center", zorder=6, **words)


def course_map(ax, stops, *, parts=(), here=None):
    """Draw the map of the course: a road from notebook to notebook, each with its minutes.

    stops: pairs (name, minutes) such as ("05_build_the_forget_gate", 60), in order; minutes may be
    None.  parts: triples (first stop, title, idea) that colour the road from there on.  `here`
    marks one stop.  Raises ValueError when `here` is no stop or there is none.

    Taught in: notebooks/00_start_here.
    """
    names = [name for name, _ in stops]
    if not names or (here is not None and here not in names):
        raise ValueError(
            f"here is {here!r}; expected one of {len(names)} stops: {', '.join(names)}"
        )
    places = [_place(number) for number in range(len(stops))]
    ax.set(xlim=(-0.7, ROW - 0.3), ylim=(places[-1][1] - 0.8, 0.55))
    ax.set_axis_off()
    marks = _marks(names, parts)
    for number, ((x, y), (name, minutes)) in enumerate(zip(places, stops, strict=True)):
        title, idea = marks[number]
        if number + 1 < len(stops):
            _stretch(ax, (x, y), places[number + 1], COLOURS[idea])
        _stop(ax, (x, y), name, minutes, COLOURS[idea], name == here)
        if title:
            _label(ax, x, y + 0.38, title, COLOURS[idea], size=9.5, weight="bold")
    return ax


def _place(number):
    """The road goes to the right, turns, comes back, turns."""
    row, column = divmod(number, ROW)
    return (ROW - 1 - column if row % 2 else column), -1.5 * row


def _marks(names, parts):
    """For each stop: the title that begins there (or ""), and the idea whose colour it has."""
    marks, idea = [], "forward"
    begins = {first: (title, colour) for first, title, colour in parts}
    for name in names:
        title, idea = begins.get(name, ("", idea))
        check_idea(idea)
        marks.append((title, idea))
    return marks


def _stretch(ax, start, end, colour):
    """Straight inside a row; a turn outward between two rows."""
    out = start[0] + (0.62 if start[0] else -0.62)
    turn = [] if start[1] == end[1] else [(out, start[1]), (out, end[1])]
    look = {"linewidth": 7, "color": colour, "alpha": 0.35, "zorder": 1, "capstyle": "round"}
    path = rounded_path([start, *turn, end], 0.3)
    ax.add_patch(FancyArrowPatch(path=path, arrowstyle="-", **look))


def _stop(ax, place, name, minutes, colour, here):
    number, _, words = name.partition("_")
    x, y = place
    ax.plot(x, y, "o", markersize=25, zorder=3, color=colour, markeredgecolor="white")
    if here:
        ax.plot(x, y, "o", markersize=32, zorder=2, color="none", markeredgecolor=INK)
    _label(ax, x, y, number, readable_on(colour), size=10, weight="bold")
    spelled = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU", "keras": "Keras"}
    words = " ".join(spelled.get(word, word) for word in words.split("_"))
    lines = textwrap.wrap(words, 16)
    words = "\n".join([*lines, "" if minutes is None else f"{minutes} min"]).strip()
    ax.text(x, y - 0.27, words, ha="center", va="top", fontsize=8, color=INK, linespacing=1.25)
