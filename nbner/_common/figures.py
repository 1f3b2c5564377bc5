"""Figures that a notebook shows on its own ground, light or dark.

Imported where something is drawn, since it loads matplotlib.
"""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
from IPython.core.getipython import get_ipython
from IPython.display import display
from matplotlib.figure import Figure

#: Fonts as outlines that stay text: Type 42, which journals ask for, in place of Type 3.
EMBEDDED_FONTS: Any = {"pdf.fonttype": 42, "ps.fonttype": 42}


class ThemedFigure(Figure):
    """A figure that is displayed without a ground of its own, and saved with its fonts.

    For a transparent figure with dark text the inline backend asks the page for a
    light ground, which is a white block in a dark theme. These figures are legible
    on both and so are displayed without that request.
    """

    def _ipython_display_(self) -> None:
        shell = get_ipython()
        if shell is None:
            raise NotImplementedError
        data: dict[str, Any] = {}
        metadata: dict[str, Any] = {}
        # The formats are the user's choice: InlineBackend.figure_formats.
        for kind, render in shell.display_formatter.formatters.items():
            found = render(self)
            if isinstance(found, tuple):
                found, metadata[kind] = found
            if found is not None:
                data[kind] = found
        display(data, metadata=metadata, raw=True)

    def savefig(self, fname: Any, **options: Any) -> None:
        """Save the figure, in a vector format with its fonts embedded.

        Parameters
        ----------
        fname : str, Path or file
            Where to.
        **options
            As matplotlib's ``Figure.savefig``.
        """
        with mpl.rc_context(EMBEDDED_FONTS):
            super().savefig(fname, **options)
