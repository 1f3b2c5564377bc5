"""Progress bars in a notebook cell, and a training curve that is redrawn while training runs.

Figures are drawn without pyplot: widget messages may be handled in another
thread at the same time, and pyplot's figures are shared by all threads.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from io import BytesIO
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from typing_extensions import Self

Item = TypeVar("Item")

_TRAINING_BAR = "{desc}: {n:.1f} of at most {total_fmt} epochs |{bar}| {elapsed} {postfix}"


class TrainingProgress(Protocol):
    """The state of a training run after one step."""

    @property
    def words(self) -> int:
        """Training tokens seen so far."""

    @property
    def loss(self) -> float:
        """Mean loss per token."""

    @property
    def f(self) -> float | None:
        """Dev F, where the step was evaluated."""


def in_notebook() -> bool:
    """Return whether output goes to a notebook cell, where a display can be updated."""
    # IPython and tqdm.auto, which loads ipywidgets, are imported where something is shown.
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return shell is not None and hasattr(shell, "kernel")


def display_value(value: Sized) -> None:
    """Display a value in the cell; do nothing outside a notebook or if it is empty.

    Parameters
    ----------
    value : sized
        A value with a rich display.
    """
    if len(value) and in_notebook():
        from IPython.display import display

        display(value)


class LiveFigure:
    """One figure in a cell that is replaced in place; does nothing outside a notebook."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._visible = in_notebook()

    def show(self, draw: Callable[[], Figure]) -> None:
        """Display a figure in place of the previous one.

        Parameters
        ----------
        draw : callable
            Returns the figure; not called outside a notebook.
        """
        if not self._visible:
            return
        from IPython.display import display

        bundle = {"image/png": _png(draw()), "text/plain": "the curve of dev F"}
        if self._handle is None:
            self._handle = display(bundle, raw=True, display_id=True)
        else:
            self._handle.update(bundle, raw=True)


def show_training(
    steps: Iterable[TrainingProgress],
    *,
    tokens_per_epoch: int,
    max_epochs: int,
    draw: Callable[[Sequence[Any]], Figure],
) -> None:
    """Consume the steps of a training run with a bar and a live curve of dev F.

    The notebook's stop button ends the training.

    Parameters
    ----------
    steps : iterable of TrainingProgress
        Training proceeds while they are consumed.
    tokens_per_epoch : int
        Tokens in one pass over the training data.
    max_epochs : int
        Passes after which training ends at the latest; 0 for no limit.
    draw : callable
        From the evaluated steps so far to the figure of their curve.
    """
    evaluated: list[TrainingProgress] = []
    figure = LiveFigure()
    with _tqdm(
        total=max_epochs or None,
        unit="epoch",
        desc="training",
        bar_format=_TRAINING_BAR,
        mininterval=0.5,
    ) as bar:
        try:
            for step in steps:
                bar.update(round(step.words / max(1, tokens_per_epoch), 1) - bar.n)
                if step.f is not None:
                    evaluated.append(step)
                    best = max(one.f or 0.0 for one in evaluated)
                    bar.set_postfix_str(f"dev F {step.f:.3f}, best {best:.3f}")
                    figure.show(lambda: draw(evaluated))
        except KeyboardInterrupt:
            bar.set_postfix_str(f"{bar.postfix or ''} · stopped: the best model so far is kept")


def with_progress(items: Iterable[Item], description: str) -> Iterator[Item]:
    """Yield items and count them with a bar.

    Parameters
    ----------
    items : iterable
        Counted as examples.
    description : str
        Text before the bar.
    """
    yield from _tqdm(items, desc=description, unit=" examples")


class ProgressBar:
    """One bar over several passes, or none; a context manager that closes the bar at its end.

    Parameters
    ----------
    total : int
        Number of steps in all passes.
    description : str
        Text before the bar.
    unit : str
        Plural noun for the steps.
    visible : bool
        Whether there is a bar at all.
    """

    def __init__(self, total: int, description: str, unit: str, *, visible: bool = True) -> None:
        self._bar = _tqdm(
            total=total, desc=description, unit=f" {unit}", disable=not visible, mininterval=0.3
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def set_text(self, text: str) -> None:
        """Show a text beside the bar.

        Parameters
        ----------
        text : str
            Description of the current step.
        """
        self._bar.set_postfix_str(text)

    def wrap(self, items: Iterable[Item]) -> Iterator[Item]:
        """Yield items, each of which is a step.

        Parameters
        ----------
        items : iterable
            The items of one pass.
        """
        for item in items:
            yield item
            self._bar.update()


def collect_until_interrupt(
    items: Iterator[Item], total: int, description: str, *, visible: bool = True
) -> list[Item]:
    """Collect items with a bar; the stop button keeps those that are complete.

    Parameters
    ----------
    items : iterator
        Each item is computed when it is taken.
    total : int
        Number of items.
    description : str
        Text before the bar.
    visible : bool
        Whether there is a bar at all.

    Returns
    -------
    list
        All items, or those before the interruption.

    Raises
    ------
    KeyboardInterrupt
        Not even the first item was complete.
    """
    found: list[Item] = []
    with _tqdm(total=total, desc=description, disable=not visible) as bar:
        try:
            for item in items:
                found.append(item)
                bar.update()
        except KeyboardInterrupt:
            if not found:
                raise
            bar.set_postfix_str("stopped: what was measured so far is kept")
    return found


def _tqdm(items: Iterable[Any] | None = None, **options: Any) -> Any:
    from tqdm.auto import tqdm

    return tqdm(items, **options)


def _png(figure: Figure) -> str:
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=110, bbox_inches="tight")
    return base64.b64encode(stream.getvalue()).decode("ascii")
