"""What was annotated and is not understood is never "no entity"."""

import pytest

import nbner
from nbner import DataError, Session, Span

TEXT = "Mina Kovac flew to Oslo."
HTML = {
    "start": "/p[1]/text()[1]",
    "end": "/p[1]/text()[1]",
    "startOffset": 0,
    "endOffset": 10,
    "globalOffsets": {"start": 0, "end": 10},
    "text": "Mina Kovac",
}
DIALOGUE = {"start": "0", "end": "0", "startOffset": 0, "endOffset": 4}
PLAIN = {"start": 0, "end": 10, "text": "Mina Kovac"}


def task(value, text=TEXT, kind="labels", key="annotations", **data):
    result = {"value": value, "id": "x", "from_name": "label", "to_name": "text", "type": kind}
    return {"id": 1, "data": {"text": text, **data}, key: [{"result": [result]}]}


@pytest.mark.parametrize("key", ["annotations", "predictions", "completions"])
@pytest.mark.parametrize(
    ("value", "kind", "says"),
    [
        ({**HTML, "hypertextlabels": ["PER"]}, "hypertextlabels", "region of type"),
        ({**HTML, "htmllabels": ["PER"]}, "htmllabels", "region of type"),
        ({**HTML, "labels": ["PER"]}, "labels", "region of type"),
        ({**DIALOGUE, "paragraphlabels": ["PER"]}, "paragraphlabels", "region of type"),
        (PLAIN, "labels", "no label"),
        ({**PLAIN, "labels": []}, "labels", "no label"),
    ],
)
def test_a_region_that_is_not_understood_is_refused(key, value, kind, says):
    with pytest.raises(DataError, match=says) as caught:
        Session(store=":memory:").add([task(value, kind=kind, key=key)])
    assert caught.value.field.startswith(key if key != "predictions" else "predictions")


def test_a_region_of_another_type_with_offsets_into_the_text_is_read():
    (example,) = nbner.read([task({**PLAIN, "entitylabels": ["PER"]}, kind="entitylabels")])
    assert example.spans == (Span(0, 10, "PER"),)


def test_choices_and_relations_are_no_regions():
    given = task({"choices": ["good"]}, kind="choices")
    given["annotations"][0]["result"].append({"type": "relation", "from_id": "a", "to_id": "b"})
    (example,) = nbner.read([given])
    assert (example.answer, example.spans) == ("accept", ())


@pytest.mark.parametrize(
    "address",
    [
        "/data/upload/1/ab-note.txt",
        "/data/local-files/?d=note.txt",
        "s3://bucket/note.txt",
        "gs://bucket/note.txt",
        "https://example.org/note.txt",
    ],
)
@pytest.mark.parametrize("annotated", [True, False])
def test_an_address_in_place_of_a_text_is_refused(address, annotated):
    given = task({"start": 0, "end": 4, "labels": ["PER"]}, text=address)
    if not annotated:
        given = {"id": 1, "data": given["data"]}
    with pytest.raises(DataError, match=r"address of a file.*valueType"):
        list(nbner.read([given]))


def test_spans_beside_the_text_of_a_task_are_read_or_refused():
    ents = [[0, 10, "PER"]]
    (example,) = nbner.read([{"data": {"text": TEXT, "ents": ents}}])
    assert example.spans == (Span(0, 10, "PER"),)
    (example,) = nbner.read([{"data": {"text": TEXT}, "annotations": [[0, 10, "PER"]]}])
    assert example.spans == (Span(0, 10, "PER"),)
    with pytest.raises(DataError, match="looks like spans"):
        list(nbner.read([{"data": {"text": TEXT, "ents": ents}, "annotations": []}]))


def test_drafts_are_counted():
    given = {**task({**PLAIN, "labels": ["PER"]}), "annotations": [], "predictions": []}
    given["drafts"] = [{"result": [{"value": {**PLAIN, "labels": ["PER"]}}]}]
    report = Session(store=":memory:").add([given])
    assert report.unread == 1


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "one.txt").write_text("IL-2 binds CD25", encoding="utf-8")
    return tmp_path


def test_standoff_in_two_files_is_read(folder):
    (folder / "one.a1").write_text("T1\tProtein 0 4\tIL-2\n", encoding="utf-8")
    (folder / "one.a2").write_text(
        "T2\tBinding 5 10\tbinds\nE1\tBinding:T2 Theme:T1\n", encoding="utf-8"
    )
    for source in (folder, folder / "one.a1"):
        (example,) = nbner.read(source)
        assert example.spans == (Span(0, 4, "Protein"), Span(5, 10, "Binding"))
        assert example.answer == "accept"


def test_another_file_beside_a_text_is_not_passed_over(folder):
    (folder / "one.xml").write_text("<a/>", encoding="utf-8")
    with pytest.raises(DataError, match=r"beside one\.txt lies one\.xml"):
        list(nbner.read(folder))


def test_an_annotation_file_in_another_format_is_refused(folder):
    (folder / "one.ann").write_text('{"entities": [[0, 4, "Protein"]]}\n', encoding="utf-8")
    with pytest.raises(DataError, match="no annotation of brat"):
        list(nbner.read(folder))


# A split that does not exist.


@pytest.fixture
def session():
    session = Session(store=":memory:", labels=["PER"])
    spans = [{"start": 0, "end": 10, "label": "PER"}]
    session.add([{"text": TEXT, "spans": spans, "answer": "accept"}], split="train")
    return session


@pytest.mark.parametrize(
    "call",
    ["examples", "answers", "counts", "manual", "make_gold", "review", "train"],
)
def test_an_unknown_split_is_named_with_those_there_are(session, call):
    with pytest.raises(DataError, match="no split 'trian'; the splits are: train") as caught:
        getattr(session, call)(split="trian")
    assert caught.value.field == "split"


def test_an_unknown_split_leaves_a_good_file_as_it_is(session, tmp_path):
    path = tmp_path / "gold.jsonl"
    session.export(path, split="train")
    before = path.read_bytes()
    with pytest.raises(DataError, match="no split 'trian'"):
        session.export(path, split="trian")
    assert path.read_bytes() == before
    assert len(before) > 0


def test_before_anything_is_added_the_first_split_is_empty():
    session = Session(store=":memory:")
    assert session.examples("train") == []
    with pytest.raises(DataError, match="nothing was added so far"):
        session.examples("dev")


@pytest.mark.parametrize("key", ["PER", "B2B", "Chemical"])
def test_offsets_under_a_key_that_may_be_their_label_are_refused(key):
    row = {"text": "Mina Kovac flew to Oslo.", key: [[0, 10]]}
    with pytest.raises(DataError, match=f"'{key}'.*looks like spans"):
        nbner.Session("d", store=":memory:").add([row])


@pytest.mark.parametrize("key", ["offsets", "lines", "sentences"])
def test_offsets_of_words_and_sentences_are_no_entities(key):
    session = nbner.Session("d", store=":memory:")
    session.add([{"text": "Mina Kovac flew to Oslo.", key: [[0, 4], [5, 10]]}])
    assert session.counts().total == 1


@pytest.mark.parametrize(
    ("meta", "unread"), [({"ORG": [[0, 4]]}, 1), ({"": [0, 0]}, 0), ({"page": 3}, 0)]
)
def test_spans_in_the_metadata_of_an_empty_list_are_counted(meta, unread):
    for key in ("meta", "metadata"):
        rows = [{"text": "Acme pays", "spans": [], "answer": "accept", key: meta}]
        with Session("meta", labels=["ORG"], store=":memory:") as session:
            report = session.add(rows)
            assert (report.added, report.unread) == (1, unread)
            assert key == "metadata" or session.examples("train")[0].meta == meta
