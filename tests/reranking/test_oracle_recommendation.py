"""What a curve advises, by the rules that stand in the module."""

from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt

from nbner._common.bootstrap import Estimate
from nbner._common.plot_style import new_figure
from nbner.errors import DataError
from nbner.reranking.oracle.differences import DecoderDifference
from nbner.reranking.oracle.report import OracleCurve, draw_oracle_curve
from nbner.reranking.oracle.study import OraclePoint

mpl.use("Agg")


@pytest.fixture(autouse=True)
def _closed():
    yield
    plt.close("all")


def point(width, best, first=0.7, *, n=1000, decoder="exact", sure=0.01, first_is_best=0.71):
    around = [Estimate(v, v - sure, v + sure) for v in (best, first, first_is_best)]
    gain = best - first
    return OraclePoint(
        *(decoder, width, n, *around, Estimate(0.8, 0.79, 0.81), Estimate(2.0, 1.8, 2.2)),
        Estimate(gain, gain - sure, gain + sure),
    )


def test_a_steep_curve_says_at_which_width():
    rising = [point(1, 0.7), point(2, 0.74), point(4, 0.785), point(8, 0.793), point(16, 0.8)]
    found = OracleCurve(tuple(rising))
    assert found.worthwhile is True
    assert found.recommended_width == 4  # the first that holds half of 10 F
    for part in ("rerank the top 4", "8.5 F", "0.700 to 0.785", "71 % of 1,000 texts", "85 %"):
        assert part in found.summary
    assert "still rises" not in found.summary
    assert found.plot().get_title(loc="left") == (
        "A perfect reranker over 4 analyses would gain 8.5 F"
    )


def test_a_curve_that_still_rises_is_said_to():
    found = OracleCurve((point(1, 0.7), point(2, 0.75), point(4, 0.8)))
    assert "still rises at its end (by 5.0 F from 2 to 4)" in found.summary


@pytest.mark.parametrize(
    ("best", "sure", "said"),
    [(0.715, 0.001, "gain only 1.5 F"), (0.73, 0.025, "gain 3.0 F, but over these")],
)
def test_a_flat_or_uncertain_curve_is_not_worth_it(best, sure, said):
    found = OracleCurve((point(1, 0.7), point(8, best, sure=sure)))
    assert found.worthwhile is False
    assert found.recommended_width is None
    assert said in found.summary
    assert "not worthwhile" in found.summary


def test_too_few_texts_tell_nothing():
    found = OracleCurve((point(8, 0.9, n=12),))
    assert found.worthwhile is None
    assert "12 texts cannot tell" in found.summary


def test_no_entity_at_all_tells_nothing():
    found = OracleCurve((point(8, np.nan, np.nan),))
    assert found.worthwhile is None
    assert "without any entity" in found.summary
    assert found.plot().get_title(loc="left") == "There is no span to count in dev"


def test_the_verdict_is_about_the_exact_lists_and_names_the_beam():
    points = [point(8, 0.75, decoder="beam"), point(8, 0.8)]
    found = OracleCurve(tuple(points))
    assert "rerank the top 8" in found.summary
    assert "spaCy's beam a perfect choice reaches F 0.750, among the exact ones 0.800" in (
        found.summary
    )
    assert "rerank the top 8" in OracleCurve((points[0],)).summary


def test_the_beams_errors_are_said_to_help_only_where_they_surely_do():
    for low, high, helps in ((-0.05, -0.01, True), (-0.05, 0.01, False), (0.01, 0.03, False)):
        gain = Estimate((low + high) / 2, low, high)
        difference = DecoderDifference("search", "exact_raw", "beam", 8, gain)
        found = OracleCurve((point(8, 0.8),), differences=(difference,))
        assert f"search is worth {100 * gain.value:+.1f} F" in found.summary
        assert ("search errors help" in found.summary) is helps
        # At another length than the widest nothing is said.
        assert "search is worth" not in replace(found, points=(point(16, 0.8),)).summary


def test_gold_that_no_list_can_hold_is_said():
    found = OracleCurve((point(8, 0.8),), unreachable=3)
    assert "For 3 of 1,000 texts no list can hold the gold" in found.summary


def test_the_frame_has_the_columns_of_the_contract():
    frame = OracleCurve((point(1, 0.7), point(2, 0.8))).frame
    figures = ["oracle_f", "top1_f", "first_is_best", "gold_in_list", "mean_gold_rank"]
    with_ends = [name + end for name in figures for end in ("", "_low", "_high")]
    assert list(frame.columns) == ["decoder", "width", "n", *with_ends]
    assert frame["oracle_f"].tolist() == [0.7, 0.8]
    assert frame["oracle_f_low"].tolist() == pytest.approx([0.69, 0.79])


def test_a_curve_of_ranks_alone_has_no_labels():
    with pytest.raises(DataError, match="over all labels alone"):
        OracleCurve((point(8, 0.8),)).per_label()


def test_the_picture_names_its_lines_and_marks_the_width():
    beam = [point(1, 0.68, 0.68, decoder="beam"), point(8, 0.74, 0.66, decoder="beam")]
    found = OracleCurve((point(1, 0.7), point(8, 0.8), *beam))
    ax = found.plot()
    texts = [text.get_text() for text in ax.texts]
    assert {"exact: best in list", "exact: first", "beam: best in list", "beam: first"} <= set(
        texts
    )
    assert "+10.0 F at 8" in texts
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "8"]
    assert ax.get_facecolor()[3] == 0.0


def test_names_of_lines_that_end_together_stand_apart():
    beam = [point(1, 0.7, decoder="beam"), point(8, 0.8, decoder="beam")]
    ax = OracleCurve((point(1, 0.7), point(8, 0.8), *beam)).plot()
    ends = sorted(text.xy[1] for text in ax.texts if ":" in text.get_text())
    assert min(np.diff(ends)) > 0


def test_a_frame_alone_is_drawn_on_given_axes():
    frame = OracleCurve((point(1, 0.7), point(8, 0.8))).frame
    ax = new_figure().subplots()
    assert draw_oracle_curve(frame, ax=ax) is ax
    assert ax.get_title(loc="left") == "A perfect reranker over 8 analyses would gain 10.0 F"
    assert plt.get_fignums() == []
