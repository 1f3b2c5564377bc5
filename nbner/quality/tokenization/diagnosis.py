"""Diagnosis of spans that do not match token boundaries, and of tokenizer rules that help."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from nbner._common.alignment import align
from nbner.io.docbin import tokens_from_doc
from nbner.nlp.tokenizer_rules import (
    TokenizerRule,
    add_rule,
    copy_tokenizer,
    supports_rules,
    temporary_infix,
)
from nbner.types import Example, Span, Token

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokenizer import Tokenizer

Cut: TypeAlias = tuple[Example, tuple[Token, ...]]
Change: TypeAlias = tuple[str, tuple[str, ...]]

_LETTER = r"[^\W\d_]"
_DIGIT = r"\d"


@dataclass(frozen=True, slots=True)
class UntokenizableSpan:
    """A span that does not begin and end at token boundaries.

    Parameters
    ----------
    example : Example
        The example of the span.
    span : Span
        The span.
    tokens : tuple of str
        The tokens inside which it begins or ends.
    reason : str
        The reason in words.
    rules : tuple of TokenizerRule
        Rules that split these tokens at the borders of the span; empty where
        no rule can.
    """

    example: Example
    span: Span
    tokens: tuple[str, ...]
    reason: str
    rules: tuple[TokenizerRule, ...]


@dataclass(frozen=True, slots=True)
class RuleEffect:
    """Effect that a rule would have on the checked texts.

    Parameters
    ----------
    rule : TokenizerRule
        The rule.
    fixes : int
        Number of misaligned spans that it alone would align.
    breaks : int
        Number of aligned spans that it would misalign.
    texts : int
        Number of texts whose tokens it would change.
    token_changes : mapping
        (token, its parts) to their number, the most frequent first.
    """

    rule: TokenizerRule
    fixes: int
    breaks: int
    texts: int
    token_changes: Mapping[tuple[str, tuple[str, ...]], int] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Spans that a tokenizer cannot express, and the effects of rules.

    Parameters
    ----------
    n : int
        Number of examples checked: those whose tokens are the tokenizer's.
    spans : int
        Number of their spans.
    untokenizable : tuple of UntokenizableSpan
        The spans that do not match token boundaries.
    effects : tuple of RuleEffect
        The effects of the rules that would help: those that fix most first,
        and of these those that change least.
    whitespace : tuple of UntokenizableSpan
        Spans of whole tokens that begin or end with a token of whitespace,
        which spaCy cannot learn. No rule helps them.
    """

    n: int
    spans: int
    untokenizable: tuple[UntokenizableSpan, ...]
    effects: tuple[RuleEffect, ...]
    whitespace: tuple[UntokenizableSpan, ...] = ()


def diagnose(nlp: Language, examples: Sequence[Example]) -> Diagnosis:
    """Find the spans that a pipeline's tokenizer cannot express.

    Parameters
    ----------
    nlp : Language
        The pipeline.
    examples : sequence of Example
        Examples to check; those that came with their own tokens are left out,
        because they keep them.
    """
    own = [example for example in examples if not example.pretokenized]
    cut = [(example, _tokens(nlp.tokenizer, example.text)) for example in own]
    found = [
        (example, tokens, span)
        for example, tokens in cut
        for span in align(tokens, example.spans).misaligned
    ]
    can = supports_rules(nlp.tokenizer)
    proposed = {(e.text, s): _proposals(t, s) if can else () for e, t, s in found}
    words = _special_cases(found) if can else {}
    effects: list[RuleEffect] = []
    if found and can:
        trial = copy_tokenizer(nlp.tokenizer)
        infixes = dict.fromkeys(rule for rules in proposed.values() for rule in rules)
        effects = [_effect_of_infix(trial, rule, cut) for rule in infixes]
        effects += _effects_of_words(trial, words, cut)
    useful = [one for one in effects if one.fixes or _is_helpful(one, found)]
    best = {one.rule: one for one in useful}
    untokenizable = tuple(
        _untokenizable_span(example, tokens, span, proposed[example.text, span], words, best)
        for example, tokens, span in found
    )
    wanted = {rule for one in untokenizable for rule in one.rules}
    useful.sort(
        key=lambda one: (one.rule not in wanted, -one.fixes, sum(one.token_changes.values()))
    )
    spans = sum(len(example.spans) for example in own)
    blank = tuple(one for example, tokens in cut for one in _whitespace_spans(example, tokens))
    return Diagnosis(len(own), spans, untokenizable, tuple(useful), blank)


def _whitespace_spans(example: Example, tokens: Sequence[Token]) -> Iterator[UntokenizableSpan]:
    """Yield the spans on token boundaries that begin or end with a token of whitespace."""
    for first, last, span in align(tokens, example.spans).aligned:
        ends = (tokens[first].text, tokens[last - 1].text)
        if any(word.isspace() for word in ends):
            blank = tuple(dict.fromkeys(word for word in ends if word.isspace()))
            reason = "begins or ends with whitespace, which spaCy cannot learn: correct the span"
            yield UntokenizableSpan(example, span, blank, reason, ())


def _effect_of_infix(trial: Tokenizer, rule: TokenizerRule, cut: Sequence[Cut]) -> RuleEffect:
    """Compute the effect of an infix on the texts in which it matches."""
    fixes = breaks = texts = 0
    words: Counter[Change] = Counter()
    pattern = re.compile(rule.pattern)
    with temporary_infix(trial, rule):
        for example, tokens in cut:
            if pattern.search(example.text) is None:
                continue
            after = _tokens(trial, example.text)
            if after == tokens:
                continue
            texts += 1
            words.update(_differences(tokens, after))
            misaligned_before = set(align(tokens, example.spans).misaligned)
            misaligned_after = set(align(after, example.spans).misaligned)
            fixes += len(misaligned_before - misaligned_after)
            breaks += len(misaligned_after - misaligned_before)
    return RuleEffect(rule, fixes, breaks, texts, dict(words.most_common()))


def _effects_of_words(
    trial: Tokenizer, rules: Mapping[str, TokenizerRule], cut: Sequence[Cut]
) -> list[RuleEffect]:
    """Compute the effects of special cases, all in one pass: each changes its own word alone."""
    for rule in rules.values():
        add_rule(trial, rule)
    pattern = re.compile("|".join(map(re.escape, rules)) or "$^")
    fixes: Counter[str] = Counter()
    texts: Counter[str] = Counter()
    changes: dict[str, Counter[Change]] = defaultdict(Counter)
    for example, tokens in cut:
        if pattern.search(example.text) is None:
            continue
        after = _tokens(trial, example.text)
        found = list(_differences(tokens, after))
        texts.update({word for word, _ in found})
        for word, pieces in found:
            changes[word][word, pieces] += 1
        for span in set(align(tokens, example.spans).misaligned) - set(
            align(after, example.spans).misaligned
        ):
            needed = set(_cut_words(tokens, span))
            fixes.update(needed if len(needed) == 1 else ())
    return [
        RuleEffect(rule, fixes[word], 0, texts[word], dict(changes[word].most_common()))
        for word, rule in rules.items()
        if changes[word]
    ]


def _tokens(tokenizer: Tokenizer, text: str) -> tuple[Token, ...]:
    return tokens_from_doc(tokenizer(text), text)


def _cuts(tokens: Sequence[Token], span: Span) -> Iterator[tuple[Token, int]]:
    """Yield the tokens inside which a span begins or ends, and the offset in the token."""
    for at in (span.start, span.end):
        for token in tokens:
            if token.start < at < token.end:
                yield token, at - token.start


def _cut_words(tokens: Sequence[Token], span: Span) -> list[str]:
    return [token.text for token, _ in _cuts(tokens, span)]


def _proposals(tokens: Sequence[Token], span: Span) -> tuple[TokenizerRule, ...]:
    """Build an infix for each place where the span cuts a token, from the characters beside it."""
    return tuple(
        dict.fromkeys(
            TokenizerRule("infix", f"(?<={_kind(token.text[at - 1])})(?={_kind(token.text[at])})")
            for token, at in _cuts(tokens, span)
            if not token.text.isspace()
        )
    )


def _kind(character: str) -> str:
    if character.isalpha():
        return _LETTER
    return _DIGIT if character.isdecimal() else re.escape(character)


def _special_cases(
    found: Sequence[tuple[Example, tuple[Token, ...], Span]],
) -> dict[str, TokenizerRule]:
    """Build a special case for every word that is cut, at all places where it is cut."""
    places: dict[str, set[int]] = defaultdict(set)
    for _, tokens, span in found:
        for token, at in _cuts(tokens, span):
            if not token.text.isspace():
                places[token.text].add(at)
    rules = {}
    for word, cuts in places.items():
        ends = [0, *sorted(cuts), len(word)]
        pieces = tuple(word[start:end] for start, end in pairwise(ends))
        rules[word] = TokenizerRule("special case", word, pieces)
    return rules


def _is_helpful(one: RuleEffect, found: Sequence[tuple[Example, tuple[Token, ...], Span]]) -> bool:
    """Test whether a rule splits a token that a span cuts, although the span needs more rules."""
    needed = {word for _, tokens, span in found for word in _cut_words(tokens, span)}
    return any(word in needed for word, _ in one.token_changes)


def _untokenizable_span(
    example: Example,
    tokens: Sequence[Token],
    span: Span,
    proposed: Sequence[TokenizerRule],
    words: Mapping[str, TokenizerRule],
    best: Mapping[TokenizerRule, RuleEffect],
) -> UntokenizableSpan:
    cuts = list(_cuts(tokens, span))
    cut = [token.text for token, _ in cuts]
    special = [words[word] for word in cut if word in words]
    rules = _choose_rules([rule for rule in proposed if rule in best], special, best)
    return UntokenizableSpan(
        example, span, tuple(dict.fromkeys(cut)), _describe_reason(example, span, cuts), rules
    )


def _choose_rules(
    infixes: Sequence[TokenizerRule],
    special: Sequence[TokenizerRule],
    best: Mapping[TokenizerRule, RuleEffect],
) -> tuple[TokenizerRule, ...]:
    """Choose infixes if one of them fixes more than one word, else the words' special cases."""
    known = [rule for rule in dict.fromkeys(special) if rule in best]
    general = infixes and any(_words_fixed(best[rule]) > 1 for rule in infixes)
    if general or not known:
        return tuple(infixes)
    return tuple(known)


def _words_fixed(one: RuleEffect) -> int:
    return min(one.fixes, len(one.token_changes))


def _describe_reason(example: Example, span: Span, cuts: Sequence[tuple[Token, int]]) -> str:
    reasons = [
        f"{'begins' if token.start + at == span.start else 'ends'} inside {token.text!r}"
        for token, at in cuts
        if not token.text.isspace()
    ]
    inside = example.text[span.start : span.end]
    if inside[:1].isspace() or inside[-1:].isspace():
        reasons.append("begins or ends with a space: correct the span")
    return " and ".join(reasons) or "begins or ends between tokens: correct the span"


def _differences(
    before: Sequence[Token], after: Sequence[Token]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the tokens that are not kept, each with its new parts."""
    kept = {(token.start, token.end) for token in after}
    for token in before:
        if (token.start, token.end) not in kept:
            parts = [one.text for one in after if one.start < token.end and token.start < one.end]
            yield token.text, tuple(parts)
