"""Run the tests with the oldest and the newest versions of what nbner needs: ``make matrix``.

The oldest are the lower bounds in pyproject.toml; the newest are what the package index
has. Each set gets an environment of its own below ``.matrix``, in which the self-test, the
Python side and one file of tests in a real JupyterLab run. The last lines are a table.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import tomllib

ROOT = Path(__file__).parents[1]
FOLDERS = ("unit", "common", "io", "registry", "decoding", "evaluation", "quality", "widgets")
SUITES = {
    "self-test": ["-m", "nbner.check"],
    "Python side": ["-m", "pytest", "-q", *(f"tests/{name}" for name in FOLDERS)],
    "JupyterLab": ["-m", "pytest", "-q", "tests/jupyter/test_labelling.py"],
    "Notebook 7, marimo": ["-m", "pytest", "-q", "tests/hosts"],
}
SHOWN = ("spacy", "anywidget", "ipywidgets", "ipykernel", "jupyterlab", "notebook", "pandas")
#: Not a bound of nbner's, but of what its oldest versions were built for.
OF_THAT_TIME = ("numpy<2.3", "ipykernel==6.29.5")


def oldest(pyproject: Path = ROOT / "pyproject.toml") -> list[str]:
    """Return a constraint for every lower bound of the dependencies and the extra "test"."""
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    return [*sorted(set(_lower_bounds(wanted))), *OF_THAT_TIME]


def _lower_bounds(requirements: list[str]) -> Iterator[str]:
    for one in requirements:
        found = re.match(r"([\w.-]+)(?:\[[^]]*\])?>=([\d.]+)", one)
        if found:
            name, version = found.groups()
            # The newest patch of the oldest minor version: what 8.1 means to a reader.
            yield f"{name}=={version}.*" if version.count(".") < 2 else f"{name}=={version}"


def run(name: str, constraints: list[str]) -> dict[str, str]:
    """Make the environment of one set, run all suites in it, and return what came of each."""
    folder = ROOT / ".matrix" / name
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
    python = str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")
    file = folder / "constraints.txt"
    file.write_text("\n".join(constraints) + "\n", encoding="utf-8")
    install = [python, "-m", "pip", "install", "--quiet", "--constraint", str(file)]
    installed = subprocess.run([*install, "--editable", ".[test]"], cwd=ROOT, check=False)
    if installed.returncode:
        return {"installation": "failed"}
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    found = {"versions": _versions(python)}
    for suite, command in SUITES.items():
        done = subprocess.run([python, *command], cwd=ROOT, env=env, check=False)
        found[suite] = "passed" if done.returncode == 0 else "failed"
    return found


def _versions(python: str) -> str:
    code = (
        f"from importlib.metadata import version\nfor name in {SHOWN}: print(name, version(name))"
    )
    asked = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return ", ".join(asked.stdout.splitlines())


def main(arguments: list[str] | None = None) -> int:
    """Run the sets that are asked for, print a line for each, and return 1 if one failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("sets", nargs="*", default=["oldest", "newest"], help="oldest, newest")
    chosen = parser.parse_args(arguments).sets
    results = {name: run(name, oldest() if name == "oldest" else []) for name in chosen}
    for name, found in results.items():
        told = "; ".join(f"{suite}: {state}" for suite, state in found.items())
        sys.stdout.write(f"{name}: {told}\n")
    return int(any("failed" in found.values() for found in results.values()))


if __name__ == "__main__":
    sys.exit(main())
