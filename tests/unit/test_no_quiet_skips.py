"""A skipped test fails the run, and is named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SKIPS = {
    "a test": "import pytest\n\ndef test_one():\n    pytest.skip('no')\n",
    "a file": "import pytest\n\npytest.skip('no', allow_module_level=True)\n",
}


@pytest.mark.parametrize("source", SKIPS.values(), ids=list(SKIPS))
def test_a_skip_fails_the_run(tmp_path, source):
    (tmp_path / "test_skipping.py").write_text(source)
    (tmp_path / "test_passing.py").write_text("def test_two():\n    assert True\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "conftest", "--rootdir", ".", "."],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == pytest.ExitCode.TESTS_FAILED, done.stdout + done.stderr
    assert "FAILED, since skipped: " in done.stdout
    assert "1 passed" in done.stdout
