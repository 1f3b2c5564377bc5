"""Kernels are killed at random moments and pages loaded again: no answer is lost, none doubled."""

from __future__ import annotations


def test_nothing_is_lost_when_kernels_die_and_pages_are_loaded_again(
    new_server, page, jupyter_lab, faulty_run, name
):
    # A server that notices a kernel's death at once, and gives it another each time.
    server = new_server(options=jupyter_lab.RESTARTS_QUICKLY)
    outcome = faulty_run(jupyter_lab.Lab(page, server), name, seed=7).go(kills=3, reloads=2)
    assert len(outcome.acknowledged) > 5
    assert outcome.missing == set(), outcome
    assert outcome.never_stored == [], outcome
    assert outcome.twice == [], outcome
    assert outcome.differing == [], outcome
