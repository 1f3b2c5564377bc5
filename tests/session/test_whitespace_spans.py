"""Spans that begin or end with whitespace, which spaCy cannot learn."""

import pytest

from nbner import DataError, Session, TrainingError

NAME = "Break Co\n"


def row(i, words=NAME, **keys):
    text = f"Order {i}:\nBreak Co\nsends {i} parcels."
    start = text.index(words)
    span = {"start": start, "end": start + len(words), "label": "ORG"}
    return {"text": text, "spans": [span], "answer": "accept", **keys}


@pytest.fixture
def session():
    with Session("d", store=":memory:", seed=1) as session:
        yield session


def found(session):
    return {one.text[s.start : s.end] for one in session.examples() for s in one.spans}


@pytest.mark.parametrize("misaligned", ["keep", "expand", "contract", "refuse"])
def test_they_are_counted_and_kept_by_all_choices_but_one(session, misaligned):
    report = session.add([row(1), row(2, "\nBreak"), row(3, "Break")], misaligned=misaligned)
    assert (report.added, report.whitespace, report.misaligned) == (3, 2, 0)
    assert "2 spans begin or end with whitespace, which spaCy cannot learn" in str(report)
    assert 'misaligned="trim"' in str(report)
    assert list(report.frame["kind"]) == ["whitespace", "whitespace"]
    assert list(report.frame["text"]) == [NAME, "\nBreak"]
    assert found(session) == {NAME, "\nBreak", "Break"}


def test_trim_takes_the_whitespace_off_whether_it_is_a_token_or_not(session):
    spans = [NAME, "\nBreak", "Break ", " Co\n", "Break Co"]
    report = session.add([row(i, words) for i, words in enumerate(spans)], misaligned="trim")
    assert (report.added, report.whitespace, report.misaligned) == (5, 4, 0)
    assert found(session) == {"Break Co", "Break", "Co"}
    assert "whitespace trimmed off 4 spans" in str(report)


def test_what_is_off_the_tokens_after_trimming_is_kept_and_counted(session):
    report = session.add([row(1, "reak Co\n")], misaligned="trim")
    assert (report.whitespace, report.misaligned) == (1, 1)
    assert found(session) == {"reak Co"}


def test_a_span_of_nothing_but_whitespace_is_kept_and_counted(session):
    report = session.add(
        [
            {
                "text": "Ada \n\nleft",
                "spans": [{"start": 4, "end": 6, "label": "X"}],
                "answer": "accept",
            }
        ],
        misaligned="trim",
    )
    assert (report.whitespace, report.misaligned) == (1, 0)
    assert found(session) == {"\n\n"}
    assert "cannot learn" in str(report)


def test_trim_holds_spans_against_tokens_that_came_with_the_text(session):
    task = {
        **row(1, "reak Co\n"),
        "tokens": ["Order", "1:", "Break", "Co", "sends", "1", "parcels."],
    }
    with pytest.raises(DataError, match="row's own tokens"):
        session.add([task], misaligned="trim")
    task = {**task, **row(1)}
    assert session.add([task], misaligned="trim").whitespace == 1
    assert found(session) == {"Break Co"}


def test_the_data_warnings_list_them_with_their_examples(session):
    session.add([row(1), row(2), row(3, "Break")])
    session.add([row(9)], split="dev")
    train, dev = (one for one in session.quality.data_warnings() if one.kind == "whitespace_spans")
    assert "2 of 3 spans in the training data begin or end with whitespace" in str(train)
    assert "1 of 1 span in dev begins or ends with whitespace" in str(dev)
    assert (len(train.examples), len(dev.examples)) == (2, 1)
    assert "whitespace_spans" in set(session.quality.data_warnings().frame["kind"])


def test_the_tokenizer_doctor_lists_them(session):
    session.add([row(1), row(2, "reak"), row(3, "Break")])
    doctor = session.quality.tokenization()
    assert "1 of 3 spans in 3 examples does not begin and end with a token" in str(doctor)
    assert "1 of 3 spans in 3 examples begins or ends with whitespace" in str(doctor)
    line = doctor.frame.set_index("text").loc[NAME]
    assert (line["tokens"], line["rule"]) == (["\n"], "")
    assert "spaCy cannot learn" in line["why"]


def test_adding_again_with_trim_corrects_what_is_there(session):
    rows = [row(i, _annotator_id="ann") for i in range(3)]
    session.add(rows)
    session.add(rows, misaligned="trim")
    assert found(session) == {"Break Co"}
    assert not [w for w in session.quality.data_warnings() if w.kind == "whitespace_spans"]


@pytest.mark.parametrize("background", [False, True])
def test_training_refuses_when_nothing_can_be_learnt(session, background):
    session.add([row(i) for i in range(12)])
    session.add([row(i + 100) for i in range(3)], split="dev")
    with pytest.raises(TrainingError) as caught:
        session.train(max_epochs=1, progress=False, background=background)
    message = str(caught.value)
    assert "none of the 12 spans can be learnt: all begin or end with whitespace" in message
    assert repr(NAME) in message
    assert 'misaligned="trim"' in message
    assert len(session.model.runs) == 0
    assert session.nlp.get_pipe("ner").labels == ()


def test_the_reasons_are_counted(session):
    session.add([*[row(i) for i in range(4)], row(5, "reak"), row(6, "reak C")])
    session.add([row(9, "Break Co")], split="dev")
    with pytest.raises(TrainingError, match="4 begin or end with whitespace and 2 cut a token"):
        session.train(max_epochs=1, progress=False)


def test_what_can_be_learnt_is_learnt_and_evaluated(session):
    session.add([row(i) for i in range(6)] + [row(i + 500, "Break Co") for i in range(20)])
    session.add([row(i + 100, "Break Co") for i in range(5)], split="dev")
    session.train(max_epochs=8, progress=False)
    assert session.nlp.get_pipe("ner").labels == ("ORG",)
    assert session.evaluate().f > 0.5


def test_dev_gold_that_cannot_be_predicted_never_reads_as_not_trained(session):
    session.add([row(i + 500, "Break Co") for i in range(20)])
    session.add([row(i + 100) for i in range(5)], split="dev")
    session.train(max_epochs=2, progress=False)
    assert session.evaluate().f == 0


def test_a_label_whose_spans_are_all_unlearnable_is_warned_of(session):
    other = [row(i, _annotator_id="x") for i in range(12)]
    for one in other:
        one["spans"][0]["label"] = "SHOP"
    session.add([*other, *[row(i + 500, "Break Co") for i in range(12)]])
    (warning,) = (w for w in session.quality.data_warnings() if w.kind == "whitespace_spans")
    assert "12 of 24 spans" in str(warning)
    assert {s.label for one in warning.examples for s in one.spans} == {"SHOP"}
