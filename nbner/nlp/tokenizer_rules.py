"""Tokenizer rules: adding, removing and serializing infixes and special cases."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from spacy.attrs import ORTH, intify_attr
from spacy.tokenizer import Tokenizer
from spacy.util import compile_infix_regex

from nbner.errors import ModelError

if TYPE_CHECKING:
    from spacy.language import Language

_Piece: TypeAlias = Mapping[str | int, str]  # of a special case: attributes by name or number


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
    replaced : tuple of mapping, optional
        Of a special case, the tokens that the word had before as one, with their
        attributes by name or spaCy's number, as the tokenizer has them:
        ``({"ORTH": "do", "NORM": "do"}, {"ORTH": "n't", "NORM": "not"})``; empty for
        none, None where it is not known.
    """

    kind: Literal["infix", "special case"]
    pattern: str
    pieces: tuple[str, ...] = ()
    replaced: tuple[_Piece, ...] | None = field(default=None, compare=False, repr=False)

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
    return [
        {"kind": one.kind, "pattern": one.pattern, "pieces": list(one.pieces)}
        | ({} if one.replaced is None else {"replaced": [_named(it) for it in one.replaced]})
        for one in rules
    ]


def rules_from_json(stored: Iterable[Mapping[str, Any]]) -> tuple[TokenizerRule, ...]:
    """Convert the JSON values of ``rules_to_json`` back to rules.

    Parameters
    ----------
    stored : iterable of mapping
        One for each rule.
    """
    return tuple(
        TokenizerRule(
            one["kind"],
            one["pattern"],
            tuple(one["pieces"]),
            tuple(map(_numbered, one["replaced"])) if "replaced" in one else None,
        )
        for one in stored
    )


def with_replaced(rule: TokenizerRule, tokenizer: Tokenizer) -> TokenizerRule:
    """Return a rule that knows which special case of a tokenizer it is to replace.

    Parameters
    ----------
    rule : TokenizerRule
        A rule that the tokenizer does not have yet.
    tokenizer : Tokenizer
        The tokenizer.
    """
    if rule.kind != "special case" or not isinstance(tokenizer, Tokenizer):
        return rule
    found = (tokenizer.rules or {}).get(rule.pattern, [])
    return replace(rule, replaced=tuple(dict(one) for one in found))


def _named(piece: _Piece) -> dict[str, str]:
    return {str(key): value for key, value in piece.items()}


def _numbered(piece: Mapping[str, str]) -> _Piece:
    """Undo `_named`: of equal pieces the bytes, and so the model's fingerprint, are equal."""
    return {int(key) if key.isdecimal() else key: value for key, value in piece.items()}


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
    # Of two special cases of one word the later one has replaced the earlier one.
    for rule in reversed(removed):
        _remove_rule(tokenizer, rule, nlp.Defaults.tokenizer_exceptions)
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


def _remove_rule(
    tokenizer: Tokenizer, rule: TokenizerRule, exceptions: Mapping[str, Sequence[_Piece]]
) -> None:
    if rule.kind == "special case":
        if not _has_special_case(tokenizer, rule):
            return
        # Rules of the first versions do not know what they replaced.
        former = exceptions.get(rule.pattern, ()) if rule.replaced is None else rule.replaced
        if former:
            tokenizer.add_special_case(rule.pattern, [dict(one) for one in former])
            return
        tokenizer.rules = {
            word: case for word, case in tokenizer.rules.items() if word != rule.pattern
        }
        return
    before = _infix_pattern(tokenizer) or ""
    pattern = f"{before}|".replace(f"|{rule.pattern}|", "|").removesuffix("|")
    if pattern != before:
        tokenizer.infix_finditer = compile_infix_regex([pattern]).finditer
