"""The tokenizer: what it cannot express, and rules that change that."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbner.faces.foundation import Foundation

if TYPE_CHECKING:
    from nbner.nlp.tokenizer_rules import Rule
    from nbner.quality.tokenization.report import Tokenization

_SETTING = "tokenizer rules"


class Tokenizing(Foundation):
    """Ask the tokenizer, and teach it."""

    def tokenization(self, split: str | None = None) -> Tokenization:
        """Find the spans that the tokenizer cannot express, and rules that would help.

        Nothing is changed before ``apply`` is called on what this returns.

        Parameters
        ----------
        split : str, optional
            By default all.

        Returns
        -------
        Tokenization
            ``frame`` (a row a span, with why), ``rules``, ``effects`` (a row a
            rule: what it fixes and what it changes), ``changes(rule)``,
            ``apply(rule)`` and ``undo()``.
        """
        from nbner.quality.tokenization.diagnosis import diagnose
        from nbner.quality.tokenization.report import Tokenization

        found = diagnose(self._nlp, list(self._dataset.examples(split)))
        return Tokenization(found, split, self._add_rules, self._undo_rules)

    def _load_rules(self) -> None:
        """Give the pipelines the rules of the dataset."""
        from nbner.nlp.tokenizer_rules import from_json, set_rules

        rules = from_json(self._dataset.settings.get(_SETTING, []))
        for nlp in (self._base, self._nlp):
            set_rules(nlp, rules)

    def _add_rules(self, rules: tuple[Rule, ...]) -> None:
        from nbner.nlp.tokenizer_rules import from_json

        before = from_json(self._dataset.settings.get(_SETTING, []))
        self._set_rules(before, tuple(dict.fromkeys((*before, *rules))))

    def _undo_rules(self) -> tuple[Rule, ...]:
        from nbner.nlp.tokenizer_rules import from_json

        # Rules are put on and taken off in turn, so that what held before is shorter.
        history = [from_json(value) for _, value in self._dataset.settings.history(_SETTING)]
        before = history[-1] if history else ()
        earlier = [rules for rules in history[:-1] if len(rules) < len(before)]
        after = earlier[-1] if earlier else ()
        self._set_rules(before, after)
        return after

    def _set_rules(self, before: tuple[Rule, ...], after: tuple[Rule, ...]) -> None:
        from nbner.nlp.tokenizer_rules import as_json, set_rules

        if before == after:
            return
        for nlp in (self._base, self._nlp):
            set_rules(nlp, after, instead_of=before)
        self._dataset.settings.set(_SETTING, as_json(after))
        runs = self._dataset.runs()
        if runs and (folder := Path(runs[-1]["path"])).is_dir():
            tokenizer: Any = self._nlp.tokenizer
            tokenizer.to_disk(folder / "tokenizer", exclude=["vocab"])
        for widget in list(self._annotators):
            widget.refresh()
