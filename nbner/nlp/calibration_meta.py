"""Storage of calibration temperatures in a pipeline's meta, which travels with the model.

The meta holds the fingerprint of the model that the temperatures were fitted
for: after further training the probabilities differ, and the temperatures no
longer apply.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbner.nlp.fingerprint import fingerprint

if TYPE_CHECKING:
    from spacy.language import Language

META_KEY = "nbner_calibration"
_LISTS = "lists"  # optional key of an entry: the temperature of the states for lists
_LISTS_ALONE = "lists_alone"  # whether the temperatures of span probabilities were not fitted


def save_temperatures(
    nlp: Language, overall: float, per_label: Mapping[str, float]
) -> dict[str, Any]:
    """Write temperatures into a pipeline's meta.

    Parameters
    ----------
    nlp : Language
        The pipeline that they were fitted for; its meta is changed.
    overall : float
        Temperature for all labels together.
    per_label : mapping of str to float
        Temperature by label.

    Returns
    -------
    dict
        The entry that was written.
    """
    entry: dict[str, Any] = {
        "model": fingerprint(nlp),
        "overall": overall,
        "per_label": dict(per_label),
    }
    lists = load_list_temperature(nlp)
    if lists is not None:
        entry[_LISTS] = lists
    nlp.meta[META_KEY] = entry
    return entry


def save_list_temperature(nlp: Language, temperature: float) -> dict[str, Any]:
    """Write the temperature of the states for lists into a pipeline's meta, beside the others.

    Parameters
    ----------
    nlp : Language
        The pipeline that it was fitted for; its meta is changed.
    temperature : float
        The temperature.

    Returns
    -------
    dict
        The entry that was written.
    """
    known = load_temperatures(nlp)
    overall, per_label = known or (1.0, {})
    entry = {
        "model": fingerprint(nlp),
        "overall": overall,
        "per_label": dict(per_label),
        _LISTS: temperature,
        **({} if known else {_LISTS_ALONE: True}),
    }
    nlp.meta[META_KEY] = entry
    return entry


def calibration_entry(nlp: Language) -> dict[str, Any] | None:
    """Return all that a pipeline's meta holds of its calibration.

    Parameters
    ----------
    nlp : Language
        The pipeline.

    Returns
    -------
    dict, optional
        None where nothing was fitted for this very model, and, with a warning, where it
        is damaged.
    """
    return _valid_entry(nlp)


def copy_temperatures(
    source: Language, target: Language, *, names: Mapping[str, str] | None = None
) -> dict[str, Any] | None:
    """Write one pipeline's temperatures into the meta of another with the same recognizer.

    Parameters
    ----------
    source, target : Language
        The pipelines; the meta of ``target`` is changed.
    names : mapping, optional
        Labels of ``source`` that have another name in ``target``, to that name.

    Returns
    -------
    dict, optional
        The entry that was written; None where ``source`` has no temperatures.
    """
    entry = _valid_entry(source)
    if entry is None:
        return None
    renamed = names or {}
    copied = {
        **entry,
        "model": fingerprint(target),
        "per_label": {renamed.get(one, one): value for one, value in entry["per_label"].items()},
    }
    target.meta[META_KEY] = copied
    return copied


def restore_temperatures(nlp: Language, entry: Mapping[str, Any]) -> None:
    """Write an entry of `save_temperatures` into a pipeline's meta, if it was fitted for it.

    Parameters
    ----------
    nlp : Language
        The pipeline, whose meta is changed.
    entry : mapping
        Temperatures with the fingerprint of their model.
    """
    if entry.get("model") == fingerprint(nlp):
        nlp.meta[META_KEY] = dict(entry)


def check_entry(entry: object) -> None:
    """Raise where a value is no entry of `save_temperatures`.

    Parameters
    ----------
    entry : object
        As it was read from a file or a meta.

    Raises
    ------
    ValueError
        A key is missing, or a value is no temperature.
    """
    if not isinstance(entry, Mapping) or not isinstance(entry.get("model"), str):
        raise ValueError("it is no calibration")  # noqa: TRY004 - a damaged file
    labels = entry.get("per_label")
    if not isinstance(labels, Mapping):
        raise ValueError("it has no temperatures by label")  # noqa: TRY004 - a damaged file
    lists = [entry[_LISTS]] if _LISTS in entry else []
    for value in (entry.get("overall"), *labels.values(), *lists):
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or value <= 0:
            raise ValueError(f"{value!r} is no temperature")


def load_temperatures(nlp: Language) -> tuple[float, dict[str, float]] | None:
    """Read a pipeline's temperatures.

    Parameters
    ----------
    nlp : Language
        The pipeline.

    Returns
    -------
    (float, dict of str to float), or None
        Overall and by label; None where none were fitted for this very model,
        and, with a warning, where they are damaged.
    """
    entry = _valid_entry(nlp)
    if entry is None or entry.get(_LISTS_ALONE) is True:
        return None
    return float(entry["overall"]), {str(k): float(v) for k, v in entry["per_label"].items()}


def load_list_temperature(nlp: Language) -> float | None:
    """Read the temperature of the states for a pipeline's lists.

    Parameters
    ----------
    nlp : Language
        The pipeline.

    Returns
    -------
    float, optional
        None where none was fitted for this very model, and, with a warning, where
        it is damaged.
    """
    entry = _valid_entry(nlp)
    return None if entry is None or _LISTS not in entry else float(entry[_LISTS])


def _valid_entry(nlp: Language) -> dict[str, Any] | None:
    """Return the entry in a pipeline's meta; None where it is of another model, or damaged."""
    entry = nlp.meta.get(META_KEY)
    if not isinstance(entry, dict) or entry.get("model") != fingerprint(nlp):
        return None
    try:
        check_entry(entry)
    except ValueError as error:
        del nlp.meta[META_KEY]
        warnings.warn(
            f"The calibration in the meta of the pipeline cannot be used: {error}. Probabilities "
            "are those of the model itself; session.model.calibrate() fits it again.",
            stacklevel=3,
        )
        return None
    return entry
