"""Planted label noise: how much of it stands among the first label issues."""

from random import Random

import nbner
from nbner.quality.anchoring.noise import SPAN_ERROR_KINDS, corrupt_spans

SHARE = 0.05
FIRST = (100, 500, 1000)


def test_planted_noise_is_found_first(data, say):
    clean = nbner.Session("clean", store=":memory:")
    clean.add(data / "protocols/train.conll")
    random = Random(0)
    planted, rows = {}, []
    for example in clean.examples():
        spans, changes = corrupt_spans(example.spans, example.tokens, clean.labels, SHARE, random)
        planted[example.text] = changes
        rows.append({"text": example.text, "tokens": tokens_of(example), "spans": spans_of(spans)})
    with nbner.Session("spoilt", labels=clean.labels, store=":memory:", seed=0) as session:
        session.add(rows, gold=True)
        session.add(data / "protocols/dev.conll", split="dev")
        found = session.quality.label_issues(folds=5, max_epochs=4, progress=False)
    total = sum(map(len, planted.values()))
    say("label issues in protocols/train", f"{len(found):,}; planted: {total:,}", "stated")
    hits = [fault_at(issue, planted[issue.example.text]) for issue in found]
    for first in FIRST:
        right = sum(hit is not None for hit in hits[:first])
        say(f"planted among the first {first:,}", f"{right / first:.3f}", "stated")
    for fault in SPAN_ERROR_KINDS:
        count = sum(change.kind == fault for one in planted.values() for change in one)
        say(
            f"{fault}: planted, in the first 1,000, in all issues",
            f"{count}, {hits[:1000].count(fault)}, {hits.count(fault)}",
            "stated",
        )
    chance = total / found.n_spans
    assert sum(hit is not None for hit in hits[:100]) / 100 > 4 * chance


def tokens_of(example):
    return [
        {"text": one.text, "start": one.start, "end": one.end, "id": i, "ws": one.ws}
        for i, one in enumerate(example.tokens)
    ]


def spans_of(spans):
    return [{"start": one.start, "end": one.end, "label": one.label} for one in spans]


def fault_at(issue, changes):
    """Name the planted error at which an issue points."""
    start, end = issue.place
    for change in changes:
        if change.after is not None and issue.gold == change.after:
            return change.kind
        gone = change.after is None and issue.gold is None
        if gone and change.before.start < end and start < change.before.end:
            return change.kind
    return None
