"""Sentences with counts are right for none, one, two and many."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nbner._common.format import plural
from nbner.decoding.parse_lists import Parses
from nbner.evaluation.regressions import SpanChange, SpanChanges
from nbner.evaluation.retention import LabelRetention, Retention
from nbner.io.formats import ExportReport
from nbner.quality.consistency_report import BulkRelabel
from nbner.quality.label_issues_report import LabelIssues
from nbner.training.report import _best_so_far
from nbner.types import Example, Parse, Span

#: "1 spans", "1,000 span": whatever the noun.
WRONG = re.compile(
    r"(?<![\d,.])1 (?:\w+ )?(?:spans|texts|examples|places|steps|tokens|issues|entities|analyses)\b"
    r"|(?<![\d,.])1 that are|(?<![\d,.])1 of [\d,]+ \w+ (?:are|do|have)\b"
    r"|(?:[02-9]|\d\d) (?:span|text|example|place|step|token|entity)\b"
)


def changes(n):
    example = Example("Dice it")
    return tuple(
        SpanChange(0, example, Span(0, 4, "Action"), "wrong_to_right", is_gold=True)
        for _ in range(n)
    )


@pytest.mark.parametrize("n", [0, 1, 2, 1_000])
def test_a_noun_agrees_with_its_count(n):
    said = [
        plural(n, "span"),
        plural(n, "entity", "entities"),
        str(BulkRelabel("LB", "Reagent", n, n)),
        str(LabelIssues((), "train", n=n, n_spans=n, folds=0, fold_f=())),
        str(SpanChanges(changes(n), n=n)),
        str(Retention((LabelRetention("A", n, n, n, in_gold=False),), n=n, total=n)),
        str(ExportReport(Path("gold.jsonl"), written=n, left_out=n)),
        str(Parses((Parse(0.5, 1.0, ()),) * n, "x", {})),
        _best_so_far((max(n, 1) - 1, 0.5), 3),
    ]
    assert [one for one in said if WRONG.search(one)] == []
    assert plural(1_200, "span") == "1,200 spans"
