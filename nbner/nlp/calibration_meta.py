"""Where a model's temperatures are kept: in its own meta, which travels with it.

The meta names the model that they were fitted for: one that has been trained
further has other probabilities, and starts uncalibrated.
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
    """Write temperatures into a pipeline's meta, and give what was written."""
    kept = {"model": fingerprint(nlp), "overall": overall, "per_label": dict(per_label)}
    nlp.meta[META_KEY] = kept
    return kept


def restore_temperatures(nlp: Language, kept: Mapping[str, Any]) -> None:
    """Write into a pipeline's meta what `save_temperatures` gave, where it was fitted for this very model."""
    if kept.get("model") == fingerprint(nlp):
        nlp.meta[META_KEY] = dict(kept)


def load_temperatures(nlp: Language) -> tuple[float, dict[str, float]] | None:
    """Read the temperatures of a pipeline; None where it has none that were fitted for it."""
    kept = nlp.meta.get(META_KEY)
    if not isinstance(kept, dict) or kept.get("model") != fingerprint(nlp):
        return None
    return float(kept["overall"]), {str(k): float(v) for k, v in kept["per_label"].items()}
