"""Ways to decide the same texts, side by side."""

import matplotlib as mpl
import pytest
from hypothesis import given
from matplotlib import pyplot as plt
from span_strategies import corpora

from nbner.evaluation.comparison import compare_systems
from nbner.evaluation.k_best_scores import oracle_indices
from nbner.evaluation.scores import score
from nbner.reranking.report import RerankingComparison
from nbner.types import Span

mpl.use("Agg")
A, B = Span(0, 1, "A"), Span(2, 3, "B")
GOLD = [[A, B], [A], [], [B]] * 20
FIRST = [[A], [B], [A], [B]] * 20
BETTER = [[A, B], [A], [], [B]] * 20
MIXED = [[A, B], [], [A], []] * 20


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def compared(second):
    ways = {"the first": FIRST, "the other": second, "the best": GOLD}
    return RerankingComparison(tuple(compare_systems(GOLD, ways)), "the other", "dev")


@given(corpora())
def test_f_is_that_of_the_scores_and_gains_are_differences(corpus):
    gold, predicted = zip(*corpus, strict=True)
    nothing = [[]] * len(gold)
    rows = compare_systems(gold, {"one": predicted, "none": nothing}, baseline="none")
    f = score(gold, predicted).exact.f
    if f is not None:
        assert rows[0].f.value == pytest.approx(f)
    if any(gold):
        assert rows[0].gain.value == pytest.approx(f)
        assert rows[1].gain.value == rows[1].gain.low == rows[1].gain.high == 0


def test_texts_that_change_are_counted_by_how_they_fare():
    row = compared(MIXED).row("the other")
    assert (row.n, row.changed, row.better, row.worse) == (80, 60, 40, 20)


def test_labels_that_could_not_be_given_count_neither_way():
    known = [("A",)] * len(GOLD)
    (row,) = compare_systems([[A]] * len(GOLD), {"one": [[A, B]] * len(GOLD)}, allowed_labels=known)
    assert row.f.value == 1


def test_a_certain_gain_is_advised_with_its_part_of_what_is_possible():
    found = compared(BETTER)
    assert found.is_significant
    assert found.summary.endswith("Use it.")
    assert "100 % of that is reached" in found.summary
    title = found.plot().get_title(loc="left")
    assert title.startswith("The other gains")
    assert title.endswith("over the first")


@pytest.mark.parametrize(
    ("second", "advice"),
    [
        ([[A], [B], [A], []] * 20, "Do not use it."),
        ([*[[A], [B], [A], [B]] * 19, [A, B], [B], [A], [B]], "do not use it on this evidence."),
    ],
)
def test_a_loss_and_a_chance_gain_are_not(second, advice):
    found = compared(second)
    assert not found.is_significant
    assert found.summary.endswith(advice)


def test_the_frame_has_a_row_a_way():
    frame = compared(BETTER).frame
    assert list(frame["name"]) == ["the first", "the other", "the best"]
    assert list(frame.columns[:4]) == ["name", "n", "f", "f_low"]
    assert (frame["f_low"] <= frame["f"]).all()
    assert frame["gain"].iloc[0] == 0


def test_names_are_data_in_the_picture_and_in_the_table():
    ways = {"$x$ <img>": FIRST, "the other": BETTER}
    found = RerankingComparison(tuple(compare_systems(GOLD, ways)), "the other", "dev")
    ax = found.plot()
    ax.figure.canvas.draw()
    assert next(tick.get_text() for tick in ax.get_yticklabels()) == "$x$ <img>"
    assert "<img>" not in found._repr_html_()


def test_all_that_none_is_better_than_are_best():
    assert oracle_indices([[A], [B], [], [A, B]], [A, B]) == [3]
    assert oracle_indices([[A], [B]], [A, B]) == [0, 1]
    assert oracle_indices([[A], []], []) == [1]
    assert oracle_indices([[A, B], [A]], [A], allowed_labels=("A",)) == [0, 1]
