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

_EPOCHS_BAR = "{desc}: {n:.1f} of at most {total_fmt} epochs |{bar}| {elapsed} {postfix}"
_STEPS_BAR = "{desc}: {n:.0f} of at most {total_fmt} steps |{bar}| {elapsed} {postfix}"


class TrainingProgress(Protocol):
    """The state of a training run after one step."""

    @property
    def step(self) -> int:
        """Updates before this one."""

    @property
    def words(self) -> int:
        """Training tokens seen so far."""

    @property
    def loss(self) -> float:
        """Mean loss per token."""

    @property
    def f(self) -> float | None:
        """Dev F, where the step was evaluated."""


class TrainingStage(Protocol):
    """One part of a training run, which has a bar of its own."""

    @property
    def name(self) -> str:
        """Its description."""

    @property
    def max_steps(self) -> int:
        """Update steps after which it ends at the latest; 0 for no limit."""

    @property
    def max_epochs(self) -> int:
        """Passes over its data after which it ends at the latest; 0 for no limit."""

    @property
    def tokens_per_epoch(self) -> int:
        """Tokens in one pass over its data."""

    @property
    def is_measured(self) -> bool:
        """Whether its evaluations are on examples that it does not learn from."""


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
    stage: Callable[[], TrainingStage],
    draw: Callable[[Sequence[Any]], Figure],
) -> None:
    """Consume the steps of a training run with a bar for each stage and a live curve of dev F.

    The notebook's stop button ends the training.

    Parameters
    ----------
    steps : iterable of TrainingProgress
        Training proceeds while they are consumed.
    stage : callable
        Returns the stage of the step that was consumed last.
    draw : callable
        From the evaluated steps of a stage so far to the figure of their curve.
    """
    figure = LiveFigure()
    bar: _StageBar | None = None
    try:
        for step in steps:
            current = stage()
            if bar is None or bar.stage is not current:
                if bar is not None:
                    bar.close()
                bar = _StageBar(current, figure, draw)
            bar.update(step)
    except KeyboardInterrupt:
        if bar is not None:
            bar.say_stopped()
    finally:
        if bar is not None:
            bar.close()


class _StageBar:
    """The bar of one stage of a training run: of epochs if they limit it, otherwise of steps."""

    def __init__(
        self, stage: TrainingStage, figure: LiveFigure, draw: Callable[[Sequence[Any]], Figure]
    ) -> None:
        self.stage = stage
        self._figure = figure
        self._draw = draw
        self._evaluated: list[TrainingProgress] = []
        self._by_epochs = stage.max_epochs > 0
        limit = stage.max_epochs if self._by_epochs else stage.max_steps
        self._bar = _tqdm(
            total=limit or None,
            unit="epoch" if self._by_epochs else "step",
            desc=f"training {stage.name}",
            bar_format=_EPOCHS_BAR if self._by_epochs else _STEPS_BAR,
            mininterval=0.5,
        )

    def update(self, step: TrainingProgress) -> None:
        """Show a step, and the curve where it was evaluated."""
        epochs = round(step.words / max(1, self.stage.tokens_per_epoch), 1)
        self._bar.update((epochs if self._by_epochs else step.step + 1) - self._bar.n)
        if step.f is None or not self.stage.is_measured:
            return
        self._evaluated.append(step)
        best = max(one.f or 0.0 for one in self._evaluated)
        self._bar.set_postfix_str(f"dev F {step.f:.3f}, best {best:.3f}")
        self._figure.show(lambda: self._draw(self._evaluated))

    def say_stopped(self) -> None:
        """Record that the stop button was pressed."""
        self._bar.set_postfix_str(
            f"{self._bar.postfix or ''} · stopped: the best model so far is kept"
        )

    def close(self) -> None:
        self._bar.close()


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
