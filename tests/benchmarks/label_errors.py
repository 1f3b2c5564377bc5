"""How many label issues are errors, by two versions of one corpus.

The older version is checked as `session.quality.label_issues()` does it; the corrected
one says which suspects are right. A span of the older version that the corrected one
does not have was changed or removed, and one of the corrected version that overlaps
no span of the older one was missing: these are the errors. The texts of both versions
are aligned by their letters, whitespace aside; those that the other version does not
have are listed and not judged, and the models learn from them all the same.

Printed for each ranking: average precision, precision among the first suspects, and
the share of the errors that is among all of its suspects. The others rank by the very
same out-of-fold probabilities.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

import numpy as np

import nbner
from nbner._common.format import plural
from nbner.quality.label_issues import (
    HeldOutProbabilities,
    LabelIssue,
    find_label_issues,
    issues_of_examples,
    pool_probabilities,
    rank_issues,
)
from nbner.reranking.cross_validation import FOLD_LEARNERS
from nbner.reranking.out_of_fold import out_of_fold_probabilities
from nbner.types import Example, Span

FIRST = (50, 186, 500)
SHUFFLES = 50
SHOWN = 10  # texts that do not align
CLEANLAB = (
    "cleanlab is not installed, and its token scores are left out: install it beside nbner "
    "with `pip install cleanlab`, in an environment of the benchmark's own"
)


@dataclass(frozen=True)
class Suspect:
    """One place that a ranking calls suspect: a gold span, or a stretch without one."""

    text: int
    gold: Span | None
    start: int
    end: int


@dataclass(frozen=True)
class Versions:
    """Two versions of one corpus.

    ``wrong`` and ``missing`` have the errors of each text of the older version that
    the corrected one has too; None for the others.
    """

    older: Sequence[Example]
    labels: tuple[str, ...]
    wrong: Sequence[frozenset[Span] | None]
    missing: Sequence[tuple[Span, ...]]
    not_aligned: tuple[Sequence[str], Sequence[str]]

    @property
    def errors(self) -> int:
        """Number of errors in the texts that are judged."""
        return sum(map(len, filter(None, self.wrong))) + sum(map(len, self.missing))

    @property
    def judged_spans(self) -> int:
        """Number of gold spans of the older version in the texts that are judged."""
        pairs = zip(self.older, self.wrong, strict=True)
        return sum(len(one.spans) for one, wrong in pairs if wrong is not None)


def read_version(path: Path, file_format: str | None) -> tuple[list[Example], tuple[str, ...]]:
    """Read one version as a session does: each text once."""
    with nbner.Session("version", store=":memory:") as session:
        options = {} if file_format is None else {"format": file_format}
        report = session.add(path, split="train", gold=True, **options)
        if report.duplicate:
            sys.stdout.write(f"{path.name}: {plural(report.duplicate, 'repeated text')} left out\n")
        return list(session.context.gold("train", accepted_unseen=True)), tuple(session.labels)


def align_versions(
    older: Sequence[Example], corrected: Sequence[Example], labels: tuple[str, ...]
) -> Versions:
    """Compare the spans of the texts that both versions have."""
    by_letters = {_letters(one.text): one for one in corrected}
    wrong: list[frozenset[Span] | None] = []
    missing: list[tuple[Span, ...]] = []
    for one in older:
        other = by_letters.pop(_letters(one.text), None)
        if other is None:
            wrong.append(None)
            missing.append(())
            continue
        now = set(_moved_spans(other, one.text))
        before = {Span(span.start, span.end, span.label) for span in one.spans}
        wrong.append(frozenset(before - now))
        gone = [span for span in now if all(not _overlap(span, span_) for span_ in before)]
        missing.append(tuple(sorted(gone, key=lambda span: span.start)))
    unmatched = [one.text for one, found in zip(older, wrong, strict=True) if found is None]
    left = [one.text for one in by_letters.values()]
    return Versions(older, labels, wrong, missing, (unmatched, left))


def _letters(text: str) -> str:
    return "".join(text.split())


def _moved_spans(example: Example, text: str) -> Iterable[Span]:
    """Yield the spans at the same letters of a text that differs in whitespace alone."""
    if example.text == text:
        yield from (Span(span.start, span.end, span.label) for span in example.spans)
        return
    places = [i for i, letter in enumerate(text) if not letter.isspace()]
    before = np.cumsum([0, *(not letter.isspace() for letter in example.text)])
    for span in example.spans:
        first, last = int(before[span.start]), int(before[span.end]) - 1
        yield Span(places[first], places[last] + 1, span.label)


def _overlap(one: Any, other: Any) -> bool:
    return bool(one.start < other.end and other.start < one.end)


def judge(ranked: Iterable[Suspect], versions: Versions) -> dict[str, float]:
    """Compute the figures of one ranking; an error counts once, where it is first met."""
    met: set[tuple[int, Span]] = set()
    hits: list[bool] = []
    for one in ranked:
        wrong = versions.wrong[one.text]
        if wrong is None:
            continue
        if one.gold is not None:
            found = one.gold if one.gold in wrong and (one.text, one.gold) not in met else None
        else:
            found = next(
                (
                    span
                    for span in versions.missing[one.text]
                    if _overlap(span, one) and (one.text, span) not in met
                ),
                None,
            )
        hits.append(found is not None)
        if found is not None:
            met.add((one.text, found))
    right = np.cumsum(hits, dtype=np.int64) if hits else np.zeros(0, np.int64)
    precision = right / np.arange(1, len(hits) + 1)
    errors = max(1, versions.errors)
    return {
        "average precision": float(precision[hits].sum()) / errors if hits else 0.0,
        **{f"first {n:,}": float(right[min(n, len(hits)) - 1]) / n if hits else 0.0 for n in FIRST},
        "recall": len(met) / errors,
        "suspects": len(hits),
    }


# The rankings.


def suspects_of(issues: Iterable[LabelIssue], versions: Versions) -> list[Suspect]:
    """Turn issues into suspects, in their order."""
    number = {id(one): i for i, one in enumerate(versions.older)}
    found = []
    for one in issues:
        gold = None if one.gold is None else Span(one.gold.start, one.gold.end, one.gold.label)
        found.append(Suspect(number[id(one.example)], gold, *one.place))
    return found


def by_margin(versions: Versions, pooled: Sequence[HeldOutProbabilities]) -> list[Suspect]:
    """Rank by the margin of the models alone, the same words elsewhere left aside."""
    found: list[LabelIssue] = []
    for example, one in zip(versions.older, pooled, strict=True):
        found += find_label_issues(example, one.spans, one.outside)
    return suspects_of(sorted(found, key=lambda one: -one.margin), versions)


def by_probability(versions: Versions, pooled: Sequence[HeldOutProbabilities]) -> list[Suspect]:
    """Rank all gold spans by their improbability, and likely spans elsewhere by their probability.

    A span without gold is suspect with the probability of the span, a gold span with one
    minus its own.
    """
    scored: list[tuple[float, Suspect]] = []
    for i, (example, one) in enumerate(zip(versions.older, pooled, strict=True)):
        gold = [Span(span.start, span.end, span.label) for span in example.spans]
        scored += [
            (1 - one.spans.get(span, 0.0), Suspect(i, span, span.start, span.end)) for span in gold
        ]
        scored += [
            (probability, Suspect(i, None, span.start, span.end))
            for span, probability in one.spans.items()
            if probability >= 0.5 and not any(_overlap(span, other) for other in gold)
        ]
    return [suspect for _, suspect in sorted(scored, key=lambda pair: -pair[0])]


def by_chance(versions: Versions, random: Random) -> list[Suspect]:
    """Shuffle the gold spans."""
    found = [
        Suspect(i, Span(span.start, span.end, span.label), span.start, span.end)
        for i, example in enumerate(versions.older)
        for span in example.spans
    ]
    random.shuffle(found)
    return found


def by_cleanlab(
    versions: Versions, token_probabilities: Sequence[np.ndarray], label_axis: Sequence[str]
) -> list[Suspect] | None:
    """Rank tokens by cleanlab's label quality; the tokens of one span count once.

    None where cleanlab is not installed.
    """
    try:
        from cleanlab.token_classification.rank import (  # type: ignore[import-not-found]
            get_label_quality_scores,
        )
    except ImportError:
        return None
    column = {label: i for i, label in enumerate(label_axis)}
    outside = len(label_axis) - 1
    spans = [[_span_at(one, token) for token in one.tokens] for one in versions.older]
    given = [[outside if one is None else column[one.label] for one in row] for row in spans]
    _, scores = get_label_quality_scores(given, [np.asarray(one) for one in token_probabilities])
    places = sorted(
        (float(score), i, j) for i, row in enumerate(scores) for j, score in enumerate(row)
    )
    found: dict[Any, Suspect] = {}
    for _, i, j in places:
        token, span = versions.older[i].tokens[j], spans[i][j]
        start, end = (token.start, token.end) if span is None else (span.start, span.end)
        found.setdefault((i, start, end), Suspect(i, span, start, end))
    return list(found.values())


def _span_at(example: Example, token: Any) -> Span | None:
    return next(
        (Span(one.start, one.end, one.label) for one in example.spans if _overlap(one, token)),
        None,
    )


# The command.


def compare(versions: Versions, options: argparse.Namespace) -> Iterable[tuple[str, Any]]:
    """Yield the name and the suspects of each ranking; None where one cannot be had."""
    import spacy

    base = spacy.blank("en") if options.model is None else spacy.load(options.model)
    nlp = nbner.Session("base", labels=versions.labels, store=":memory:", model=base).nlp
    asked = out_of_fold_probabilities(
        nlp,
        nlp,
        versions.older,
        [],
        labels=versions.labels,
        folds=options.folds,
        members=[
            (kind, options.seed + i) for i in range(options.seeds) for kind in options.learners
        ],
        keep=lambda one: one,
        max_epochs=options.max_epochs,
        progress=sys.stderr.isatty(),
    )
    by_learner = {
        name: [[_kept(one) for one in member] for member in members]
        for name, members in asked.by_learner.items()
    }
    issues, doubts = issues_of_examples(versions.older, by_learner)
    yield "label issues", suspects_of(rank_issues(issues), versions)
    for one in doubts:
        sys.stdout.write(f"  {one}; mean probability {one.mean_probability:.2f}\n")
    pooled = _pooled(by_learner)
    yield "models alone, by margin", by_margin(versions, pooled)
    for name, members in by_learner.items():
        yield f"{name} alone, by margin", by_margin(versions, _pooled({name: members}))
    yield "probability of gold", by_probability(versions, pooled)
    axis = (*versions.labels, "O")
    tokens = _mean_tokens([one for members in asked.by_learner.values() for one in members], axis)
    yield "cleanlab, token scores", by_cleanlab(versions, tokens, axis)


def _kept(one: Any) -> HeldOutProbabilities:
    return HeldOutProbabilities(one.spans, one.token_probabilities[:, -1].tolist())


def _pooled(
    by_learner: Mapping[str, Sequence[Sequence[HeldOutProbabilities]]],
) -> list[HeldOutProbabilities]:
    size = len(next(iter(by_learner.values()))[0])
    return [
        pool_probabilities(
            [
                pool_probabilities([member[i] for member in members])
                for members in by_learner.values()
            ]
        )
        for i in range(size)
    ]


def _mean_tokens(members: Sequence[Sequence[Any]], axis: Sequence[str]) -> list[np.ndarray]:
    """Average the probabilities of tokens, in the order of one axis of labels."""
    found = []
    for some in zip(*members, strict=True):
        mean = np.zeros((len(some[0].token_probabilities), len(axis)))
        for one in some:
            mean[:, [axis.index(label) for label in one.label_axis]] += one.token_probabilities
        found.append(mean / mean.sum(axis=1, keepdims=True))
    return found


def _line(name: str, figures: Mapping[str, float]) -> str:
    cells = [
        f"{value:,.0f}" if key == "suspects" else f"{value:.3f}" for key, value in figures.items()
    ]
    return f"| {name} | {' | '.join(cells)} |\n"


def _say_alignment(versions: Versions) -> None:
    judged = sum(one is not None for one in versions.wrong)
    missing = sum(map(len, versions.missing))
    share = (versions.errors - missing) / max(1, versions.judged_spans)
    sys.stdout.write(
        f"{judged:,} texts are in both versions, with {versions.judged_spans:,} spans in the "
        f"older one and {versions.errors:,} errors: {versions.errors - missing:,} spans changed or "
        f"removed ({share:.3f} of them), {missing:,} missing\n"
    )
    for name, texts in zip(("older", "corrected"), versions.not_aligned, strict=True):
        if texts:
            number = plural(len(texts), "text is", "texts are")
            sys.stdout.write(f"{number} in the {name} version alone:\n")
            sys.stdout.writelines(f"  {text[:100]}\n" for text in texts[:SHOWN])
            more = len(texts) - SHOWN
            sys.stdout.write(f"  and {more:,} more\n" if more > 0 else "")


def parse_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the options of the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--older", type=Path, required=True, help="the version that is checked")
    parser.add_argument("--corrected", type=Path, required=True, help="the version that judges")
    parser.add_argument("--format", help="of both files; by default as session.add finds it")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--max-epochs", type=int, default=4, help="of each ner")
    parser.add_argument("--learners", nargs="+", choices=FOLD_LEARNERS, default=FOLD_LEARNERS)
    parser.add_argument("--seeds", type=int, default=1, help="models of each learner")
    parser.add_argument("--seed", type=int, default=0, help="the first seed")
    parser.add_argument("--model", help="pipeline to start from; by default an untrained one")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare the rankings on two versions of one corpus."""
    options = parse_options(arguments)
    older, labels = read_version(options.older, options.format)
    corrected, _ = read_version(options.corrected, options.format)
    versions = align_versions(older, corrected, labels)
    _say_alignment(versions)
    if not versions.errors:
        sys.exit("The versions do not differ in any text that both have: nothing can be measured.")
    random = Random(options.seed)
    shuffled = [judge(by_chance(versions, random), versions) for _ in range(SHUFFLES)]
    chance = {key: float(np.mean([one[key] for one in shuffled])) for key in shuffled[0]}
    began = perf_counter()
    lines = [_line("random", chance)]
    for name, suspects in compare(versions, options):
        if suspects is None:
            sys.stdout.write(f"{CLEANLAB}\n")
        else:
            lines.append(_line(name, judge(suspects, versions)))
    sys.stdout.write(f"| ranking | {' | '.join(chance)} |\n|{' --- |' * (1 + len(chance))}\n")
    sys.stdout.writelines(lines)
    kinds = ", ".join(options.learners)
    sys.stdout.write(
        f"{options.folds} folds, {kinds}, {options.seeds} of each, seed {options.seed}, "
        f"{perf_counter() - began:.0f} s\n"
    )


if __name__ == "__main__":
    main()
