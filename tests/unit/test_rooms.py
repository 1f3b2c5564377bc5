"""The rooms of the house: which may import which, and who may import what."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "nbner"

# Bottom up: a room imports only from itself and from rooms before it.
ROOMS = (
    "errors",
    "types",
    "palette",
    "data",
    "model",
    "decode",
    "analysis",
    "plots",
    "results",
    "widgets",
    "labelling",
    "auditing",
    "reviewing",
    "quizzing",
    "settling",
    "mending",
    "session",
    "simulating",
)
HEAVY = {"spacy", "thinc", "pandas", "matplotlib", "sqlalchemy", "anywidget", "ipywidgets", "tqdm"}
FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(file):
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


def test_every_file_is_in_a_room():
    assert {room_of(file) for file in FILES} <= {*ROOMS, "__init__"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_a_room_imports_only_from_rooms_before_it(file):
    if room_of(file) == "__init__":
        return
    allowed = set(ROOMS[: ROOMS.index(room_of(file)) + 1])
    inner = {name.split(".")[1] for name in imports(parsed(file)) if name.startswith("nbner.")}
    assert inner - {"__version__"} <= allowed


@pytest.mark.parametrize(
    ("library", "homes"),
    [
        ("anywidget", {"widgets"}),
        ("ipywidgets", {"widgets"}),
        ("spacy", {"model", "decode", "data/formats/docbin.py", "data/formats/docbin_writing.py"}),
        ("thinc", {"model", "decode"}),
        ("sqlalchemy", {"data"}),
        ("matplotlib", {"plots", "results"}),
    ],
)
def test_a_library_is_imported_in_its_rooms_alone(library, homes):
    users = {
        str(file.relative_to(PACKAGE))
        for file in FILES
        if library in {name.split(".")[0] for name in imports(parsed(file))}
        # A name that only annotations need is not a dependency at run time.
        and not only_for_types(parsed(file), library)
    }
    strangers = {user for user in users if user not in homes and user.split("/")[0] not in homes}
    assert strangers == set()


def only_for_types(tree, library):
    guarded = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    inside = sum(name.split(".")[0] == library for node in guarded for name in imports(node))
    return inside == sum(name.split(".")[0] == library for name in imports(tree))


def test_the_public_face_imports_nothing_heavy():
    tree = parsed(PACKAGE / "__init__.py")
    top = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    names = {name.split(".")[0] for node in top for name in imports(ast.Module([node], []))}
    assert names.isdisjoint(HEAVY)
