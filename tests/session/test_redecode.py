"""What a page asks of the model while a person corrects: analyses under what is fixed."""

from dataclasses import replace

import pytest

import nbner
from nbner._common.offered import SUGGESTIONS_KEY
from nbner.simulation.headless_client import HeadlessClient


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


def offered(widget):
    """Return what the page offers below each open text, with what is marked."""
    page = HeadlessClient(widget)
    found = []
    while (shown := page.next_example()) is not None and len(found) < 6:
        found.append((shown, page.offered(shown)))
    return found


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


def test_likely_spans_that_are_not_suggested_are_on_offer_the_likeliest_first(session, annotator):
    several = offered(annotator)
    assert len(several) == 6
    assert sum(len(others) for _, others in several) > 6
    for shown, others in several:
        known = session.model.span_probabilities(shown.text).probabilities
        chances = [known.probability_of(span) for span in others]
        assert chances == sorted(chances, reverse=True)
        left_out = {span for span, p in known.spans.items() if p >= 0.1} - {
            replace(one, source=None, score=None) for one in shown.spans
        }
        assert set(others) <= left_out
        assert len(others) == min(len(left_out), 6)


def test_how_likely_they_must_be_is_an_option_and_an_audit_has_none(session):
    few, many = (
        sum(len(others) for _, others in offered(session.make_gold(split="open", alternatives=one)))
        for one in (0.4, 0.02)
    )
    assert few < many
    for none in ({"alternatives": None}, {"withhold": 0.2}):
        assert not any(others for _, others in offered(session.make_gold(split="open", **none)))


@pytest.mark.parametrize("wrong", [0, 1, -0.1, 1.5, float("nan")])
def test_a_probability_that_is_none_is_refused(session, wrong):
    with pytest.raises(nbner.DataError, match="alternatives"):
        session.make_gold(split="open", alternatives=wrong)
    with pytest.raises(nbner.DataError, match='does not go with review="set"'):
        session.make_gold(split="open", review="set", alternatives=0.2)


def test_what_is_on_offer_counts_as_no_suggestion_and_follows_a_renamed_label(tmp_path):
    corpus = nbner.sample()
    with nbner.Session("own", labels=corpus.labels, store=tmp_path / "own.db") as own:
        own.add(corpus.train[:60], split="train")
        own.add([f"{one.text} Twice." for one in corpus.dev[:4]], split="open")
        own.train(max_epochs=2, progress=False)
        widget = own.make_gold(split="open", alternatives=0.01)
        page = HeadlessClient(widget)
        shown = page.next_example()
        others = page.offered(shown)
        assert others
        page.accept(shown, [others[0]], 1.0)
        (answer,) = own._context.dataset.answers("open")
        (source,) = answer.extra[SUGGESTIONS_KEY]
        assert [tuple(one) for one in source["spans"]] == [
            (one.start, one.end, one.label) for one in shown.spans
        ]
        label = page.offered(page.next_example())[0].label
        own.labels.rename(label, "Renamed")
        page.reload()
        pairs = offered(widget)
        assert not any(set(spans) & set(shown.spans) for shown, spans in pairs)
        names = {one.label for _, spans in pairs for one in spans}
        assert label not in names
        assert "Renamed" in names
