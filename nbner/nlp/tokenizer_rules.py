"""Rules that cut a tokenizer's tokens further: made, applied, taken back, kept as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from spacy.tokenizer import Tokenizer
from spacy.util import compile_infix_regex

from nbner.errors import ModelError

if TYPE_CHECKING:
    from spacy.language import Language


@dataclass(frozen=True, slots=True)
class TokenizerRule:
    """One rule for spaCy's tokenizer.

    Parameters
    ----------
    kind : {"infix", "special case"}
    pattern : str
        An infix is a regular expression for where, within a word, tokens are
        cut; a special case is the word itself.
    pieces : tuple of str
        What the word of a special case is cut into.
    """

    kind: Literal["infix", "special case"]
    pattern: str
    pieces: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.kind == "infix":
            return f"infix {self.pattern}"
        return f"special case {self.pattern!r} = {' + '.join(map(repr, self.pieces))}"


def rules_to_json(rules: Iterable[TokenizerRule]) -> list[dict[str, Any]]:
    """Write rules as JSON has them."""
    return [{"kind": one.kind, "pattern": one.pattern, "pieces": list(one.pieces)} for one in rules]


def rules_from_json(stored: Iterable[Mapping[str, Any]]) -> tuple[TokenizerRule, ...]:
    """Read what ``rules_to_json`` wrote."""
    return tuple(TokenizerRule(one["kind"], one["pattern"], tuple(one["pieces"])) for one in stored)


def supports_rules(tokenizer: object) -> bool:
    """Whether this tokenizer is made of rules; those of some languages are not."""
    return isinstance(tokenizer, Tokenizer) and _infixes(tokenizer) is not None


def copy_tokenizer(tokenizer: Tokenizer) -> Tokenizer:
    """Make a tokenizer to try rules on; it takes a moment, for it reads a thousand rules."""
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
    """Give a tokenizer one infix more, for a while."""
    before = tokenizer.infix_finditer
    add_rule(tokenizer, rule)
    try:
        yield tokenizer
    finally:
        tokenizer.infix_finditer = before


def set_rules(
    nlp: Language, wanted: Iterable[TokenizerRule], *, instead_of: Iterable[TokenizerRule] = ()
) -> None:
    """Give a pipeline's tokenizer these rules, in place of others that it has got before.

    A rule that is there already is not added again, so that a pipeline which
    was saved with its rules can be given them once more.

    Raises
    ------
    ModelError
        The tokenizer is not made of rules.
    """
    wanted = tuple(wanted)
    gone = [rule for rule in instead_of if rule not in wanted]
    if not wanted and not gone:
        return
    tokenizer = nlp.tokenizer
    if not supports_rules(tokenizer):
        raise ModelError(
            f"the tokenizer of {nlp.lang!r} is not made of rules, so that none can be added. "
            'Keep spans as characters, or use another tokenizer: model="blank:xx".'
        )
    for rule in gone:
        _remove(tokenizer, rule)
    for rule in wanted:
        add_rule(tokenizer, rule)


def _infixes(tokenizer: Tokenizer) -> str | None:
    """Give the expression for infixes; None where it is none."""
    compiled = getattr(tokenizer.infix_finditer, "__self__", None)
    return compiled.pattern if isinstance(compiled, re.Pattern) else None


def add_rule(tokenizer: Tokenizer, rule: TokenizerRule) -> None:
    """Add a rule, unless it is there."""
    if rule.kind == "special case":
        tokenizer.add_special_case(rule.pattern, [{"ORTH": piece} for piece in rule.pieces])
        return
    parts = _infixes(tokenizer) or ""
    if not f"|{parts}|".endswith(f"|{rule.pattern}|") and f"|{rule.pattern}|" not in parts:
        tokenizer.infix_finditer = compile_infix_regex([parts, rule.pattern]).finditer


def _remove(tokenizer: Tokenizer, rule: TokenizerRule) -> None:
    if rule.kind == "special case":
        tokenizer.rules = {
            word: pieces for word, pieces in tokenizer.rules.items() if word != rule.pattern
        }
        return
    parts = f"{_infixes(tokenizer) or ''}|".replace(f"|{rule.pattern}|", "|")
    tokenizer.infix_finditer = compile_infix_regex([parts.removesuffix("|")]).finditer
