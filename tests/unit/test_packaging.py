"""What a wheel and an sdist carry."""

import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
BUNDLE = {
    f"nbner/widgets/static/{name}.{kind}"
    for name in json.loads((ROOT / "js/bundles.json").read_text(encoding="utf-8"))
    for kind in ("js", "css")
}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build the sdist from the source folder, and the wheel from the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    done = subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder


def test_the_wheel_carries_the_bundle_and_the_sample(built):
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = set(wheel.namelist())
    assert names >= BUNDLE
    assert {"nbner/py.typed", "nbner/io/cooking/train.jsonl"} <= names
    assert not [name for name in names if name.startswith(("js/", "tests/", "notebooks/"))]


def test_the_sdist_carries_the_bundle_and_its_source(built):
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        names = {name.split("/", 1)[1] for name in sdist.getnames() if "/" in name}
    assert names >= BUNDLE | {"js/src/annotator.ts", "js/hatch_build.py", "js/package-lock.json"}
    assert not [name for name in names if "node_modules" in name]
