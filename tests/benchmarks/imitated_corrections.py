"""Write pairs of an older and a corrected version of a corpus, for ``make label-errors``.

The disagreements are real ones where the data has two versions (``protocols-real``: the
CoNLL files against the annotators' own brat files), and imitate real ones elsewhere:

- ``wikigold-rules`` and ``wnut17-rules``: the errors that are known of news corpora, at 9 %
  of the spans. Half are near-synonym labels, half of those at all places with the words in
  a document; a fifth are borders (an article, a title, a word that trails); repeats are
  missed more often than first mentions; a name is split in two; a word is labelled that
  should not be.
- ``politics-second``: the disagreements with a second annotator, a CRF that learnt from
  other texts, at as many spans; and ``wikigold-second``, the same with the recognizer of
  an installed pipeline (``--second en_core_web_sm``) as the annotator.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

import spacy
from spacy.tokens import Doc

from nbner._common.alignment import join_words
from nbner.nlp.prediction import predict
from nbner.training.crf import train_crf
from nbner.types import Example, Span

SHARE = 0.09
REST = 1_200  # sentences of protocols that one version alone has
Place: TypeAlias = tuple[int, int, str]

#: Labels that news corpora confuse, the likelier ones more than once.
NEAR = {
    "LOC": ["ORG", "ORG", "ORG", "MISC"],
    "ORG": ["LOC", "LOC", "MISC", "MISC", "PER"],
    "MISC": ["ORG", "ORG", "LOC", "PER"],
    "PER": ["ORG", "ORG", "MISC", "LOC"],
}
ENTITY_TYPES = {
    "PERSON": "PER",
    "GPE": "LOC",
    "LOC": "LOC",
    "FAC": "LOC",
    "ORG": "ORG",
    "NORP": "MISC",
    "PRODUCT": "MISC",
    "EVENT": "MISC",
    "WORK_OF_ART": "MISC",
    "LAW": "MISC",
    "LANGUAGE": "MISC",
}
TITLES = ("the", "a", "mr.", "mr", "dr.", "st.", "new", "president")


class Sentence(NamedTuple):
    """A sentence with the spans of one version, and the number of its document."""

    words: list[str]
    spans: list[Place]
    document: int = 0

    @property
    def text(self) -> str:
        return join_words(self.words)[0]


def read(path: Path) -> list[Sentence]:
    """Read CoNLL; texts once each."""
    found: dict[str, Sentence] = {}
    rows: list[tuple[str, str]] = []
    document = 0
    for line in [*path.read_text(encoding="utf-8").splitlines(), ""]:
        cells = line.split()
        if cells and cells[0] == "-DOCSTART-":
            document += 1
        elif cells:
            rows.append((cells[0], cells[-1]))
        elif rows:
            one = Sentence([word for word, _ in rows], _spans([tag for _, tag in rows]), document)
            found.setdefault(one.text, one)
            rows = []
    return list(found.values())


def _spans(tags: Sequence[str]) -> list[Place]:
    found: list[Place] = []
    before = "O"
    for i, tag in enumerate(tags):
        label = tag[2:]
        if tag.startswith("O"):
            before = "O"
            continue
        if tag.startswith("B") or before != label:
            found.append((i, i + 1, label))
        else:
            found[-1] = (found[-1][0], i + 1, found[-1][2])
        before = label
    return found


def _overlap(one: Place, other: Place) -> bool:
    return one[0] < other[1] and other[0] < one[1]


class RuleErrors:
    """Puts the errors that are known of news corpora into sentences."""

    def __init__(self, sentences: Sequence[Sentence], seed: int) -> None:
        self.spans = [list(one.spans) for one in sentences]
        self._sentences = sentences
        self._random = random.Random(seed)
        labels = sorted({span[2] for one in sentences for span in one.spans})
        self._labels = labels
        self._is_news = "PER" in labels
        self._near = NEAR if self._is_news else _neighbors(labels)
        self._touched: set[tuple[int, Place]] = set()
        self._places: dict[tuple[int, tuple[str, ...]], list[tuple[int, Place]]] = defaultdict(list)
        for i, one in enumerate(sentences):
            for span in one.spans:
                words = tuple(one.words[span[0] : span[1]])
                # Where there are no documents, each sentence is one.
                document = one.document if self._is_news else i
                self._places[document, words].append((i, span))

    def run(self, share: float) -> list[list[Place]]:
        """Return the spans with errors at a share of them."""
        budget = int(share * sum(map(len, self.spans)))
        groups = list(self._places.values())
        makers = [self._relabel, self._move, self._miss, self._invent, self._split]
        done = 0
        while done < budget:
            make = self._random.choices(makers, [0.5, 0.2, 0.17, 0.08, 0.05])[0]
            group = self._random.choice(groups)
            places = [one for one in group if one not in self._touched]
            places = [one for one in places if one[1] in self.spans[one[0]]]
            if places:
                done += make(places, len(group))
        return self.spans

    def _change(self, i: int, before: Place, *after: Place) -> int:
        self.spans[i].remove(before)
        self.spans[i] += after
        self._touched.add((i, before))
        return 1

    def _relabel(self, places: list[tuple[int, Place]], _total: int) -> int:
        label = places[0][1][2]
        if self._random.random() > (0.3 if label == "PER" else 1):
            return 0
        if self._random.random() < 0.5:
            places = [self._random.choice(places)]
        new = self._random.choice(self._near[label])
        changed = [(i, span) for i, span in places if span[2] != new]
        return sum(self._change(i, span, (span[0], span[1], new)) for i, span in changed)

    def _miss(self, places: list[tuple[int, Place]], total: int) -> int:
        if total < 2 and self._random.random() < 0.6:
            return 0
        return self._change(*self._random.choice(places))

    def _move(self, places: list[tuple[int, Place]], _total: int) -> int:
        i, span = self._random.choice(places)
        words, (start, end, label) = self._sentences[i].words, span
        found: list[Place] = []
        if start > 0 and words[start - 1].lower() in TITLES:
            found += [(start - 1, end, label)] * 3
        if words[start].lower() in ("the", "a") and end - start > 1:
            found += [(start + 1, end, label)] * 3
        if end - start > 1:
            found += [(start, end - 1, label), (start + 1, end, label)]
        if end < len(words) and (
            words[end][:1].isupper() or words[end].isdigit() or words[end] in ("'s", ".")
        ):
            found += [(start, end + 1, label)] * 2
        if start > 0 and words[start - 1][:1].isupper():
            found += [(start - 1, end, label)] * 2
        others = [one for one in self.spans[i] if one != span]
        found = [one for one in found if not any(_overlap(one, other) for other in others)]
        return self._change(i, span, self._random.choice(found)) if found else 0

    def _split(self, places: list[tuple[int, Place]], _total: int) -> int:
        i, span = self._random.choice(places)
        start, end, label = span
        if end - start < 2:
            return 0
        middle = self._random.randrange(start + 1, end)
        second = self._random.choice([label, label, self._random.choice(self._near[label])])
        return self._change(i, span, (start, middle, label), (middle, end, second))

    def _invent(self, _places: list[tuple[int, Place]], _total: int) -> int:
        i = self._random.randrange(len(self.spans))
        words = self._sentences[i].words
        free = [
            at
            for at, word in enumerate(words)
            if word[:1].isalpha()
            and (word[:1].isupper() or not self._is_news)
            and not any(_overlap((at, at + 1, ""), other) for other in self.spans[i])
        ]
        if not free:
            return 0
        at = self._random.choice(free)
        labels = ["MISC", "MISC", "ORG"] if "MISC" in self._labels else self._labels
        self.spans[i].append((at, at + 1, self._random.choice(labels)))
        return 1


def _neighbors(labels: Sequence[str]) -> dict[str, list[str]]:
    size = len(labels)
    return {
        label: [labels[(i + 1) % size], labels[(i - 1) % size], labels[(i + 1) % size]]
        for i, label in enumerate(labels)
    }


def disagree(
    sentences: Sequence[Sentence], other: Sequence[Sequence[Place]], share: float, seed: int
) -> list[list[Place]]:
    """Take over a share of the places at which a second annotator disagrees."""
    draw = random.Random(seed)
    found = [list(one.spans) for one in sentences]
    by_words: dict[tuple[int, tuple[str, ...]], list[tuple[int, _Conflict]]] = defaultdict(list)
    for i, one in enumerate(sentences):
        for conflict in _conflicts(one.spans, other[i]):
            start = min(span[0] for span, _ in conflict)
            end = max(span[1] for span, _ in conflict)
            by_words[one.document, tuple(one.words[start:end])].append((i, conflict))
    budget, done = int(share * sum(map(len, found))), 0
    groups = list(by_words.values())
    draw.shuffle(groups)
    for group in groups:
        if done >= budget:
            break
        chosen = group if draw.random() < 0.5 else [draw.choice(group)]
        for i, conflict in chosen:
            gone = [span for span, is_new in conflict if not is_new]
            new = [span for span, is_new in conflict if is_new]
            # A weak annotator misses and invents more than a person does.
            if (not new or not gone) and draw.random() < 0.6:
                continue
            rest = [span for span in found[i] if span not in gone]
            if not any(_overlap(one, span) for one in new for span in rest):
                found[i] = rest + new
                done += max(len(gone), len(new))
    return found


_Conflict: TypeAlias = list[tuple[Place, bool]]


def _conflicts(one: Sequence[Place], other: Sequence[Place]) -> list[_Conflict]:
    """Group the spans of one version alone by what overlaps; True for those of the other."""
    ours, theirs = set(one), set(other)
    pairs = sorted([*((s, False) for s in ours - theirs), *((s, True) for s in theirs - ours)])
    groups: list[_Conflict] = []
    end = -1
    for span, is_new in pairs:
        if groups and span[0] < end:
            groups[-1].append((span, is_new))
            end = max(end, span[1])
        else:
            groups.append([(span, is_new)])
            end = span[1]
    return groups


def annotate_by_pipeline(name: str, sentences: Sequence[Sentence]) -> list[list[Place]]:
    """Annotate with an installed pipeline whose labels are those of OntoNotes."""
    nlp = spacy.load(name)
    docs = nlp.pipe([Doc(nlp.vocab, words=one.words) for one in sentences])
    return [
        [
            (one.start, one.end, ENTITY_TYPES[one.label_])
            for one in doc.ents
            if one.label_ in ENTITY_TYPES
        ]
        for doc in docs
    ]


def annotate_by_crf(learnt: Sequence[Sentence], sentences: Sequence[Sentence]) -> list[list[Place]]:
    """Annotate with a CRF that learnt from other sentences."""
    labels = sorted({span[2] for one in sentences for span in one.spans})
    nlp = train_crf(spacy.blank("en"), [_example(one) for one in learnt], labels=labels)
    examples = [_example(one) for one in sentences]
    found = []
    for example, spans in zip(examples, predict(nlp, examples), strict=True):
        first = {token.start: i for i, token in enumerate(example.tokens)}
        last = {token.end: i + 1 for i, token in enumerate(example.tokens)}
        found.append([(first[one.start], last[one.end], one.label) for one in spans])
    return found


def _example(one: Sentence) -> Example:
    text, tokens = join_words(one.words)
    spans = [Span(tokens[a].start, tokens[b - 1].end, label) for a, b, label in sorted(one.spans)]
    return Example(text, tokens=tokens, spans=tuple(spans), answer="accept", pretokenized=True)


def read_protocols(folder: Path) -> tuple[list[Sentence], list[Sentence]]:
    """Read the CoNLL files, and the same sentences as the brat files have them.

    Lines of brat that are a sentence of the CoNLL files are in both versions; `REST`
    others, drawn at random, are in the older one alone.
    """
    known: dict[str, Sentence] = {}
    for one in [*read(folder / "train.conll"), *read(folder / "dev.conll")]:
        known.setdefault("".join(one.words), one)
    older: dict[str, Sentence] = {}
    corrected: list[Sentence] = []
    for path in sorted((folder / "brat").glob("*.ann")):
        fields = [line.split("\t")[1] for line in path.read_text().splitlines() if line[:1] == "T"]
        spans = [one.split() for one in fields if ";" not in one]
        offset = 0
        for line in path.with_suffix(".txt").read_text().splitlines(keepends=True):
            key = "".join(line.split())
            if key in known and key not in older:
                older[key] = known[key]
                inside = [
                    (_letters(line, int(start) - offset), _letters(line, int(end) - offset), label)
                    for label, start, end in spans
                    if offset <= int(start) and int(end) <= offset + len(line)
                ]
                corrected.append(Sentence(known[key].words, _on_tokens(known[key].words, inside)))
            offset += len(line)
    rest = [one for key, one in known.items() if key not in older]
    random.Random(0).shuffle(rest)
    return [*older.values(), *rest[:REST]], corrected


def _letters(text: str, end: int) -> int:
    return sum(not letter.isspace() for letter in text[:end])


def _on_tokens(words: Sequence[str], spans: Sequence[Place]) -> list[Place]:
    """Expand spans, in letters, to whole words; of those that overlap the first is kept."""
    ends = [sum(map(len, words[: i + 1])) for i in range(len(words))]
    found: list[Place] = []
    for start, end, label in spans:
        covered = [i for i, last in enumerate(ends) if last - len(words[i]) < end and start < last]
        place = (covered[0], covered[-1] + 1, label) if covered else None
        if place is not None and not any(_overlap(place, other) for other in found):
            found.append(place)
    return found


def write(path: Path, sentences: Sequence[Sentence]) -> None:
    """Write CoNLL with IOB2."""
    blocks = []
    for one in sentences:
        tags = ["O"] * len(one.words)
        for start, end, label in one.spans:
            tags[start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 1)]
        pairs = zip(one.words, tags, strict=True)
        blocks.append("".join(f"{word}\t{tag}\n" for word, tag in pairs))
    path.write_text("\n".join(blocks), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write all pairs that the data allows."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the corpora")
    parser.add_argument("--output", type=Path, required=True, help="folder of the pairs")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--second", help="installed pipeline that annotates wikigold once more")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    wikigold = read(options.data / "wikigold/wikigold.conll.txt")
    tweets = read(options.data / "wnut17/train.conll")[:3_000]
    politics = [
        one._replace(document=i) for i, one in enumerate(read(options.data / "politics/dev.txt"))
    ]
    second = annotate_by_crf(read(options.data / "politics/train.txt"), politics)
    pairs = {
        "wikigold-rules": (wikigold, RuleErrors(wikigold, options.seed).run(SHARE)),
        "wnut17-rules": (tweets, RuleErrors(tweets, options.seed).run(SHARE)),
        "politics-second": (politics, disagree(politics, second, SHARE, options.seed)),
    }
    if options.second:
        other = annotate_by_pipeline(options.second, wikigold)
        pairs["wikigold-second"] = (wikigold, disagree(wikigold, other, SHARE, options.seed))
    written = {
        name: ([one._replace(spans=spans) for one, spans in zip(right, wrong, strict=True)], right)
        for name, (right, wrong) in pairs.items()
    }
    written["protocols-real"] = read_protocols(options.data / "protocols")
    for name, (older, corrected) in written.items():
        write(options.output / f"{name}.older.conll", older)
        write(options.output / f"{name}.corrected.conll", corrected)
        sys.stdout.write(f"{name}: {len(older):,} sentences\n")


if __name__ == "__main__":
    main()
