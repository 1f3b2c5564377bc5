"""Which spans a tokenizer cannot express, why, and the rule that would change that."""

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
    """A span that the tokens cannot express.

    Parameters
    ----------
    example : Example
    span : Span
    tokens : tuple of str
        The tokens that its ends cut.
    reason : str
    rules : tuple of TokenizerRule
        That would cut the tokens where the span begins and ends; none where no
        rule can.
    """

    example: Example
    span: Span
    tokens: tuple[str, ...]
    reason: str
    rules: tuple[TokenizerRule, ...]


@dataclass(frozen=True, slots=True)
class RuleEffect:
    """What a rule would do to the texts that were looked at.

    Parameters
    ----------
    rule : TokenizerRule
    fixes : int
        Misfits that it would make fit by itself.
    breaks : int
        Spans that fit now and would not then.
    texts : int
        Texts of which it would change the tokens.
    token_changes : mapping
        (token, what becomes of it) to how often, the most frequent first.
    """

    rule: TokenizerRule
    fixes: int
    breaks: int
    texts: int
    token_changes: Mapping[tuple[str, tuple[str, ...]], int] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What `diagnose` finds.

    Parameters
    ----------
    n : int
        Examples looked at: those whose tokens are the tokenizer's.
    spans : int
        Their spans.
    untokenizable : tuple of UntokenizableSpan
    effects : tuple of RuleEffect
        Of each rule that would make something fit: those that fix most, and of
        these those that change least, first.
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
    examples : sequence of Example
        Those that came with tokens of their own are left out: they keep them.
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
    useful = [one for one in effects if one.fixes or _helps(one, found)]
    best = {one.rule: one for one in useful}
    misfits = tuple(
        _misfit(example, tokens, span, proposed[example.text, span], words, best)
        for example, tokens, span in found
    )
    wanted = {rule for one in misfits for rule in one.rules}
    useful.sort(
        key=lambda one: (one.rule not in wanted, -one.fixes, sum(one.token_changes.values()))
    )
    spans = sum(len(example.spans) for example in own)
    blank = tuple(one for example, tokens in cut for one in _whitespace_spans(example, tokens))
    return Diagnosis(len(own), spans, misfits, tuple(useful), blank)


def _whitespace_spans(example: Example, tokens: Sequence[Token]) -> Iterator[UntokenizableSpan]:
    """Yield the spans on token boundaries that begin or end with a token of whitespace."""
    for first, last, span in align(tokens, example.spans).aligned:
        ends = (tokens[first].text, tokens[last - 1].text)
        if any(word.isspace() for word in ends):
            blank = tuple(dict.fromkeys(word for word in ends if word.isspace()))
            reason = "begins or ends with whitespace, which spaCy cannot learn: correct the span"
            yield UntokenizableSpan(example, span, blank, reason, ())


def _effect_of_infix(trial: Tokenizer, rule: TokenizerRule, cut: Sequence[Cut]) -> RuleEffect:
    """Try an infix on all texts in which it finds something."""
    fixes = breaks = texts = 0
    words: Counter[Change] = Counter()
    seeks = re.compile(rule.pattern)
    with temporary_infix(trial, rule):
        for example, tokens in cut:
            if seeks.search(example.text) is None:
                continue
            after = _tokens(trial, example.text)
            if after == tokens:
                continue
            texts += 1
            words.update(_differences(tokens, after))
            before_and_after = [
                set(align(one, example.spans).misaligned) for one in (tokens, after)
            ]
            fixes += len(before_and_after[0] - before_and_after[1])
            breaks += len(before_and_after[1] - before_and_after[0])
    return RuleEffect(rule, fixes, breaks, texts, dict(words.most_common()))


def _effects_of_words(
    trial: Tokenizer, rules: Mapping[str, TokenizerRule], cut: Sequence[Cut]
) -> list[RuleEffect]:
    """Try special cases, all at once: each changes its own word and no other."""
    for rule in rules.values():
        add_rule(trial, rule)
    seeks = re.compile("|".join(map(re.escape, rules)) or "$^")
    fixes: Counter[str] = Counter()
    texts: Counter[str] = Counter()
    changes: dict[str, Counter[Change]] = defaultdict(Counter)
    for example, tokens in cut:
        if seeks.search(example.text) is None:
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
    """Yield the tokens that the ends of a span cut, and where."""
    for at in (span.start, span.end):
        for token in tokens:
            if token.start < at < token.end:
                yield token, at - token.start


def _cut_words(tokens: Sequence[Token], span: Span) -> list[str]:
    return [token.text for token, _ in _cuts(tokens, span)]


def _proposals(tokens: Sequence[Token], span: Span) -> tuple[TokenizerRule, ...]:
    """Give an infix for each place where the span cuts a token, by what stands beside it."""
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
    """Give a special case for every word that is cut, at all places where it is cut."""
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


def _helps(one: RuleEffect, found: Sequence[tuple[Example, tuple[Token, ...], Span]]) -> bool:
    """Whether a rule cuts a token where a span needs it, although the span needs more."""
    needed = {word for _, tokens, span in found for word in _cut_words(tokens, span)}
    return any(word in needed for word, _ in one.token_changes)


def _misfit(
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
    rules = _chosen([rule for rule in proposed if rule in best], special, best)
    return UntokenizableSpan(
        example, span, tuple(dict.fromkeys(cut)), _why(example, span, cuts), rules
    )


def _chosen(
    infixes: Sequence[TokenizerRule],
    special: Sequence[TokenizerRule],
    best: Mapping[TokenizerRule, RuleEffect],
) -> tuple[TokenizerRule, ...]:
    """Choose infixes where they serve more than one word, else the words' special cases."""
    known = [rule for rule in dict.fromkeys(special) if rule in best]
    general = infixes and any(_words_fixed(best[rule]) > 1 for rule in infixes)
    if general or not known:
        return tuple(infixes)
    return tuple(known)


def _words_fixed(one: RuleEffect) -> int:
    return min(one.fixes, len(one.token_changes))


def _why(example: Example, span: Span, cuts: Sequence[tuple[Token, int]]) -> str:
    said = [
        f"{'begins' if token.start + at == span.start else 'ends'} inside {token.text!r}"
        for token, at in cuts
        if not token.text.isspace()
    ]
    inside = example.text[span.start : span.end]
    if inside[:1].isspace() or inside[-1:].isspace():
        said.append("begins or ends with a space: correct the span")
    return " and ".join(said) or "begins or ends between tokens: correct the span"


def _differences(
    before: Sequence[Token], after: Sequence[Token]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the tokens that are cut otherwise, each with its new pieces."""
    places = {(token.start, token.end) for token in after}
    for token in before:
        if (token.start, token.end) not in places:
            inside = [one.text for one in after if one.start < token.end and token.start < one.end]
            yield token.text, tuple(inside)
