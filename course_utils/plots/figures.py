"""Curves, dots and maps: every function takes axes and arrays and returns the axes."""

import numpy as np
from matplotlib.transforms import ScaledTranslation

from course_utils.plots.style import COLOURS, GREY, INK, as_array, check_idea, look


def wilson(successes, total):
    """Return the Wilson 95 % interval (low, high) for `successes` out of `total`.

    Numbers or arrays.  Raises ValueError when they are not counts with 0 <= successes <= total.
    Source: Wilson 1927.

    Taught in: notebooks/04_watch_gradients_vanish.

    >>> [round(float(edge), 2) for edge in wilson(10, 10)]
    [0.72, 1.0]
    """
    k, n = np.asarray(successes, dtype=float), np.asarray(total, dtype=float)
    if not (np.all(n >= 1) and np.all(k >= 0) and np.all(k <= n)):
        raise ValueError(
            f"successes is {successes}, total is {total}; expected 0 <= successes <= total"
        )
    z = 1.959964
    centre = (k + z**2 / 2) / (n + z**2)
    half = z / (n + z**2) * np.sqrt(k * (n - k) / n + z**2 / 4)
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def learning_curves(
    ax,
    steps,
    curves,
    *,
    baseline,
    optimum,
    unit,
    label="median",
    idea="training",
    baseline_name="baseline",
    optimum_name="best possible",
    levels=None,
):
    """Draw all seeds thin and their median thick, with the baseline dashed and the best dotted.

    steps (N,); curves (N,) or (N, R) in `unit`.  A seed that becomes NaN ends in a cross and counts
    as worst in the median.  `levels` maps further names to values.  Pass None for a line that is
    not known.  Call again on the same axes for a second variant; for a log axis call
    `ax.set_yscale("log")`.  Raises ValueError when shapes do not fit.

    Taught in: notebooks/03_backpropagate_through_time.
    """
    check_idea(idea)
    steps, curves = as_array(steps, "steps", 1), as_array(curves, "curves", (1, 2))
    if len(curves) != len(steps):
        raise ValueError(
            f"curves has shape {curves.shape}; expected {len(steps)} rows, one per step"
        )
    curves = curves.reshape(len(steps), -1)
    known = baseline is not None and optimum is not None
    worst = -np.inf if known and optimum > baseline else np.inf
    _seeds(ax, steps, curves, f"{label} ({curves.shape[1]} seeds)", idea, worst)
    level(ax, baseline, baseline_name, "baseline")
    level(ax, optimum, optimum_name, "optimum")
    for number, (name, value) in enumerate((levels or {}).items()):
        dashes = (0, (8, 2) + (1, 2) * (number + 1))
        level(ax, value, name, "baseline", linestyle=dashes, linewidth=1.0)
    ax.set(xlabel="training step", ylabel=unit)
    return _tidy(ax, legend=True)


def level(ax, value, name, idea="baseline", **line):
    """Draw one horizontal line with its name and value in the legend, once per name.

    Taught in: notebooks/03_backpropagate_through_time.
    """
    names = ax.get_legend_handles_labels()[1]
    text = None if value is None else f"{name}: {value:.3g}"
    if value is None or text in names:
        return ax
    ax.axhline(value, label=text, zorder=4, **{**look(idea, marker=False), "linewidth": 1.5} | line)
    return ax


def _seeds(ax, x, curves, label, idea, worst=np.inf):
    """Thin lines, a thick median, a cross where a seed stops being finite."""
    finite = np.isfinite(curves)
    shown = np.where(finite, curves, np.nan)
    if curves.shape[1] > 1:
        ax.plot(x, shown, color=COLOURS[idea], linewidth=0.7, alpha=0.35, zorder=2)
    for seed in np.flatnonzero(~finite.all(axis=0) & finite.any(axis=0)):
        last = np.flatnonzero(finite[:, seed])[-1]
        ax.plot(x[last], curves[last, seed], "x", color=COLOURS[idea], markersize=7, zorder=5)
    with np.errstate(invalid="ignore"):
        middle = np.median(np.where(np.isnan(curves), worst, curves), axis=1)
    middle[~np.isfinite(middle) | ((middle <= 0) & (ax.get_yscale() == "log"))] = np.nan
    keywords = look(idea) | {"linewidth": 2.4, "markevery": max(1, len(x) // 8)}
    ax.plot(x, middle, label=label, zorder=3, **keywords)


def success_over_gap(ax, gaps, successes, total, label, *, idea="LSTM", shift=0.0):
    """Draw the share of seeds that succeed at each gap, with Wilson 95 % intervals.

    gaps (N,) in steps; successes (N,) and total (a number or (N,)) are counts.  `shift` moves the
    points sideways, in steps, so that the bars of two variants do not hide each other.
    Raises ValueError when shapes do not fit or the counts are no counts.

    Taught in: notebooks/04_watch_gradients_vanish.
    """
    gaps, k = as_array(gaps, "gaps", 1), as_array(successes, "successes", 1)
    if len(k) != len(gaps):
        raise ValueError(f"successes has shape {k.shape}; expected {gaps.shape}, one per gap")
    low, high = wilson(k, total)
    share = k / total
    bars = np.abs(np.stack([share - low, high - share]))
    runs = f"{int(np.min(total))} seeds each" if np.ndim(total) == 0 else "seeds"
    keywords = look(idea) | {"label": f"{label} ({runs})", "linewidth": 2, "clip_on": False}
    ax.errorbar(gaps + shift, share, bars, capsize=3, elinewidth=1.2, **keywords)
    ax.set(xlabel="gap T (steps)", ylabel="share that succeed", ylim=(-0.03, 1.03))
    return _tidy(ax, legend=True)


def norm_against_lag(ax, lags, norms, label, *, idea="backward"):
    """Draw norms of gradients against the lag on a log axis; zeros leave a gap.

    lags (N,) in steps; norms (N,) or (N, R), one column per seed.
    Raises ValueError when shapes do not fit or a norm is negative.

    Taught in: notebooks/04_watch_gradients_vanish.
    """
    check_idea(idea)
    lags, norms = as_array(lags, "lags", 1), as_array(norms, "norms", (1, 2))
    if len(norms) != len(lags) or np.any(norms < 0):
        raise ValueError(
            f"norms has shape {norms.shape}; expected {len(lags)} rows of numbers >= 0"
        )
    norms = norms.reshape(len(lags), -1)
    label = label if norms.shape[1] == 1 else f"{label} ({norms.shape[1]} seeds)"
    ax.set_yscale("log")
    _seeds(ax, lags, np.where(norms == 0, np.nan, norms), label, idea, worst=0.0)
    ax.set(xlabel="lag (steps back in time)", ylabel="norm of the gradient")
    return _tidy(ax, legend=True)


def dots_per_seed(
    ax,
    groups,
    labels,
    baseline,
    optimum,
    *,
    unit="",
    ideas=None,
    baseline_name="baseline",
    optimum_name="best possible",
):
    """Draw every seed of every group as a dot, the median of a group as a bar.

    groups: one array of numbers per group; labels: one name per group.  Seeds that are not finite
    are counted under the name.  Raises ValueError when there is not one label per group.

    Taught in: notebooks/07_build_the_output_gate.
    """
    groups = [as_array(group, "groups", 1) for group in groups]
    ideas = ["training"] * len(groups) if ideas is None else list(ideas)
    if not len(groups) == len(labels) == len(ideas):
        raise ValueError(f"labels has {len(labels)} names; expected {len(groups)}, one per group")
    ticks = []
    for x, (values, name, idea) in enumerate(zip(groups, labels, ideas, strict=True)):
        good = np.sort(values[np.isfinite(values)])
        aside = 0.28 * (np.arange(len(good)) * 0.618 % 1 - 0.5)  # a fixed spread, no chance
        dot = look(idea) | {"linestyle": "none", "alpha": 0.75, "markeredgecolor": INK}
        ax.plot(x + aside, good, markeredgewidth=0.5, zorder=3, **dot)
        if len(good):
            ax.plot([x - 0.3, x + 0.3], [np.median(good)] * 2, color=INK, linewidth=2.5, zorder=4)
        lost = len(values) - len(good)
        ticks.append(f"{name}\n({lost} diverged)" if lost else name)
    level(ax, baseline, baseline_name, "baseline")
    level(ax, optimum, optimum_name, "optimum")
    ax.set_xticks(range(len(groups)), ticks)
    ax.set(ylabel=unit, xlim=(-0.6, len(groups) - 0.4))
    return _tidy(ax, legend=True)


def heat(ax, matrix, *, rows=None, columns=None, label="", values=None, limits=None):
    """Draw a matrix (N, M) as a map that is as readable in grey, with a scale beside it.

    Numbers of both signs get a scale with zero in the middle.  `values` prints the numbers (the
    default up to 60 cells).  Raises ValueError when the names do not fit the matrix.

    Taught in: notebooks/02_run_a_vanilla_rnn.
    """
    matrix = as_array(matrix, "matrix", 2)
    for name, names, size in (("rows", rows, len(matrix)), ("columns", columns, matrix.shape[1])):
        if names is not None and len(names) != size:
            raise ValueError(f"{name} has {len(names)} names; expected {size}")
    low, high = limits or (np.nanmin(matrix), np.nanmax(matrix))
    if limits is None and low < 0 < high:
        low, high = -max(-low, high), max(-low, high)
    image = ax.imshow(matrix, cmap="cividis", vmin=low, vmax=high, aspect="auto")
    ax.figure.colorbar(image, ax=ax, label=label)
    if rows is not None:
        ax.set_yticks(range(len(rows)), rows)
    if columns is not None:
        ax.set_xticks(range(len(columns)), columns)
    if values or (values is None and matrix.size <= 60):
        _print_values(ax, matrix, (low + high) / 2)
    return ax


def _print_values(ax, matrix, middle):
    for (row, column), value in np.ndenumerate(matrix):
        colour = "white" if value <= middle else "black"  # black for NaN, which is not drawn
        text = f"{value:.2g}" if np.isfinite(value) else "–"
        ax.text(column, row, text, ha="center", va="center", color=colour, fontsize=8)


def surface(ax, x, y, z, *, xlabel="w", ylabel="b", zlabel="error"):
    """Draw z (len(y), len(x)) over x and y: a surface on 3-D axes, contours on flat ones.

    Raises ValueError when z does not have one row per y and one column per x.

    Taught in: notebooks/04_watch_gradients_vanish.
    """
    x, y, z = as_array(x, "x", 1), as_array(y, "y", 1), as_array(z, "z", 2)
    if z.shape != (len(y), len(x)):
        raise ValueError(
            f"z has shape {z.shape}; expected {(len(y), len(x))}, rows y and columns x"
        )
    if hasattr(ax, "plot_surface"):
        grid = np.meshgrid(x, y)
        ax.plot_surface(*grid, z, cmap="cividis", rcount=80, ccount=80, linewidth=0)
        ax.set(xlabel=xlabel, ylabel=ylabel, zlabel=zlabel)
        return ax
    filled = ax.contourf(x, y, z, 12, cmap="cividis")
    ax.contour(x, y, z, 12, colors="white", linewidths=0.4)
    ax.figure.colorbar(filled, ax=ax, label=zlabel)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    return ax


def _tidy(ax, legend=False):
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(color=GREY, linewidth=0.5, alpha=0.5)
    ax.set_axisbelow(True)
    if legend and ax.get_legend_handles_labels()[1]:
        inches = ax.get_position().width * ax.figure.get_figwidth()
        below = ax.transAxes + ScaledTranslation(0, -0.5, ax.figure.dpi_scale_trans)
        ax.legend(  # under the axes: it never hides a curve
            loc="upper center",
            bbox_to_anchor=(0.5, 0),
            bbox_transform=below,
            ncols=max(1, round(inches / 1.8)),
            frameon=False,
            fontsize=8.5,
            handlelength=2.8,
            columnspacing=1.2,
        )
    return ax
