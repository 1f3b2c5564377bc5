"""Figures of benchmark runs: read, compared, and described with their machine."""

import json
from pathlib import Path

import pytest
from module_files import loaded

FILE = Path(__file__).parents[1] / "benchmarks/figures.py"
with loaded(FILE) as figures:
    pass


@pytest.mark.parametrize(
    ("figure", "found"),
    [
        ("0.88 times", [0.88]),
        (".601 / .485", [0.601, 0.485]),
        ("1,967 of 37,481 spans", [1967, 37481]),
        ("+1.5 F", [1.5]),
        ("none in v3", []),
        ("1.3 / 1.4 / 1.6 ms", [1.3, 1.4, 1.6]),
    ],
)
def test_numbers_are_read_off_a_figure(figure, found):
    assert figures.numbers(figure) == found


def test_two_runs_are_compared_number_by_number(tmp_path):
    old = figures.write_figures(
        [
            {"what": "speed", "figure": "2.0 / 10 s", "target": ""},
            {"what": "gone", "figure": "1", "target": ""},
        ],
        tmp_path,
    )
    new = json.loads(old.read_text())
    new["figures"] = [{"what": "speed", "figure": "1.0 / 15 s", "target": ""}]
    lines = list(figures.compare(json.loads(old.read_text()), new))
    assert "cores" in lines[0]
    assert lines[2] == "speed: 2.0 / 10 s -> 1.0 / 15 s  x 0.50, 1.50"
    assert lines[3] == "only in the old run: gone"
