"""Storage of calibration temperatures in a pipeline's meta, which travels with the model.

The meta holds the fingerprint of the model that the temperatures were fitted
for: after further training the probabilities differ, and the temperatures no
longer apply.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nbner.nlp.fingerprint import fingerprint

if TYPE_CHECKING:
    from spacy.language import Language

META_KEY = "nbner_calibration"


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
    entry = {"model": fingerprint(nlp), "overall": overall, "per_label": dict(per_label)}
    nlp.meta[META_KEY] = entry
    return entry


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


def load_temperatures(nlp: Language) -> tuple[float, dict[str, float]] | None:
    """Read a pipeline's temperatures.

    Parameters
    ----------
    nlp : Language
        The pipeline.

    Returns
    -------
    (float, dict of str to float), or None
        Overall and by label; None where none were fitted for this very model.
    """
    entry = nlp.meta.get(META_KEY)
    if not isinstance(entry, dict) or entry.get("model") != fingerprint(nlp):
        return None
    return float(entry["overall"]), {str(k): float(v) for k, v in entry["per_label"].items()}
