"""The annotations of functions that spaCy's registry calls are types, and no strings."""

from importlib.metadata import entry_points

import pytest

from nbner._common.annotations import resolve_annotations

REGISTERED = [
    one
    for group in ("spacy_factories", "spacy_augmenters")
    for one in entry_points(group=group)
    if one.value.startswith("nbner.")
]


@pytest.mark.parametrize("point", REGISTERED, ids=lambda one: one.name)
def test_a_registered_function_has_types(point):
    """The first releases of spaCy 3.8 refuse a pipeline with a factory that has strings."""
    kinds = point.load().__annotations__
    assert len(kinds) > 2
    assert not [name for name, kind in kinds.items() if isinstance(kind, str)]


def test_all_that_are_registered_are_tried():
    assert len(REGISTERED) >= 4


def test_a_name_for_type_checkers_alone_is_refused():
    def function(nlp: "Nowhere"):  # noqa: F821
        return nlp

    with pytest.raises(NameError):
        resolve_annotations(function)
