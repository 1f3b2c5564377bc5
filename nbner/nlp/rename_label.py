"""Renaming of a label in a trained pipeline, without training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spacy.pipeline import EntityRecognizer

from nbner.errors import ModelError
from nbner.nlp.calibration_meta import copy_temperatures
from nbner.nlp.crf.component import CrfRecognizer
from nbner.nlp.pipeline import clone_pipeline, entity_labels_of, recognizer_of

if TYPE_CHECKING:
    from spacy.language import Language

#: Factory of the reranker, which knows labels by their names.
_RERANKER = "nbner_reranker"


def rename_labels(nlp: Language, names: Mapping[str, str]) -> Language:
    """Return a copy of a pipeline whose recognizer predicts labels under other names.

    The classes of spaCy's transition system and the tags of the random field keep
    their places in the output layer, so that every probability stays what it was, also
    a calibrated one.

    Parameters
    ----------
    nlp : Language
        The pipeline; not changed. Returned itself where it has none of the labels.
    names : mapping
        Old name to new name.

    Raises
    ------
    ModelError
        A label comes from a component that cannot be renamed, or the new name is one
        of the pipeline's labels too: it must be trained again.
    """
    present = entity_labels_of(nlp)
    wanted = {old: new for old, new in names.items() if old in present}
    if not wanted:
        return nlp
    merged = [new for new in wanted.values() if new in present]
    if merged:
        raise ModelError(
            f"the model tells {', '.join(map(repr, wanted))} and {merged[0]!r} apart, and one "
            "cannot be made of them without training: session.train()"
        )
    if any(nlp.get_pipe_meta(name).factory == _RERANKER for name in nlp.pipe_names):
        raise ModelError(
            "the model has a reranker, whose features name the labels. Learn it again after the "
            "model is trained: session.train(), session.model.rerank()"
        )
    renamed = clone_pipeline(nlp)
    found = recognizer_of(renamed)
    component: Any = None if found is None else found[1]
    if isinstance(component, CrfRecognizer) and component.crf is not None:
        labels = tuple(wanted.get(one, one) for one in component.crf.labels)
        component.crf = replace(component.crf, labels=labels)
    elif isinstance(component, EntityRecognizer):
        _rename_moves(component, wanted)
    left = sorted(set(entity_labels_of(renamed)) & set(wanted))
    if left:
        raise ModelError(
            f"a component of the model other than its recognizer gives {left[0]!r}, and keeps "
            "that name. Change its patterns, or train again: session.train()"
        )
    renamed.meta.update({key: value for key, value in nlp.meta.items() if key not in renamed.meta})
    # They are of one model by its fingerprint, which the labels are a part of.
    copy_temperatures(nlp, renamed, names=wanted)
    return renamed


def _rename_moves(component: Any, wanted: Mapping[str, str]) -> None:
    """Rename labels of a transition system in place, with every action at its index.

    spaCy orders the actions by frequency and then by name when it builds them
    (``TransitionSystem.initialize_actions``): frequencies that fall one by one keep the
    present order whatever the names are.
    """
    moves = component.moves
    before = [moves.get_class_name(i) for i in range(moves.n_moves)]
    actions: dict[int, dict[str, int]] = {}
    for action, frequencies in moves.labels.items():
        order = sorted(((count, label) for label, count in frequencies.items()), reverse=True)
        names = [label for _, label in order]
        actions[action] = {
            wanted.get(label, label): len(names) - i for i, label in enumerate(names)
        }
    for label in wanted.values():
        component.vocab.strings.add(label)
    moves.initialize_actions(actions)
    expected = [_renamed_action(name, wanted) for name in before]
    if [moves.get_class_name(i) for i in range(moves.n_moves)] != expected:
        raise ModelError(
            "this version of spaCy orders the recognizer's actions in a way that does not allow "
            "renaming a label. Train again: session.train()"
        )


def _renamed_action(name: str, wanted: Mapping[str, str]) -> str:
    action, dash, label = name.partition("-")
    return f"{action}{dash}{wanted.get(label, label)}"
