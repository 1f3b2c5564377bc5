"""The last layer says what the recognizer does."""

from __future__ import annotations

import numpy as np
import pytest
from spacy.training import Example as Pair

from nbner import ModelError, Session
from nbner.decoding.actions import action_scores
from nbner.decoding.inspection import ActionScores, TokenFeatures
from nbner.nlp.pipeline import load_base

TEXTS = ["Ada lives in New York .", "New York is far", "", "Ada", "Bo  saw Ada and New Rome City ."]
GOLD = [
    ("Ada lives in New York .", [(0, 3, "Person"), (13, 21, "Place")]),
    ("Bo saw New Rome City .", [(0, 2, "Person"), (7, 20, "Place")]),
    ("New York is far", [(0, 8, "Place")]),
]


@pytest.fixture(scope="module", params=["ner", "beam_ner"])
def nlp(request):
    import spacy

    nlp = spacy.blank("en")
    nlp.add_pipe(request.param)
    pairs = [Pair.from_dict(nlp.make_doc(text), {"entities": found}) for text, found in GOLD]
    optimizer = nlp.initialize(lambda: pairs)
    for _ in range(25):
        nlp.update(pairs, sgd=optimizer)
    return nlp


def read(found, doc):
    """Read the entities off the actions that were taken."""
    spans, start = [], None
    for token, action in enumerate(found.taken):
        if action[0] in "BU":
            start = token
        if action[0] in "LU":
            spans.append((doc[start].idx, doc[token].idx + len(doc[token]), action[2:]))
    return spans


def test_the_greedy_path_is_what_the_pipeline_does():
    import spacy

    nlp = spacy.blank("en")
    nlp.add_pipe("ner")
    pairs = [Pair.from_dict(nlp.make_doc(text), {"entities": found}) for text, found in GOLD]
    optimizer = nlp.initialize(lambda: pairs)
    for _ in range(25):
        nlp.update(pairs, sgd=optimizer)
    for text, found in zip(TEXTS, action_scores(nlp, TEXTS), strict=True):
        doc = nlp(text)
        said = [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]
        assert read(ActionScores(found), doc) == said


def test_probabilities_add_up_over_valid_actions(nlp):
    for found in action_scores(nlp, TEXTS):
        for actions in (found.greedy_path, found.reachable):
            assert np.allclose(actions.probabilities.sum(axis=1), 1.0)
            assert (actions.probabilities[~actions.valid] == 0).all()


def test_every_state_is_listed_with_its_open_entity(nlp):
    (found,) = action_scores(nlp, ["Ada lives there"], max_span_length=2)
    states = [(one.token, one.start, one.label) for one in found.reachable.states]
    labels = ("Person", "Place")
    assert states == [
        (0, None, None),
        (1, None, None),
        *((1, 0, label) for label in labels),
        (2, None, None),
        *((2, 1, label) for label in labels),
    ]
    row = states.index((2, 1, "Place"))
    allowed = found.reachable.valid[row]
    assert [a for a, ok in zip(found.reachable.actions, allowed, strict=True) if ok] == ["L-Place"]


def test_an_entity_longer_than_was_asked_for_is_walked_all_the_same(nlp):
    short, whole = (list(action_scores(nlp, TEXTS, max_span_length=n)) for n in (1, 10))
    for one, other in zip(short, whole, strict=True):
        assert one.greedy_path.best == other.greedy_path.best


def test_features_are_one_row_a_token(nlp):
    found = list(action_scores(nlp, TEXTS))
    features = TokenFeatures.from_actions(found)
    tokens = [len(nlp.make_doc(text)) for text in TEXTS]
    width = len(found[0].greedy_path.actions) + found[0].token_vectors.shape[1]
    assert features.shape == (sum(tokens), width) == features.frame.shape
    assert list(np.bincount(features.examples, minlength=len(TEXTS))) == tokens
    assert np.asarray(features).dtype == np.float32
    assert features.frame.loc[(0, 0, "Ada")].index[0] == features.columns[0]
    assert TokenFeatures.from_actions([]).shape == (0, 0)


def test_a_classifier_can_be_fed_with_them(nlp):
    features = TokenFeatures.from_actions(list(action_scores(nlp, TEXTS)))
    gold = np.array([word in {"Ada", "Bo"} for word in features.words], float)
    design = np.hstack([features.matrix, np.ones((len(gold), 1))])
    weights, *_ = np.linalg.lstsq(design, gold, rcond=None)
    assert ((design @ weights > 0.5) == gold).all()


def test_a_session_gives_arrays_and_frames(nlp, tmp_path):
    nlp.to_disk(tmp_path / "model")
    with Session(model=tmp_path / "model", store=":memory:") as session:
        found = session.model.action_scores("Ada lives in New York .")
        assert found.array.shape == tuple(len(names) for names in found.axes.values())
        assert found.axes["token"] == ("Ada", "lives", "in", "New", "York", ".")
        frame = found.frame
        assert frame.groupby("token")["taken"].sum().eq(1).all()
        assert len(found.states_frame) == len(found.states.states) * len(found.axes["action"])
        assert session.model.token_features(TEXTS).shape[0] == 6 + 4 + 0 + 1 + 9
        assert "Ada/U-Person" in str(found)


def test_a_vector_listener_serves():
    import spacy

    nlp = spacy.blank("en")
    nlp.add_pipe("tok2vec")
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 96}
    nlp.add_pipe("ner", config={"model": {"tok2vec": listener}})
    pairs = [Pair.from_dict(nlp.make_doc(text), {"entities": found}) for text, found in GOLD]
    nlp.initialize(lambda: pairs)
    (found,) = action_scores(nlp, TEXTS[:1])
    assert len(found.token_vectors) == 6
    assert np.isfinite(found.token_vectors).all()


def test_an_untrained_model_is_an_error():
    with pytest.raises(ModelError, match=r"session\.train\(\)"):
        next(action_scores(load_base("blank:en"), ["Ada"]))
