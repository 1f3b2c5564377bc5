"""One short name for one pipeline, everywhere."""

import re
import subprocess
import sys

import pytest
import spacy

from nbner.nlp.fingerprint import fingerprint
from nbner.nlp.pipeline import load_base

RULES = [
    {"label": "ORG", "pattern": "Acme"},
    {"label": "ORG", "pattern": [{"LOWER": "the"}, {"LOWER": "firm"}]},
    {"label": "GPE", "pattern": "Ulm", "id": "ulm"},
]


@pytest.fixture
def ruled():
    nlp = spacy.blank("en")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("entity_ruler").add_patterns(RULES)
    nlp.add_pipe("ner")
    return nlp


def test_it_is_twelve_hexadecimal_digits(trained):
    assert re.fullmatch("[0-9a-f]{12}", fingerprint(trained))


def test_it_survives_saving_loading_use_and_another_process(trained, trained_path, tmp_path):
    before = fingerprint(trained)
    list(trained.pipe(["Words never seen before, such as glorp and blarg."] * 3, batch_size=2))
    trained.to_disk(tmp_path / "again")
    assert fingerprint(trained) == before
    assert fingerprint(load_base(tmp_path / "again")) == before
    code = (
        "import sys; from nbner.nlp.pipeline import load_base, fingerprint; "
        "print(fingerprint(load_base(sys.argv[1])))"
    )
    command = [sys.executable, "-c", code, str(trained_path)]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    assert told.stdout.strip() == before


def test_rules_survive_too(ruled, tmp_path):
    ruled.to_disk(tmp_path / "ruled")
    assert fingerprint(spacy.load(tmp_path / "ruled")) == fingerprint(ruled)


def test_rules_tell_pipelines_apart(ruled):
    before = fingerprint(ruled)
    ruled.get_pipe("entity_ruler").add_patterns([{"label": "GPE", "pattern": "Rom"}])
    other = spacy.blank("en")
    other.add_pipe("sentencizer")
    other.add_pipe("entity_ruler").add_patterns([*RULES, {"label": "GPE", "pattern": "Rom"}])
    other.add_pipe("ner")
    assert fingerprint(other) != before


def test_a_changed_weight_is_noticed(trained_path):
    nlp = load_base(trained_path)
    before = fingerprint(nlp)
    layer = nlp.get_pipe("ner").model.get_ref("tok2vec").layers[0]
    node = next(node for node in layer.walk() if node.param_names)
    weights = node.get_param(node.param_names[0]).copy()
    node.set_param(node.param_names[0], weights + 0.125)
    assert fingerprint(nlp) != before
    node.set_param(node.param_names[0], weights)
    assert fingerprint(nlp) == before


def test_another_label_is_noticed(trained_path):
    nlp = load_base(trained_path)
    before = fingerprint(nlp)
    nlp.get_pipe("ner").add_label("New")
    assert fingerprint(nlp) != before


def test_another_component_or_tokenizer_is_noticed(trained_path):
    prints = {fingerprint(load_base(trained_path))}
    nlp = load_base(trained_path)
    nlp.add_pipe("sentencizer")
    prints.add(fingerprint(nlp))
    nlp = load_base(trained_path)
    nlp.tokenizer.add_special_case("gimme", [{"ORTH": "gim"}, {"ORTH": "me"}])
    prints.add(fingerprint(nlp))
    # It takes the place of one that English has.
    nlp.tokenizer.add_special_case("don't", [{"ORTH": "don"}, {"ORTH": "'t"}])
    prints.add(fingerprint(nlp))
    assert len(prints) == 4
