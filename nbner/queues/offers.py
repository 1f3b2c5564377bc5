"""The suggestions that pages were offered, so that an answer keeps those it was given under.

A page says with every answer, and with every example that it shows, which offer
it has. An offer that was shown stays: a newer model does not change suggestions
under the annotator's hand.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from nbner._common.offered import OfferedSource, SuggestionOrigin
from nbner.types import Span

#: Examples whose offers are remembered.
_MAX_EXAMPLES = 512

#: Offers of one example that are remembered: a page may show the one before the last.
_MAX_OFFERS = 4

#: Models that are kept without an example that shows their suggestions.
_MAX_MODELS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Offer:
    """The suggestions that one example was sent with.

    Parameters
    ----------
    number : int
        Its number, unique in an `OfferLog`.
    spans : tuple of Span
        The suggestions, as they were sent.
    sources : tuple of OfferedSource
        The complete suggestions of each source; empty where they are not known.
    model_ref : weakref, optional
        The model that suggested, as long as it is needed.
    alternatives : tuple of Span
        Other spans that were sent, to be taken by a key.
    """

    number: int
    spans: tuple[Span, ...]
    sources: tuple[OfferedSource, ...] = ()
    model_ref: weakref.ref[Any] | None = None
    alternatives: tuple[Span, ...] = ()

    @property
    def model(self) -> Any:
        """The model that suggested, for a later re-decoding; None where it is gone."""
        return None if self.model_ref is None else self.model_ref()


class OfferLog:
    """Remembers the offers of a queue; thread-safe.

    Of the models behind them it keeps the last few, and those of the examples
    that are shown and not answered yet.

    Parameters
    ----------
    keeps_shown : bool
        Whether an example that a page has shown keeps its suggestions until
        `forget_shown`.
    """

    def __init__(self, *, keeps_shown: bool = False) -> None:
        self.keeps_shown = keeps_shown
        self._numbers = count(1)
        self._offers: OrderedDict[int, tuple[Offer, ...]] = OrderedDict()
        self._shown: dict[int, int] = {}
        self._models: deque[Any] = deque(maxlen=_MAX_MODELS)
        self._models_of_shown: dict[int, Any] = {}
        self._lock = threading.Lock()

    def add(
        self,
        input_hash: int,
        spans: Sequence[Span],
        origin: SuggestionOrigin | None = None,
    ) -> Offer:
        """Remember an offer, and return it.

        Parameters
        ----------
        input_hash : int
            Of the example.
        spans : sequence of Span
            The suggestions.
        origin : SuggestionOrigin, optional
            What stands behind them, where it is known.
        """
        origin = origin or SuggestionOrigin()
        model = origin.model
        with self._lock:
            reference = None if model is None else weakref.ref(model)
            if model is not None and not any(one is model for one in self._models):
                self._models.append(model)
            offer = Offer(
                next(self._numbers),
                tuple(spans),
                tuple(origin.sources),
                reference,
                origin.alternatives,
            )
            earlier = self._offers.pop(input_hash, ())
            shown = self._shown.get(input_hash)
            kept = [one for one in earlier if one.number == shown]
            kept += [one for one in earlier if one.number != shown][-_MAX_OFFERS + 1 :]
            self._offers[input_hash] = (*kept, offer)
            while len(self._offers) > _MAX_EXAMPLES:
                gone, _ = self._offers.popitem(last=False)
                self._shown.pop(gone, None)
                self._models_of_shown.pop(gone, None)
            return offer

    def find(self, input_hash: int, number: object) -> Offer | None:
        """Return an offer by its number; None where it is unknown.

        Parameters
        ----------
        input_hash : int
            Of the example.
        number : object
            As the page has said it.
        """
        with self._lock:
            offers = self._offers.get(input_hash, ())
            return next((one for one in offers if one.number == number), None)

    def mark_shown(self, input_hash: int, number: object) -> None:
        """Record that a page shows an offer.

        Parameters
        ----------
        input_hash : int
            Of the example.
        number : object
            As the page has said it; an unknown one is passed over.
        """
        offer = self.find(input_hash, number)
        if offer is not None:
            with self._lock:
                self._shown[input_hash] = offer.number
                self._models_of_shown[input_hash] = offer.model

    def shown(self, input_hash: int) -> Offer | None:
        """Return the offer that an example keeps, since a page has shown it.

        Parameters
        ----------
        input_hash : int
            Of the example.
        """
        number = self._shown.get(input_hash) if self.keeps_shown else None
        return None if number is None else self.find(input_hash, number)

    def current(self, input_hash: int) -> Offer | None:
        """Return the offer that is shown, or the last one that was made.

        Parameters
        ----------
        input_hash : int
            Of the example.
        """
        shown = self.shown(input_hash)
        if shown is not None:
            return shown
        with self._lock:
            return next(iter(self._offers.get(input_hash, ())[::-1]), None)

    def release(self, input_hash: int) -> None:
        """Let go of the model behind an example that has been answered.

        Parameters
        ----------
        input_hash : int
            Of the example.
        """
        with self._lock:
            self._shown.pop(input_hash, None)
            self._models_of_shown.pop(input_hash, None)

    def forget_shown(self) -> None:
        """Have all examples suggested anew when they are loaded next."""
        with self._lock:
            self._shown.clear()
            self._models_of_shown.clear()
