"""Overrides of a run's spaCy config: their forms, and their checks by name."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from catalogue import RegistryError
from spacy.schemas import ConfigSchemaInit, ConfigSchemaNlp, ConfigSchemaTraining
from spacy.util import get_package_path, is_package, load_meta
from thinc.api import Config, ConfigValidationError

from nbner.errors import TrainingError

if TYPE_CHECKING:
    from spacy.language import Language

#: A path to a .cfg file, or a mapping with sections or dotted keys.
ConfigSource: TypeAlias = "str | Path | Mapping[str, Any]"

_KNOWN_KEYS = {
    "training": ConfigSchemaTraining,
    "nlp": ConfigSchemaNlp,
    "initialize": ConfigSchemaInit,
}
_SYSTEM_KEYS = ("gpu_allocator",)
_SECTIONS = ("nlp", "components", "training", "initialize", "paths", "system")
# Keys that nbner sets itself, each with the way to change what it holds.
_RESERVED = {
    "paths.train": "the training data are the session's accepted examples",
    "paths.dev": "the dev data are the session's: dev=",
    "corpora": "the data are the session's",
    "system.seed": "use seed=",
    "training.seed": "use seed=",
    "training.train_corpus": "the training data are the session's accepted examples",
    "training.dev_corpus": "the dev data are the session's: dev=",
}


def read_overrides(source: ConfigSource | None) -> dict[str, Any]:
    """Read overrides into nested sections.

    Parameters
    ----------
    source : mapping, str, Path or None
        ``{"training.dropout": 0.2}``, ``{"training": {"dropout": 0.2}}``, both
        mixed, or the path of a ``.cfg`` file, which may hold any part of a
        config. Of a file, the keys that nbner sets itself (paths of the data,
        readers, seeds) are left out, and so is ``[pretraining]``.

    Returns
    -------
    dict
        Sections with keys and sections, as JSON can hold them where the source
        could.

    Raises
    ------
    TrainingError
        There is no such file, it is not a config, or a key is not a text.
    """
    if source is None:
        return {}
    if isinstance(source, (str, Path)):
        overrides = _read_file(Path(source))
        for name in (*_RESERVED, "pretraining"):
            _remove(overrides, name.split("."))
        return overrides
    if not isinstance(source, Mapping):
        raise TrainingError(
            f"config={source!r} is neither a mapping nor a path. Give dotted keys, such as "
            'config={"training.optimizer.learn_rate": 0.002}, sections, or the path of a .cfg file.'
        )
    overrides = {}
    for keys, value in _leaves(source, ()):
        section = overrides
        for key in keys[:-1]:
            section = section.setdefault(key, {})
            if not isinstance(section, dict):
                raise TrainingError(f"config= gives {'.'.join(keys)!r} and a section of it.")
        section[keys[-1]] = value
    return overrides


def check_overrides(
    overrides: Mapping[str, Any], base: Language, recognizer: str, sourced: Collection[str]
) -> None:
    """Raise an error for an override that names nothing, or that nbner or the base decides on.

    Parameters
    ----------
    overrides : mapping
        From `read_overrides`.
    base : Language
        The pipeline that the run starts from.
    recognizer : str
        Name of the component to train.
    sourced : collection of str
        Components that are taken over with their weights.

    Raises
    ------
    TrainingError
        It names the key, and near ones or the way to set it.
    """
    _check_names("", overrides, _SECTIONS)
    for name, remedy in _RESERVED.items():
        if _has(overrides, name.split(".")):
            raise TrainingError(f"config= cannot set {name!r}, which nbner sets itself: {remedy}.")
    for section, schema in _KNOWN_KEYS.items():
        _check_names(f"{section}.", overrides.get(section, {}), tuple(schema.__annotations__))
    _check_names("system.", overrides.get("system", {}), _SYSTEM_KEYS)
    settings = overrides.get("nlp", {})
    if settings.get("lang", base.lang) != base.lang:
        raise TrainingError(
            f"config= sets 'nlp.lang' to {settings['lang']!r}, and the session's texts are "
            f"tokenized as {base.lang!r}. Use Session(..., model='blank:{settings['lang']}')."
        )
    names = settings.get("pipeline", base.pipe_names)
    if recognizer not in names or not set(base.pipe_names) <= set(names):
        missing = [one for one in base.pipe_names if one not in names]
        raise TrainingError(
            f"config= sets 'nlp.pipeline' without {', '.join(repr(one) for one in missing)}, which "
            f"the session's pipeline has. Name its components in the file: {base.pipe_names}."
        )
    components = overrides.get("components", {})
    _check_names("components.", components, tuple(names))
    for name in components:
        if name in sourced:
            raise TrainingError(
                f"config= sets 'components.{name}', which is taken over as it was trained. "
                + (
                    'Leave it out, or train a new recognizer: session.train(init="scratch").'
                    if name == recognizer
                    else "Leave it out."
                )
            )


def vector_overrides(
    vectors: str | Path, base: Language, recognizer: str, *, continued: bool
) -> dict[str, Any]:
    """Return the overrides that add static word vectors to a new recognizer.

    Parameters
    ----------
    vectors : str or Path
        An installed package or a folder: a pipeline with vectors.
    base : Language
        The pipeline that the run starts from.
    recognizer : str
        Name of the component to train.
    continued : bool
        Whether the recognizer goes on from its weights.

    Raises
    ------
    TrainingError
        There are no such vectors, or the recognizer cannot take them.
    """
    name = str(vectors)
    folder = get_package_path(name) if is_package(name) else Path(name)
    if not (folder / "meta.json").is_file():
        raise TrainingError(
            f"there are no vectors {name!r}: no installed package and no pipeline folder has that "
            "name. Make one with `python -m spacy init vectors`, or install one, such as "
            "en_core_web_md."
        )
    if not load_meta(folder / "meta.json").get("vectors", {}).get("vectors"):
        raise TrainingError(f"the pipeline {name!r} has no word vectors. Give one that has some.")
    if continued:
        raise TrainingError(
            "vectors= needs a new recognizer, since a trained one has its layers already. Train "
            'with session.train(init="scratch", vectors=...).'
        )
    # A folder is stored by its full path: configs outlive the working directory.
    where = name if is_package(name) else str(Path(name).resolve())
    embed = base.config["components"][recognizer]["model"].get("tok2vec", {}).get("embed", {})
    if "include_static_vectors" not in embed:
        raise TrainingError(
            f"the recognizer {recognizer!r} has no embedding of its own that could take vectors. "
            "Set its layers with config=."
        )
    model = {"tok2vec": {"embed": {"include_static_vectors": True}}}
    return {"initialize": {"vectors": where}, "components": {recognizer: {"model": model}}}


@contextmanager
def named_config_errors(overrides: Mapping[str, Any]) -> Iterator[None]:
    """Turn errors of a config with overrides into a ``TrainingError`` that names the keys.

    Parameters
    ----------
    overrides : mapping
        Without any, errors pass as they are.
    """
    try:
        yield
    except ConfigValidationError as error:
        if not overrides:
            raise
        # spaCy names a key by its place in the section that it was checking.
        given = [".".join(keys) for keys, _ in _leaves(overrides, ())]
        wrong = []
        for found in error.errors:
            place = ".".join(str(one) for one in found.get("loc", ()))
            name = next((one for one in given if f".{one}".endswith(f".{place}")), place)
            wrong.append(f"{name!r} ({found.get('msg')})")
        raise TrainingError(
            f"config= does not fit: {'; '.join(wrong) or error}. spaCy documents each function's "
            "settings in its API pages."
        ) from error
    except RegistryError as error:
        if not overrides:
            raise
        raise TrainingError(f"config= does not fit: {' '.join(str(error).split())}") from error


def _read_file(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise TrainingError(
            f"there is no config file {str(path)!r}. Check the path, or give overrides as a "
            'mapping: config={"training.dropout": 0.2}.'
        )
    try:
        return dict(Config().from_disk(path, interpolate=False))
    except (ValueError, OSError) as error:
        raise TrainingError(
            f"{str(path)!r} is not a spaCy config: {' '.join(str(error).split())}"
        ) from error


def _leaves(
    section: Mapping[Any, Any], path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in section.items():
        if not isinstance(key, str) or not all(key.split(".")):
            raise TrainingError(f"config= has the key {key!r}, which is not a name.")
        keys = (*path, *key.split("."))
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, keys)
        else:
            yield keys, value


def _check_names(prefix: str, section: Any, known: Collection[str]) -> None:
    if not isinstance(section, Mapping):
        raise TrainingError(f"config= gives {prefix.rstrip('.')!r} as a value; it is a section.")
    for name in section:
        if name not in known and not (prefix == "" and name == "corpora"):
            near = difflib.get_close_matches(name, known, n=3)
            if not prefix:
                near += [f"training.{name}"] if name in ConfigSchemaTraining.__annotations__ else []
            hint = f"Did you mean {' or '.join(repr(f'{prefix}{one}') for one in near)}?"
            if not near:
                hint = f"There are {', '.join(repr(one) for one in sorted(known))}."
            raise TrainingError(f"config= has no {prefix + name!r} to set. {hint}")


def _has(section: Any, keys: list[str]) -> bool:
    for key in keys:
        if not isinstance(section, Mapping) or key not in section:
            return False
        section = section[key]
    return True


def _remove(section: dict[str, Any], keys: list[str]) -> None:
    *parents, last = keys
    for key in parents:
        if not isinstance(section.get(key), dict):
            return
        section = section[key]
    section.pop(last, None)
