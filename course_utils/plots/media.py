"""Pictures that move, strips of pictures, and text coloured by the value of a unit."""

import io
from html import escape
from itertools import groupby

import numpy as np

from course_utils.plots.style import COLOURS, as_array, check_alt, publish


def frames(axs, images, *, labels=None):
    """Draw a strip of pictures (N, height, width), one per axes, evenly chosen when N is larger.

    Dark is high; all pictures share one scale.  Raises ValueError when there are more axes than
    pictures.  Returns the axes.

    Taught in: notebooks/01_see_why_order_matters.
    """
    axes, images = np.atleast_1d(axs).ravel(), as_array(images, "images", 3)
    if len(axes) > len(images):
        raise ValueError(f"images has shape {images.shape}; expected {len(axes)} pictures or more")
    labels = [f"t = {t}" for t in range(len(images))] if labels is None else list(labels)
    scale = {"cmap": "Greys", "vmin": images.min(), "vmax": images.max()}
    for ax, t in zip(
        axes, np.linspace(0, len(images) - 1, len(axes)).round().astype(int), strict=True
    ):
        ax.imshow(images[t], **scale)
        ax.set(xticks=[], yticks=[])
        ax.set_title(labels[t], fontsize=9)
    return axs


def animate_frames(images, alt, *, milliseconds=150, width=256):
    """Show pictures (N, height, width) as one moving PNG, which plays in every page by itself.

    Put a strip of `frames` beside it for paper.  Raises ValueError when `alt` is shorter than 20
    characters or `images` has not 3 axes.

    Taught in: notebooks/01_see_why_order_matters.
    """
    alt = check_alt(alt)
    publish({"image/png": moving_png(images, milliseconds, width), "text/plain": alt}, alt)


def moving_png(images, milliseconds=150, width=256):
    """Return pictures (N, height, width) as the bytes of an animated PNG; dark is high.

    Taught in: notebooks/01_see_why_order_matters.
    """
    from PIL import Image  # comes with matplotlib

    images = as_array(images, "images", 3)
    low, span = images.min(), np.ptp(images) or 1.0
    zoom = max(1, width // images.shape[2])
    grey = (255 - 255 * (images - low) / span).round().astype(np.uint8)
    grey = np.pad(grey.repeat(zoom, axis=1).repeat(zoom, axis=2), ((0, 0), (1, 1), (1, 1)))
    pictures, buffer = [Image.fromarray(picture) for picture in grey], io.BytesIO()
    rest = {"save_all": True, "append_images": pictures[1:], "duration": milliseconds, "loop": 0}
    pictures[0].save(buffer, "PNG", **rest)
    return buffer.getvalue()


def coloured_text(text, values, alt, *, limit=1.0):
    """Show a text whose characters are coloured by `values` (len(text),) between -limit and limit.

    High: blue and underlined.  Low: orange and slanted.  So it can be read in grey as well.
    Raises ValueError when there is not one value per character or `alt` is too short.

    Taught in: notebooks/09_use_lstm_layers_in_keras.
    """
    publish(
        {"text/html": coloured_html(text, values, alt, limit), "text/plain": check_alt(alt)}, alt
    )


def coloured_html(text, values, alt, limit=1.0):
    """Return the HTML of `coloured_text`; values are cut to seven levels.

    Taught in: notebooks/09_use_lstm_layers_in_keras.
    """
    alt, values = check_alt(alt), as_array(values, "values", 1)
    if len(values) != len(text):
        raise ValueError(
            f"values has shape {values.shape}; expected ({len(text)},), one per character"
        )
    if not limit > 0:
        raise ValueError(f"limit is {limit}; expected a number above 0")
    levels = np.clip(np.round(np.nan_to_num(values) / limit * 3), -3, 3).astype(int)
    runs = groupby(zip(text, levels, strict=True), key=lambda pair: pair[1])
    body = "".join(_marked("".join(c for c, _ in run), level) for level, run in runs)
    key = f"{_marked('high', 3)} {_marked('rather high', 2)} middle {_marked('rather low', -2)}"
    box = "white-space:pre-wrap;background:#fff;color:#000;padding:.6em;line-height:1.6;margin:0"
    return (
        f'<figure aria-label="{escape(alt)}" style="margin:0"><pre style="{box}">{body}\n\n'
        f"{key} {_marked('low', -3)}</pre></figure>"
    )


def _marked(text, level):
    """A run of characters of one level: colour, and underline or slant from level 2 on."""
    text = escape(text)
    if level == 0:
        return text
    colour = COLOURS["H"] if level > 0 else COLOURS["C"]
    share = {1: 0.12, 2: 0.3, 3: 0.5}[abs(level)]
    mixed = [255 - share * (255 - int(colour[i : i + 2], 16)) for i in (1, 3, 5)]
    tag = {3: "u", 2: "u", -2: "i", -3: "i"}.get(level, "span")
    thick = ";font-weight:bold" if abs(level) == 3 else ""
    paint = "#" + "".join(f"{round(part):02x}" for part in mixed)
    return f'<{tag} style="background-color:{paint}{thick}">{text}</{tag}>'
