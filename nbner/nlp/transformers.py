"""Pipelines whose token vectors come from a transformer: what they need, and their pace.

spaCy keeps transformers in packages of their own, which bring PyTorch. nbner
imports neither: it reads a pipeline's config.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import spacy

if TYPE_CHECKING:
    from spacy.language import Language

#: spaCy's factories for them, with the package that has each.
FACTORIES = {
    "transformer": "spacy-transformers",
    "curated_transformer": "spacy-curated-transformers",
}

# What of a pipeline's own training config says how fast its transformer may change.
_PACE = ("optimizer", "accumulate_gradient")


def missing_packages(name: str) -> list[str]:
    """Name the packages for transformers that a saved pipeline asks for and that are not there.

    Parameters
    ----------
    name : str
        Of an installed package, or a folder.
    """
    config = _config_of(name)
    asked = {package for package in FACTORIES.values() if _asks_for(config, package)}
    return sorted(one for one in asked if find_spec(one.replace("-", "_")) is None)


def transformers_of(nlp: Language) -> tuple[str, ...]:
    """Name the pipeline's components that are transformers."""
    return tuple(name for name in nlp.pipe_names if nlp.get_pipe_meta(name).factory in FACTORIES)


def own_optimizer_settings(nlp: Language) -> dict[str, Any]:
    """Give what a pipeline's own config says of how its transformer is trained.

    A transformer that was trained already forgets what it knows at the rate at
    which small layers learn: packaged pipelines hold a rate that begins at
    nothing and stays at some hundred-thousandths.
    """
    training: Mapping[str, Any] = nlp.config.get("training", {})
    return {key: training[key] for key in _PACE if training.get(key)}


def _config_of(name: str) -> Mapping[str, Any]:
    folder = spacy.util.get_package_path(name) if spacy.util.is_package(name) else Path(name)
    # A package holds its pipeline in a folder with the version in its name.
    found = sorted(folder.glob("config.cfg")) or sorted(folder.glob("*/config.cfg"))
    return spacy.util.load_config(found[0]) if found else {}


def _asks_for(config: Mapping[str, Any], package: str) -> bool:
    """Whether a factory or a function of the package is named somewhere in a config."""
    factories = {name for name, owner in FACTORIES.items() if owner == package}
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
