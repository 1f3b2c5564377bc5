"""Several processes where a new process runs the main script: a guard, or a clear error."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import nbner
from nbner.nlp import prediction

SCRIPT = """
import multiprocessing
import sys
import nbner.nlp.prediction as prediction
with open({seen!r}, "a") as seen:
    seen.write("run ")

def check():
    multiprocessing.set_start_method("spawn", force=True)
    prediction.require_main_guard()
    print("guarded")

"""


def run(tmp_path, end):
    script, seen = tmp_path / "script.py", tmp_path / "seen.txt"
    script.write_text(SCRIPT.format(seen=str(seen)) + end)
    root = str(Path(nbner.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, str(script)],
        env={"PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    return done, seen.read_text()


def test_a_script_without_a_guard_gets_a_clear_error_and_runs_once(tmp_path):
    done, seen = run(tmp_path, "check()\n")
    assert done.returncode == 1
    assert 'if __name__ == "__main__":' in done.stderr
    assert "script.py, line 13" in done.stderr
    assert seen == "run "


@pytest.mark.parametrize(
    ("source", "line", "is_guarded"),
    [
        ('import a\nif __name__ == "__main__":\n    a.run()\n', 3, True),
        ('import a\nif "__main__" == __name__:\n    a.run()\n', 3, True),
        ('import a\nif a:\n    a.run()\nif __name__ == "__main__":\n    pass\n', 3, False),
        ("this is no Python", 1, True),
    ],
)
def test_a_guard_is_a_block_that_looks_at_the_name(tmp_path, source, line, is_guarded):
    script = tmp_path / "script.py"
    script.write_text(source)
    assert prediction._is_guarded(str(script), line) is is_guarded


def test_where_processes_are_forked_no_guard_is_needed(monkeypatch):
    monkeypatch.setattr(prediction.multiprocessing, "get_start_method", lambda: "fork")
    monkeypatch.setattr(prediction, "_running_line", lambda: 1)
    monkeypatch.setattr(prediction, "_is_guarded", lambda *_: False)
    prediction.require_main_guard()
