"""Run a notebook without a screen and leave it, with its pictures, in a folder.

python notebooks/run.py notebooks/quickstart.ipynb demo
"""

from __future__ import annotations

import base64
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

LONGEST_CELL_SECONDS = 600


def run(source: Path, target: Path) -> list[Path]:
    """Execute a notebook in a folder; a cell that fails stops it with its traceback.

    Parameters
    ----------
    source : Path
        The notebook, which stays as it is.
    target : Path
        Made if it is not there; also the notebook's working directory.

    Returns
    -------
    list of Path
        The executed notebook, then its pictures in their order.
    """
    target.mkdir(parents=True, exist_ok=True)
    notebook = nbformat.read(source, as_version=4)
    client = NotebookClient(
        notebook,
        timeout=LONGEST_CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(target)}},
    )
    client.execute()
    executed = target / source.name
    nbformat.write(notebook, executed)
    return [executed, *pictures(notebook, target, source.stem)]


def pictures(notebook: nbformat.NotebookNode, target: Path, stem: str) -> list[Path]:
    """Write every picture of a notebook's outputs to a file of its own."""
    data = [
        output.get("data", {})
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    ]
    found = [one["image/png"] for one in data if "image/png" in one]
    files = [target / f"{stem}-{number}.png" for number in range(1, len(found) + 1)]
    for file, picture in zip(files, found, strict=True):
        file.write_bytes(base64.b64decode(picture))
    return files


if __name__ == "__main__":
    for written in run(Path(sys.argv[1]), Path(sys.argv[2])):
        sys.stdout.write(f"{written}\n")
