"""Tokenizer rules of a dataset: load them into the pipelines, add and undo them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nbner.nlp.tokenizer_rules import TokenizerRule, rules_from_json, rules_to_json, set_rules
from nbner.session.context import SessionContext

_SETTING = "tokenizer rules"


def load_tokenizer_rules(context: SessionContext) -> None:
    """Add the stored rules of the dataset to both pipelines of a session.

    Parameters
    ----------
    context : SessionContext
        Its ``base_nlp`` and ``nlp`` are changed.
    """
    rules = rules_from_json(context.dataset.settings.get(_SETTING, []))
    for nlp in (context.base_nlp, context.nlp):
        set_rules(nlp, rules)


def add_tokenizer_rules(context: SessionContext, rules: tuple[TokenizerRule, ...]) -> None:
    """Add rules to the tokenizer of a dataset and store them.

    Parameters
    ----------
    context : SessionContext
        Its pipelines are changed, and open widgets load their examples again.
    rules : tuple of TokenizerRule
        Rules to add; those that are in force already are skipped.
    """
    before = rules_from_json(context.dataset.settings.get(_SETTING, []))
    _replace_rules(context, before, tuple(dict.fromkeys((*before, *rules))))


def undo_tokenizer_rules(context: SessionContext) -> tuple[TokenizerRule, ...]:
    """Undo the last addition of rules.

    Parameters
    ----------
    context : SessionContext
        Its pipelines are changed, and open widgets load their examples again.

    Returns
    -------
    tuple of TokenizerRule
        The rules in force afterwards.
    """
    # Additions and undos follow each other in the history: the state before the
    # last addition is the newest one with fewer rules.
    history = [rules_from_json(value) for _, value in context.dataset.settings.history(_SETTING)]
    before = history[-1] if history else ()
    earlier = [rules for rules in history[:-1] if len(rules) < len(before)]
    after = earlier[-1] if earlier else ()
    _replace_rules(context, before, after)
    return after


def _replace_rules(
    context: SessionContext, before: tuple[TokenizerRule, ...], after: tuple[TokenizerRule, ...]
) -> None:
    if before == after:
        return
    for nlp in (context.base_nlp, context.nlp):
        set_rules(nlp, after, instead_of=before)
    context.dataset.settings.set(_SETTING, rules_to_json(after))
    # The saved model is opened with the same tokenizer next time.
    runs = context.dataset.runs()
    if runs and (folder := Path(runs[-1]["path"])).is_dir():
        tokenizer: Any = context.nlp.tokenizer
        tokenizer.to_disk(folder / "tokenizer", exclude=["vocab"])
    context.refresh_annotators()
