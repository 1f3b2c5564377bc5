"""Rows that look like spans, drawn from keys, shapes and conventions of many tools."""

import json

import nbner
from nbner import DataError

# What is drawn: texts, their entities, keys, names of offsets and labels, shapes, conventions.
TEXTS = [
    ("Mina Kovac flew to Oslo.", ["Mina Kovac", "Oslo"]),
    ("In Łódź, Dr. Świt met Åsa.", ["Łódź", "Åsa"]),
    ("\U0001f600 Ada Lovelace lives in 東京 now", ["Ada Lovelace", "東京"]),
    ("Call Bob at ACME Corp today", ["Bob", "ACME Corp"]),
    ("x y z", ["x", "y z"]),
    ("Zoë bought I in Paris", ["Zoë", "I", "Paris"]),
]
LABELS = ["PER", "LOC", "Org-Name", "my label"]
KEYS = [
    *("entities", "ents", "label", "labels", "annotation", "annotations", "ner", "result"),
    *("named_entities", "tags", "spans", "highlights", "Entities", "mentions", "predictions"),
    *("output", "value", "x", "myspans", "gold", "data2"),
]
OFFSETS = [
    *[("start", "end"), ("begin", "end"), ("start_offset", "end_offset"), ("from", "to")],
    *[("start_char", "end_char"), ("startOffset", "endOffset"), ("BeginOffset", "EndOffset")],
    *[("start_idx", "end_idx"), ("char_start", "char_end"), ("start", "stop")],
]
LABEL_KEYS = [
    *("label", "type", "tag", "entity", "entity_group", "labels", "category", "ent_type", "class"),
    *("entity_type", "Type", "ner", "kind", "label_name"),
]
TEXT_KEYS = ["text", "word", "surface", "mention", "content"]
SHAPES = [
    *("triple", "label first", "pair and label", "label and pair", "object", "object", "length"),
    *("pair", "pieces", "nested", "value", "points", "label object"),
]
CONVENTIONS = [*["points"] * 4, "inclusive", "UTF-16", "bytes", "from 1", "from 1, inclusive"]


def place(text, start, end, convention):
    if convention == "inclusive":
        return start, end - 1
    if convention == "UTF-16":
        return tuple(len(text[:at].encode("utf-16-le")) // 2 for at in (start, end))
    if convention == "bytes":
        return tuple(len(text[:at].encode("utf-8")) for at in (start, end))
    if convention == "from 1":
        return start + 1, end + 1
    return (start + 1, end) if convention == "from 1, inclusive" else (start, end)


def item(shape, names, place, label, own):
    start, end, label_key, text_key = names
    first, last = place
    given = [label] if label_key == "labels" else label
    offsets = {start: first, end: last}
    written = {} if own is None else {text_key: own}
    return {
        "triple": [first, last, label, *written.values()],
        "label first": [label, first, last, *written.values()],
        "pair and label": [[first, last], label],
        "label and pair": [label, [first, last]],
        "object": {**offsets, label_key: given, **written, "id": 3},
        "length": {"offset": first, "length": last - first, label_key: given, **written},
        "pair": {"span": [first, last], label_key: given, **written, "score": 0.5},
        "pieces": {"offsets": [[first, last]], label_key: given, **written},
        "nested": {"offset": offsets, label_key: given, **written},
        "value": {"value": {**offsets, label_key: given}, "id": "q", **written},
        "points": {"points": [{**offsets, **written}], label_key: given},
        "label object": {**offsets, label_key: {"name": label}, **written},
    }[shape]


def packed(draw, items, gold, text, convention):
    """Put the items into a value of a row."""
    how = draw(["list"] * 6 + ["object", "numbered", "deep", "one", "columns", "labels", "places"])
    is_objects = all(isinstance(one, dict) for one in items)
    if how == "object":
        return {"entities": items}
    if how == "numbered" and is_objects:
        return {str(i): one for i, one in enumerate(items)}
    if how == "deep":
        return {"result": {"spans": items}}
    if how == "one":
        return [{"entities": items, "user": 3}]
    if how == "columns" and is_objects:
        return {key: [one[key] for one in items] for key in items[0]}
    places = [(place(text, start, end, convention), label) for start, end, label in gold]
    if how == "labels":
        return {label: [list(at) for at, other in places if other == label] for _, label in places}
    if how == "places":
        return {f"{at[0]}:{at[1]}": label for at, label in places}
    return items


def row_of_spans(draw):
    text, entities = draw(TEXTS)
    chosen = [one for one in entities if draw([True, True, False])] or entities[:1]
    gold = [(text.index(one), text.index(one) + len(one), draw(LABELS)) for one in chosen]
    convention, shape, has_text = draw(CONVENTIONS), draw(SHAPES), draw([True, False])
    names = (*draw(OFFSETS), draw(LABEL_KEYS), draw(TEXT_KEYS))
    items = [
        item(shape, names, place(text, start, end, convention), label,
             text[start:end] if has_text else None)
        for start, end, label in gold
    ]  # fmt: skip
    value = packed(draw, items, gold, text, convention)
    value = draw([value] * 4 + [json.dumps(value), repr(value)])
    key = draw(KEYS)
    outside = draw(["row"] * 6 + ["meta", "doc", "task", "data"])
    row = {
        "row": {"id": 1, "text": text, key: value},
        "meta": {"text": text, "meta": {key: value}},
        "doc": {"text": text, "doc": {key: value}},
        "task": {"data": {"text": text}, key: value},
        "data": {"data": {"text": text, key: value}},
    }[outside]
    return {**row, **draw([{}, {}, {"answer": "accept"}])}, gold


def row_of_tags(draw):
    text, entities = draw(TEXTS)
    words, tags, gold = text.split(), [], []
    joined, position = " ".join(words), 0
    for word in words:
        start, position = position, position + len(word) + 1
        owner = next((one for one in entities if word.strip(".,") in one.split()), None)
        if owner is None:
            tags.append("O")
        elif gold and gold[-1][3] == owner and joined[gold[-1][1] : start] == " ":
            gold[-1][1] = start + len(word)
            tags.append(f"I-{gold[-1][2]}")
        else:
            gold.append([start, start + len(word), draw(LABELS[:3]), owner])
            tags.append(f"B-{gold[-1][2]}")
    words_key = draw(["tokens", "words", "w", "sentence_tokens"])
    tags_key = draw(["ner_tags", "tags", "labels", "t", "ner", "iob", "target"])
    lists = {words_key: words, tags_key: tags}
    row = draw(
        [
            lists,
            {"text": text, **lists},
            {"text": text, tags_key: tags},
            {"text": text, tags_key: " ".join(tags)},
            {words_key: [list(one) for one in zip(words, tags, strict=True)]},
            {words_key: [{"text": w, "ner": t} for w, t in zip(words, tags, strict=True)]},
            {"sentence": lists},
            {words_key: repr(words), tags_key: repr(tags)},
        ]
    )
    return {"id": 3, **row}, [tuple(one[:3]) for one in gold]


def outcome(row, gold):
    """Return what became of a row: right, refused, or what is wrong."""
    try:
        (example,) = nbner.read([row])
    except DataError as error:
        return "refused" if error.field else f"refused without a name: {error}"
    found = sorted((span.start, span.end, span.label) for span in example.spans)
    if found == sorted(gold):
        return "right"
    return f"{'dropped in silence' if not found else 'read wrong'}: {row!r} gave {found}"
