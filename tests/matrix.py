"""Run the tests with the oldest and the newest versions of what nbner needs: ``make matrix``.

The oldest are the lower bounds in pyproject.toml; the newest are what the package index
has. Each set gets an environment of its own below ``.matrix``, in which the self-test, the
tests that touch those packages, and those of the hosts run. The last lines are a table.
A set and another Python: ``make matrix ARGS="oldest --python python3.10"``.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # which build, mypy and pytest bring there

ROOT = Path(__file__).parents[1]
#: What a test says of nbner's own computing holds for all versions; these call the packages.
TOUCHING = {
    "spaCy": ("nlp", "decoding/test_against_spacy.py", "io/test_docbin.py", "training"),
    "SQLAlchemy": ("store/test_store.py", "store/test_servers.py", "store/test_concurrency.py"),
    "pandas, pyarrow": ("io/test_tables.py", "session/test_session.py"),
    "matplotlib": ("common/test_plots.py", "common/test_plot_texts.py"),
    "anywidget, ipywidgets": ("widgets",),
    "dask": ("session/test_dask.py", "corpus/test_cluster.py"),
}
SUITES = {
    "self-test": ["-m", "nbner.check"],
    **{
        name: ["-m", "pytest", "-q", *(f"tests/{place}" for place in places)]
        for name, places in TOUCHING.items()
    },
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


def run(name: str, constraints: list[str], interpreter: str) -> dict[str, str]:
    """Make the environment of one set, run all suites in it, and return what came of each."""
    folder = ROOT / ".matrix" / name
    subprocess.run([interpreter, "-m", "venv", "--clear", str(folder)], check=True)
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
        "import platform; from importlib.metadata import version;"
        "print('Python', platform.python_version());"
        f"[print(name, version(name)) for name in {SHOWN}]"
    )
    asked = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return ", ".join(asked.stdout.splitlines())


def main(arguments: list[str] | None = None) -> int:
    """Run the sets that are asked for, print a line for each, and return 1 if one failed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("sets", nargs="*", default=["oldest", "newest"], help="oldest, newest")
    parser.add_argument("--python", default=sys.executable, help="the interpreter of the sets")
    given = parser.parse_args(arguments)
    results = {
        name: run(name, oldest() if name == "oldest" else [], given.python) for name in given.sets
    }
    for name, found in results.items():
        told = "; ".join(f"{suite}: {state}" for suite, state in found.items())
        sys.stdout.write(f"{name}: {told}\n")
    return int(any("failed" in found.values() for found in results.values()))


if __name__ == "__main__":
    sys.exit(main())
