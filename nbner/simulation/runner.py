"""Drives an annotation widget with a simulated annotator, in the messages that a page sends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nbner._common.alignment import align
from nbner.simulation.annotator import SimulatedAnnotator, SimulatedAnswer
from nbner.simulation.headless_client import HeadlessClient
from nbner.types import Example

if TYPE_CHECKING:
    from nbner.widgets.annotator import Annotator


def annotate_with(
    widget: Annotator,
    annotator: SimulatedAnnotator,
    gold: Iterable[Example],
    *,
    limit: int | None = None,
) -> list[SimulatedAnswer]:
    """Let a robot annotate at a widget, as a person would in the page.

    Parameters
    ----------
    widget : Annotator
        From ``session.manual()`` or ``session.make_gold()``.
    annotator : SimulatedAnnotator
    gold : iterable of Example
        What it knows: these texts with these spans, as far as they fit the
        tokens. Of a text that it does not know it thinks that it holds no entity.
    limit : int, optional
        Examples at most; by default until none is open.

    Returns
    -------
    list of SimulatedAnswer
        What it decided on each, and what that took.

    Raises
    ------
    StoreError
        An answer was not stored.
    """
    known = {example.text: example.spans for example in gold}
    page = HeadlessClient(widget)
    done: list[SimulatedAnswer] = []
    while limit is None or len(done) < limit:
        shown = page.next_example()
        if shown is None:
            break
        fitting = align(shown.tokens, known.get(shown.text, ())).aligned
        spans = [span for _, _, span in fitting]
        suggested = shown.spans if page.has_suggestions else None
        one = annotator.annotate(shown.text, shown.tokens, spans, page.labels, suggested)
        page.accept(shown, one.spans, one.seconds)
        done.append(one)
    return done
