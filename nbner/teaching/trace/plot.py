"""The decisions of a recognizer on one text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nbner._common.colors import label_colors
from nbner._common.plot_style import (
    FAINT_ALPHA,
    FIGURE_SIZE,
    INK_COLOR,
    ROW_HEIGHT,
    annotate_row,
    apply_style,
    new_axes,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nbner.teaching.trace.trace import ActionChoice, TraceStep

_MAX_WORDS = 60  # words in one picture
_INCHES_PER_WORD = 0.26  # a word
_MAX_ACTIONS = 10  # actions in one picture
_MIN_VISIBLE = 0.005
_MIN_ACTIONS = 4  # actions that are drawn, however improbable
_NO_LABEL_COLOR = "#b8b8b8"  # of an action without a label


def _draw_decisions(
    steps: Sequence[TraceStep],
    *,
    labels: Sequence[str] = (),
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw the probability of the chosen action, word by word.

    Under each word stands the action. With gold, a cross marks a choice that
    costs something of it, and a ring the probability of what would cost
    nothing.

    Parameters
    ----------
    steps : sequence of TraceStep
        One a word.
    labels : sequence of str
        In the order of their colours; others follow.
    title : str
    ax : Axes, optional
        By default a new one. Of a long text the first 60 words are drawn.
    """
    shown = min(len(steps), _MAX_WORDS)
    if ax is None:
        ax = new_axes(width=max(FIGURE_SIZE[0], 1.2 + _INCHES_PER_WORD * shown), height=3.4)
    colors = _action_colors(labels, [one for step in steps for one in step.choices])
    for x, step in enumerate(steps[:shown]):
        height = step.chosen.probability
        ax.bar(x, height, width=0.8, color=colors.get(step.chosen.action[2:], _NO_LABEL_COLOR))
        if step.is_mistake:
            _mark_mistake(ax, x, step)
    ticks = [f"{_shorten(step.word)}  {step.chosen.action}" for step in steps[:shown]]
    # Words are data: a dollar sign in one is not mathematics.
    ax.set_xticks(range(shown), ticks, parse_math=False)
    ax.tick_params(axis="x", rotation=90, length=0)
    ax.set_xlim(-0.6, max(1, shown) - 0.4)
    ax.set_ylim(0, 1.12)
    ax.set_yticks([0, 0.5, 1])
    ax.set_ylabel("probability of the chosen action")
    notes = [f"the first {shown:,} of {len(steps):,} words"] if shown < len(steps) else []
    if any(step.is_mistake for step in steps[:shown]):
        notes.append("✕ costs gold,  ○ what would cost nothing")
    ax.set_xlabel(";  ".join(notes))
    return apply_style(ax, title)


def _mark_mistake(ax: Axes, x: int, step: TraceStep) -> None:
    ax.plot(x, 1.05, marker="x", markersize=7, color=INK_COLOR, markeredgewidth=1.6)
    free = [one.probability for one in step.choices if one.is_zero_cost]
    if free:
        ax.plot(x, max(free), marker="o", markersize=8, color="none", markeredgecolor=INK_COLOR)


def _draw_choices(
    choices: Sequence[ActionChoice],
    *,
    labels: Sequence[str] = (),
    title: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw the distribution over the valid actions of one state, the most probable on top.

    Parameters
    ----------
    choices : sequence of ActionChoice
        The first one is chosen. At most 10 are drawn, and what costs nothing;
        those that would not be seen are left out.
    labels : sequence of str
    title : str
    ax : Axes, optional
        By default a new one.
    """
    shown = [
        one
        for i, one in enumerate(choices)
        if i < _MIN_ACTIONS or (i < _MAX_ACTIONS and one.probability >= _MIN_VISIBLE) or one.is_zero_cost
    ]
    ax = new_axes(height=1.1 + ROW_HEIGHT * max(4, len(shown))) if ax is None else ax
    colors = _action_colors(labels, choices)
    for y, one in enumerate(shown):
        is_chosen = y == 0
        color = colors.get(one.action[2:], _NO_LABEL_COLOR)
        ax.barh(
            y, one.probability, height=0.7, color=color, alpha=1.0 if is_chosen else FAINT_ALPHA
        )
        annotate_row(ax, (one.probability, y), _describe_choice(one, is_chosen=is_chosen))
    ax.set_yticks(range(len(shown)), [one.action for one in shown], parse_math=False)
    ax.set_ylim(len(shown) - 0.4, -0.6)
    ax.set_xlim(0, 1)
    left = len(choices) - len(shown)
    rest = f" ({left:,} less probable ones are not drawn)" if left else ""
    ax.set_xlabel(f"probability over the valid actions{rest}")
    return apply_style(ax, title)


def _describe_choice(one: ActionChoice, *, is_chosen: bool) -> str:
    small = 0 < one.probability < _MIN_VISIBLE
    parts = ["<0.01" if small else f"{one.probability:.2f}", "chosen" if is_chosen else ""]
    if one.is_zero_cost:
        parts.append("costs nothing")
    elif is_chosen and one.cost is not None:
        parts.append("costs gold")
    return " · ".join(part for part in parts if part)


def _action_colors(labels: Sequence[str], choices: Sequence[ActionChoice]) -> Mapping[str, str]:
    others = sorted({one.action[2:] for one in choices} - {"", *labels})
    return label_colors([*labels, *others])


def _shorten(word: str) -> str:
    written = word if word.strip() else "␣"
    return written if len(written) <= 14 else f"{written[:13]}…"
