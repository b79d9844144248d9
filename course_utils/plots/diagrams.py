"""The cell diagram that grows: built parts in ink, the lit part in its colour, the rest in grey."""

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch
from matplotlib.patheffects import withStroke

from course_utils.plots.style import COLOURS, INK, readable_on, rounded_path, show_svg

FAINT, FAINT_TEXT, PAPER = "#C6C6C6", "#8E8E8E", "#F7F7F4"
TANH, SIGMA = r"$\mathrm{tanh}$", r"$\sigma$"
PARTS = {  # cell -> part -> what it is called in the description
    "LSTM": {
        "C": "cell state C",
        "F": "forget gate F",
        "I": "input gate I",
        "C_tilde": "input node C_tilde",
        "O": "output gate O",
        "H": "hidden state H",
    },
    "GRU": {
        "R": "reset gate R",
        "H_tilde": "candidate H_tilde",
        "Z": "update gate Z",
        "H": "hidden state H",
    },
    "RNN": {"H": "hidden state H"},
}
STORY = {
    "LSTM": "On the upper road C_{t-1} is multiplied by F_t, I_t times C_tilde_t is added, and C_t "
    "leaves. On the lower road X_t and H_{t-1} reach F, I, C_tilde and O; H_t = O_t * tanh(C_t).",
    "GRU": "On the upper road H_{t-1} is multiplied by Z_t, (1 - Z_t) times H_tilde_t is added, "
    "and H_t leaves. X_t and H_{t-1} reach Z and R; R_t times H_{t-1} and X_t give H_tilde_t.",
    "RNN": "X_t and H_{t-1} enter a tanh layer, and H_t leaves to the next step and upward.",
}


def draw_lstm_cell(built=tuple(PARTS["LSTM"]), lit=None, *, values=None, weights=False):
    """Show the LSTM cell as SVG: `built` parts in ink, `lit` ones in colour, the rest in grey.

    Parts: C, F, I, C_tilde, O, H; `lit` is one of them or several.  `values` maps names of the
    trace (X, H, C, F, I, C_tilde, O, C_next, H_next) to numbers of one unit: they are printed, and
    the lines become as thick as what flows in them.  `weights` adds the names of the weights.
    Raises ValueError for a part that the cell does not have.  Source: slide rows 1.14, 2.9-2.12.

    Taught in: notebooks/05_build_the_forget_gate.
    """
    _draw(lstm_cell, "LSTM", (7.5, 4.1), built, lit, values, weights)


def draw_gru_cell(built=tuple(PARTS["GRU"]), lit=None, *, values=None, weights=False):
    """Show the GRU cell as SVG, as `draw_lstm_cell` does; parts: R, H_tilde, Z, H.

    Raises ValueError for a part that the cell does not have.  Source: slide row 2.16.

    Taught in: notebooks/12_streamline_to_a_gru.
    """
    _draw(gru_cell, "GRU", (7.5, 4.1), built, lit, values, weights)


def draw_rnn_cell(built=tuple(PARTS["RNN"]), lit=None, *, values=None, weights=False):
    """Show the vanilla RNN cell as SVG, as `draw_lstm_cell` does; its one part is H.

    Raises ValueError for a part that the cell does not have.  Source: slide rows 1.4, 2.2.

    Taught in: notebooks/02_run_a_vanilla_rnn.
    """
    _draw(rnn_cell, "RNN", (7.5, 2.7), built, lit, values, weights)


def _draw(cell, kind, size, built, lit, values, weights):
    alt = cell_alt(kind, built, lit, values=values)
    fig, ax = plt.subplots(figsize=size)
    try:
        cell(ax, built, lit, values=values, weights=weights)
        show_svg(fig, alt)
    finally:
        plt.close(fig)


def cell_alt(kind, built=None, lit=None, *, values=None):
    """Return the description of a cell diagram: which parts are lit, built, not built yet.

    Raises ValueError for a part that the cell does not have.

    Taught in: notebooks/05_build_the_forget_gate.

    >>> cell_alt("RNN")[:44]
    'RNN cell at step t. In ink: hidden state H. '
    """
    built, lit = _chosen(kind, built, lit)
    groups = {"In colour": lit, "In ink": built - lit, "Grey, not built yet": None}
    groups["Grey, not built yet"] = set(PARTS[kind]) - built - lit
    words = [f"{kind} cell at step t."]
    for name, parts in groups.items():
        if parts:
            words.append(f"{name}: {', '.join(w for p, w in PARTS[kind].items() if p in parts)}.")
    words.append(STORY[kind])
    if values:
        words.append("Numbers: " + ", ".join(f"{k} = {v:.2f}" for k, v in values.items()) + ".")
    return " ".join(words)


def _chosen(kind, built, lit):
    parts = PARTS[kind]
    built = set(parts if built is None else built)
    lit = set() if lit is None else {lit} if isinstance(lit, str) else set(lit)
    for name, chosen in (("built", built), ("lit", lit)):
        if chosen - set(parts):
            unknown = ", ".join(sorted(chosen - set(parts)))
            raise ValueError(f"{name} has {unknown}; expected parts of {', '.join(parts)}")
    return built, lit


class _Pen:
    """Draws wires, boxes and circles in the look that their part has at this point."""

    def __init__(self, ax, kind, built, lit, values, height):
        self.ax, self.values = ax, dict(values or {})
        self.kind, (self.built, self.lit) = kind, _chosen(kind, built, lit)
        ax.set(xlim=(0, 15), ylim=(0, height), aspect="equal")
        ax.set_axis_off()
        ax.set_position((0, 0, 1, 1))
        frame = FancyBboxPatch((1.7, 0.85), 11.7, height - 1.15, "round,pad=0,rounding_size=.35")
        frame.set(facecolor=PAPER, edgecolor="#DEDED8", linewidth=1, zorder=0)
        ax.add_patch(frame)
        ax.text(13.2, height - 0.62, f"{kind} cell", ha="right", color="#777777", fontsize=9)
        self.legend()

    def state(self, parts):
        """-> (colour of lines, colour of text, width, order); the brightest of `parts` decides."""
        parts = [parts] if isinstance(parts, str) else list(parts)
        for part in parts:
            if part in self.lit:
                return COLOURS[part], INK, 2.6, 5
        if any(part in self.built for part in parts):
            return INK, INK, 1.5, 4
        return FAINT, FAINT_TEXT, 1.2, 2

    def wire(self, points, parts, *, arrow=True, flow=None):
        """A line with round corners; `flow` is the number whose size makes it thick."""
        colour, _, width, order = self.state(parts)
        if flow is not None and order > 2:
            width = 0.6 + 6.4 * min(abs(flow), 1.0)
        style = f"-|>,head_length={0.42},head_width={0.2}" if arrow else "-"
        line = FancyArrowPatch(path=rounded_path(points), arrowstyle=style, mutation_scale=17)
        line.set(color=colour, linewidth=width, zorder=order, capstyle="butt", joinstyle="miter")
        if order == 5:  # a rim of ink, so that a light colour stands out in grey too
            line.set_path_effects([withStroke(linewidth=width + 1.8, foreground=INK)])
        self.ax.add_patch(line)

    def dot(self, x, y, parts):
        colour, _, _, order = self.state(parts)
        rim = INK if order == 5 else colour
        place = {"facecolor": colour, "edgecolor": rim, "linewidth": 0.9, "zorder": order + 0.2}
        self.ax.add_patch(Circle((x, y), 0.1 if order == 5 else 0.085, **place))

    def box(self, x, y, text, parts, rounding=0.1):
        """A layer with its own weights; with round ends, a function of each unit alone."""
        colour, ink, width, order = self.state(parts)
        lit = order == 5
        patch = FancyBboxPatch(
            (x - 0.6, y - 0.4), 1.2, 0.8, f"round,pad=0,rounding_size={rounding}"
        )
        patch.set(facecolor=colour if lit else "white", edgecolor=INK if lit else colour)
        patch.set(linewidth=1.2 if lit else width, zorder=6)
        self.ax.add_patch(patch)
        self.text(
            x, y, text, readable_on(colour) if lit else ink, size=15 if text == SIGMA else 12.5
        )

    def circle(self, x, y, sign, parts):
        """A pointwise operation: a dot is the product, + the sum, 1- the rest to one."""
        colour, ink, width, order = self.state(parts)
        lit = order == 5
        patch = Circle((x, y), 0.34, facecolor=colour if lit else "white")
        patch.set(edgecolor=INK if lit else colour, linewidth=1.2 if lit else width, zorder=6)
        self.ax.add_patch(patch)
        front = readable_on(colour) if lit else ink
        if sign == ".":
            self.ax.add_patch(Circle((x, y), 0.075, color=front, zorder=7))
        elif sign == "+":
            for dx, dy in ((0.17, 0), (0, 0.17)):
                ends = [x - dx, x + dx], [y - dy, y + dy]
                self.ax.plot(*ends, color=front, linewidth=1.6, zorder=7, solid_capstyle="round")
        else:
            self.text(x, y, sign, front, size=10)

    def name(self, x, y, symbol, parts, field=None, align="left"):
        """The symbol of an arrow, and its number when `values` has one."""
        _, ink, _, order = self.state(parts) if parts else (None, INK, None, 4)
        self.text(x, y, f"${symbol}$", ink, size=12.5, align=align)
        if field in self.values and order > 2:
            number = f"{self.values[field]:.2f}".replace("-", "\u2212")
            self.text(x, y - 0.44, number, ink, size=9.5, align=align)

    def text(self, x, y, text, colour, size=12, align="center"):
        words = {"color": colour, "fontsize": size, "math_fontfamily": "cm", "zorder": 8}
        self.ax.text(x, y, text, ha=align, va="center", **words)

    def flow(self, *fields):
        """The product of these numbers, None when one is missing."""
        if not self.values or any(field not in self.values for field in fields):
            return None
        return float(np.prod([self.values[field] for field in fields]))

    def feed(self, x, top, parts, weights="", lines=(1.75, 1.5)):
        """Both roads of the input, H_{t-1} above X_t, enter a layer from below."""
        self.wire([(x, min(lines)), (x, top)], parts)
        for y in lines:
            self.dot(x, y, parts)
        if weights:
            self.text(x + 0.12, 2.05, weights, self.state(parts)[1], size=8, align="left")

    def inputs(self, both, only_h=(), only_x=()):
        """The roads of H_{t-1} (upper) and X_t, drawn in ink as far as the last part in use."""
        left = [(0.95, 1.75)] if self.kind != "GRU" else [(2.1, 6.9), (2.1, 1.75)]
        below = [(2.6, 0.62), (2.6, 1.5)]
        roads = [(left, 1.75, [*both, *only_h]), (below, 1.5, [*both, *only_x])]
        for start, y, ends in roads:
            for x, parts in sorted(ends, key=lambda stop: stop[0]):
                ink = self.state(parts)[3] > 2
                line = FancyArrowPatch(path=rounded_path([*start, (x, y)]), arrowstyle="-")
                line.set(color=INK if ink else FAINT, linewidth=1.5 if ink else 1.2)
                line.set(zorder=3 if ink else 1, capstyle="butt")
                self.ax.add_patch(line)
        self.name(2.6, 0.33, r"\mathbf{X}_t", None, "X", align="center")

    def legend(self):
        """One line under the frame: what the shapes mean."""
        words = ["layer with weights", r"unit by unit: $\odot$ product, $+$ sum"]
        for x, corner, text in ((5.0, 0.06, words[0]), (8.7, 0.14, words[1])):
            if x > 5 and self.kind == "RNN":
                continue
            patch = FancyBboxPatch((x, 0.22), 0.42, 0.28, f"round,pad=0,rounding_size={corner}")
            patch.set(facecolor="white", edgecolor="#777777", linewidth=0.9)
            self.ax.add_patch(patch)
            self.text(x + 0.6, 0.37, text, "#555555", size=8, align="left")


def _layer_names(gate, weights):
    return rf"$\mathbf{{W}}_{{x{gate}}},\,\mathbf{{W}}_{{h{gate}}}$" if weights else ""


def lstm_cell(ax, built=None, lit=None, *, values=None, weights=False):
    """Draw the LSTM cell on axes, with the arguments of `draw_lstm_cell`; return the axes.

    Taught in: notebooks/05_build_the_forget_gate.
    """
    pen = _Pen(ax, "LSTM", built, lit, values, 8.2)
    road, row, gates = 6.9, 4.75, 3.1
    x_f, x_i, x_c, x_o, x_h = 4.2, 6.5, 8.9, 11.0, 12.6
    x_sum = (x_i + x_c) / 2
    new, out = ("I", "C_tilde"), ("H", "O")
    pen.inputs([(x_f, "F"), (x_i, "I"), (x_c, "C_tilde"), (x_o, "O")])
    pen.name(0.85, 1.75, r"\mathbf{H}_{t-1}", None, "H", align="right")
    for x, gate, part in ((x_f, "f", "F"), (x_i, "i", "I"), (x_c, "c", "C_tilde"), (x_o, "o", "O")):
        pen.feed(x, gates - 0.4, part, _layer_names(gate, weights))
        pen.box(x, gates, TANH if gate == "c" else SIGMA, part)
    # the road of the cell state
    pen.wire([(0.95, road), (x_f - 0.34, road)], "C", flow=pen.flow("C"))
    pen.wire([(x_f + 0.34, road), (x_sum - 0.34, road)], "C", flow=pen.flow("F", "C"))
    pen.wire([(x_sum + 0.34, road), (14.1, road)], "C", flow=pen.flow("C_next"))
    pen.name(0.85, road, r"\mathbf{C}_{t-1}", "C", "C", align="right")
    pen.name(14.2, road, r"\mathbf{C}_t", "C", "C_next")
    # forget, input, input node
    pen.wire([(x_f, gates + 0.4), (x_f, road - 0.34)], "F", flow=pen.flow("F"))
    pen.name(x_f + 0.2, row, r"\mathbf{F}_t", "F", "F")
    pen.circle(x_f, road, ".", "F")
    pen.wire([(x_i, gates + 0.4), (x_i, row), (x_sum - 0.34, row)], "I", flow=pen.flow("I"))
    pen.wire(
        [(x_c, gates + 0.4), (x_c, row), (x_sum + 0.34, row)], "C_tilde", flow=pen.flow("C_tilde")
    )
    pen.name(x_i - 0.15, 4.25, r"\mathbf{I}_t", "I", "I", align="right")
    pen.name(x_c + 0.15, 4.25, r"\tilde{\mathbf{C}}_t", "C_tilde", "C_tilde")
    pen.wire([(x_sum, row + 0.34), (x_sum, road - 0.34)], new, flow=pen.flow("I", "C_tilde"))
    pen.circle(x_sum, row, ".", new)
    pen.circle(x_sum, road, "+", new)
    # output gate and hidden state
    pen.wire([(x_o, gates + 0.4), (x_o, row), (x_h - 0.34, row)], "O", flow=pen.flow("O"))
    pen.name(x_o - 0.15, 4.25, r"\mathbf{O}_t", "O", "O", align="right")
    pen.wire([(x_h, road), (x_h, 6.25)], "H")
    pen.dot(x_h, road, "H")
    pen.box(x_h, 5.85, TANH, "H", rounding=0.4)
    pen.wire([(x_h, 5.45), (x_h, row + 0.34)], "H")
    pen.wire([(x_h, row - 0.34), (x_h, 1.75), (14.1, 1.75)], "H", flow=pen.flow("H_next"))
    pen.circle(x_h, row, ".", out)
    pen.name(14.2, 1.75, r"\mathbf{H}_t", "H", "H_next")
    return ax


def gru_cell(ax, built=None, lit=None, *, values=None, weights=False):
    """Draw the GRU cell on axes, with the arguments of `draw_gru_cell`; return the axes.

    Taught in: notebooks/12_streamline_to_a_gru.
    """
    pen = _Pen(ax, "GRU", built, lit, values, 8.2)
    road, row, gates = 6.9, 5.3, 3.1
    x_z, x_r, x_rh, x_h = 4.2, 6.5, 8.7, 11.5
    mix = ("H_tilde", "Z")
    pen.inputs([(x_z, "Z"), (x_r, "R")], [(x_rh, "R")], [(x_h, "H_tilde")])
    pen.dot(2.1, road, "H")
    pen.feed(x_z, gates - 0.4, "Z", _layer_names("z", weights))
    pen.feed(x_r, gates - 0.4, "R", _layer_names("r", weights))
    pen.feed(x_rh, gates - 0.34, "R", lines=(1.75,))
    pen.feed(x_h, gates - 0.4, "H_tilde", r"$\mathbf{W}_{xh}$" if weights else "", lines=(1.5,))
    for x, text, part in ((x_z, SIGMA, "Z"), (x_r, SIGMA, "R"), (x_h, TANH, "H_tilde")):
        pen.box(x, gates, text, part)
    # the road of the hidden state
    pen.wire([(0.95, road), (x_z - 0.34, road)], "H", flow=pen.flow("H"))
    pen.wire([(x_z + 0.34, road), (x_h - 0.34, road)], "H", flow=pen.flow("Z", "H"))
    pen.wire([(x_h + 0.34, road), (14.1, road)], "H", flow=pen.flow("H_next"))
    pen.name(0.85, road, r"\mathbf{H}_{t-1}", None, "H", align="right")
    pen.name(14.2, road, r"\mathbf{H}_t", "H", "H_next")
    # reset gate and candidate
    pen.wire(
        [(x_r, gates + 0.4), (x_r, 4.2), (x_rh, 4.2), (x_rh, gates + 0.34)], "R", flow=pen.flow("R")
    )
    pen.name(x_r + 0.75, 3.86, r"\mathbf{R}_t", "R", "R")
    pen.wire([(x_rh + 0.34, gates), (x_h - 0.6, gates)], "R", flow=pen.flow("R", "H"))
    pen.circle(x_rh, gates, ".", "R")
    if weights:
        pen.text(10.0, gates - 0.35, r"$\mathbf{W}_{hh}$", pen.state("R")[1], size=8)
    pen.wire([(x_h, gates + 0.4), (x_h, row - 0.34)], "H_tilde", flow=pen.flow("H_tilde"))
    pen.name(x_h + 0.2, 4.4, r"\tilde{\mathbf{H}}_t", "H_tilde", "H_tilde")
    # update gate: what stays, and the rest to one
    pen.wire([(x_z, gates + 0.4), (x_z, road - 0.34)], "Z", flow=pen.flow("Z"))
    pen.name(x_z + 0.2, 4.4, r"\mathbf{Z}_t", "Z", "Z")
    pen.circle(x_z, road, ".", "Z")
    rest = None if pen.flow("Z") is None else 1 - pen.flow("Z")
    pen.wire([(x_z, row), (7.2 - 0.34, row)], "Z", flow=pen.flow("Z"))
    pen.dot(x_z, row, "Z")
    pen.wire([(7.2 + 0.34, row), (x_h - 0.34, row)], "Z", flow=rest)
    pen.circle(7.2, row, "$1-$", "Z")
    pen.name(9.6, row + 0.33, r"1-\mathbf{Z}_t", "Z", align="center")
    flow = None if rest is None or pen.flow("H_tilde") is None else rest * pen.flow("H_tilde")
    pen.wire([(x_h, row + 0.34), (x_h, road - 0.34)], mix, flow=flow)
    pen.circle(x_h, row, ".", mix)
    pen.circle(x_h, road, "+", mix)
    return ax


def rnn_cell(ax, built=None, lit=None, *, values=None, weights=False):
    """Draw the vanilla RNN cell on axes, with the arguments of `draw_rnn_cell`; return the axes.

    Taught in: notebooks/02_run_a_vanilla_rnn.
    """
    pen = _Pen(ax, "RNN", built, lit, values, 5.5)
    x, out = 6.6, 11.4
    pen.inputs([(x, "H")])
    pen.name(0.85, 1.75, r"\mathbf{H}_{t-1}", None, "H", align="right")
    pen.feed(x, 2.7, "H", _layer_names("h", weights))
    flow = pen.flow("H_next")
    pen.wire([(x, 3.5), (x, 4.25), (out, 4.25), (out, 1.75), (14.1, 1.75)], "H", flow=flow)
    pen.box(x, 3.1, TANH, "H")
    pen.wire([(9.0, 4.25), (9.0, 5.4)], "H")
    pen.dot(9.0, 4.25, "H")
    pen.text(9.3, 4.75, "to the output layer", pen.state("H")[1], size=8, align="left")
    pen.name(14.2, 1.75, r"\mathbf{H}_t", "H", "H_next")
    return ax
