"""Measure which lines and branches of nbner the tests run, and hold a floor.

``NBNER_COVERAGE_FLOOR=90 python -m pytest -n 3`` measures in the workers and fails below
90 % of lines and branches together. ``python tests/line_coverage.py`` then lists the files
with the lines that no test has run.

slipcover marks the code of a module when it is imported and takes the marks away once they
have been reached. coverage.py's tracer, which is called for every line of whatever runs,
made 413 tests of ``io`` and ``session`` take 1.7 times as long.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "nbner"
FOLDER = ROOT / ".coverage"
SETTING = "NBNER_COVERAGE_FLOOR"

#: How often a mark is passed, after it was first reached, before slipcover takes away all that
#: were reached. It looks at every function of every module for that, 70 ms of CPU, in which a
#: mark is passed several hundred thousand times; slipcover's own number is 50. Python 3.12 and
#: newer have no marks that could stay.
PASSES = 3_000


class Coverage:
    """What one process measures: a worker marks and writes, the controller merges and judges.

    Parameters
    ----------
    setting : str or None
        The floor in percent; empty or None where nothing is to be measured.
    worker : str or None
        The name of a worker of pytest-xdist; None in the process that controls them.
    """

    def __init__(self, setting: str | None, worker: str | None):
        self.floor = float(setting) if setting else None
        self._worker = worker
        self._marked = None
        self._verdict = None
        if self.floor is None:
            return
        if worker is None:
            shutil.rmtree(FOLDER, ignore_errors=True)
            FOLDER.mkdir()
        else:
            self._start()

    def _start(self) -> None:
        import slipcover

        # What tests start, such as another pytest, is not measured.
        del os.environ[SETTING]
        self._marked = slipcover.Slipcover(
            branch=True, source=[str(PACKAGE)], d_miss_threshold=PASSES
        )
        matcher = slipcover.FileMatcher(sources=[str(PACKAGE)])
        slipcover.ImportManager(self._marked, matcher).__enter__()

    def finish(self) -> None:
        """Write what a worker has measured; called when its tests are done."""
        if self._marked is not None:
            found = json.dumps(self._marked.get_coverage())
            (FOLDER / f"{self._worker}.json").write_text(found, encoding="utf-8")

    def verdict(self) -> tuple[bool, str] | None:
        """Return whether the floor is reached, and a sentence; None where nothing was measured."""
        if self.floor is None or self._worker is not None:
            return None
        if self._verdict is None:
            self._verdict = self._judge()
        return self._verdict

    def _judge(self) -> tuple[bool, str]:
        summary = merged()["summary"]
        lines, branches = (
            100
            * summary[f"covered_{kind}"]
            / (summary[f"covered_{kind}"] + summary[f"missing_{kind}"])
            for kind in ("lines", "branches")
        )
        both = summary["percent_covered"]
        return both >= self.floor, (
            f"coverage of nbner: lines {lines:.2f} %, branches {branches:.2f} %, "
            f"together {both:.2f} %; the floor is {self.floor:g} %"
        )


def merged() -> dict[str, object]:
    """Read what the workers have written as one measurement."""
    import slipcover

    files = sorted(FOLDER.glob("*.json"))
    if not files:
        msg = f"nothing was measured: run the tests with {SETTING}=90 and -n 2 or more"
        raise FileNotFoundError(msg)
    first, *others = (json.loads(file.read_text(encoding="utf-8")) for file in files)
    for other in others:
        slipcover.merge_coverage(first, other)
    return first


if __name__ == "__main__":
    import slipcover

    slipcover.print_coverage(merged(), outfile=sys.stdout, skip_covered=True)
