"""CoNLL in all its dialects, and the tags."""

import tempfile
from pathlib import Path

import pytest
from example_strategies import examples
from hypothesis import assume, given
from hypothesis import strategies as st

from nbner import DataError, Example, Span, Token
from nbner._common.alignment import join_words
from nbner.io.formats import read, write
from nbner.io.iob import spans_to_tags, tags_to_spans
from nbner.io.rows import example_from_row


@pytest.fixture
def conll(tmp_path):
    def conll(text, name="file.conll"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
        return path

    return conll


def labelled(row):
    return [(row.text[span.start : span.end], span.label) for span in row.spans]


@pytest.mark.parametrize(
    ("tags", "entities"),
    [
        ("O B-A I-A O", [(1, 3, "A")]),
        ("I-A I-A O I-B", [(0, 2, "A"), (3, 4, "B")]),
        ("I-A B-A I-A", [(0, 1, "A"), (1, 3, "A")]),
        ("B-A B-A", [(0, 1, "A"), (1, 2, "A")]),
        ("B-A I-B", [(0, 1, "A"), (1, 2, "B")]),
        ("U-A U-A", [(0, 1, "A"), (1, 2, "A")]),
        ("B-A L-A B-A I-A L-A", [(0, 2, "A"), (2, 5, "A")]),
        ("B-A L-A I-A", [(0, 2, "A"), (2, 3, "A")]),
        ("S-A B-A M-A E-A", [(0, 1, "A"), (1, 4, "A")]),
        ("B-A O I-A", [(0, 1, "A"), (2, 3, "A")]),
        ("L-A", [(0, 1, "A")]),
        ("B-Measure-Type I-Measure-Type", [(0, 2, "Measure-Type")]),
        ("", []),
    ],
)
def test_tags_of_every_scheme(tags, entities):
    assert tags_to_spans(tags.split()) == entities


runs = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 3), st.sampled_from(["A", "B", "I-B"])), max_size=5
)


def entities_from(drawn):
    entities, position = [], 0
    for gap, length, label in drawn:
        entities.append((position + gap, position + gap + length, label))
        position += gap + length
    return entities, position


@given(runs, st.integers(0, 2))
def test_neighbours_of_one_type_stay_two(drawn, tail):
    entities, length = entities_from(drawn)
    assert tags_to_spans(spans_to_tags(length + tail, entities)) == entities


@given(runs)
def test_iob1_and_biluo_say_the_same_as_iob2(drawn):
    entities, length = entities_from(drawn)
    iob1, biluo = ["O"] * length, ["O"] * length
    for i, (start, end, label) in enumerate(entities):
        touches = i > 0 and entities[i - 1][1:] == (start, label)
        iob1[start:end] = [f"I-{label}"] * (end - start)
        iob1[start] = f"{'B' if touches else 'I'}-{label}"
        biluo[start:end] = [f"I-{label}"] * (end - start)
        biluo[start], biluo[end - 1] = f"B-{label}", f"L-{label}"
        if end - start == 1:
            biluo[start] = f"U-{label}"
    assert tags_to_spans(iob1) == entities
    assert tags_to_spans(biluo) == entities


@pytest.mark.parametrize(
    "text",
    [
        "Add\tO\n5\tB-Amount\nml\tI-Amount\n\nStir\tO\n\n",
        "Add O\n5 B-Amount\nml I-Amount\n\nStir O",
        "Add VB O\r\n5 CD I-Amount\r\nml NN I-Amount\r\n\r\nStir VB O\r\n",
        "Add  VB  I-VP  O\n5  CD  I-NP  B-Amount\nml  NN  I-NP  L-Amount\n\n\n\nStir VB I-VP O\n",
        "1\tAdd\tO\t-\t-\n2\t5\tB-Amount\t-\t-\n3\tml\tI-Amount\t-\t-\n\n1\tStir\tO\t-\t-\n",
        "-DOCSTART- O\n\nAdd O\n5 B-Amount\nml I-Amount\n\n-DOCSTART- O\nStir O\n",
        "-DOCSTART- -X- -X- O\n\nAdd VB I-VP O\n5 C N B-Amount\nml C N I-Amount\n\nStir VB I-VP O",
        "\ufeffAdd\tO\n5\tB-Amount\nml\tI-Amount\n\t\nStir\tO\n \n",
        "# a comment\nAdd\tO\n5\tB-Amount\nml\tI-Amount\n\n# another\nStir\tO\n",
    ],
)
def test_every_dialect_says_the_same(conll, text):
    first, second = read(conll(text))
    assert (first.text, labelled(first)) == ("Add 5 ml", [("5 ml", "Amount")])
    assert (second.text, second.spans) == ("Stir", ())
    assert first.gold
    assert [token.text for token in first.tokens] == ["Add", "5", "ml"]


def test_the_text_is_taken_from_its_comment(conll):
    rows = read(
        conll("# sent_id = 7\n# text = 我在東京。\n1\t我\tO\n2\t在\tO\n3\t東京\tB-LOC\n4\t。\tO\n")
    )
    (row,) = rows
    assert (row.text, labelled(row), row.meta) == (
        "我在東京。",
        [("東京", "LOC")],
        {"sent_id": "7"},
    )


def test_a_comment_in_a_file_with_spaces_may_end_like_a_tag(conll):
    (row,) = read(conll("# text = blood type O\nblood O\ntype B-X\nO I-X\n"))
    assert (row.text, labelled(row)) == ("blood type O", [("type O", "X")])


@pytest.mark.parametrize("separator", ["\t", " "])
def test_a_word_may_begin_like_a_comment(conll, separator):
    (row,) = read(conll("# O\n#now O\nvote B-X\n".replace(" ", separator)))
    assert row.text == "# #now vote"


def test_words_keep_odd_spaces_inside(conll):
    (row,) = read(conll("5\u00a0ml\tB-Amount\nNew York\tB-LOC\n"))
    assert labelled(row) == [("5\u00a0ml", "Amount"), ("New York", "LOC")]


@pytest.mark.parametrize(
    "name", ["a.conll", "a.iob", "a.IOB2", "a.bio", "a.conllu", "a.txt", "a.tsv"]
)
def test_suffix_or_content_says_that_it_is_conll(conll, name):
    (row,) = read(conll("Add\tO\n5\tB-Amount\n", name))
    assert labelled(row) == [("5", "Amount")]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("Add\tO\n5\n", 2, "missing"),
        ("Add\tO\n5\tAmount\nml\tO\nx\tO\ny\tO\n", 2, "'Amount' is not an entity tag"),
        ("Add\tO\n5\tB-\nml\tO\nx\tO\ny\tO\n", 2, "'B-' is not an entity tag"),
        ("\n\nAdd\n5\n", 3, "no column"),
        ("Add\tVB\n5\tCD\n", 1, "no column"),
        ("Add\tO\n\tO\n", 2, "word is empty"),
        ("# text = Add 5\nAdd\tO\n6\tO\n", 2, "not at '5'"),
        (b"Add\tO\n\xff\tO\n", 2, "not UTF-8"),
    ],
)
def test_what_is_wrong_names_file_and_line(conll, text, line, says):
    path = conll(text)
    with pytest.raises(DataError, match=says) as caught:
        list(read(path))
    assert (caught.value.file, caught.value.line) == (str(path), line)


def test_an_empty_file_has_no_rows(conll):
    assert list(read(conll("\n\n"))) == []


def test_only_accepted_gold_is_written(tmp_path):
    text, tokens = join_words(["Add", "5"])
    kinds = ["accept", "reject", "ignore", None]
    given = [Example(text, tokens, answer=kind) for kind in kinds]
    export = write(
        [*given, Example(text, tokens, answer="accept", binary=True)], tmp_path / "a.conll"
    )
    assert (export.written, export.left_out) == (1, 4)
    assert (tmp_path / "a.conll").read_text() == "Add\tO\n5\tO\n\n"


def test_the_tokenizer_is_asked_where_there_are_no_tokens(tmp_path, tokenize):
    write(
        [Example("Add 5ml", spans=(Span(4, 7, "X"),), answer="accept")],
        tmp_path / "a.bio",
        tokenize=tokenize,
    )
    assert (tmp_path / "a.bio").read_text() == "Add\tO\n5ml\tB-X\n\n"


def test_without_tokens_and_tokenizer_nothing_is_written(tmp_path):
    with pytest.raises(DataError, match="tokenize="):
        write([Example("Add", answer="accept")], tmp_path / "a.conll")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("label", ["a b", "a\tb", "a\nb", "a\u00a0b"])
def test_a_label_that_a_line_cannot_hold_is_refused(tmp_path, label):
    text, tokens = join_words(["Add", "5"])
    good = Example(text, tokens, answer="accept")
    bad = Example(text, tokens, (Span(0, 3, label),), "accept")
    (tmp_path / "a.conll").write_text("before")
    with pytest.raises(DataError, match="cannot carry the label"):
        write([good, bad], tmp_path / "a.conll")
    assert (tmp_path / "a.conll").read_text() == "before"


def test_gold_off_the_tokens_is_refused_or_left_out_and_counted(tmp_path):
    text, tokens = join_words(["Add", "5ml"])
    loose = Example(text, tokens, (Span(4, 5, "X"),), "accept")
    with pytest.raises(DataError, match=r"'5' \(X, 4 to 5\)"):
        write([loose], tmp_path / "a.conll")
    export = write(
        [loose, Example(text, tokens, answer="accept")],
        tmp_path / "a.conll",
        misaligned="leave_out",
    )
    assert (export.written, export.left_out, export.misaligned) == (1, 0, 1)


def writable(example):
    """Whether a line can hold every word, and every span has one."""
    words = [token.text for token in example.tokens]
    return "-DOCSTART-" not in words


def without_line_ends(example):
    flat = str.maketrans("\n\r\t", "   ")
    return example.text.translate(flat)


def test_line_ends_alone_need_no_text_comment(tmp_path):
    tokens = (Token("Add", 0, 3), Token("salt", 4, 8))
    one = Example("Add\nsalt", tokens=tokens, answer="accept", pretokenized=True)
    write([one], tmp_path / "a.conll")
    assert (tmp_path / "a.conll").read_text() == "Add\tO\nsalt\tO\n\n"


@pytest.mark.parametrize(
    "text", ["O B-X", "Berlin/LOC is large", "[Berlin](LOC) is large", "&amp;O"]
)
def test_gold_without_an_entity_may_look_like_marks(tmp_path, text):
    """The tags say what is an entity; the words are words, whatever they look like."""
    words = text.split(" ")
    tokens = [Token(word, text.index(word), text.index(word) + len(word)) for word in words]
    one = Example(text, tokens=tuple(tokens), answer="accept", pretokenized=True)
    write([one], tmp_path / "a.conll")
    (row,) = read(tmp_path / "a.conll")
    assert (row.text, row.spans) == (text, ())


@given(st.lists(examples(), min_size=1, max_size=3))
def test_gold_survives_a_round_trip(drawn):
    assume(all(map(writable, drawn)))
    with tempfile.TemporaryDirectory() as folder:
        first, second = Path(folder) / "1.conll", Path(folder) / "2.conll"
        write(drawn, first)
        rows = list(read(first))
        for example, row in zip(drawn, rows, strict=True):
            assert row.text == without_line_ends(example)
            assert row.spans == example.spans
            places = [(token.start, token.end) for token in example.tokens]
            assert [(token.start, token.end) for token in row.tokens] == places
            assert row.meta == example.meta
        write(map(example_from_row, rows), second)
        assert second.read_bytes() == first.read_bytes()
