"""nbner's own frames and what pandas writes of them."""

from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

import nbner
from nbner import DataError, Example, Session, Span

TEXT = "Mina Kovac flew to Oslo."
PER, LOC = Span(0, 10, "PER"), Span(19, 23, "LOC")


def task(*spans, text=TEXT, **keys):
    parts = [{"start": one.start, "end": one.end, "label": one.label} for one in spans]
    return {"text": text, "spans": parts, **keys}


@pytest.fixture
def session():
    session = Session("a", store=":memory:")
    session.add(
        [
            task(PER, LOC, answer="accept", _annotator_id="ann", note="sure", meta={"n": 1}),
            task(Span(1, 4, "PER"), text="Adam", answer="reject", _annotator_id="1", flagged=True),
            task(text="Nobody.", answer="accept", _annotator_id="bob"),
        ]
    )
    return session


def csv(frame, folder, **options):
    frame.to_csv(folder / "frame.csv", **options)
    return folder / "frame.csv"


def assert_same(again, session):
    """Times are kept to the microsecond."""
    found, expected = again.answers(), session.answers()
    pd.testing.assert_frame_equal(found.drop(columns="created"), expected.drop(columns="created"))
    assert (found["created"] - expected["created"]).abs().max() < pd.Timedelta("2us")


def test_answers_come_back_as_frame_and_as_csv(session, tmp_path):
    frame = session.answers()
    for source in (
        frame,
        csv(frame, tmp_path, index=False),
        csv(frame, tmp_path),
        frame.to_dict("records"),
    ):
        again = Session("b", store=":memory:")
        report = again.add(source, split="train")
        assert (report.added, report.answered) == (3, 3)
        assert_same(again, session)


def test_answers_come_back_from_a_csv_that_pandas_has_read(session, tmp_path):
    again = Session("b", store=":memory:")
    again.add(pd.read_csv(csv(session.answers(), tmp_path)))
    assert_same(again, session)


def test_examples_come_back_as_frame_and_as_csv(session, tmp_path):
    session.add([task(LOC), "Only a text."])
    session.add([{"text": "Ada  flew", "tokens": ["Ada", "flew"]}])
    frame = pd.DataFrame(session.examples())
    names = ("text", "spans", "answer", "annotator", "note", "flagged", "input_hash", "tokens")
    expected = [[getattr(one, name) for name in names] for one in session.examples()]
    expected_meta = [dict(one.meta) for one in session.examples()]
    for source in (frame, csv(frame, tmp_path), [asdict(one) for one in session.examples()]):
        again = Session("b", store=":memory:")
        again.add(source)
        found = again.examples()
        assert [[getattr(one, name) for name in names] for one in found] == expected
        assert [dict(one.meta) for one in found] == expected_meta
        assert [one.pretokenized for one in found] == [
            one.pretokenized for one in session.examples()
        ]


def predicted(columns=("example", "start", "end", "token_start", "token_end", "text", "label")):
    rows = [(0, 0, 10, 0, 2, "Mina Kovac", "PER"), (0, 19, 23, 4, 5, "Oslo", "LOC")]
    return pd.DataFrame(rows, columns=list(columns))


def test_a_frame_of_predictions_is_never_taken_for_texts(tmp_path):
    frame = predicted()
    for source in (
        frame,
        csv(frame, tmp_path),
        frame.to_dict("records"),
        frame.drop(columns="text"),
        frame.assign(text=TEXT),
    ):
        with pytest.raises(DataError, match=r"nbner\.evaluate\(gold, frame\)"):
            Session("b", store=":memory:").add(source)


def test_a_frame_of_predictions_is_compared_also_from_its_csv(tmp_path):
    gold = [task(PER, LOC)]
    assert nbner.evaluate(gold, predicted()).f == 1.0
    assert nbner.evaluate(gold, csv(predicted(), tmp_path)).f == 1.0


@pytest.mark.parametrize(
    "cell",
    [
        [(0, 10, "PER"), (19, 23, "LOC")],
        [{"start": 0, "end": 10, "label": "PER"}, {"start": 19, "end": 23, "label": "LOC"}],
        np.array([(0, 10, "PER"), (19, 23, "LOC")], dtype=object),
        [PER, LOC],
    ],
    ids=["triples", "dicts", "array", "spans"],
)
def test_spans_in_a_cell_are_read_and_so_is_the_csv_of_pandas(tmp_path, cell):
    frame = pd.DataFrame({"text": [TEXT], "spans": [None], "n": [1]})
    frame["spans"] = pd.Series([cell], dtype=object)
    (example,) = nbner.read(frame)
    assert (example.spans, dict(example.meta)) == ((PER, LOC), {"n": 1})
    if isinstance(cell, list):
        (example,) = nbner.read(csv(frame, tmp_path))
        assert (example.spans, dict(example.meta)) == ((PER, LOC), {"n": "1"})


def test_a_cell_that_only_looks_like_spans_is_named(tmp_path):
    frame = pd.DataFrame({"text": [TEXT], "spans": ["Span[0:10]"]})
    with pytest.raises(DataError, match=r"not JSON.*json\.dumps"):
        list(nbner.read(csv(frame, tmp_path)))


def test_arrays_that_pandas_wrote_are_words_and_tags(tmp_path):
    words, tags = np.array(["Mina", "Kovac", "flew"]), np.array(["B-PER", "I-PER", "O"])
    frame = pd.DataFrame({"tokens": [words], "ner_tags": [tags]})
    for source in (frame, csv(frame, tmp_path)):
        (example,) = nbner.read(source)
        assert (example.text, example.spans) == ("Mina Kovac flew", (Span(0, 10, "PER"),))


def test_label_studios_csv_is_read_with_its_people(tmp_path):
    path = tmp_path / "ls.csv"
    path.write_text(
        "annotation_id,annotator,created_at,id,label,lead_time,text,updated_at\n"
        '1,7,2024-01-01T00:00:00Z,1,"[{""start"":0,""end"":10,""text"":""Mina Kovac"",'
        f'""labels"":[""PER""]}}]",3.1,{TEXT},2024-01-01T00:00:00Z\n'
        "2,8,2024-01-01T00:00:00Z,2,,3.1,Nobody.,2024-01-01T00:00:00Z\n",
        encoding="utf-8",
    )
    first, second = nbner.read(path)
    assert (first.spans, first.answer, first.annotator) == ((PER,), "accept", "7")
    assert (second.spans, second.answer, second.annotator) == ((), "accept", "8")


def test_an_example_keeps_what_it_says_of_its_tokens():
    given = Example("Ada  flew", answer="accept", annotator="ann", binary=True, created=5.0)
    (found,) = nbner.read([asdict(given)])
    assert (found.binary, found.pretokenized, found.created) == (True, False, 5.0)
