"""Pipelines by name, their tokens, and docs that keep the tokens of a file."""

import numpy as np
import pytest
import spacy
import spacy.vocab
from hypothesis import given
from hypothesis import strategies as st

from nbner.errors import DataError, ModelError
from nbner.nlp import config
from nbner.nlp.dask import PickledPipeline
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import (
    clone_pipeline,
    doc_from_example,
    is_trained,
    labels_of,
    load_base,
    load_beside,
    loadable_from,
    pipeline_beside,
    recognizer_of,
    tokenizer_of,
)
from nbner.types import Example, Token

BLANK = load_base("blank:en")
TEXTS = st.text(
    st.sampled_from("abc XYZ.,'-\n\té\u0301😀\u200d中\u2029\u00a0"), min_size=1, max_size=30
)


@st.composite
def tokenized(draw):
    """Draw a text with tokens as a file might give them: any cut of what is not whitespace."""
    text = draw(TEXTS.filter(str.strip))
    places = [i for i, character in enumerate(text) if not character.isspace()]
    cuts = draw(st.sets(st.sampled_from(places)))
    tokens, start = [], None
    for i, character in enumerate([*text, " "]):
        if start is not None and (character.isspace() or i in cuts):
            tokens.append(Token(text[start:i], start, i, ws=text[i : i + 1] == " "))
            start = None
        if start is None and not character.isspace():
            start = i
    return Example(text, tuple(tokens), pretokenized=True)


@given(tokenized())
def test_given_tokens_are_kept_and_the_text_too(example):
    doc = doc_from_example(BLANK, example)
    assert doc.text == example.text
    kept = [(token.idx, token.idx + len(token)) for token in doc if not token.is_space]
    assert kept == [(token.start, token.end) for token in example.tokens]


@given(TEXTS)
def test_tokens_rebuild_the_text(text):
    tokens = tokenizer_of(BLANK)(text)
    assert [text[token.start : token.end] for token in tokens] == [token.text for token in tokens]
    covered = {i for token in tokens for i in range(token.start, token.end + token.ws)}
    assert covered == set(range(len(text)))


def test_tokens_made_by_the_pipeline_are_made_anew():
    example = Example("Don't", (Token("Don't", 0, 5),), pretokenized=False)
    assert [token.text for token in doc_from_example(BLANK, example)] == ["Do", "n't"]


def test_equal_tokens_keep_what_the_tokenizer_knows_of_them():
    example = Example("Don't", (Token("Do", 0, 2), Token("n't", 2, 5)), pretokenized=True)
    assert [token.norm_ for token in doc_from_example(BLANK, example)] == ["do", "not"]


def test_tokens_of_another_text_are_an_error():
    example = Example("one two", (Token("one", 0, 3), Token("three", 4, 9)), pretokenized=True)
    with pytest.raises(DataError, match="do not rebuild"):
        doc_from_example(BLANK, example)


def test_a_text_longer_than_the_pipeline_takes_is_an_error():
    nlp = load_base("blank:en")
    nlp.max_length = 10
    with pytest.raises(DataError, match=r"24 characters.*max_length"):
        tokenizer_of(nlp)("longer than ten, as seen")


def test_half_of_a_surrogate_pair_is_an_error_that_says_where():
    with pytest.raises(DataError, match=r"character 4 .*half of a pair.*UTF-16"):
        doc_from_example(BLANK, Example("Add \ud83d of salt"))


@pytest.mark.parametrize("lang", ["en", "xx", "de", "zh"])
def test_a_blank_pipeline_has_an_untrained_recognizer(lang):
    nlp = load_base(f"blank:{lang}")
    assert nlp.lang == lang
    assert nlp.pipe_names == ["ner"]
    assert not is_trained(nlp)
    assert labels_of(nlp) == ()


def test_a_trained_pipeline_is_found_by_its_folder(trained_path):
    nlp = load_base(str(trained_path))
    assert is_trained(nlp)
    assert labels_of(nlp) == ("Action", "Amount", "Reagent")


def again(nlp, way, tmp_path):
    """Copy a pipeline in memory, or through a folder."""
    if way == "copied":
        return clone_pipeline(nlp)
    nlp.to_disk(tmp_path / "again")
    return load_base(tmp_path / "again")


def looks(nlp, text):
    return [(t.text, t.norm_, t.shape_, t.prefix_, t.suffix_, t.rank) for t in nlp.make_doc(text)]


WAYS = pytest.mark.parametrize("way", ["copied", "loaded"])
SPECIAL = "I don't know: e.g. gonna meet at 5p.m. (in the U.S.) :-)"


@WAYS
def test_the_special_cases_of_a_language_are_split_once(trained_path, way, tmp_path, monkeypatch):
    nlp, fused, whole = load_base(trained_path), [], spacy.vocab.intify_attrs
    monkeypatch.setattr(
        spacy.vocab, "intify_attrs", lambda *args, **more: fused.append(1) or whole(*args, **more)
    )
    spacy.blank("en")
    once = len(fused)
    assert once > 1000
    found = again(nlp, way, tmp_path)
    assert len(fused) == 2 * once
    assert looks(found, SPECIAL) == looks(nlp, SPECIAL) == looks(spacy.blank("en"), SPECIAL)
    assert found.tokenizer.to_bytes(exclude=["vocab"]) == nlp.tokenizer.to_bytes(exclude=["vocab"])
    assert set(spacy.blank("en").vocab.strings) <= set(found.vocab.strings)


@WAYS
def test_a_tokenizer_that_is_not_its_languages_own_is_read(way, tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("ner")
    nlp.tokenizer.add_special_case("LB-broth", [{"ORTH": "LB"}, {"ORTH": "-broth"}])
    del (rules := nlp.tokenizer.rules)["e.g."]
    nlp.tokenizer.rules = rules
    found = again(nlp, way, tmp_path)
    text = f"LB-broth {SPECIAL}"
    assert looks(found, text) == looks(nlp, text) != looks(spacy.blank("en"), text)


@WAYS
def test_the_words_of_special_cases_have_the_norms_and_ranks_of_the_saved_vocabulary(way, tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("ner")
    nlp.vocab.lookups.add_table("lexeme_norm", {"e.g.": "for example"})
    assert ("e.g.", "for example") in [one[:2] for one in looks(again(nlp, way, tmp_path), SPECIAL)]
    nlp = spacy.blank("en")
    nlp.add_pipe("ner")
    nlp.vocab.set_vector("other", np.array([0.0, 1.0], np.float32))
    nlp.vocab.set_vector("e.g.", np.array([1.0, 0.0], np.float32))
    ranks = [rank for text, *_, rank in looks(again(nlp, way, tmp_path), SPECIAL) if text == "e.g."]
    assert ranks == [1]


def saved_crf(tmp_path, *, decides=False, rule=False):
    """Save an untrained random field, some with a decision or a rule of the tokenizer."""
    nlp = spacy.blank("en")
    nlp.add_pipe("nbner_crf")
    if decides:
        nlp.add_pipe("nbner_expected_f", config={"threshold": 0.2})
    if rule:
        nlp.tokenizer.add_special_case("LB-broth", [{"ORTH": "LB"}, {"ORTH": "-broth"}])
    nlp.meta["note"] = "kept"
    path = tmp_path / f"{decides}-{rule}"
    nlp.to_disk(path)
    return path


LIGHT = ("nbner_crf", "nbner_expected_f")


def test_a_pipeline_is_loaded_with_the_tokenizer_of_another_one(tmp_path):
    known = load_base(saved_crf(tmp_path))
    path = saved_crf(tmp_path, decides=True)
    found, whole = load_beside(path, known, LIGHT), load_base(path)
    assert found.tokenizer is known.tokenizer
    assert found.vocab is known.vocab
    assert fingerprint(found) == fingerprint(whole)
    assert (found.config, found.meta, found.path) == (whole.config, whole.meta, whole.path)
    assert loadable_from(found) == loadable_from(whole) == str(path)
    assert known.pipe_names == ["nbner_crf"]
    assert known.config["components"].keys() == {"nbner_crf"}


def test_a_pipeline_that_cannot_share_a_tokenizer_has_its_own(tmp_path):
    path = saved_crf(tmp_path)
    known = load_base(path)
    ruled = load_beside(saved_crf(tmp_path, rule=True), known, LIGHT)
    assert [one.text for one in ruled.make_doc("LB-broth")] == ["LB", "-broth"]
    assert [one.text for one in known.make_doc("LB-broth")] != ["LB", "-broth"]
    assert load_beside(path, ruled, LIGHT).tokenizer is not ruled.tokenizer
    assert load_beside(path, None, LIGHT).vocab is not known.vocab
    assert load_beside(path, known, ("nbner_expected_f",)).vocab is not known.vocab
    assert load_beside(path, load_base("blank:de"), LIGHT).lang == "en"
    with known.memory_zone():
        # As when a corpus is estimated while a learner's model comes in.
        later = load_beside(path, known, LIGHT)
        doc = later.make_doc("quenelles")
    assert [one.text for one in doc] == ["quenelles"]


def test_a_folder_that_cannot_be_read_is_an_error_however_it_is_loaded(tmp_path):
    path = saved_crf(tmp_path)
    known = load_base(path)
    (path / "nbner_crf" / "crf.bin").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_beside(path, known, LIGHT)


def test_a_pipeline_beside_another_one_has_no_component_of_it(trained_path):
    nlp = load_base(trained_path)
    before = nlp.config.to_str()
    beside = pipeline_beside(nlp)
    assert beside.pipe_names == []
    assert beside.config["components"] == {}
    beside.add_pipe("sentencizer")
    assert nlp.config.to_str() == before
    assert "sentencizer" not in nlp.pipe_names


def test_a_pipeline_without_recognizer_gets_one(tmp_path):
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.to_disk(tmp_path / "plain")
    loaded = load_base(tmp_path / "plain")
    assert loaded.pipe_names == ["sentencizer", "ner"]
    assert not is_trained(loaded)


def test_a_beam_recognizer_serves():
    nlp = spacy.blank("en")
    nlp.add_pipe("beam_ner", name="entities")
    assert recognizer_of(nlp)[0] == "entities"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("blank:qq", r"no language 'qq'.*blank:en"),
        ("en_no_such_model", r"no installed package.*spacy download en_no_such_model"),
        ("some/folder/that/is/not", "no folder"),
    ],
)
def test_a_pipeline_that_is_not_there_is_an_error_with_a_remedy(name, message):
    with pytest.raises(ModelError, match=message):
        load_base(name)


def test_a_folder_that_is_no_pipeline_is_an_error(tmp_path):
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_base(tmp_path)


def test_a_pipeline_with_its_weights_cut_off_is_an_error(run):
    path = run(max_steps=1).path
    weights = path / "ner" / "model"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match="cannot be loaded"):
        load_base(path)


def test_the_config_of_a_language_is_built_once_and_not_shared(monkeypatch):
    built = []
    whole = config.init_config
    monkeypatch.setattr(
        config, "init_config", lambda **given: built.append(given["lang"]) or whole(**given)
    )
    config._initial_config.cache_clear()
    first = config.blank_config("en")
    first["components"]["ner"]["model"]["tok2vec"]["embed"]["width"] = 7
    first["training"]["max_epochs"] = 7
    second, other = config.blank_config("en"), config.blank_config("de")
    assert built == ["en", "de"]
    assert second["components"]["ner"]["model"]["tok2vec"]["embed"]["width"] == 96
    assert second["training"]["max_epochs"] == 0
    assert (second["nlp"]["lang"], other["nlp"]["lang"]) == ("en", "de")


RULES = (
    {"label": "Place", "pattern": "London"},
    {"label": "Dish", "pattern": "fish stew", "id": "stew"},
    {"label": "Person", "pattern": [{"LOWER": "anna"}]},
)


@pytest.mark.parametrize("config", [{}, {"phrase_matcher_attr": "LOWER"}], ids=["plain", "lower"])
@pytest.mark.parametrize("ruler", ["entity_ruler", "span_ruler"])
def test_copies_of_a_ruler_find_its_phrases(ruler, config):
    nlp = spacy.blank("en")
    more = {"annotate_ents": True} if ruler == "span_ruler" else {}
    nlp.add_pipe(ruler, config={**config, **more}).add_patterns(RULES)
    text = "Anna ate Fish stew and fish stew in London"

    def found(pipeline):
        return [(one.text, one.label_, one.ent_id_) for one in pipeline(text).ents]

    copies = [clone_pipeline(nlp), PickledPipeline(nlp).load(), clone_pipeline(clone_pipeline(nlp))]
    assert ("London", "Place", "") in found(nlp)
    assert ("fish stew", "Dish", "stew") in found(nlp)
    assert [found(one) for one in copies] == [found(nlp)] * 3
