"""The annotation guideline of a dataset, with the definitions of its labels."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from html import escape
from types import MappingProxyType
from typing import Any

from nbner._common.format import plural

#: Key in an answer's ``extra`` with the version of the guideline that it was given under.
VERSION_KEY = "guideline"

_VERSION_BYTES = 8


@dataclass(frozen=True, slots=True)
class Guidelines:
    """An annotation guideline and the definitions of labels.

    ``print`` shows its Markdown.

    Parameters
    ----------
    text : str
        The guideline, as Markdown; empty where there is none.
    definitions : mapping
        Label to its definition, as plain text.
    """

    text: str = ""
    definitions: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def version(self) -> str:
        """Hash of text and definitions, which every answer keeps; empty where there are none."""
        if not self:
            return ""
        content = json.dumps([self.text, sorted(self.definitions.items())])
        return blake2b(content.encode(), digest_size=_VERSION_BYTES).hexdigest()

    def __bool__(self) -> bool:
        return bool(self.text or self.definitions)

    def __str__(self) -> str:
        return self.text or "There is no guideline. Session(..., guidelines=...) takes one"

    def __repr__(self) -> str:
        lines = plural(len(self.text.splitlines()), "line")
        defined = plural(len(self.definitions), "definition")
        return f"<Guidelines {self.version or 'empty'}: {lines}, {defined} of labels>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th>{escape(label)}</th><td>{escape(text)}</td></tr>"
            for label, text in self.definitions.items()
        )
        table = f"<table>{rows}</table>" if rows else ""
        return f'<div style="white-space:pre-wrap">{escape(str(self))}</div>{table}'


class DefinedLabels(tuple[str, ...]):
    """Labels that bring a guideline with them, for datasets that have none yet.

    Parameters
    ----------
    labels : iterable of str
        The labels, in the order of their keys.
    guidelines : Guidelines
        The guideline, with definitions of these labels.
    """

    guidelines: Guidelines

    def __new__(cls, labels: Iterable[str], guidelines: Guidelines) -> DefinedLabels:  # noqa: PYI034
        self = super().__new__(cls, labels)
        self.guidelines = guidelines
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return DefinedLabels, (tuple(self), self.guidelines)
