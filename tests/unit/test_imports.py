"""Import direction between packages, and which package may import which library."""

import ast
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "nbner"

# A package imports only from itself and from packages with a lower level.
LEVELS = {
    "types": 1,
    "errors": 1,
    "_version": 1,
    "registry": 2,
    "_common": 2,
    "io": 3,
    "store": 4,
    "nlp": 4,
    "decoding": 5,
    "evaluation": 5,
    "quality": 5,
    "active_learning": 6,  # its strategies use the decoder
    "training": 6,
    "widgets": 6,
    "reranking": 7,
    "queues": 7,
    "simulation": 7,
    "corpus": 7,
    "teaching": 8,
    "session": 9,
    "check": 10,
}
HEAVY = {"spacy", "thinc", "pandas", "matplotlib", "sqlalchemy", "anywidget", "ipywidgets", "tqdm"}
FILES = sorted(PACKAGE.rglob("*.py"))


def package_of(file):
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(tree):
    """Yield every module that a file imports, wherever in the file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def parsed(file):
    return ast.parse(file.read_text(encoding="utf-8"))


@cache
def imported(file):
    """Return what a file imports: each file is parsed once for all tests."""
    return tuple(imports(parsed(file)))


def test_every_file_is_in_a_package_with_a_level():
    assert {package_of(file) for file in FILES} <= {*LEVELS, "__init__", "results"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_package_imports_only_from_packages_of_lower_level(file):
    package = package_of(file)
    if package in {"__init__", "results"}:
        return
    inner = {name.split(".")[1] for name in imported(file) if name.startswith("nbner.")}
    inner -= {package}
    assert {name for name in inner if LEVELS[name] >= LEVELS[package]} == set()


@pytest.mark.parametrize(
    ("library", "packages"),
    [
        ("anywidget", {"widgets"}),
        ("ipywidgets", {"widgets"}),
        ("sqlalchemy", {"store"}),
        (
            "spacy",
            {
                "nlp",
                "decoding",
                "evaluation",
                "quality",
                "training",
                "reranking",
                "teaching",
                "io/docbin.py",
                "io/docbin_writing.py",
            },
        ),
    ],
)
def test_a_library_is_imported_in_its_packages_alone(library, packages):
    users = {
        str(file.relative_to(PACKAGE))
        for file in FILES
        if library in {name.split(".")[0] for name in imported(file)}
        # A name that only annotations need is not a dependency at run time.
        and not only_for_types(parsed(file), library)
    }
    strangers = {
        user for user in users if user not in packages and user.split("/")[0] not in packages
    }
    assert strangers == set()


def only_for_types(tree, library):
    guarded = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    inside = sum(name.split(".")[0] == library for node in guarded for name in imports(node))
    return inside == sum(name.split(".")[0] == library for name in imports(tree))


def test_the_top_module_imports_nothing_heavy():
    tree = parsed(PACKAGE / "__init__.py")
    top = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {name.split(".")[0] for node in top for name in imports(ast.Module([node], []))}
    assert names.isdisjoint(HEAVY)


def test_no_two_files_import_each_other():
    """Not even through other files, and not for types alone."""
    modules = {module_of(file): file for file in FILES if file.name != "__init__.py"}
    waiting = {
        module: {name for name in imported(file) if name in modules} - {module}
        for module, file in modules.items()
    }
    # Taking away what imports nothing that is left ends with the cycles.
    while free := {module for module, needed in waiting.items() if not needed & waiting.keys()}:
        waiting = {module: needed for module, needed in waiting.items() if module not in free}
    assert sorted(waiting) == []


def module_of(file):
    return ".".join(("nbner", *file.relative_to(PACKAGE).with_suffix("").parts))


def test_nothing_inside_the_package_imports_the_results_facade():
    users = [file for file in FILES if "nbner.results" in imported(file)]
    assert users == []


def test_widgets_know_plain_values_and_no_store_pipeline_or_session():
    """An import of the store would load SQLAlchemy, which no widget needs."""
    strangers = {"store", "nlp", "decoding", "training", "session"}
    inner = {
        name.split(".")[1]
        for file in FILES
        if package_of(file) == "widgets"
        for name in imported(file)
        if name.startswith("nbner.")
    }
    assert inner & strangers == set()
