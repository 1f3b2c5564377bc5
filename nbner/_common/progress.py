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


class Step(Protocol):
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


def show(value: Sized) -> None:
    """Show a value in the cell, if there is a cell and anything to show."""
    if len(value) and in_notebook():
        from IPython.display import display

        display(value)


class LivePicture:
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


def watch(
    steps: Iterable[Step],
    *,
    epoch_words: int,
    most_epochs: int,
    draw: Callable[[Sequence[Any]], Figure],
) -> None:
    """Show training while it goes on; the notebook's stop button ends it.

    Parameters
    ----------
    steps : iterable of Step
    epoch_words : int
        Tokens in one pass over the training data.
    most_epochs : int
        Passes after which training ends at the latest; 0 where it is open.
    draw : callable
        From the evaluated steps so far to the figure of their curve.
    """
    from tqdm.auto import tqdm

    evaluated: list[Step] = []
    picture = LivePicture()
    total = most_epochs or None
    with tqdm(total=total, unit="epoch", desc="training", bar_format=_BAR, mininterval=0.5) as bar:
        try:
            for step in steps:
                bar.update(round(step.words / max(1, epoch_words), 1) - bar.n)
                if step.f is not None:
                    evaluated.append(step)
                    best = max(one.f or 0.0 for one in evaluated)
                    bar.set_postfix_str(f"dev F {step.f:.3f}, best {best:.3f}")
                    picture.show(lambda: draw(evaluated))
        except KeyboardInterrupt:
            bar.set_postfix_str(f"{bar.postfix or ''} · stopped: the best model so far is kept")


def counted(items: Iterable[Item], doing: str) -> Iterator[Item]:
    """Pass items on and count them with a bar."""
    from tqdm.auto import tqdm

    yield from tqdm(items, desc=doing, unit=" examples")


class Bar:
    """One bar over several passes, or none; left by an error or the stop button, it closes.

    Parameters
    ----------
    total : int
        Steps in all passes.
    doing, unit : str
    shown : bool
    """

    def __init__(self, total: int, doing: str, unit: str, *, shown: bool = True) -> None:
        from tqdm.auto import tqdm

        self._bar = tqdm(
            total=total, desc=doing, unit=f" {unit}", disable=not shown, mininterval=0.3
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def say(self, words: str) -> None:
        """Say beside the bar what is going on."""
        self._bar.set_postfix_str(words)

    def over(self, items: Iterable[Item]) -> Iterator[Item]:
        """Pass items on; each is a step."""
        for item in items:
            yield item
            self._bar.update()


def until_stopped(
    items: Iterator[Item], total: int, doing: str, *, shown: bool = True
) -> list[Item]:
    """Collect items with a bar; the stop button keeps those that are whole.

    Raises
    ------
    KeyboardInterrupt
        The first was not finished yet.
    """
    from tqdm.auto import tqdm

    found: list[Item] = []
    with tqdm(total=total, desc=doing, disable=not shown) as bar:
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
