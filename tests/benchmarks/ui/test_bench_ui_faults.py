"""Hundreds of killed kernels and reloaded pages during one labelling run."""

from __future__ import annotations


def test_faults(bench, faulty_run, name, say, request):
    kills, reloads = (request.config.getoption(one) for one in ("--kills", "--reloads"))
    outcome = faulty_run(bench, name, seed=0).go(kills, reloads)
    say("faults", outcome, "missing 0, never stored 0, stored twice 0")
    assert outcome.missing == set()
    assert outcome.never_stored == []
    assert outcome.twice == []
    assert outcome.differing == []
