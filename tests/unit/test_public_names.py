"""The public names of the package, of `Session` and of its accessors, and how classes are built."""

import ast
import importlib
import inspect
import pkgutil
from itertools import pairwise
from pathlib import Path

import pytest

import nbner

PACKAGE = Path(nbner.__file__).parent

NBNER = """
    Annotator Answer Counts DataError Evaluation Example ImportReport ModelError NbnerError Parse
    SampleCorpus Session SimulatedAnnotator Span StoreError TextProbabilities Token
    TrainingError TrainingReport __version__
    annotate_with differences evaluate predict_batch quiz read read_model registry results sample
    simulate token_rows write
"""
SESSION = """
    labels guidelines nlp dataset annotator seed summary
    add export examples answers counts add_labels
    manual make_gold confident_suggestions review
    train predict label_corpus estimate_corpus corpus_drift evaluate errors compare
    parses oracle_curve explain close
    model quality experiments store
"""
ACCESSORS = {
    "model": """
        span_probabilities action_scores token_features calibrate calibrate_lists decide rerank
        ensemble use runs
    """,
    "quality": """
        label_issues consistency agreement tokenization data_warnings anchoring progress
        outdated_answers
    """,
    "experiments": "learning_curve compare_training coverage parity determinism differences",
    "store": "history at restore backup verify",
}


@pytest.fixture(scope="module")
def session():
    with nbner.Session("names", labels=["Tool"], store=":memory:") as opened:
        yield opened


def test_the_package_has_these_names():
    assert sorted(NBNER.split()) == sorted(nbner.__all__) == dir(nbner)


def test_a_session_has_these_names(session):
    assert dir(session) == sorted(SESSION.split())


@pytest.mark.parametrize("accessor", ACCESSORS)
def test_an_accessor_has_these_names(session, accessor):
    assert dir(getattr(session, accessor)) == sorted(ACCESSORS[accessor].split())


@pytest.mark.parametrize("accessor", ACCESSORS)
def test_an_accessor_is_made_once(session, accessor):
    assert getattr(session, accessor) is getattr(session, accessor)


def test_every_public_name_of_a_session_is_documented(session):
    kinds = [type(session), *(type(getattr(session, one)) for one in ACCESSORS)]
    bare = [
        f"{kind.__name__}.{name}"
        for kind in kinds
        for name, value in vars(kind).items()
        if not name.startswith("_") and not inspect.getdoc(value)
    ]
    assert bare == []


def test_every_parameter_of_a_session_is_documented(session):
    kinds = [type(session), *(type(getattr(session, one)) for one in ACCESSORS)]
    bare = [
        f"{kind.__name__}.{name}({parameter})"
        for kind in kinds
        for name, method in vars(kind).items()
        if not name.startswith("_") and inspect.isfunction(method)
        for parameter in list(inspect.signature(method).parameters)[1:]
        if not documents(inspect.getdoc(method), parameter)
    ]
    assert bare == []


def documents(text, parameter):
    """Whether a docstring has an entry for a parameter, with a line below it."""
    lines = text.split("\n")
    return any(
        parameter in line.split(" : ")[0].split(", ") and following.startswith("    ")
        for line, following in pairwise(lines)
        if " : " in line
    )


def test_no_class_inherits_from_more_than_two_of_ours():
    many = {
        kind.__qualname__: len(ours)
        for kind in classes()
        if len(ours := [one for one in kind.__mro__[1:] if is_ours(one)]) > 2
    }
    assert many == {}


def classes():
    for module in pkgutil.walk_packages(nbner.__path__, "nbner."):
        for value in vars(importlib.import_module(module.name)).values():
            if inspect.isclass(value) and value.__module__ == module.name:
                yield value


def is_ours(kind):
    return kind.__module__.split(".")[0] == "nbner"


def test_no_module_reads_a_private_attribute_of_a_class_of_ours():
    ours, read = set(), []
    for file in PACKAGE.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        ours.update(private_names(tree))
        read += [
            (file, node)
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and is_private(node.attr)
            and not (isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"})
            and not is_super(node.value)
        ]
    found = [
        f"{file.relative_to(PACKAGE)}:{node.lineno}: {ast.unparse(node)}"
        for file, node in read
        if node.attr in ours
    ]
    assert found == []


def private_names(tree):
    """Yield the private methods and attributes that the classes of a module define."""
    for kind in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
        for node in ast.walk(kind):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and is_private(node.name):
                yield node.name
            elif isinstance(node, ast.Attribute) and is_set(node) and is_private(node.attr):
                yield node.attr


def is_set(node):
    return isinstance(node.ctx, ast.Store)


def is_private(name):
    return name.startswith("_") and not name.endswith("_")


def is_super(node):
    return (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"
    )


def test_private_access_is_excused_for_foreign_libraries_alone():
    excused = [
        f"{file.relative_to(PACKAGE)}: {line.strip()}"
        for file in PACKAGE.rglob("*.py")
        for line in file.read_text(encoding="utf-8").splitlines()
        if "noqa: SLF" in line and "_ensure_labels_are_added" not in line
    ]
    assert excused == []
