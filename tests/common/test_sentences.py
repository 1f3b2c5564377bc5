"""Sentences with counts are right for none, one, two and many."""

from __future__ import annotations

import re

import pytest

from nbner._common.format import plural
from nbner.quality.consistency_report import BulkRelabel
from nbner.quality.label_issues import LabelIssues
from nbner.training.report import _best_so_far

#: "1 spans", "1,000 span": whatever the noun.
WRONG = re.compile(
    r"(?<![\d,.])1 (?:\w+ )?(?:spans|texts|examples|places|steps|tokens|issues|entities)\b"
    r"|(?:[02-9]|\d\d) (?:span|text|example|place|step|token|entity)\b"
)


@pytest.mark.parametrize("n", [0, 1, 2, 1_000])
def test_a_noun_agrees_with_its_count(n):
    said = [
        plural(n, "span"),
        plural(n, "entity", "entities"),
        str(BulkRelabel("LB", "Reagent", n, n, "id", lambda _: 0)),
        str(LabelIssues((), "train", n=n, n_spans=n, folds=0, fold_f=())),
        _best_so_far((max(n, 1) - 1, 0.5), 3),
    ]
    assert [one for one in said if WRONG.search(one)] == []
    assert plural(1_200, "span") == "1,200 spans"
