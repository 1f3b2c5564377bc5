"""Entity swap: which copies are made, and that they do not depend on the order of the calls."""

import subprocess
import sys
from pathlib import Path

import pytest
import spacy
from spacy.tokens import DocBin
from spacy.training import Example as SpacyExample

from nbner.nlp.entity_swap import EntitySwap, create_entity_swap, swap_entities
from nbner.types import Example, Span

ROOT = Path(__file__).parents[2]
POINT = '"nbner.entity_swap.v1" = "nbner.nlp.entity_swap:create_entity_swap"'
NLP = spacy.blank("en")


def row(text, *named, **more):
    spans = tuple(Span(text.index(words), text.index(words) + len(words), label)
                  for words, label in named)  # fmt: skip
    return Example(text, spans=spans, **{"answer": "accept", **more})


ROWS = [
    row("Ada Byron sees Rome.", ("Ada Byron", "Person"), ("Rome", "Place")),
    row("Bo met Cleo in New York, twice.", ("Bo", "Person"), ("New York", "Place")),
    row("nothing here"),
]


def words_of(example, label):
    return [example.text[s.start : s.end] for s in example.spans if s.label == label]


def test_mentions_are_exchanged_within_their_type_and_nothing_else_changes():
    found = swap_entities(NLP, ROWS, copies=20, seed=3)
    assert [one for one in found if one in ROWS] == ROWS
    copies = found[1 : found.index(ROWS[1])]
    assert copies
    for one in copies:
        (person,), (place,) = words_of(one, "Person"), words_of(one, "Place")
        assert person in {"Ada Byron", "Bo"}
        assert place in {"Rome", "New York"}
        assert one.text == f"{person} sees {place}."
        assert one.text != ROWS[0].text
        assert [one.text[t.start : t.end] for t in one.tokens] == [
            *person.split(), "sees", *place.split(), "."]  # fmt: skip
        assert one.pretokenized
        assert one.answer == "accept"


def test_two_copies_at_most_and_none_that_equals_its_sentence():
    assert len(swap_entities(NLP, ROWS)) <= 3 * 2 + 1
    lonely = [row("Ada sings", ("Ada", "Person")), row("Rome is old", ("Rome", "Place"))]
    assert swap_entities(NLP, lonely) == lonely


@pytest.mark.parametrize(
    "one",
    [
        row("Bo sings", ("Bo", "Person"), answer="reject"),
        row("Bo sings", ("Bo", "Person"), binary=True),
        row("Bob sings", ("Bo", "Person")),
    ],
)
def test_what_is_not_complete_gold_has_no_copies_and_gives_no_mention(one):
    found = swap_entities(NLP, [*ROWS, one], copies=20)
    assert [mine for mine in found if "sings" in mine.text] == [one]
    assert not any(mine.text.startswith("Bob") for mine in found[:-1])


def test_the_seed_and_the_sentence_decide_and_not_the_order():
    one, other = swap_entities(NLP, ROWS, seed=1), swap_entities(NLP, ROWS[::-1], seed=1)
    assert sorted(mine.text for mine in one) == sorted(mine.text for mine in other)
    drawn = {tuple(mine.text for mine in swap_entities(NLP, ROWS, seed=seed)) for seed in range(9)}
    assert len(drawn) > 1


def gold_doc(text, ents, missing=()):
    doc = NLP(text)
    doc.set_ents([doc.char_span(*one) for one in ents], missing=[doc[i : i + 1] for i in missing])
    return doc


def test_missing_tokens_stay_missing_beside_the_new_mention():
    doc = gold_doc("Bo saw it in Rome", [(0, 2, "Person")], missing=[1, 4])
    other = gold_doc("Ada Byron sat", [(0, 9, "Person")])
    swap = EntitySwap.from_docs([doc, other], copies=9)
    original, *copies = swap(NLP, SpacyExample(NLP.make_doc(doc.text), doc))
    assert original.reference is doc
    assert [token.ent_iob_ for token in copies[0].reference] == ["B", "I", "", "O", "O", ""]
    assert copies[0].predicted.text == "Ada Byron saw it in Rome"
    assert not copies[0].predicted.ents


def test_a_file_gives_the_same_copies_as_the_docs(tmp_path):
    docs = [gold_doc(one.text, [(s.start, s.end, s.label) for s in one.spans]) for one in ROWS]
    # Tokens of their own, whose spaces a DocBin does not keep.
    docs[1].has_unknown_spaces = True
    DocBin(docs=docs).to_disk(tmp_path / "gold.spacy")
    made, read = (
        EntitySwap.from_docs(docs, seed=4),
        create_entity_swap(tmp_path / "gold.spacy", seed=4),
    )
    for doc in docs:
        copies = [[[token.text for token in copy] for copy in one.copies_of(doc, NLP.vocab)]
                  for one in (made, read)]  # fmt: skip
        assert copies[0] == copies[1]


def test_spacy_alone_finds_it_by_its_entry_point(tmp_path):
    # As an installation has it, whatever is installed where the tests run.
    assert f"[project.entry-points.spacy_augmenters]\n{POINT}\n" in (
        ROOT / "pyproject.toml"
    ).read_text(encoding="utf-8")
    info = tmp_path / "nbner_points-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: nbner-points\nVersion: 0\n")
    (info / "entry_points.txt").write_text("[spacy_augmenters]\n" + POINT.replace('"', "") + "\n")
    code = (
        f"import sys; sys.path[:0] = [{str(tmp_path)!r}, {str(ROOT)!r}]; import spacy;"
        "print(spacy.registry.augmenters.get('nbner.entity_swap.v1').__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "create_entity_swap"
