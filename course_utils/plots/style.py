"""The look of the course: one colour, line and marker per idea, and how a figure is shown.

Colours come from the palettes of Okabe & Ito and of Paul Tol, moved apart until the ideas that meet
in one figure are told apart by readers with any colour vision.  In grey, line and marker tell.
"""

import hashlib
import io
import re
from base64 import b64encode
from html import escape
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from matplotlib import rc_context
from matplotlib.path import Path as Curve

_IDEAS = {
    # idea: colour, line style, marker
    "H": ("#0068B0", "-", "o"),
    "C": ("#C64600", (0, (6, 1.5)), "s"),
    "I": ("#009E73", (0, (3, 1.5)), "^"),
    "F": ("#7A1F5C", "-.", "D"),
    "O": ("#56B4E9", (0, (1, 1)), "v"),
    "C_tilde": ("#EBA000", (0, (5, 1, 1, 1, 1, 1)), "P"),
    "Z": ("#D073A0", (0, (4, 2)), "<"),
    "R": ("#3F5A00", (0, (1, 1.4)), ">"),
    "H_tilde": ("#EBA000", (0, (5, 1, 1, 1, 1, 1)), "P"),
    "forward": ("#1F3A5F", "-", ">"),
    "backward": ("#C8505F", (0, (4, 2)), "<"),
    "training": ("#332288", "-", "o"),
    "validation": ("#C98A00", (0, (5, 1, 1, 1)), "s"),
    "baseline": ("#666666", "--", "_"),
    "optimum": ("#000000", ":", "*"),
    "RNN": ("#3AA99A", (0, (4, 1.5)), "^"),
    "LSTM": ("#0050A0", "-", "s"),
    "GRU": ("#D97000", "-.", "D"),
}
COLOURS = {idea: look[0] for idea, look in _IDEAS.items()}
LINESTYLES = {idea: look[1] for idea, look in _IDEAS.items()}
MARKERS = {idea: look[2] for idea, look in _IDEAS.items()}
GROUPS = (  # ideas that meet in one figure
    ("H", "C", "I", "F", "O", "C_tilde"),
    ("H", "Z", "R", "H_tilde"),
    ("forward", "backward"),
    ("training", "validation", "baseline", "optimum"),
    ("RNN", "LSTM", "GRU", "baseline", "optimum"),
)

INK, GREY, WIDEST, DPI = "#1A1A1A", "#B8B8B8", 8.0, 110  # inches, dots per inch


def look(idea, *, marker=True):
    """Return the colour, line style and marker of an idea as keywords for `ax.plot`.

    Raises ValueError for an idea that has no look.

    Taught in: notebooks/00_start_here.

    >>> look("F")["color"]
    '#7A1F5C'
    """
    check_idea(idea)
    keywords = {"color": COLOURS[idea], "linestyle": LINESTYLES[idea]}
    return keywords | {"marker": MARKERS[idea], "markersize": 5} if marker else keywords


def check_idea(idea, name="idea"):
    """Raise ValueError when `idea` has no colour."""
    if idea not in COLOURS:
        raise ValueError(f"{name} is {idea!r}; expected one of {', '.join(COLOURS)}")


def check_alt(alt):
    """Raise ValueError when `alt` does not describe a picture; return it on one line."""
    if not isinstance(alt, str) or len(alt.strip()) < 20:
        raise ValueError(f"alt is {alt!r}; expected a sentence of 20 characters or more")
    return " ".join(alt.split())


def show(fig, alt):
    """Show a figure as PNG with its description, and close it.

    The description stands in the metadata of the image and is the plain text of the output.
    Raises ValueError when `alt` is shorter than 20 characters or the figure wider than 8 inches.

    Taught in: notebooks/00_start_here.
    """
    alt = check_alt(alt)
    try:
        data = _save(fig, "png")
        width = int.from_bytes(data[16:20], "big") / DPI
        if width > WIDEST:
            raise ValueError(f"fig is {width:.1f} inches wide; expected at most {WIDEST:g}")
    finally:
        plt.close(fig)
    publish({"image/png": data, "text/plain": alt}, alt)


def show_svg(picture, alt):
    """Show a figure, or the text of an SVG, with its description inside as title and desc.

    A figure goes out as PNG as well: JupyterLab shows no SVG of a notebook that it does not trust
    yet, as every notebook is before its first run here.
    Raises ValueError when `alt` is shorter than 20 characters or `picture` is no SVG.

    Taught in: notebooks/00_start_here.
    """
    alt = check_alt(alt)
    drawn = not isinstance(picture, str)
    text = svg_text(picture, alt) if drawn else _describe(picture, alt)
    bundle = {"image/svg+xml": text, "text/plain": alt}
    if drawn:
        bundle["image/png"] = _save(picture, "png")
        plt.close(picture)
    _check_width(text)
    publish(bundle, alt)


def save(fig, path, alt):
    """Write a figure to `path` (.png or .svg) with its description inside, and close it.

    Raises ValueError for another ending or when `alt` is shorter than 20 characters.

    Taught in: notebooks/00_start_here.
    """
    path, alt = Path(path), check_alt(alt)
    if path.suffix not in (".png", ".svg"):
        raise ValueError(f"path ends in {path.suffix!r}; expected .png or .svg")
    if path.suffix == ".svg":
        path.write_text(svg_text(fig, alt), encoding="utf-8")
    else:
        path.write_bytes(_save(fig, "png", alt))
    plt.close(fig)


def _check_width(svg):
    width = re.match(r'<svg[^>]* width="([\d.]+)pt"', svg)
    if width and float(width[1]) / 72 > WIDEST:
        inches = float(width[1]) / 72
        raise ValueError(f"fig is {inches:.1f} inches wide; expected at most {WIDEST:g}")


def svg_text(fig, alt):
    """Return a figure as SVG text: the same bytes for the same figure, every name in it its own."""
    alt = check_alt(alt)
    text = _describe(_save(fig, "svg").decode(), alt)
    own = "f" + hashlib.sha256(text.encode()).hexdigest()[:8]  # two pictures on one page: no clash
    text = re.sub(r'\b(id|aria-labelledby)="([^"]+)"', rf'\1="{own}-\2"', text)
    return re.sub(r'(href="#|url\(#)', rf"\g<1>{own}-", text)


def _save(fig, form, alt=None):
    """The figure as bytes, without date or version; a PNG has 256 colours, a third of the size."""
    buffer = io.BytesIO()
    own = {
        "png": {"metadata": {"Software": None}, "pil_kwargs": {"compress_level": 0}},
        "svg": {"metadata": dict.fromkeys(("Date", "Creator", "Format", "Type"))},
    }
    look = {"dpi": DPI, "bbox_inches": "tight", "facecolor": "white"} | own[form]
    # Flags of the processor that a projection may raise while drawing say nothing about the data.
    quiet = np.errstate(all="ignore")
    with quiet, rc_context({"svg.hashsalt": "course", "svg.fonttype": "path"}):
        fig.savefig(buffer, format=form, **look)
    return buffer.getvalue() if form == "svg" else _smaller(buffer, alt)


def _smaller(png, alt):
    from PIL import Image, PngImagePlugin  # comes with matplotlib

    picture = Image.open(png).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    notes, buffer = PngImagePlugin.PngInfo(), io.BytesIO()
    if alt:
        notes.add_itxt("Description", alt)
    picture.save(buffer, "PNG", dpi=(DPI, DPI), pnginfo=notes)
    return buffer.getvalue()


def _describe(svg, alt):
    """Put title and desc into an SVG and mark it as one image."""
    alt = check_alt(alt)
    svg = svg[svg.find("<svg") :] if "<svg" in svg else svg
    if not svg.startswith("<svg"):
        raise ValueError(
            f"picture starts with {svg[:20]!r}; expected a figure or the text of an SVG"
        )
    head, body = svg.split(">", 1)
    title = re.split(r"[.:;]", alt)[0]
    words = f'<title id="title">{escape(title)}</title><desc id="desc">{escape(alt)}</desc>'
    return f'{head} role="img" aria-labelledby="title">{words}{body}'


def publish(bundle, alt):
    """Hand an output to the notebook; outside one, print its plain text."""
    texts = {k: b64encode(v).decode() if isinstance(v, bytes) else v for k, v in bundle.items()}
    _display(texts, {kind: {"alt": alt} for kind in bundle if kind.startswith("image/")})


def _display(bundle, images):
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        return print(bundle["text/plain"])
    if get_ipython() is None:
        return print(bundle["text/plain"])
    return display(bundle, raw=True, metadata=images)


def as_array(values, name, axes):
    """Return `values` as an array of floats; raise ValueError when the number of axes is wrong."""
    array = np.asarray(values, dtype=float)
    axes = (axes,) if isinstance(axes, int) else axes
    if array.ndim not in axes or array.size == 0:
        wanted = " or ".join(str(a) for a in axes)
        raise ValueError(
            f"{name} has shape {array.shape}; expected {wanted} axes and one entry or more"
        )
    return array


def rounded_path(points, radius=0.28):
    """A path through the points whose corners are round."""
    points = [np.asarray(point, dtype=float) for point in points]
    vertices, codes = [points[0]], [Curve.MOVETO]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        into, out = corner - before, after - corner
        vertices += [corner - into / np.linalg.norm(into) * radius, corner]
        vertices += [corner + out / np.linalg.norm(out) * radius]
        codes += [Curve.LINETO, Curve.CURVE3, Curve.CURVE3]
    return Curve([*vertices, points[-1]], [*codes, Curve.LINETO])


def readable_on(colour):
    """Black or white: the one that can be read on `colour`."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 120 else "black"
