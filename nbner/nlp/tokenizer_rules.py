"""Tokenizer rules: adding, removing and serializing infixes and special cases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from spacy.attrs import ORTH, intify_attr
from spacy.tokenizer import Tokenizer
from spacy.util import compile_infix_regex

from nbner.errors import ModelError

if TYPE_CHECKING:
    from spacy.language import Language


@dataclass(frozen=True, slots=True)
class TokenizerRule:
    """One rule of spaCy's tokenizer.

    Parameters
    ----------
    kind : {"infix", "special case"}
        Kind of the rule.
    pattern : str
        Of an infix, a regular expression for the characters within a word at
        which it is split; of a special case, the word itself.
    pieces : tuple of str
        The tokens of a special case.
    """

    kind: Literal["infix", "special case"]
    pattern: str
    pieces: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.kind == "infix":
            return f"infix {self.pattern}"
        return f"special case {self.pattern!r} = {' + '.join(map(repr, self.pieces))}"


def rules_to_json(rules: Iterable[TokenizerRule]) -> list[dict[str, Any]]:
    """Convert rules to JSON values.

    Parameters
    ----------
    rules : iterable of TokenizerRule
        The rules.
    """
    return [{"kind": one.kind, "pattern": one.pattern, "pieces": list(one.pieces)} for one in rules]


def rules_from_json(stored: Iterable[Mapping[str, Any]]) -> tuple[TokenizerRule, ...]:
    """Convert the JSON values of ``rules_to_json`` back to rules.

    Parameters
    ----------
    stored : iterable of mapping
        One for each rule.
    """
    return tuple(TokenizerRule(one["kind"], one["pattern"], tuple(one["pieces"])) for one in stored)


def supports_rules(tokenizer: object) -> bool:
    """Return whether a tokenizer works by spaCy's rules; those of some languages do not.

    Parameters
    ----------
    tokenizer : object
        A pipeline's tokenizer.
    """
    return isinstance(tokenizer, Tokenizer) and _infix_pattern(tokenizer) is not None


def copy_tokenizer(tokenizer: Tokenizer) -> Tokenizer:
    """Return a copy of a tokenizer, to try rules on.

    Parameters
    ----------
    tokenizer : Tokenizer
        Its thousand rules are read again, which takes a moment.
    """
    return Tokenizer(
        tokenizer.vocab,
        rules=tokenizer.rules,
        prefix_search=tokenizer.prefix_search,
        suffix_search=tokenizer.suffix_search,
        infix_finditer=tokenizer.infix_finditer,
        token_match=tokenizer.token_match,
        url_match=tokenizer.url_match,
    )


@contextmanager
def temporary_infix(tokenizer: Tokenizer, rule: TokenizerRule) -> Iterator[Tokenizer]:
    """Add an infix to a tokenizer until the block ends.

    Parameters
    ----------
    tokenizer : Tokenizer
        Changed in place.
    rule : TokenizerRule
        An infix.
    """
    before = tokenizer.infix_finditer
    add_rule(tokenizer, rule)
    try:
        yield tokenizer
    finally:
        tokenizer.infix_finditer = before


def set_rules(
    nlp: Language, wanted: Iterable[TokenizerRule], *, instead_of: Iterable[TokenizerRule] = ()
) -> None:
    """Replace the rules that were added to a pipeline's tokenizer.

    A rule that it has already is not added again, so that the rules of a saved
    pipeline can be set once more.

    Parameters
    ----------
    nlp : Language
        The pipeline; its tokenizer is changed in place.
    wanted : iterable of TokenizerRule
        The rules that it is to have.
    instead_of : iterable of TokenizerRule
        Rules that were added before, to be removed unless wanted.

    Raises
    ------
    ModelError
        The tokenizer does not work by rules.
    """
    wanted = tuple(wanted)
    removed = [rule for rule in instead_of if rule not in wanted]
    if not wanted and not removed:
        return
    tokenizer = nlp.tokenizer
    if not supports_rules(tokenizer):
        raise ModelError(
            f"the tokenizer of {nlp.lang!r} is not made of rules, so that none can be added. "
            'Keep spans as characters, or use another tokenizer: model="blank:xx".'
        )
    for rule in removed:
        _remove_rule(tokenizer, rule)
    for rule in wanted:
        add_rule(tokenizer, rule)


def add_rule(tokenizer: Tokenizer, rule: TokenizerRule) -> None:
    """Add a rule to a tokenizer, unless it has it already.

    Parameters
    ----------
    tokenizer : Tokenizer
        Changed in place.
    rule : TokenizerRule
        The rule.
    """
    if rule.kind == "special case":
        # Each change empties the tokenizer's cache, which another thread may be reading.
        if not _has_special_case(tokenizer, rule):
            tokenizer.add_special_case(rule.pattern, [{"ORTH": piece} for piece in rule.pieces])
        return
    pattern = _infix_pattern(tokenizer) or ""
    if not f"|{pattern}|".endswith(f"|{rule.pattern}|") and f"|{rule.pattern}|" not in pattern:
        tokenizer.infix_finditer = compile_infix_regex([pattern, rule.pattern]).finditer


def _infix_pattern(tokenizer: Tokenizer) -> str | None:
    """Return the regular expression for infixes; None where the tokenizer has none."""
    compiled = getattr(tokenizer.infix_finditer, "__self__", None)
    return compiled.pattern if isinstance(compiled, re.Pattern) else None


def _has_special_case(tokenizer: Tokenizer, rule: TokenizerRule) -> bool:
    """Return whether a tokenizer has a special case with just these pieces."""
    found = (tokenizer.rules or {}).get(rule.pattern, [])
    pieces = [{intify_attr(key): value for key, value in one.items()} for one in found]
    return pieces == [{ORTH: piece} for piece in rule.pieces]


def _remove_rule(tokenizer: Tokenizer, rule: TokenizerRule) -> None:
    if rule.kind == "special case":
        if not _has_special_case(tokenizer, rule):
            return
        tokenizer.rules = {
            word: pieces for word, pieces in tokenizer.rules.items() if word != rule.pattern
        }
        return
    before = _infix_pattern(tokenizer) or ""
    pattern = f"{before}|".replace(f"|{rule.pattern}|", "|").removesuffix("|")
    if pattern != before:
        tokenizer.infix_finditer = compile_infix_regex([pattern]).finditer
