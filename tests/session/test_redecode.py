"""What a page asks of the model while a person corrects: analyses under what is fixed."""

import pytest

import nbner


@pytest.fixture(scope="module")
def session():
    corpus = nbner.sample()
    with nbner.Session("cooking", labels=corpus.labels, store=":memory:", seed=0) as session:
        session.add(corpus.train[:120], split="train")
        session.add(corpus.dev[:30], split="dev")
        session.add([f"{one.text} Again." for one in corpus.dev[30:36]], split="open")
        session.train(max_epochs=4, progress=False)
        yield session


@pytest.fixture
def annotator(session):
    return session.make_gold(split="open")


def ask(annotator, **more):
    example = annotator.current
    message = {"type": "analyses", "id": "1", "example": str(example.input_hash), "want": 8}
    return annotator.receive({**message, "forced": [], "forbidden": [], **more})


def spans(analysis):
    return [tuple(span[:3]) for span in analysis["spans"]]


def test_the_page_is_told_that_the_model_can_be_asked(session, annotator):
    assert annotator._setup["advises"] is True
    assert annotator._setup["redecodes"] is True
    assert session.make_gold(split="open", redecode=False)._setup["redecodes"] is False
    assert session.manual(split="open")._setup["advises"] is False


def test_analyses_come_best_first_and_are_those_of_parses(session, annotator):
    reply = ask(annotator)
    assert reply["type"] == "analyses"
    likely = [one["probability"] for one in reply["analyses"]]
    assert len(likely) == 8
    assert likely == sorted(likely, reverse=True)
    parses = session.parses(annotator.current.text, k=8)
    assert likely == pytest.approx([parse.probability for parse in parses])


def test_every_span_has_its_source_and_its_confidence(session, annotator):
    details = [span[3] for one in ask(annotator)["analyses"] for span in one["spans"]]
    assert details
    assert all(0 <= one["score"] <= 1 and one["source"] for one in details)


def test_a_forced_span_is_in_every_analysis_and_a_forbidden_one_in_none(session, annotator):
    best = spans(ask(annotator)["analyses"][0])
    taken_off = best[0]
    label = next(one for one in session.labels if one != taken_off[2])
    fixed = (len(annotator.current.tokens) - 2, len(annotator.current.tokens) - 1, label)
    reply = ask(annotator, forced=[list(fixed)], forbidden=[list(taken_off)])
    for analysis in reply["analyses"]:
        assert fixed in spans(analysis)
        assert taken_off not in spans(analysis)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"want": 0}, "want"),
        ({"want": True}, "want"),
        ({"forced": [[0, 1, "Tool"], [0, 2, "Dish"]]}, "overlap"),
        ({"forced": [[0, 1, "Tool"]], "forbidden": [[0, 1, "Tool"]]}, "forced and forbidden"),
        ({"forced": [[0, 900, "Tool"]]}, "tokens"),
        ({"forced": "all"}, "list"),
        ({"example": "12"}, "12"),
    ],
)
def test_what_cannot_be_asked_is_said(annotator, more, said):
    reply = ask(annotator, **more)
    assert reply["type"] == "failed"
    assert said in reply["message"]
    assert reply["re"] == "1"


def test_after_training_the_new_model_is_asked(session, annotator):
    before = ask(annotator)["analyses"][0]["spans"]
    # Whatever it has forgotten: it is to be another model.
    session.train(max_epochs=4, seed=3, margin=None, progress=False)
    after = ask(annotator)["analyses"][0]["spans"]
    sources = {span[3]["source"] for span in before}
    assert sources.isdisjoint({span[3]["source"] for span in after})
    likely = session.parses(annotator.current.text, k=1)[0].probability
    assert ask(annotator)["analyses"][0]["probability"] == pytest.approx(likely)
