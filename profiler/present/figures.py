"""Figures of a result folder, as SVG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from profiler.folder import write_result
from profiler.present.section import Picture, Section


def write(folder: Path, sections: Sequence[Section]) -> tuple[str, ...]:
    """Draw the pictures of ``sections``.

    Returns:
        The files written, relative to ``folder``.

    Raises:
        MachineError: the folder cannot be written to.
    """
    made = drawn(sections)
    for path, data in made.items():
        write_result(folder, path, data)
    return tuple(made)


def drawn(sections: Sequence[Section]) -> dict[str, bytes]:
    """The pictures of ``sections``, by where they stand in a result folder."""
    return {path_of(picture): _svg(picture) for section in sections for picture in section.pictures}


def path_of(picture: Picture) -> str:
    """Where a picture stands in its folder."""
    return f"figures/{picture.name}.svg"


def _svg(picture: Picture) -> bytes:
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    drawing = Figure(figsize=(8, picture.height), layout="constrained")
    FigureCanvasAgg(drawing)
    picture.draw(drawing.subplots())
    data = io.BytesIO()
    # Without a date and with a salt of our own for the ids, the same rows give the same file; letters as letters.
    with rc_context({"svg.hashsalt": "tax-probe", "svg.fonttype": "none"}):
        drawing.savefig(data, format="svg", metadata={"Date": None})
    return data.getvalue()
