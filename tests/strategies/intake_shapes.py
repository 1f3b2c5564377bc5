"""One corpus in the shapes in which tools keep spans, each with the options that read it."""

import gzip
import json
import random

import pandas as pd
import spacy
from spacy.tokens import DocBin
from spacy.training import Example as SpacyExample

import nbner
from nbner import Span

WORDS = ["flew", "to", "the", "cold", "house", "and", "sold", "five", "old", "boats", "again"]
NAMES = {"Mina Kovac": "PER", "Ada": "PER", "Oslo": "LOC", "New York": "LOC", "ACME Corp": "ORG"}


def corpus(size):
    """Return texts of separate words, each with its spans."""
    draw = random.Random(13)
    rows = []
    for i in range(size):
        parts, spans, position = [f"n{i}"], [], len(f"n{i}") + 1
        for _ in range(draw.randint(4, 12)):
            name = draw.choice(list(NAMES)) if draw.random() < 0.3 else draw.choice(WORDS)
            if name in NAMES:
                spans.append(Span(position, position + len(name), NAMES[name]))
            parts.append(name)
            position += len(name) + 1
        rows.append((" ".join(parts), tuple(spans)))
    return rows


def words_and_tags(text, spans):
    words, tags, position = text.split(), [], 0
    for word in words:
        inside = next((one for one in spans if one.start <= position < one.end), None)
        begins = inside is not None and inside.start == position
        tags.append("O" if inside is None else f"{'B' if begins else 'I'}-{inside.label}")
        position += len(word) + 1
    return words, tags


def items(spans, start="start", end="end", label="label"):
    return [{start: one.start, end: one.end, label: one.label} for one in spans]


def triples(spans):
    return [[one.start, one.end, one.label] for one in spans]


def lines(make):
    """Build a shape of JSON Lines from the function that makes its rows."""

    def write(rows, folder):
        path = folder / "in.jsonl"
        made = (json.dumps(make(text, spans)) + "\n" for text, spans in rows)
        path.write_text("".join(made), encoding="utf-8")
        return path, {}

    return write


def one_value(make):
    """Build a shape of one JSON value from the function that makes it."""

    def write(rows, folder):
        path = folder / "in.json"
        path.write_text(json.dumps(make(rows)), encoding="utf-8")
        return path, {}

    return write


def in_memory(make):
    return lambda rows, _folder: (make(rows), {})


def label_studio_region(one):
    value = {"start": one.start, "end": one.end, "labels": [one.label]}
    return {"value": value, "from_name": "label", "to_name": "text", "type": "labels"}


def label_studio(rows):
    return [
        {
            "id": i,
            "data": {"text": text},
            "annotations": [{"id": i, "result": [label_studio_region(one) for one in spans]}],
        }
        for i, (text, spans) in enumerate(rows)
    ]


def short_label_studio(text, spans):
    label = [
        {"start": one.start, "end": one.end, "text": text[one.start : one.end],
         "labels": [one.label]}
        for one in spans
    ]  # fmt: skip
    return {"id": 1, "annotation_id": 1, "annotator": 1, "text": text, "label": label}


def label_studio_csv(rows, folder):
    path = folder / "in.csv"
    made = [short_label_studio(*row) for row in rows]
    pd.DataFrame([{**one, "label": json.dumps(one["label"])} for one in made]).to_csv(
        path, index=False
    )
    return path, {}


def conll(head, line):
    def write(rows, folder):
        path = folder / "in.conll"
        sentences = (zip(*words_and_tags(*row), strict=True) for row in rows)
        body = ("".join(line(word, tag) for word, tag in one) + "\n" for one in sentences)
        path.write_text(head + "".join(body), encoding="utf-8")
        return path, {}

    return write


def conll_without_suffix(rows, folder):
    path, options = conll("", "{}\t{}\n".format)(rows, folder)
    return path.rename(folder / "in.annotated"), options


def compressed(rows, folder):
    path, options = lines(lambda text, spans: {"text": text, "label": triples(spans)})(rows, folder)
    packed = folder / "in.jsonl.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    return packed, options


def docs(rows, group=None):
    nlp = spacy.blank("en")
    for text, spans in rows:
        doc = nlp(text)
        found = [doc.char_span(one.start, one.end, label=one.label) for one in spans]
        if group is None:
            doc.ents = found
        else:
            doc.spans[group] = found
        yield doc


def docbin(rows, folder):
    DocBin(docs=docs(rows)).to_disk(folder / "in.spacy")
    return folder / "in.spacy", {}


def brat(rows, folder):
    there = folder / "brat"
    there.mkdir()
    for i, (text, spans) in enumerate(rows):
        (there / f"{i:05}.txt").write_text(text, encoding="utf-8")
        found = (
            f"T{n}\t{one.label} {one.start} {one.end}\t{text[one.start : one.end]}\n"
            for n, one in enumerate(spans, 1)
        )
        (there / f"{i:05}.ann").write_text("".join(found), encoding="utf-8")
    return there, {}


def spacy_2(rows):
    def paragraph(text, spans):
        words, tags = words_and_tags(text, spans)
        tokens = [{"orth": word, "ner": tag} for word, tag in zip(words, tags, strict=True)]
        return {"raw": text, "sentences": [{"tokens": tokens}]}

    return [{"id": i, "paragraphs": [paragraph(*row)]} for i, row in enumerate(rows)]


def token_row(words_key, tags_key):
    def make(text, spans):
        words, tags = words_and_tags(text, spans)
        return {words_key: words, tags_key: tags}

    return make


def word_offsets(text, spans, last):
    """Yield spans as numbers of words; the last word is ``last`` before the end."""
    for one in spans:
        start = len(text[: one.start].split())
        yield start, start + len(text[one.start : one.end].split()) - last, one.label


def token_table(rows):
    made = []
    for i, (text, spans) in enumerate(rows):
        for word, tag in zip(*words_and_tags(text, spans), strict=True):
            made.append({"sentence": i, "word": word, "tag": tag})
    return pd.DataFrame(made)


def frame(rows):
    return pd.DataFrame({"text": [text for text, _ in rows], "spans": [s for _, s in rows]})


def frame_csv(rows, folder):
    path = folder / "in.csv"
    made = [{"text": text, "spans": items(spans)} for text, spans in rows]
    pd.DataFrame(made).to_csv(path, index=False)
    return path, {}


def arrow(suffix):
    def write(rows, folder):
        path = folder / f"in{suffix}"
        made = pd.DataFrame([{"text": text, "spans": items(spans)} for text, spans in rows])
        made.to_parquet(path) if suffix == ".parquet" else made.to_feather(path)
        return path, {}

    return write


def windows_line_ends(text, spans):
    # The texts have a line end of two characters, and the offsets count one.
    moved = [
        {"start": one.start + 1, "end": one.end + 1, "label": one.label,
         "text": text[one.start : one.end]}
        for one in spans
    ]  # fmt: skip
    return {"text": f"\r\n{text}", "ents": moved}


def own_answers(rows):
    with nbner.Session("own", store=":memory:") as session:
        session.add([{"text": t, "spans": list(s), "answer": "accept"} for t, s in rows])
        return session.answers()


def spacy_examples(rows):
    nlp = spacy.blank("en")
    return [
        SpacyExample.from_dict(nlp(text), {"entities": [tuple(one) for one in triples(spans)]})
        for text, spans in rows
    ]


SHAPES = {
    "Prodigy": lines(lambda text, spans: {"text": text, "spans": items(spans), "answer": "accept"}),
    "doccano label": lines(lambda text, spans: {"id": 1, "text": text, "label": triples(spans)}),
    "doccano entities": lines(
        lambda text, spans: {
            "text": text,
            "relations": [],
            "entities": items(spans, "start_offset", "end_offset"),
        }
    ),
    "displaCy, Doc.to_json": lines(lambda text, spans: {"text": text, "ents": items(spans)}),
    "Argilla": lines(lambda text, spans: {"text": text, "annotation": items(spans)}),
    "Presidio": lines(
        lambda text, spans: {"text": text, "results": items(spans, label="entity_type")}
    ),
    "transformers": lines(
        lambda text, spans: {"text": text, "ner": items(spans, label="entity_group")}
    ),
    "Label Studio JSON": one_value(label_studio),
    "Label Studio JSON-MIN": one_value(lambda rows: [short_label_studio(*row) for row in rows]),
    "Label Studio CSV": label_studio_csv,
    "Label Studio CoNLL": conll("-DOCSTART- -X- O\n", "{} -X- _ {}\n".format),
    "CoNLL": conll("", "{}\t{}\n".format),
    "CoNLL without a known suffix": conll_without_suffix,
    "spaCy's tuples": in_memory(
        lambda rows: [
            (text, {"entities": [tuple(one) for one in triples(spans)]}) for text, spans in rows
        ]
    ),
    "spaCy's tuples as JSON": one_value(
        lambda rows: [[text, {"entities": triples(spans)}] for text, spans in rows]
    ),
    "a file of pairs (ner-annotator)": one_value(
        lambda rows: {"annotations": [[t, {"entities": triples(s)}] for t, s in rows]}
    ),
    "spaCy 2 JSON": one_value(spacy_2),
    "Docs": in_memory(lambda rows: list(docs(rows))),
    "Docs, doc.spans": lambda rows, _folder: (list(docs(rows, "sc")), {"spans_key": "sc"}),
    "DocBin": docbin,
    "spacy.training.Example": in_memory(spacy_examples),
    "Hugging Face": lines(token_row("tokens", "ner_tags")),
    "words and labels": lines(token_row("words", "labels")),
    "GLiNER": lines(
        lambda text, spans: {
            "tokenized_text": text.split(),
            "ner": [list(one) for one in word_offsets(text, spans, 1)],
        }
    ),
    "SpERT": lines(
        lambda text, spans: {
            "tokens": text.split(),
            "entities": [
                {"type": label, "start": start, "end": end}
                for start, end, label in word_offsets(text, spans, 0)
            ],
        }
    ),
    "table of words": in_memory(token_table),
    "frame of triples": in_memory(frame),
    "frame by to_csv": frame_csv,
    "answers()": in_memory(own_answers),
    "brat": brat,
    "JSON Lines, gzip": compressed,
    "Parquet": arrow(".parquet"),
    "Feather": arrow(".feather"),
    "CRLF counted as one": lines(windows_line_ends),
}
