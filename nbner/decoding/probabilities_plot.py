"""How probable each label is for each token of a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from nbner._common.colors import label_colors
from nbner._common.plot_style import FIGURE_SIZE, INK_COLOR, apply_style, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy import float64
    from numpy.typing import NDArray

_MAX_TOKENS = 60  # tokens in one picture
_INCHES_PER_TOKEN = 0.24  # a token
_MIN_VISIBLE = 0.01
_MIN_LABELLED = 0.25


def _draw_token_bars(
    words: Sequence[str],
    probabilities: NDArray[float64],
    labels: Sequence[str],
    *,
    order: Sequence[str] = (),
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Stack the probabilities of each token's labels, and name each label where it is strongest.

    Parameters
    ----------
    words : sequence of str
        The tokens.
    probabilities : array, shape (tokens, labels)
    labels : sequence of str
        What the columns stand for; the last one, no label, is left blank.
    order : sequence of str
        The labels in the order of their colours; by default as they come.
    title : str, optional
        By default how many tokens are shown.
    ax : Axes, optional
        By default a new one. Of a long text the first 60 tokens are drawn.
    """
    shown = min(len(words), _MAX_TOKENS)
    if ax is None:
        ax = new_axes(width=max(FIGURE_SIZE[0], 1.2 + _INCHES_PER_TOKEN * shown), height=3.0)
    named = [*order, *(label for label in labels[:-1] if label not in order)]
    colors = label_colors(named)
    below = probabilities[:shown, :1] * 0.0
    for label, column in zip(labels[:-1], probabilities[:shown, :-1].T, strict=True):
        if len(column) and column.max() >= _MIN_VISIBLE:
            base = below[:, 0]
            ax.bar(range(shown), column, bottom=base, width=0.85, color=colors[label])
            at = int(column.argmax())
            if column[at] >= _MIN_LABELLED:
                _label_bar(ax, label, at, base[at] + column[at])
            below = below + column[:, None]
    # Words are data: a dollar sign in one is not mathematics.
    ax.set_xticks(range(shown), [_shorten_word(word) for word in words[:shown]], parse_math=False)
    ax.tick_params(axis="x", rotation=90, length=0)
    ax.set_xlim(-0.6, max(1, shown) - 0.4)
    ax.set_ylim(0, 1.25)
    ax.set_yticks([0, 0.5, 1])
    ax.set_ylabel("probability of a label")
    if shown < len(words):
        ax.set_xlabel(f"the first {shown:,} of {len(words):,} tokens")
    return apply_style(ax, title or f"The labels of {shown:,} tokens")


def _label_bar(ax: Axes, label: str, x: int, y: float) -> None:
    ax.annotate(
        label,
        (x, y),
        xytext=(0, 3),
        textcoords="offset points",
        rotation=30,
        ha="left",
        fontsize=8,
        color=INK_COLOR,
        parse_math=False,
    )


def _shorten_word(word: str) -> str:
    written = word if word.strip() else "␣"
    return written if len(written) <= 14 else f"{written[:13]}…"
