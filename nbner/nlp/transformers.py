"""Transformer components: missing packages and their own optimizer settings.

spaCy keeps transformers in packages of their own, which bring PyTorch. nbner
imports neither of them: it reads a pipeline's config.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import spacy

if TYPE_CHECKING:
    from spacy.language import Language

_LOG = logging.getLogger(__name__)

# spaCy's factories for transformers, with the package that provides each.
_FACTORIES = {
    "transformer": "spacy-transformers",
    "curated_transformer": "spacy-curated-transformers",
}

# The parts of a pipeline's own training config that set how fast its transformer changes.
_OPTIMIZER_KEYS = ("optimizer", "accumulate_gradient")


def missing_packages(name: str) -> list[str]:
    """Return the packages for transformers that a saved pipeline needs and that are missing.

    None for a pipeline whose config is damaged: it explains another error.

    Parameters
    ----------
    name : str
        Name of an installed pipeline package, or a folder.
    """
    try:
        config = _config_of(name)
    except Exception:  # noqa: BLE001 - a damaged file raises whatever its bytes bring about
        _LOG.debug("the config of %s cannot be read", name, exc_info=True)
        return []
    needed = {package for package in _FACTORIES.values() if _needs(config, package)}
    return sorted(one for one in needed if find_spec(one.replace("-", "_")) is None)


def transformers_of(nlp: Language) -> tuple[str, ...]:
    """Return the names of the pipeline's transformer components.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    """
    return tuple(name for name in nlp.pipe_names if nlp.get_pipe_meta(name).factory in _FACTORIES)


def own_optimizer_settings(nlp: Language) -> dict[str, Any]:
    """Return the optimizer settings of a pipeline's own training config.

    At the learning rate of small layers, a trained transformer loses what it
    has learnt: packaged pipelines hold a rate that warms up from zero and stays
    at some 1e-5.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    """
    training: Mapping[str, Any] = nlp.config.get("training", {})
    return {key: training[key] for key in _OPTIMIZER_KEYS if training.get(key)}


def _config_of(name: str) -> Mapping[str, Any]:
    folder = spacy.util.get_package_path(name) if spacy.util.is_package(name) else Path(name)
    # A package holds its pipeline in a folder with the version in its name.
    found = sorted(folder.glob("config.cfg")) or sorted(folder.glob("*/config.cfg"))
    return spacy.util.load_config(found[0]) if found else {}


def _needs(config: Mapping[str, Any], package: str) -> bool:
    """Return whether a config names a factory or a function of a package."""
    factories = {name for name, owner in _FACTORIES.items() if owner == package}
    return any(
        value.startswith(f"{package}.") or (key == "factory" and value in factories)
        for key, value in _strings(config)
    )


def _strings(section: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in section.items():
        if isinstance(value, str):
            yield key, value
        elif isinstance(value, Mapping):
            yield from _strings(value)
