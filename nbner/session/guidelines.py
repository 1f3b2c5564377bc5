"""The guideline of a session: read, checked and kept in the store."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbner._common.guidelines import DefinedLabels, Guidelines
from nbner._common.serialization import find_lone_surrogate
from nbner.errors import DataError
from nbner.quality.outdated_answers import GuidelineVersion
from nbner.session.context import SessionContext
from nbner.store.dataset import Dataset

_SETTING = "guidelines"
# In a stored guideline: the version that says the same under another name of a label.
_SAME_AS = "same_as"

#: Characters of a guideline, which goes to the page as one message.
MAX_CHARACTERS = 2_000_000
#: Characters of a definition, which is shown beside its label.
MAX_DEFINITION = 1_000

_SUFFIXES = (".md", ".markdown", ".txt")


def read_guidelines(given: str | Path | None) -> str | None:
    """Return the Markdown that ``Session(guidelines=...)`` was given.

    Parameters
    ----------
    given : str or Path, optional
        Markdown, or the path of a file with it: a `Path`, or one line that ends
        in ``.md``, ``.markdown`` or ``.txt``.

    Returns
    -------
    str or None
        The text; None where nothing was given.

    Raises
    ------
    DataError
        There is no such file, it is not UTF-8, or the text is too long.
    """
    if given is None:
        return None
    if not isinstance(given, (str, os.PathLike)):
        raise DataError(
            f"{given!r} is neither Markdown nor a path",
            field="guidelines",
            remedy='Write guidelines="# Rules ...", or guidelines="rules.md"',
        )
    text = given if isinstance(given, str) and not _is_path(given) else _read_file(Path(given))
    if find_lone_surrogate(text) is not None or "\0" in text:
        raise DataError(
            "the text holds the character NUL or half of a surrogate pair",
            field="guidelines",
            remedy="Remove it",
        )
    if len(text) > MAX_CHARACTERS:
        raise DataError(
            f"the guideline has {len(text):,} characters, and at most {MAX_CHARACTERS:,} are shown",
            field="guidelines",
            remedy="Shorten it, or link to the rest",
        )
    return "\n".join(text.splitlines()).strip("\n")


def read_definitions(labels: object) -> dict[str, str] | None:
    """Return the definitions in ``Session(labels={...})``; None for a plain list of labels.

    Parameters
    ----------
    labels : mapping or sequence, optional
        Label to its definition; an empty one, or None, is no definition.

    Raises
    ------
    DataError
        A definition is no text, or too long.
    """
    if not isinstance(labels, Mapping):
        return None
    return {label: _checked(label, text) for label, text in labels.items()}


def check_definitions(definitions: object, labels: tuple[str, ...]) -> dict[str, str]:
    """Return checked definitions of labels that exist.

    Parameters
    ----------
    definitions : mapping
        Label to its definition, unchecked.
    labels : tuple of str
        The labels of the session.

    Raises
    ------
    DataError
        It is no mapping, a label is not one of the session's, or a definition
        is no text or too long.
    """
    if not isinstance(definitions, Mapping):
        raise DataError(
            f"definitions are a mapping, not {definitions!r}",
            field="definitions",
            remedy='session.labels.define({"Dish": "A prepared thing one can order"})',
        )
    missing = [one for one in definitions if one not in labels]
    if missing:
        raise DataError(
            f"{missing[0]!r} has a definition and is not one of the labels "
            f"{', '.join(labels) or '(there are none)'}",
            field="definitions",
            remedy=f"Add it with session.add_labels([{missing[0]!r}]), or correct the name",
        )
    return {label: _checked(label, text) for label, text in definitions.items()}


def load_guidelines(dataset: Dataset) -> Guidelines:
    """Return the newest guideline of a dataset; an empty one where there is none.

    Parameters
    ----------
    dataset : Dataset
        The dataset.
    """
    return _from_json(dataset.settings.get(_SETTING))


def update_guidelines(
    dataset: Dataset,
    text: str | None = None,
    definitions: Mapping[str, str] | None = None,
    defaults: object = None,
) -> Guidelines:
    """Store what has changed of a dataset's guideline as a new version.

    Parameters
    ----------
    dataset : Dataset
        Its answers know the version from then on.
    text : str, optional
        The new guideline; None keeps the present one.
    definitions : mapping, optional
        New definitions of some labels; an empty one takes a definition away.
    defaults : object
        Labels; `DefinedLabels` bring a guideline for a dataset that never had one.

    Returns
    -------
    Guidelines
        The newest version.
    """
    stored = dataset.settings.get(_SETTING)
    before = _from_json(stored)
    start = before
    if stored is None and isinstance(defaults, DefinedLabels):
        start = defaults.guidelines
    merged = {**start.definitions, **(definitions or {})}
    after = Guidelines(
        start.text if text is None else text,
        {label: one for label, one in merged.items() if one},
    )
    if after != before:
        dataset.settings.set(_SETTING, _to_json(after))
    dataset.answer_version = after.version
    return after


def rename_definition(dataset: Dataset, old: str, new: str) -> Guidelines:
    """Move a label's definition to its new name.

    Parameters
    ----------
    dataset : Dataset
        The dataset.
    old, new : str
        The names.
    """
    before = load_guidelines(dataset)
    if old not in before.definitions:
        return before
    definitions = {
        new if label == old else label: text for label, text in before.definitions.items()
    }
    after = Guidelines(before.text, definitions)
    # Under another name the rules are the same: no answer becomes older by that.
    dataset.settings.set(_SETTING, {**_to_json(after), _SAME_AS: before.version})
    dataset.answer_version = after.version
    return after


def define_labels(context: SessionContext, definitions: Mapping[str, str]) -> Guidelines:
    """Store definitions of labels, and show them in every open widget.

    Parameters
    ----------
    context : SessionContext
        The session.
    definitions : mapping
        Label to its definition; an empty text takes one away.

    Raises
    ------
    DataError
        A label is not one of the session's.
    """
    checked = check_definitions(definitions, context.labels)
    show_guidelines(context, update_guidelines(context.dataset, definitions=checked))
    return context.answer_bus.guidelines


def show_guidelines(context: SessionContext, guidelines: Guidelines) -> None:
    """Show a guideline in every open widget.

    Parameters
    ----------
    context : SessionContext
        The session.
    guidelines : Guidelines
        The guideline.
    """
    context.answer_bus.guidelines = guidelines
    for widget in (*context.annotators, *context.explorers):
        widget.update_labels()


def guideline_versions(dataset: Dataset) -> dict[str, GuidelineVersion]:
    """Return the versions of a dataset's guideline by their hashes, the oldest first.

    Versions that differ in the name of a label are one.

    Parameters
    ----------
    dataset : Dataset
        The dataset.
    """
    found: dict[str, GuidelineVersion] = {}
    for since, value in dataset.settings.history(_SETTING):
        guidelines = _from_json(value)
        if not guidelines or guidelines.version in found:
            continue
        same = found.get(str(value.get(_SAME_AS)))
        number = 1 + len({one.number for one in found.values()})
        found[guidelines.version] = same or GuidelineVersion(number, since, guidelines)
    return found


def _to_json(guidelines: Guidelines) -> dict[str, Any]:
    return {"text": guidelines.text, "definitions": dict(guidelines.definitions)}


def _from_json(value: Any) -> Guidelines:
    """Build a guideline from a stored value, of which a newer nbner may have made more."""
    if not isinstance(value, Mapping):
        return Guidelines()
    definitions = value.get("definitions")
    pairs = definitions.items() if isinstance(definitions, Mapping) else ()
    return Guidelines(
        str(value.get("text") or ""), {str(label): str(text) for label, text in pairs if text}
    )


def _checked(label: object, text: object) -> str:
    if text is None:
        return ""
    if not isinstance(text, str) or find_lone_surrogate(text) is not None or "\0" in text:
        raise DataError(
            f"the definition of {label!r} is {text!r}",
            field="labels",
            remedy="Give it as a text, or as None for no definition",
        )
    if len(text) > MAX_DEFINITION:
        raise DataError(
            f"the definition of {label!r} has {len(text):,} characters, and at most "
            f"{MAX_DEFINITION:,} are shown beside a label",
            field="labels",
            remedy="Write the rest into guidelines=",
        )
    return " ".join(text.split())


def _is_path(given: str) -> bool:
    return given.lower().endswith(_SUFFIXES) and len(given.splitlines()) == 1 and given[:1] != "#"


def _read_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = "is not UTF-8" if isinstance(error, UnicodeError) else "cannot be read"
        raise DataError(
            f"the guideline {path} {reason}: {error}",
            field="guidelines",
            remedy="Name a text file in UTF-8, or give the text itself",
        ) from error
