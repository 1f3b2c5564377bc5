"""What importing nbner costs, beside ipywidgets."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

MOST_SECONDS = 0.15
REPEATS = 7


def seconds(statement):
    """Give the median time of a fresh process that runs one statement."""
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def test_import_is_light(say):
    ours, theirs = seconds("import nbner"), seconds("import ipywidgets")
    figure = f"{ours - theirs:+.3f} s ({ours:.3f} against {theirs:.3f})"
    say("import nbner beside import ipywidgets, median of 7", figure, f"<= +{MOST_SECONDS} s")
    assert ours - theirs <= MOST_SECONDS
