"""The list's "least sure first" knows the model's own probabilities."""

from __future__ import annotations

import nbner


def test_the_list_is_ordered_by_the_probabilities_of_the_model_in_use(cooking):
    session, _ = cooking
    session.add(nbner.sample().unlabeled[:20], split="unsure list")
    widget = session.make_gold(split="unsure list")
    ask = {"type": "list", "id": "1", "filter": {"order": "unsure"}, "offset": 0, "want": 5}
    first = widget.receive(ask)
    scores = [row["score"] for row in first["rows"]]
    assert scores == sorted(scores)
    assert 0 < scores[0] < 1
    shown = {
        one.input_hash: min(span.score for span in one.spans)
        for one in widget._example_queue.next_batch(20)
        if one.spans
    }
    assert first["total"] == len(shown)
    assert {int(row["id"]): row["score"] for row in first["rows"]}.items() <= shown.items()
    rest = widget.receive({**ask, "offset": 5, "want": 100})["rows"]
    assert [row["score"] for row in first["rows"] + rest] == sorted(shown.values())
