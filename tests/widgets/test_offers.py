"""The suggestions that were sent: which of them are kept, and for how long."""

import gc
import weakref

from nbner._common.offered import SuggestionOrigin
from nbner.queues.offers import OfferLog
from nbner.types import Span

SPANS = (Span(0, 3, "A"),)


class Model:
    """A model, of which a test sees whether it is kept."""


def test_an_offer_is_found_by_its_number():
    log = OfferLog()
    first, second = log.add(1, SPANS), log.add(1, ())
    assert log.find(1, first.number).spans == SPANS
    assert log.find(1, second.number).spans == ()
    assert log.current(1) is second
    for number in (None, "1", 99, -1):
        assert log.find(1, number) is None
    assert log.find(2, first.number) is None


def test_what_was_shown_stays_where_that_is_wanted():
    for keeps in (True, False):
        log = OfferLog(keeps_shown=keeps)
        first = log.add(1, SPANS)
        log.mark_shown(1, first.number)
        log.mark_shown(1, "nonsense")
        later = [log.add(1, ()) for _ in range(9)]
        assert log.shown(1) is (first if keeps else None)
        assert log.current(1) is (first if keeps else later[-1])
        log.forget_shown()
        assert log.shown(1) is None


def test_a_shown_offer_that_an_older_page_has_is_known_after_newer_ones():
    log = OfferLog(keeps_shown=True)
    before, sent = log.add(1, SPANS), log.add(1, ())
    # The page shows the one before the last: it had not come yet.
    log.mark_shown(1, before.number)
    assert log.shown(1) is before
    assert sent.number != before.number


def test_models_are_kept_for_what_is_shown_and_let_go_when_it_is_answered():
    log = OfferLog(keeps_shown=True)
    models = [Model() for _ in range(6)]
    known = [weakref.ref(one) for one in models]
    shown = log.add(1, SPANS, SuggestionOrigin(model=models[0]))
    log.mark_shown(1, shown.number)
    for i, model in enumerate(models[1:], 2):
        log.add(i, SPANS, SuggestionOrigin(model=model))
    del models, model
    gc.collect()
    assert [one() is not None for one in known] == [True, False, False, True, True, True]
    assert shown.model is known[0]()
    log.release(1)
    gc.collect()
    assert shown.model is None


def test_only_so_many_examples_are_remembered():
    log = OfferLog(keeps_shown=True)
    first = log.add(0, SPANS)
    log.mark_shown(0, first.number)
    for i in range(1, 600):
        log.add(i, ())
    assert log.find(0, first.number) is None
    assert log.shown(0) is None
