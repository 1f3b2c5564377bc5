"""Opening of a session: its store, dataset, pipelines, labels and settings."""

from __future__ import annotations

import getpass
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nbner._common.colors import check_colors
from nbner._common.serialization import is_name
from nbner.decoding.lattice_view import LatticeCache
from nbner.errors import DataError
from nbner.nlp.pipeline import (
    RECOGNIZER_KEY,
    choose_recognizer,
    load_base,
    recognizer_names,
)
from nbner.session.context import SessionContext
from nbner.session.guidelines import read_definitions, read_guidelines, update_guidelines
from nbner.session.keys import read_keys, update_keys
from nbner.session.label_changes import rename_model_labels, stored_colors
from nbner.session.labels import (
    present_names,
    set_labels,
    trained_labels,
    under_present_names,
    validated_labels,
)
from nbner.store.store import Store
from nbner.teaching.quiz.storage import ensure_not_quiz_dataset
from nbner.training.model_store import ModelStore

if TYPE_CHECKING:
    from spacy.language import Language


def open_context(
    dataset: str,
    *,
    labels: Sequence[str] | Mapping[str, str | None] | None,
    model: str | Path | Language,
    store: str | Path,
    annotator: str | None,
    seed: int,
    recognizer: str | None,
    colors: Mapping[str, str] | None,
    guidelines: str | Path | None,
    keys: Mapping[str, str | None] | None,
) -> SessionContext:
    """Open the store, load the pipelines, and build the state of a session.

    Parameters
    ----------
    dataset : str
        Name of the dataset.
    labels, model, store, annotator, seed, recognizer, colors, guidelines, keys
        As for `Session`.

    Raises
    ------
    StoreError, ModelError, DataError
        As for `Session`.
    """
    chosen = check_colors(colors)
    given = None if labels is None else validated_labels(labels)
    name = _validated_annotator(annotator)
    text, definitions = read_guidelines(guidelines), read_definitions(labels)
    base = load_base(model)
    if recognizer is not None:
        choose_recognizer(base, recognizer)
    opened = Store(store)
    found = opened.dataset(dataset)
    ensure_not_quiz_dataset(found)
    models = ModelStore(found, store)
    checked = None if given is None else present_names(found, given)
    latest = models.latest()
    keys = under_present_names(found, keys)
    own_keys = read_keys(keys, checked or found.labels or trained_labels(latest or base))
    hidden = () if checked is None else set_labels(found, checked)
    guide = update_guidelines(found, text, under_present_names(found, definitions), labels)
    _settle_recognizer(base, latest, recognizer)
    context = SessionContext(
        store=opened,
        dataset=found,
        annotator=name,
        seed=seed,
        base_nlp=base,
        nlp=latest or base,
        model_store=models,
        labels_follow_data=checked is None,
        lattice_cache=LatticeCache(),
        hidden_labels=hidden,
        chosen_colors={**stored_colors(found), **under_present_names(found, chosen)},
    )
    bus = context.answer_bus
    bus.guidelines, bus.keys = guide, update_keys(found, name, own_keys)
    bus.renamed_labels = found.renamed_labels
    context.set_tokenizer_rules(context.base_nlp)
    models.load_calibration(context.nlp)
    saved = context.nlp
    rename_model_labels(context, found.renamed_labels)
    if context.nlp is not saved:
        # What was fitted since the rename lies under the fingerprint of the new names.
        models.load_calibration(context.nlp)
    return context


def _settle_recognizer(base: Language, latest: Language | None, name: str | None) -> None:
    """Make both pipelines use the same recognizer, and warn where there are several to choose from.

    Parameters
    ----------
    base : Language
        The pipeline that was given; its choice is set if the caller made one.
    latest : Language, optional
        The last trained model.
    name : str, optional
        The caller's choice.
    """
    names = recognizer_names(base)
    if latest is not None and name in recognizer_names(latest):
        choose_recognizer(latest, name)
    if name is not None or len(names) < 2:
        return
    kept = None if latest is None else latest.meta.get(RECOGNIZER_KEY)
    if kept in names:
        choose_recognizer(base, kept)
    elif RECOGNIZER_KEY not in base.meta:
        others = " or ".join(f"recognizer={one!r}" for one in names[1:])
        warnings.warn(
            f"the pipeline has {len(names)} entity recognizers, "
            f"{', '.join(repr(one) for one in names)}: {names[0]!r} is the one that is trained. "
            f"Session(..., {others}) trains another one.",
            stacklevel=5,  # where the session is opened
        )


def _validated_annotator(annotator: str | None) -> str:
    """Return the name under which answers are stored, by default the user's."""
    if annotator is None or annotator == "":
        return _default_annotator()
    if not is_name(annotator):
        raise DataError(
            f"{annotator!r} is not the name of an annotator",
            field="annotator",
            remedy='Use a text: annotator="ann"',
        )
    return annotator


def _default_annotator() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        # A container may run under a user id that has no name.
        return "annotator"
