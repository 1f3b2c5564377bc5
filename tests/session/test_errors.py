"""What a session has wrong: explored, mended, compared."""

from __future__ import annotations

import pytest
from spacy.scorer import Scorer

import nbner
from nbner.types import Span


@pytest.fixture
def erring(cooking):
    """Give the session with gold of its own, of which some is not what the model says."""
    session, _ = cooking
    if "erring" not in session.summary.splits:
        session.add(nbner.sample().dev[:40], split="erring")
    return session


def test_the_explorer_counts_what_evaluate_counts(erring):
    explorer = erring.errors("erring", progress=False)
    measured = erring.evaluate("erring")
    frame = explorer.frame
    assert (frame["kind"] == "correct").sum() == measured.score.exact.tp
    assert frame["gold"].notna().sum() == measured.support
    assert explorer.confusion.to_numpy().sum() == len(frame)
    # Every span has the model's probability, and what training knew of it.
    assert frame["probability"].between(0, 1).all()
    right = frame[frame["kind"] == "correct"]
    assert right["probability"].mean() > frame[frame["kind"] != "correct"]["probability"].mean()
    words = frame["words"].iloc[0].casefold()
    assert frame["seen"].iloc[0] == any(
        one.text[s.start : s.end].casefold() == words and s.label == frame["gold"].iloc[0]
        for one in erring.examples("train")
        for s in one.spans
    )


def test_gold_is_corrected_and_the_model_called_wrong_and_both_are_taken_back(erring):
    explorer = erring.errors("erring", confidence=False, progress=False)
    before = {one.text: one.spans for one in erring.examples("erring")}
    total = explorer.errors.error_count
    opened = explorer.receive({"type": "open", "id": "1", "at": {}, "offset": 0, "want": 200})
    # The way goes along all that was opened, however few rows are there yet.
    first = explorer.receive({"type": "open", "id": "1", "at": {}, "offset": 0, "want": 1})
    assert first["ids"] == list(dict.fromkeys(one["id"] for one in opened["rows"]))
    row = next(one for one in opened["rows"] if one["kind"] == "missed")
    # The gold was wrong: there is nothing. Through the messages of the annotation surface.
    found = explorer.receive({"type": "find", "id": "2", "examples": [row["id"]]})["tasks"][0]
    said = found["versions"][0]
    assert said["by"] == "predicted"
    reply = explorer.receive(
        {
            "type": "answer",
            "id": "a1",
            "example": row["id"],
            "answer": "accept",
            "spans": said["spans"],
        }
    )
    assert reply["type"] == "saved"
    assert explorer.errors.error_count < total
    changed = [one for one in erring.examples("erring") if one.spans != before[one.text]]
    assert len(changed) == 1
    # Another one stands, and the model is wrong on it.
    other = next(one for one in opened["rows"] if one["id"] != row["id"])
    explorer.receive({"type": "judge", "id": "3", "example": other["id"], "verdict": "model"})
    assert explorer.frame["judged"].eq("model").any()
    assert explorer.undo() is not None
    assert not explorer.frame["judged"].eq("model").any()
    explorer.undo()
    assert explorer.undo() is None
    assert explorer.errors.error_count == total
    assert {one.text: one.spans for one in erring.examples("erring")} == before
    assert {one.answer for one in erring.examples("erring")} == {"accept"}


def test_an_answer_from_elsewhere_reaches_the_matrix(erring):
    explorer = erring.errors("erring", confidence=False, progress=False)
    wrong = next(one for one in explorer.errors.matches if one.is_error)
    text = wrong.example.text
    elsewhere = erring.manual("erring")
    shown = elsewhere.goto(wrong.example.input_hash)
    elsewhere.answer("ignore", example=shown)
    assert not explorer.frame["text"].eq(text).any()
    elsewhere.answer("accept", wrong.example.spans, example=shown)
    assert explorer.frame["text"].eq(text).any()


def test_the_list_of_an_explorer_is_filtered_by_annotator(erring):
    explorer = erring.errors("erring", confidence=False, progress=False)

    def listed(**conditions):
        message = {"type": "list", "id": "1", "filter": conditions, "offset": 0, "want": 200}
        return explorer.receive(message)["rows"]

    everything = listed()
    assert listed(annotator="nobody at all") == []
    example = explorer.errors.matches[0].example
    elsewhere = erring.manual("erring")
    shown = elsewhere.goto(example.input_hash)
    elsewhere.answer("ignore", example=shown)
    own = listed(annotator=erring.annotator, answer="ignore")
    assert [row["by"] for row in own] == [erring.annotator]
    assert len(listed()) == len(everything) > len(listed(annotator=erring.annotator)) > 0
    elsewhere.answer("accept", example.spans, example=shown)


def test_an_open_explorer_says_that_another_model_is_in_use(tmp_path):
    with nbner.Session("retrained", store=tmp_path / "nbner.db") as session:
        session.add(nbner.sample().train[:40])
        first = session.train(max_epochs=1, progress=False)
        explorer = session.errors("train", confidence=False, progress=False)
        before = explorer.receive({"type": "narrow", "id": "1", "conditions": {}})
        heard = []
        explorer.send = heard.append
        session.model.use(first)
    [learnt] = before["notices"]
    assert "40 of 40 texts are among those that the model was trained on" in learnt
    [news] = [one for one in heard if one["type"] == "errors"]
    assert "Another model is in use" in news["notices"][0]
    assert "session.errors()" in news["notices"][0]
    assert news["cells"] == before["cells"]


def test_what_cannot_be_looked_at_says_what_to_do(erring):
    with pytest.raises(nbner.DataError, match=r"no split 'nowhere'; the splits are.*session\.add"):
        erring.errors("nowhere")
    with nbner.Session("new", labels=["A"], store=":memory:") as fresh:
        fresh.add([{"text": "Add it", "spans": [], "answer": "accept"}], split="dev")
        with pytest.raises(nbner.ModelError, match=r"session.train"):
            fresh.errors()
    explorer = erring.errors("erring", confidence=False, progress=False)
    with pytest.raises(nbner.DataError, match="no condition 'colour'"):
        explorer.filter(colour="red")
    with pytest.raises(nbner.DataError, match="a condition failed with AttributeError"):
        explorer.filter(lambda one: one.colour)
    with pytest.raises(nbner.DataError, match="there is nothing at gold='Nowhere'"):
        explorer.show("Nowhere")
    with pytest.raises(nbner.DataError, match="'mood' is not a factor"):
        explorer.plot("mood")


def test_odd_sides_are_told_before_they_are_counted():
    text = "Add 5 ml of LB."
    gold = [{"text": text, "spans": [{"start": 4, "end": 8, "label": "Amount"}]}]
    said = [{"text": text, "spans": [{"start": 0, "end": 3, "label": "ACTION"}]}]
    words = str(nbner.evaluate(gold, said))
    assert "Gold has labels that are never predicted: Amount (1)" in words
    assert "Predicted labels that gold does not have: ACTION (1)" in words
    # Other tokens, other whitespace: spans are compared by their characters.
    other = [{"text": "Add  5 ml of LB.", "spans": [{"start": 5, "end": 9, "label": "Amount"}]}]
    measured = nbner.evaluate(gold, other)
    assert measured.f == 1
    assert "written differently" in str(measured)
    with pytest.raises(nbner.DataError, match="1 text of predicted without a partner among the"):
        nbner.evaluate(gold, [*said, {"text": "Something else", "spans": []}])
    with pytest.raises(nbner.DataError, match="there is no text in predicted"):
        nbner.evaluate(gold, [])


def test_evaluate_takes_what_predict_gives_and_equals_the_session_and_spacy(erring):
    gold = erring.examples("erring")
    frame = erring.predict([one.text for one in gold])
    measured = nbner.evaluate(gold, frame)
    own = erring.evaluate("erring")
    assert measured.f == pytest.approx(own.f)
    docs = [pair_of_docs(erring.nlp, one) for one in gold]
    theirs = Scorer(erring.nlp).score(docs)
    assert measured.f == pytest.approx(theirs["ents_f"])
    for label, row in theirs["ents_per_type"].items():
        assert measured.score.per_label[label].f == pytest.approx(row["f"])


def pair_of_docs(nlp, example):
    from spacy.training import Example

    gold = nlp.make_doc(example.text)
    gold.set_ents([gold.char_span(s.start, s.end, s.label) for s in example.spans])
    return Example(nlp(example.text), gold)


def test_two_models_are_compared_and_their_flips_open(erring):
    import spacy

    rules = spacy.blank("en")
    ruler = rules.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "Action", "pattern": "Whisk"}])
    found = erring.compare(rules, split="erring", progress=False)
    assert found.is_significant
    assert found.gain > 0
    assert found.p_value < 0.01
    assert "p = 0.00" in found.summary
    assert list(found.frame["name"]) == [row.name for row in found.rows]
    assert set(found.per_label["label"]) == set(erring.labels)
    explorer = found.span_changes.open()
    assert set(explorer.frame["text"]) >= {one.text for one in found.span_changes.examples}
    opened = explorer.receive({"type": "open", "id": "1", "at": {}, "offset": 0, "want": 5})
    assert [name for name, _ in opened["rows"][0]["sides"]][-1] == "gold"
    with pytest.raises(nbner.ModelError, match="both are the same model"):
        erring.compare(erring.nlp, progress=False)


def test_differences_open_too_and_cannot_be_changed():
    a = [{"text": "Add 5 ml.", "spans": [{"start": 4, "end": 8, "label": "Amount"}]}]
    b = [{"text": "Add  5 ml.", "spans": [{"start": 0, "end": 9, "label": "Amount"}]}]
    explorer = nbner.differences(a, b).open()
    (row,) = explorer.frame.to_dict("records")
    assert (row["kind"], row["predicted_start"], row["predicted_end"]) == ("borders", 0, 8)
    reply = explorer.receive({"type": "open", "id": "1", "at": {}, "offset": 0, "want": 5})
    judged = {"type": "judge", "id": "2", "example": reply["rows"][0]["id"], "verdict": "model"}
    assert "Decide the example first" in explorer.receive(judged)["message"]
    with pytest.raises(nbner.DataError, match="no text differs"):
        nbner.differences(a, a).open()


def test_spans_off_the_tokens_are_told(erring):
    from nbner.evaluation.warnings import evaluation_warnings

    text = "Whisk the eggs"
    example = nbner.Example(text, (), (Span(0, 3, "Action"),))
    cut = nbner.Example(text, erring.context.tokenize(text), (Span(0, 3, "Action"),))
    assert evaluation_warnings([example], [[]], model_labels=["Action"]) == []
    (told,) = evaluation_warnings([cut], [[]], model_labels=["Action"])
    assert told.startswith("1 gold span does not begin and end with a token")
