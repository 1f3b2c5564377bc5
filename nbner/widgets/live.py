"""A picture in the cell that is drawn again while work goes on.

Drawn without pyplot: messages from the page may run in another thread at the
same time, and pyplot's figures are shared by all threads.
"""

from __future__ import annotations

import base64
from io import BytesIO
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def in_notebook() -> bool:
    """Whether output goes to a cell, where a picture can be shown and replaced."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return shell is not None and hasattr(shell, "kernel")


class LivePicture:
    """One picture, replaced in place; outside a notebook it does nothing."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._shown = in_notebook()

    def show(self, figure: Figure) -> None:
        """Show a figure in place of the last one."""
        if not self._shown:
            return
        from IPython.display import display

        bundle = {"image/png": _png(figure), "text/plain": repr(figure)}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


def _png(figure: Figure) -> str:
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=110, bbox_inches="tight")
    return base64.b64encode(stream.getvalue()).decode("ascii")
