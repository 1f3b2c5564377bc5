"""The tokenizer doctor: what does not fit, the rule that would help, and what it changes."""

import json
import shutil
import warnings

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st

from nbner import DataError, Example, ModelError, Session, Span
from nbner._common.alignment import align
from nbner.nlp.calibration_meta import load_temperatures, save_temperatures
from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import tokenizer_of
from nbner.nlp.tokenizer_rules import (
    TokenizerRule,
    add_rule,
    copy_tokenizer,
    rules_from_json,
    rules_to_json,
    set_rules,
    with_replaced,
)
from nbner.quality.tokenization.diagnosis import diagnose
from nbner.training.run_folder import find_change


def example(text, *spans):
    return Example(
        text, spans=tuple(Span(text.index(one), text.index(one) + len(one), "A") for one in spans)
    )


AMOUNTS = [
    example("Add 50mM of it.", "50"),
    example("Add 20ug of it.", "20"),
    example("Take 3B or 4C.", "3"),
    example("Nothing but 7x here."),
]


@pytest.fixture(scope="module")
def nlp():
    return spacy.blank("en")


def words(tokenizer, text):
    return [token.text for token in tokenizer(text)]


def test_what_fits_is_no_misfit(nlp):
    found = diagnose(nlp, [example("Add 5 ml.", "5 ml")])
    assert (found.n, found.spans, found.untokenizable, found.effects) == (1, 1, (), ())


def test_one_infix_for_all_numbers_with_a_unit(nlp):
    found = diagnose(nlp, AMOUNTS)
    assert len(found.untokenizable) == 3
    best = found.effects[0]
    assert best.rule.kind == "infix"
    assert (best.fixes, best.breaks, best.texts) == (3, 0, 4)
    assert best.token_changes["7x", ("7", "x")] == 1
    for misfit in found.untokenizable:
        assert misfit.rules == (best.rule,)
        assert "ends inside" in misfit.reason
    assert all(not align(tokenizer_of(nlp)(one.text), one.spans).aligned for one in AMOUNTS[:3])


def test_a_special_case_where_a_rule_would_serve_one_word_alone(nlp):
    text = example("We saw AcmeCorp there.", "Acme")
    others = [Example("iPhone and LaTeX and abc")]
    found = diagnose(nlp, [text, *others])
    (misfit,) = found.untokenizable
    (rule,) = misfit.rules
    assert (rule.kind, rule.pattern, rule.pieces) == ("special case", "AcmeCorp", ("Acme", "Corp"))
    effects = {one.rule: one for one in found.effects}
    assert (effects[rule].fixes, effects[rule].texts) == (1, 1)


def test_a_span_with_a_space_at_its_end_is_not_the_tokenizers_fault(nlp):
    found = diagnose(nlp, [Example("Add 5 ml", spans=(Span(0, 4, "A"),))])
    (misfit,) = found.untokenizable
    assert (misfit.rules, found.effects) == ((), ())
    assert "correct the span" in misfit.reason


def test_tokens_that_came_with_the_text_are_not_asked_about(nlp):
    from dataclasses import replace

    given_tokens = [replace(one, pretokenized=True) for one in AMOUNTS]
    assert diagnose(nlp, given_tokens).n == 0


def test_rules_are_put_on_once_and_taken_off_without_a_trace():
    nlp = spacy.blank("en")
    before = nlp.tokenizer.to_bytes(exclude=["vocab"])
    text = "Add 50mM, AcmeCorp e.g. don't"
    was = words(nlp.tokenizer, text)
    rules = [
        TokenizerRule("infix", r"(?<=\d)(?=[^\W\d_])"),
        TokenizerRule("infix", r"(?<=m)(?=M)"),
        TokenizerRule("special case", "AcmeCorp", ("Acme", "Corp")),
    ]
    for _ in range(2):
        set_rules(nlp, rules)
        assert words(nlp.tokenizer, text)[:3] == ["Add", "50", "m"]
        assert "Acme" in words(nlp.tokenizer, text)
    set_rules(nlp, rules[1:], instead_of=rules)
    assert words(nlp.tokenizer, text)[:3] == ["Add", "50", "mM"] or "50m" in words(
        nlp.tokenizer, text
    )
    set_rules(nlp, [], instead_of=rules)
    assert words(nlp.tokenizer, text) == was
    assert nlp.tokenizer.to_bytes(exclude=["vocab"]) == before


def test_rules_survive_saving_and_json(tmp_path):
    nlp = spacy.blank("de")
    rules = (
        TokenizerRule("infix", r"(?<=\d)(?=[^\W\d_])"),
        TokenizerRule("special case", "xY", ("x", "Y")),
    )
    set_rules(nlp, rules)
    nlp.to_disk(tmp_path / "m")
    again = spacy.load(tmp_path / "m")
    assert words(again.tokenizer, "5ml xY") == ["5", "ml", "x", "Y"]
    set_rules(again, rules)
    set_rules(again, [], instead_of=rules)
    assert words(again.tokenizer, "5ml xY") == words(spacy.blank("de").tokenizer, "5ml xY")
    assert rules_from_json(rules_to_json(rules)) == rules


def test_a_tokenizer_without_rules_says_so(nlp):
    from spacy.tokens import Doc

    other = spacy.blank("en")
    other.tokenizer = lambda text: Doc(other.vocab, words=text.split(" "))
    found = diagnose(other, AMOUNTS[:1])
    assert (len(found.untokenizable), found.effects) == (1, ())
    with pytest.raises(ModelError, match="not made of rules"):
        set_rules(other, [TokenizerRule("infix", "x")])


@settings(max_examples=20)
@given(st.text("ab1.-/'µ (", min_size=2, max_size=12), st.data())
def test_a_rule_does_what_it_says(nlp, text, data):
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    before = [(token.idx, len(token)) for token in nlp.tokenizer(text)]
    found = diagnose(nlp, [Example(text, spans=(Span(start, end, "A"),))])
    for effect in found.effects:
        tokenizer = copy_tokenizer(nlp.tokenizer)
        add_rule(tokenizer, effect.rule)
        doc = tokenizer(text)
        assert doc.text == text
        if effect.rule.kind == "infix" or effect.fixes:
            assert (doc.char_span(start, end) is not None) == bool(effect.fixes)
    assert [(token.idx, len(token)) for token in nlp.tokenizer(text)] == before


# Through the session.


def test_a_rule_applied_holds_in_every_session_and_can_be_taken_back(tmp_path):
    store = tmp_path / "n.db"
    tasks = [
        {
            "text": one.text,
            "answer": "accept",
            "spans": [{"start": s.start, "end": s.end, "label": "A"} for s in one.spans],
        }
        for one in (*AMOUNTS, Example("Stir it well", spans=(Span(5, 7, "A"),)))
    ]
    with Session("d", store=store) as session:
        assert session.add(tasks).misaligned == 3
        found = session.quality.tokenization("train")
        assert len(found.frame) == 3
        assert found.effects["fixes"][0] == 3
        changes = found.changes(found.rules[0])
        assert list(changes[~changes["needed"]]["token"]) == ["4C.", "7x"]
        assert "3 of 4 spans" in str(found)
        assert "50" in found._repr_html_()
        report = session.train(progress=False, max_epochs=1)
        session.context.model_store.save_calibration(save_temperatures(session.nlp, 2.0, {"A": 3}))
        found.apply()
        assert load_temperatures(session.nlp) == (2, {"A": 3})
        assert len(session.quality.tokenization().frame) == 0
        assert [token.text for token in session.examples()[0].tokens][:3] == ["Add", "50", "mM"]
        assert words(spacy.load(report.path).tokenizer, "5ml") == ["5", "ml"]
        assert session.model.runs["in_use"].tolist() == [True]
        assert find_change(report.path) is None
        shutil.copytree(report.path, tmp_path / "with the rule")
    with warnings.catch_warnings():
        # The model that was saved before the rule is in use, and in order.
        warnings.simplefilter("error")
        session = Session("d", store=store)
    with session:
        assert session.model.runs["in_use"].tolist() == [True]
        assert load_temperatures(session.nlp) == (2, {"A": 3})
        session.model.use(report)
        assert session.model.runs["in_use"].tolist() == [False, True]
        assert len(session.quality.tokenization().frame) == 0
        assert len(session.train(progress=False, max_epochs=1).frame) > 0
        assert words(session.nlp.tokenizer, "5ml") == ["5", "ml"]
        assert found.undo is not None
        assert session.quality.tokenization().undo() == ()
        assert len(session.quality.tokenization().frame) == 3
        # A model from before the undo splits texts as the session does, and so at the next opening.
        session.model.use(tmp_path / "with the rule")
        assert len(session.quality.tokenization().frame) == 3
        assert session.model.runs["in_use"].tolist()[-1]
    with Session("d", store=store) as session:
        assert len(session.quality.tokenization().frame) == 3
        assert session.quality.tokenization().undo() == ()


def test_what_is_no_rule_of_these_is_refused():
    with Session("d", store=":memory:") as session:
        session.add(["Add 5 ml"])
        found = session.quality.tokenization()
        with pytest.raises(DataError, match="no rule that would help"):
            found.apply()
        with pytest.raises(DataError, match="none of these rules"):
            found.changes(TokenizerRule("infix", "x"))


OWN = [{65: "do", 67: "do"}, {65: "n't", 67: "not"}]  # spaCy's numbers of ORTH and NORM


def test_a_special_case_that_is_taken_back_brings_back_the_one_of_the_word(tmp_path):
    store = tmp_path / "rules.db"
    first = TokenizerRule("special case", "don't", ("don", "'t"))
    second = TokenizerRule("special case", "don't", ("d", "on't"))
    given = spacy.blank("en")
    given.tokenizer.add_special_case("AcmeCorp", [{"ORTH": "Acme"}, {"ORTH": "Corp"}])
    whole = TokenizerRule("special case", "AcmeCorp", ("AcmeCorp",))
    with Session("d", store=store, labels=["A"], model=given) as session:
        session.add(["Add 5 ml"])
        before = fingerprint(session.nlp)
        for rule in (first, second, whole):
            session.quality.tokenization().apply(rule)
        assert words(session.nlp.tokenizer, "don't AcmeCorp") == ["d", "on't", "AcmeCorp"]
        session.quality.tokenization().undo()
        assert words(session.nlp.tokenizer, "AcmeCorp") == ["Acme", "Corp"]
        session.quality.tokenization().undo()
        assert words(session.nlp.tokenizer, "don't") == ["don", "'t"]
        # What a model that is opened has by now.
        saved = session.nlp.to_bytes()
    later = spacy.blank("en").from_bytes(saved)
    with Session("d", store=store, model=later) as session:
        assert session.quality.tokenization().undo() == ()
        assert session.nlp.tokenizer.rules["don't"] == OWN
        assert [one.norm_ for one in session.nlp.make_doc("don't")] == ["do", "not"]
        assert fingerprint(session.nlp) == before


def test_a_stored_rule_that_does_not_know_what_it_replaced_restores_the_languages_own(nlp):
    changed = spacy.blank("en")
    rule = TokenizerRule("special case", "don't", ("don", "'t"))
    (stored,) = rules_from_json(rules_to_json([rule]))
    assert stored.replaced is None
    set_rules(changed, [stored])
    set_rules(changed, [], instead_of=[stored])
    assert changed.tokenizer.rules["don't"] == nlp.tokenizer.rules["don't"] == OWN


def test_a_rule_is_stored_with_what_it_replaced(nlp):
    rule = with_replaced(TokenizerRule("special case", "don't", ("d", "on't")), nlp.tokenizer)
    assert list(rule.replaced) == OWN
    (stored,) = rules_from_json(json.loads(json.dumps(rules_to_json([rule]))))
    assert stored.replaced == rule.replaced
    assert stored == TokenizerRule("special case", "don't", ("d", "on't"))
    assert with_replaced(TokenizerRule("special case", "xyz", ("x", "yz")), nlp.tokenizer) == (
        TokenizerRule("special case", "xyz", ("x", "yz"))
    )
