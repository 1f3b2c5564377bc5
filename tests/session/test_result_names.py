"""Every result is shown in the same ways under the same names."""

from __future__ import annotations

import re

import matplotlib as mpl
import pandas as pd
import pytest
import spacy
from matplotlib import pyplot as plt

import nbner
from nbner import results

mpl.use("Agg")

RESULTS = {
    "ActionScores": lambda s: s.model.action_scores(TEXT),
    "AnnotationProgress": lambda s: s.quality.progress(),
    "ConfidentSuggestions": lambda s: s.confident_suggestions("dev", progress=False),
    "Consistency": lambda s: s.quality.consistency(),
    "Coverage": lambda s: s.experiments.coverage(0.3, width=2, progress=False),
    "DataWarnings": lambda s: s.quality.data_warnings(),
    "Determinism": lambda s: s.experiments.determinism([TEXT]),
    "Differences": lambda s: nbner.differences(
        [{"text": TEXT, "spans": [{"start": 0, "end": 4, "label": "Action"}]}], [TEXT]
    ),
    "Evaluation": lambda s: s.evaluate(split="dev"),
    "IntegrityReport": lambda s: s.store.verify(),
    "ModelComparison": lambda s: s.compare(s.nlp, with_ruler()),
    "OracleCurve": lambda s: s.oracle_curve((1, 2), split="dev"),
    "Parity": lambda s: s.experiments.parity("dev", n_process=(1,)),
    "ParseLists": lambda s: s.parses([TEXT, TEXT]),
    "Parses": lambda s: s.parses(TEXT),
    "SpanChanges": lambda s: s.compare(s.nlp, with_ruler()).span_changes,
    "Summary": lambda s: s.summary,
    "TextProbabilities": lambda s: s.model.span_probabilities(TEXT),
    "TokenFeatures": lambda s: s.model.token_features([TEXT]),
    "Tokenization": lambda s: s.quality.tokenization(),
    "Trace": lambda s: s.explain(TEXT).trace,
}
TEXT = "Dice two <b>onions</b>."
ONE_SPAN = {"text": TEXT, "spans": [{"start": 0, "end": 4, "label": "Action"}]}
WITH_OPEN = {"Anchoring", "ConfidentSuggestions", "Consistency", "Differences"}
WITH_OPEN |= {"LabelIssues", "SpanChanges"}


def with_ruler():
    """Return another pipeline to compare with."""
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "Action", "pattern": "Dice"}])
    return nlp


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_text_frame_and_page(cooking, name, tmp_path):
    session, _ = cooking
    result = RESULTS[name](session)
    assert type(result) is getattr(results, name)
    assert isinstance(result.frame, pd.DataFrame)
    assert result.summary
    assert result.summary in str(result)
    before = plt.get_fignums()
    page = result.to_html(tmp_path / "page.html")
    assert plt.get_fignums() == before
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page == result.to_html()
    assert page.startswith("<!doctype html>")
    assert not re.search(r"<script|<link|src=|url\((?!#)|<b>onions", page)
    assert ("<svg" in page) == hasattr(result, "plot")
    # A table that is wider than its place scrolls by itself.
    assert page.count("<table") == page.count('<div style="overflow-x:auto"')
    assert hasattr(result, "open") == (name in WITH_OPEN)


def test_every_result_type_has_the_names():
    for name in dir(results):
        kind = getattr(results, name)
        for member in ("frame", "summary", "to_html"):
            assert hasattr(kind, member), (name, member)
