"""Results that print, show and draw themselves."""

import re
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest

from nbner._common.result import FigureResult, write_page
from nbner.errors import DataError
from nbner.evaluation.regressions import LabelRegression
from nbner.evaluation.report import Evaluation
from nbner.evaluation.retention import SpanLoss
from nbner.evaluation.scores import score
from nbner.training.records import TrainingRecord
from nbner.training.report import TrainingReport, curve_frame
from nbner.types import Span

mpl.use("Agg")

GOLD = [[Span(0, 2, "A"), Span(3, 4, "B")], [Span(0, 1, "A")]]
PREDICTED = [[Span(0, 2, "A"), Span(3, 5, "B")], []]
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def evaluation():
    return Evaluation(score(GOLD, PREDICTED, labels=("A", "B", "C")), "dev", "0123456789ab")


@pytest.fixture
def report():
    steps = [
        TrainingRecord(0, 0, 0.1, 90, 0.7, True, 0.0, 0.0, 0.0),
        TrainingRecord(1, 0, 0.2, 180, 0.7),
        TrainingRecord(50, 1, 3.0, 5000, 0.4, True, 0.5, 0.6, 0.43),
        TrainingRecord(100, 2, 6.0, 10000, 0.3, False, None, None, None),
    ]
    return TrainingReport(
        path=Path("runs/0001/model-best"),
        f=0.5,
        fingerprint="0123456789ab",
        seconds=6.0,
        steps=101,
        stopped="by hand",
        n_train=1200,
        n_dev=300,
        dev_source=f"given {EVIL}",
        evaluations=steps,
        record={"data": {"partial": 7}},
    )


def test_an_evaluation_has_its_numbers(evaluation):
    assert (evaluation.n, evaluation.support) == (2, 3)
    assert evaluation.precision == 1 / 2
    assert evaluation.recall == 1 / 3
    assert evaluation.f == pytest.approx(2 / 5)
    assert set(evaluation.schemes) == {"strict", "exact", "partial", "ent_type"}
    assert evaluation.schemes["ent_type"] == pytest.approx(4 / 5)
    assert evaluation.scheme_counts["partial"].partial == 1


def test_an_evaluation_has_a_row_a_label(evaluation):
    frame = evaluation.frame
    assert list(frame.columns) == ["label", "precision", "recall", "f", "support"]
    assert list(frame["label"]) == ["A", "B", "C"]
    assert list(frame["support"]) == [2, 1, 0]
    np.testing.assert_allclose(frame["f"], [2 / 3, 0.0, np.nan])
    np.testing.assert_allclose(frame["precision"], [1.0, 0.0, np.nan])


def test_an_evaluation_of_nothing_has_a_frame_and_a_picture():
    nothing = Evaluation(score([], []))
    assert nothing.f is None
    assert len(nothing.frame) == 0
    assert "undefined" in str(nothing)
    nothing.plot().figure.canvas.draw()


def test_what_was_left_out_is_said():
    measured = score(GOLD, PREDICTED, allowed_labels=[("A",), None])
    assert "1 predicted span left out" in str(Evaluation(measured))


def test_markup_in_labels_is_shown_as_text(report):
    evaluation = Evaluation(score([[Span(0, 1, EVIL)]], [[]]))
    for shown in (evaluation._repr_html_(), report._repr_html_()):
        assert "<img" not in shown
        assert "&lt;img" in shown


def test_a_report_tells_how_it_went(report):
    told = str(report)
    for part in ("0.500", "300 examples", "101 steps", "1,200 examples", "by hand", "0123456789ab"):
        assert part in told
    assert "7 examples say nothing about some labels" in told


def test_a_forgetting_guard_says_its_verdict_and_then_a_table(report):
    lost = (
        LabelRegression("Drink", 0.61, 0.3512, 18),
        SpanLoss("PERSON", 1.0, 0.125, 40),
        LabelRegression("Tool", 0.9, 0.8, 30),
    )
    kept_out = replace(report, regressed_labels=lost, in_use=False)
    verdict, head, *rows = str(kept_out).splitlines()[:5]
    assert verdict == (
        "Forgetting guard: 3 labels have lost too much against the model before. "
        "The old model stays in use; session.model.use(report) puts this one in place"
    )
    assert head.split() == ["label", "measure", "before", "after", "spans"]
    assert [row.split()[0] for row in rows] == ["PERSON", "Drink", "Tool"]
    assert len({len(row) for row in (head, *rows)}) == 1
    assert list(kept_out.regressions["measure"]) == ["spans kept", "F on gold", "F on gold"]
    page = kept_out._repr_html_()
    assert page.startswith("<div>Forgetting guard: 3 labels have")
    assert page.index("<td>PERSON</td>") < page.index("Best dev F")
    one = replace(kept_out, regressed_labels=lost[:1], in_use=True)
    assert str(one).startswith("Forgetting guard: 1 label has lost too much")
    assert str(report) == str(replace(report, in_use=True))
    assert "Forgetting guard" not in report._repr_html_()


def test_a_report_has_a_row_an_evaluation(report):
    frame = report.frame
    assert list(frame["step"]) == [0, 50, 100]
    assert list(frame["is_best"]) == [True, True, False]
    assert np.isnan(frame["f"].iloc[-1])
    assert {"epoch", "seconds", "words", "loss", "precision", "recall"} <= set(frame.columns)


def test_a_curve_without_evaluations_is_empty():
    assert len(curve_frame([TrainingRecord(1, 0, 0.2, 180, 0.7)])) == 0


def test_a_page_as_the_last_line_of_a_cell_is_one_line(tmp_path):
    page = write_page("Errors", "<p>body</p>" * 1_000, tmp_path / "errors.html")
    assert (tmp_path / "errors.html").read_text(encoding="utf-8") == page
    assert re.fullmatch(r"<HTML page, \d+ kB, in .*errors\.html>", repr(page))
    assert repr(write_page("Errors", "")).count("\n") == 0


def test_the_look_of_figures_is_in_one_place():
    found = [Evaluation, TrainingReport]
    assert all("plot" not in vars(one) and one.plot is FigureResult.plot for one in found)
    with pytest.raises(DataError, match="width"):
        Evaluation(score([], [])).plot(width=400)
