"""Agreement against published figures, against counting by hand, and its laws."""

import dataclasses
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from span_strategies import spans as span_sets

from nbner import Span, Token
from nbner.quality.agreement.report import Agreement
from nbner.quality.agreement.scores import AnnotatedText, measure_agreement


def words(count):
    return [Token("ab", 3 * n, 3 * n + 2, ws=True) for n in range(count)]


def rated(*judgements):
    """Give one-word texts with one label each; None where somebody did not judge."""
    return [
        AnnotatedText(
            "ab",
            words(1),
            {
                name: [Span(0, 2, str(label))] if label else []
                for name, label in zip("abcd", unit, strict=False)
                if label is not None
            },
        )
        for unit in judgements
    ]


def figures(group):
    """Flatten a group's measures; None for NaN, which is not equal to itself."""
    measures = (group.exact, group.relaxed, group.kappa, group.alpha)
    flat = [number for one in measures for number in dataclasses.astuple(one)]
    return [group.n, group.spans, *(None if math.isnan(one) else one for one in flat)]


def test_alpha_is_krippendorffs():
    """Computing Krippendorff's alpha-reliability (2011), example C: nominal 0.743."""
    x = None
    units = [
        *((1, 1, x, 1), (2, 2, 3, 2), (3, 3, 3, 3), (3, 3, 3, 3), (2, 2, 2, 2), (1, 2, 3, 4)),
        *((4, 4, 4, 4), (1, 1, 2, 1), (2, 2, 2, 2), (x, 5, 5, 5), (x, x, 1, 1), (x, 3, x, x)),
    ]
    found = measure_agreement(rated(*units), samples=0).overall
    assert found.alpha.value == pytest.approx(0.743, abs=0.0005)
    assert found.n == 11


def test_kappa_is_cohens():
    """A table of 20 and 15 on the diagonal, 5 and 10 beside it: kappa 0.4."""
    units = [(1, 1)] * 20 + [(0, 0)] * 15 + [(1, 0)] * 5 + [(0, 1)] * 10
    found = measure_agreement(rated(*units), samples=0).overall
    assert found.kappa.value == pytest.approx(0.4)
    assert found.exact.value == pytest.approx(2 * 20 / (25 + 30))


def test_exact_and_relaxed_f_by_hand():
    text = AnnotatedText(
        "ab " * 6,
        words(6),
        {
            "a": [Span(0, 5, "X"), Span(6, 8, "Y"), Span(12, 14, "X")],
            "b": [Span(0, 2, "X"), Span(3, 5, "X"), Span(6, 8, "Y")],
        },
    )
    found = measure_agreement([text], samples=0)
    assert found.overall.exact.value == pytest.approx(2 * 1 / 6)
    # One to one: the long span matches only one of the two short ones.
    assert found.overall.relaxed.value == pytest.approx(2 * 2 / 6)
    assert found.labels["Y"].exact.value == 1
    assert found.labels["X"].exact.value == 0
    assert [(one.position, one.differing) for one in found.disputed] == [(0, 4)]


def test_the_most_disputed_come_first_and_the_rest_not_at_all():
    texts = rated((1, 1), (1, 2), (0, 1), (1, None))
    found = measure_agreement(texts, samples=0)
    assert [(one.position, one.differing) for one in found.disputed] == [(1, 2), (2, 1)]


def test_nothing_in_common_is_undefined_and_not_nought():
    found = measure_agreement(
        [AnnotatedText("ab", words(1), {"a": [], "b": []})], samples=20
    ).overall
    assert all(math.isnan(one.value) for one in (found.exact, found.kappa, found.alpha))
    scores = measure_agreement([], samples=20)
    assert math.isnan(scores.overall.exact.value)
    agreement = Agreement(scores, ())
    assert (agreement.f, agreement.kappa, agreement.alpha) == (None, None, None)


def test_intervals_hold_the_value_and_narrow_with_more_texts():
    chance = random.Random(0)
    units = [(1, 1 if chance.random() < 0.8 else 2) for _ in range(400)]
    widths = []
    for count in (40, 400):
        one = measure_agreement(rated(*units[:count]), seed=1).overall.exact
        assert one.low <= one.value <= one.high
        widths.append(one.high - one.low)
    assert widths[1] < widths[0] / 2
    assert measure_agreement(rated(*units), seed=1) == measure_agreement(rated(*units), seed=1)


@given(st.lists(st.tuples(span_sets(), span_sets(), span_sets()), min_size=1, max_size=5))
def test_laws(found):
    size = max((span.end for sets in found for spans in sets for span in spans), default=1)
    tokens = [Token("x", n, n + 1) for n in range(size)]
    texts = [
        AnnotatedText("x" * size, tokens, dict(zip("abc", sets, strict=True))) for sets in found
    ]
    one = measure_agreement(texts, samples=0)
    if not math.isnan(one.overall.exact.value):
        assert 0 <= one.overall.exact.value <= one.overall.relaxed.value <= 1
    turned = [
        AnnotatedText(text.text, tokens, {"xyz"["abc".index(k)]: v for k, v in text.spans.items()})
        for text in texts
    ]
    assert figures(measure_agreement(turned, samples=0).overall) == figures(one.overall)
    same = [
        AnnotatedText(text.text, tokens, dict.fromkeys("ab", text.spans["a"])) for text in texts
    ]
    agreed = measure_agreement(same, samples=0).overall
    assert agreed.exact.value == pytest.approx(1) or math.isnan(agreed.exact.value)
    assert agreed.alpha.value == pytest.approx(1) or math.isnan(agreed.alpha.value)
    assert measure_agreement(same, samples=0).disputed == ()


def test_the_value_shows_and_draws_itself():
    texts = rated((1, 1), (1, 2), (2, 2), ("<b>", "$x$"))
    agreement = Agreement(measure_agreement(texts, samples=50), tuple(texts))
    assert list(agreement.frame["annotators"]) == ["a / b", "all"]
    assert list(agreement.per_label["label"]) == ["$x$", "1", "2", "<b>"]
    assert list(agreement.disputed.columns) == ["text", "differing", "f", "a", "b"]
    assert agreement.disputed["a"][0] == [("ab", "1")]
    assert "over 4 texts" in str(agreement)
    assert "<b>" not in agreement._repr_html_().replace("<div>", "")
    axes = agreement.plot()
    axes.figure.canvas.draw()
    assert len(axes.get_yticklabels()) == 4
