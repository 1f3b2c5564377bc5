"""News of a model that is trained while somebody labels, as a widget shows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

LearningState: TypeAlias = Literal["waiting", "training", "ready", "failed", "stopped", "closed"]

#: What a page may ask for.
LearningCommand: TypeAlias = Literal["start", "stop", "switch"]


@dataclass(frozen=True, slots=True)
class LearningStatus:
    """State of the training behind a widget, for its live line.

    Parameters
    ----------
    state : str
        "waiting" for answers to learn from, "training", "ready" (nothing is
        trained at the moment), "failed" (until the next attempt), "stopped" by
        the annotator, or "closed".
    text : str
        Which model suggests, and what is happening.
    figures : str
        Precision and recall of the suggestions over the last answers; empty
        before there are some.
    offer : str
        What another source does better, as a sentence; empty where none does.
    choice : str
        What `LearningFeed.run` ("switch") would do; empty where there is
        nothing to change.
    detail : str
        Details of a failure.
    """

    state: LearningState
    text: str
    figures: str = ""
    offer: str = ""
    choice: str = ""
    detail: str = ""


class LearningFeed(Protocol):
    """The training behind a widget, as the widget uses it."""

    @property
    def status(self) -> LearningStatus:
        """The present state of the training."""

    def subscribe(self, listener: Callable[[bool], None]) -> Callable[[], None]:
        """Call a function when the status changes.

        Parameters
        ----------
        listener : callable
            Takes whether suggestions come from another model now, also for
            examples that were sent and not shown yet.

        Returns
        -------
        callable
            Ends that.
        """

    def mark_shown(self, input_hash: int, offer: object) -> None:
        """Keep the suggestions of an example that a page shows.

        Parameters
        ----------
        input_hash : int
            Of the example.
        offer : object
            Number of the offer, as the page has said it.
        """

    def forget_shown(self) -> None:
        """Have all examples suggested anew when they are loaded next."""

    def run(self, command: LearningCommand) -> None:
        """Stop learning, start it again, or change the model that suggests.

        Parameters
        ----------
        command : {"start", "stop", "switch"}
            What to do.
        """

    def close(self) -> None:
        """End the training and its process; what was learnt stays in use."""
