"""What a cell shows while work goes on: a bar, and a picture that is drawn again.

Drawn without pyplot: messages from the page may run in another thread at the
same time, and pyplot's figures are shared by all threads.
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


class TrainingProgress(Protocol):
    """What is known after one step of training."""

    @property
    def words(self) -> int:
        """Training tokens seen so far."""

    @property
    def loss(self) -> float:
        """Mean loss a token."""

    @property
    def f(self) -> float | None:
        """Dev F, where the step was evaluated."""


def in_notebook() -> bool:
    """Whether output goes to a cell, where a picture can be shown and replaced."""
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    return shell is not None and hasattr(shell, "kernel")


def display_value(value: Sized) -> None:
    """Show a value in the cell, if there is a cell and anything to show."""
    if len(value) and in_notebook():
        from IPython.display import display

        display(value)


class LiveFigure:
    """One picture, replaced in place; outside a notebook it does nothing."""

    def __init__(self) -> None:
        self._handle: Any = None
        self._shown = in_notebook()

    def show(self, draw: Callable[[], Figure]) -> None:
        """Show a figure in place of the last one."""
        if not self._shown:
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
    """Show training while it goes on; the notebook's stop button ends it.

    Parameters
    ----------
    steps : iterable of TrainingProgress
    tokens_per_epoch : int
        Tokens in one pass over the training data.
    max_epochs : int
        Passes after which training ends at the latest; 0 where it is open.
    draw : callable
        From the evaluated steps so far to the figure of their curve.
    """
    from tqdm.auto import tqdm

    evaluated: list[TrainingProgress] = []
    picture = LiveFigure()
    total = max_epochs or None
    with tqdm(total=total, unit="epoch", desc="training", bar_format=_BAR, mininterval=0.5) as bar:
        try:
            for step in steps:
                bar.update(round(step.words / max(1, tokens_per_epoch), 1) - bar.n)
                if step.f is not None:
                    evaluated.append(step)
                    best = max(one.f or 0.0 for one in evaluated)
                    bar.set_postfix_str(f"dev F {step.f:.3f}, best {best:.3f}")
                    picture.show(lambda: draw(evaluated))
        except KeyboardInterrupt:
            bar.set_postfix_str(f"{bar.postfix or ''} · stopped: the best model so far is kept")


def with_progress(items: Iterable[Item], description: str) -> Iterator[Item]:
    """Pass items on and count them with a bar."""
    from tqdm.auto import tqdm

    yield from tqdm(items, desc=description, unit=" examples")


class ProgressBar:
    """One bar over several passes, or none; left by an error or the stop button, it closes.

    Parameters
    ----------
    total : int
        Steps in all passes.
    description, unit : str
    visible : bool
    """

    def __init__(self, total: int, description: str, unit: str, *, visible: bool = True) -> None:
        from tqdm.auto import tqdm

        self._bar = tqdm(
            total=total, desc=description, unit=f" {unit}", disable=not visible, mininterval=0.3
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def set_text(self, words: str) -> None:
        """Say beside the bar what is going on."""
        self._bar.set_postfix_str(words)

    def wrap(self, items: Iterable[Item]) -> Iterator[Item]:
        """Pass items on; each is a step."""
        for item in items:
            yield item
            self._bar.update()


def collect_until_interrupt(
    items: Iterator[Item], total: int, description: str, *, visible: bool = True
) -> list[Item]:
    """Collect items with a bar; the stop button keeps those that are whole.

    Raises
    ------
    KeyboardInterrupt
        The first was not finished yet.
    """
    from tqdm.auto import tqdm

    found: list[Item] = []
    with tqdm(total=total, desc=description, disable=not visible) as bar:
        try:
            for item in items:
                found.append(item)
                bar.update()
        except KeyboardInterrupt:
            if not found:
                raise
            bar.set_postfix_str("stopped: what was measured so far is kept")
    return found


_BAR = "{desc}: {n:.1f} of at most {total_fmt} epochs |{bar}| {elapsed} {postfix}"


def _png(figure: Figure) -> str:
    stream = BytesIO()
    figure.savefig(stream, format="png", dpi=110, bbox_inches="tight")
    return base64.b64encode(stream.getvalue()).decode("ascii")
