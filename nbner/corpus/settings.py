"""Settings of a corpus run: they decide the content of the target."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from nbner._version import __version__
from nbner.errors import DataError
from nbner.nlp.calibration_meta import load_temperatures
from nbner.nlp.fingerprint import fingerprint

if TYPE_CHECKING:
    from spacy.language import Language

Shape: TypeAlias = Literal["spans", "texts"]
SHAPES: tuple[Shape, ...] = ("spans", "texts")

#: Libraries whose version can change what a model predicts, or how it is written.
_LIBRARIES = ("spacy", "thinc", "numpy", "pyarrow")
#: Columns of the target, which a column that is kept may not be called.
RESERVED: Mapping[Shape, tuple[str, ...]] = {
    "spans": (
        *("row", "start", "end", "token_start", "token_end", "text", "label", "probability"),
    ),
    "texts": ("row", "text", "spans", "expected_errors"),
}


@dataclass(frozen=True, slots=True)
class CorpusSettings:
    """The settings that a target is labelled with.

    Parameters
    ----------
    model : str
        Fingerprint of the pipeline.
    calibration : str
        Hash of its calibration; empty where it has none.
    max_length : int
        Characters of the longest text that the pipeline takes.
    text : str
        Column of the texts.
    keep : tuple of str
        Columns that are kept.
    shape : {"spans", "texts"}
        One row a span, or one row a text.
    probabilities : bool
        Whether the spans have a probability.
    min_probability : float, optional
        Spans below it are left out.
    """

    model: str
    calibration: str
    max_length: int
    text: str = "text"
    keep: tuple[str, ...] = ()
    shape: Shape = "spans"
    probabilities: bool = False
    min_probability: float | None = None

    @property
    def id(self) -> str:
        """Hash of the settings and of the model: 12 hexadecimal digits."""
        return _digest(asdict(self))

    def difference(self, before: Mapping[str, Any]) -> str | None:
        """Return in words how earlier settings differ; None where they do not.

        Parameters
        ----------
        before : mapping
            Settings as a target holds them.
        """
        now = json.loads(json.dumps(asdict(self)))
        parts = [
            f"{_NAMES.get(name, name)} {_shown(before.get(name))} and now is {_shown(value)}"
            for name, value in now.items()
            if before.get(name) != value
        ]
        return ", ".join(parts) or None


_NAMES = {
    "model": "the model was",
    "calibration": "its calibration was",
    "max_length": "nlp.max_length was",
    **{name: f"{name}= was" for name in ("text", "keep", "shape", "probabilities")},
    "min_probability": "min_probability= was",
}


def settings_for(
    nlp: Language,
    *,
    text: str,
    keep: Sequence[str],
    shape: Shape,
    probabilities: bool,
    min_probability: float | None,
) -> CorpusSettings:
    """Check the settings of a run.

    Parameters
    ----------
    nlp : Language
        The trained pipeline.
    text, keep, shape, probabilities, min_probability
        As in `CorpusSettings`; a minimum asks for probabilities.

    Raises
    ------
    DataError
        A shape is not one, a minimum is no probability, or a column that is
        kept has the name of one that is written.
    """
    settings = replace(
        CorpusSettings(fingerprint(nlp), _calibration_of(nlp), nlp.max_length),
        text=text,
        keep=tuple(dict.fromkeys(keep)),
        shape=shape,
        probabilities=probabilities or min_probability is not None,
        min_probability=None if min_probability is None else float(min_probability),
    )
    if shape not in SHAPES:
        raise DataError(f"{shape!r} is no shape", field="shape", remedy='Use "spans" or "texts"')
    if min_probability is not None and not 0 < min_probability <= 1:
        raise DataError(
            f"min_probability={min_probability:g} is not a probability above 0",
            field="min_probability",
            remedy="Give a number such as 0.9, or probabilities=True to leave nothing out",
        )
    for name in settings.keep:
        if name in RESERVED[shape]:
            raise DataError(
                f"a column that is kept cannot be called {name!r}, since the target has one of "
                "that name",
                field="keep",
                remedy="Rename it in the source, or leave it out"
                + (' (shape="texts" holds the texts)' if name == text else ""),
            )
    return settings


@cache
def library_versions() -> dict[str, str]:
    """Return the versions of Python, nbner and the libraries that a result can depend on."""
    others = {name: metadata.version(name) for name in _LIBRARIES}
    return {"python": platform.python_version(), "nbner": __version__, **others}


def _calibration_of(nlp: Language) -> str:
    found = load_temperatures(nlp)
    return "" if found is None else _digest(found)


def _digest(value: Any) -> str:
    written = json.dumps(value, sort_keys=True, default=str).encode()
    return hashlib.sha256(written).hexdigest()[:12]


def _shown(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(repr, value))}]"
    return repr(value)
