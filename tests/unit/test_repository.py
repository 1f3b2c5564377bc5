"""The house rules that can be read off the files."""

import json
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
TOP = {
    *("pyproject.toml", "nbner", "js", "notebooks", "tests", "README.md", "Makefile", "LICENSE"),
    *("CHANGELOG.md", "CONTRIBUTING.md", ".ci", ".gitignore", "docs"),
    *("SECURITY.md", "CODE_OF_CONDUCT.md", "RELEASING.md", ".github", ".pre-commit-config.yaml"),
}
HOME = re.compile(r"(?<![\w.])/(?:home|root|Users|work|tmp)/\w")
# A name space of the SVG standard is a name, not an address that anything is fetched from.
NAMES = ("http://www.w3.org/", "http://127.0.0.1")


def tracked():
    """Give the files that git knows; in a folder without git, all that are not made."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split("\0")
        return [ROOT / name for name in listed if name and (ROOT / name).is_file()]
    made = {"node_modules", ".venv", "static", "__pycache__", "demo", "dist"}
    return [f for f in ROOT.rglob("*") if f.is_file() and made.isdisjoint(f.parts)]


def test_the_top_level_holds_nothing_else():
    assert {file.relative_to(ROOT).parts[0] for file in tracked()} <= TOP


def test_the_lock_file_carries_no_address():
    lock = json.loads((ROOT / "js/package-lock.json").read_text())
    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []
    assert "http" not in json.dumps(
        {n: {k: v for k, v in e.items() if k != "funding"} for n, e in lock["packages"].items()}
    )


def test_notebooks_are_kept_without_outputs_and_paths():
    for file in (ROOT / "notebooks").glob("*.ipynb"):
        notebook = json.loads(file.read_text(encoding="utf-8"))
        code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
        assert code, file.name
        assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
        assert not HOME.search(file.read_text(encoding="utf-8")), file.name


def test_the_bundle_carries_no_path_and_no_address():
    for file in (ROOT / "nbner/widgets/static").iterdir():
        text = file.read_text(encoding="utf-8")
        addresses = re.findall(r"https?://[^\s\"'`)]+", text)
        assert [one for one in addresses if not one.startswith(NAMES)] == [], file.name
        assert not HOME.search(text), file.name


def test_the_version_stands_in_one_place():
    assert not re.search(r"^version\s*=", (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert "version" not in json.loads((ROOT / "js/package.json").read_text())


def test_relative_links_of_the_documents_lead_somewhere():
    documents = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    for file in (*documents, *(one for one in tracked() if one.suffix == ".md")):
        text = file.read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", text):
            if "_generated/" in target:
                continue  # made while the site is built, which fails where one is missing
            assert (file.parent / target).exists(), f"{file.name} links to {target}"


def test_what_contributing_names_is_there():
    """Files and folders in the tables of packages and of public names."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.split("## The packages")[1].split("## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")]
    named = {name for row in rows for name in re.findall(r"`([\w/]+(?:\.py|/))`", row)}
    assert {"registry.py", "store/", "session/session.py"} <= named
    # The second table's paths begin in the package; the first one names folders in folders.
    roots = [ROOT / "nbner", *(one for one in (ROOT / "nbner").iterdir() if one.is_dir())]
    missing = {one for one in named if not any((root / one).exists() for root in roots)}
    assert missing - {"js/"} == set()
