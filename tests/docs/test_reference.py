"""The reference names types that there are, and attributes that they have."""

import inspect
import re
from pathlib import Path

import pytest

import nbner
from nbner import results
from nbner.session.experiments import ExperimentsAccessor
from nbner.session.labels import LabelSet
from nbner.session.model import ModelAccessor
from nbner.session.quality import QualityAccessor
from nbner.session.store import StoreAccessor

PACKAGE = Path(nbner.__file__).parent
TYPES = {
    name: getattr(module, name)
    for module in (nbner, results)
    for name in dir(module)
    if name[0].isupper()
}
#: Classes of the package, whatever their module, and of other libraries.
CLASSES = {
    name
    for file in PACKAGE.rglob("*.py")
    for name in re.findall(r"^class (\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
} | {"Axes", "DataFrame", "Language", "Path", "Series"}
#: Attributes of what an attribute or a call of the result returns.
FURTHER = {
    ("AnnotationProgress", "better"),
    ("Consistency", "undo"),
    ("DataWarnings", "examples"),
    ("Evaluation", "scorers"),  # the method's parameter
}
OWNERS = [
    *(nbner.Session, ExperimentsAccessor, LabelSet, ModelAccessor, QualityAccessor, StoreAccessor),
    *(nbner.Annotator, *{one for one in TYPES.values() if inspect.isclass(one)}),
]


def documented():
    """Yield the name, the first type and the text of each documented return."""
    functions = {
        f"{owner.__name__}.{name}": member
        for owner in OWNERS
        for name, member in inspect.getmembers(owner)
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property))
    }
    functions |= {name: one for name, one in vars(nbner).items() if inspect.isfunction(one)}
    for name, one in sorted(functions.items()):
        found = re.search(
            r"^Returns\n-+\n([A-Z]\w+)\b.*\n((?:    .*\n?|\n)*)",
            inspect.getdoc(one) or "",
            re.MULTILINE,
        )
        if found and found[1] not in ("None", "True", "False"):
            yield name, found[1], found[2]


RETURNS = list(documented())


def test_returns_are_found():
    assert len(RETURNS) > 60


@pytest.mark.parametrize(("name", "kind", "text"), RETURNS, ids=[one[0] for one in RETURNS])
def test_what_is_returned_has_the_attributes_that_are_named(name, kind, text):
    assert kind in CLASSES, f"{name}: there is no {kind}"
    if kind in TYPES:
        owner = TYPES[kind]
        there = {*dir(owner), *getattr(owner, "__dataclass_fields__", {})}
        named = set(re.findall(r"``([a-z_]\w*)(?:\([^`]*\))?``", text))
        assert {one for one in named - there if (kind, one) not in FURTHER} == set(), name
