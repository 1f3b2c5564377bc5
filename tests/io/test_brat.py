"""brat standoff: folders and single documents, and all that an .ann can hold."""

import pytest
from example_strategies import examples
from hypothesis import given
from hypothesis import strategies as st

from nbner import DataError, Example, Span
from nbner.io.formats import read, write
from nbner.io.rows import example_from_row

TEXT = "The North and South Bank of France"
ANN = (
    "T1\tLOC 4 9;20 24\tNorth Bank\n"
    "T2\tLOC 14 24\tSouth Bank\n"
    "T3\tGPE 28 34\tFrance\n"
    "T4\tLOC 4 34\tNorth and South Bank of France\n"
    "R1\tPart Arg1:T2 Arg2:T3\n"
    "A1\tNegated R1\n"
    "#1\tAnnotatorNotes T3\tthe country\n"
)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "b.txt").write_text(TEXT)
    (folder / "b.ann").write_text(ANN)
    (folder / "a.txt").write_text("Add 5 ml.\nStir.\n")
    return folder


def places(row):
    return [(span.start, span.end, span.label) for span in row.spans or ()]


def test_a_folder_is_read_by_name_and_a_text_alone_is_open(folder):
    first, second = read(folder)
    assert (first.text, first.spans, first.gold) == ("Add 5 ml.\nStir.\n", None, False)
    assert second.text == TEXT
    assert second.gold
    assert places(second) == [
        (4, 24, "LOC"),
        (14, 24, "LOC"),
        (28, 34, "GPE"),
        (4, 34, "LOC"),
    ]
    assert [row.meta for row in (first, second)] == [{"document": "a"}, {"document": "b"}]


def test_pieces_and_nesting_are_reported_with_file_and_line(folder, add, dataset):
    report = add(folder / "b.ann")
    assert (report.added, report.answered) == (1, 1)
    assert (report.discontinuous, report.overlapping) == (1, 3)
    frame = report.frame.set_index("kind")
    assert set(frame["file"]) == {str(folder / "b.ann")}
    assert list(frame.loc["overlapping", "line"]) == [1, 2, 3]
    assert frame.loc["discontinuous", "line"] == 1
    (example,) = dataset.examples()
    assert places(example) == [(4, 34, "LOC")]
    assert (example.answer, example.annotator) == ("accept", "import")


def test_what_came_goes_out_again_line_by_line(folder, add, dataset, tmp_path):
    add(folder)
    export = write(dataset.examples(), tmp_path / "out")
    assert (export.written, export.left_out) == (1, 1)
    assert (tmp_path / "out/b.txt").read_text() == TEXT
    assert (tmp_path / "out/b.ann").read_text() == ANN


def test_what_refers_to_a_span_goes_with_it_and_new_spans_get_new_ids(folder, add, dataset, give):
    (folder / "b.ann").write_text(
        "T1\tLOC 14 24\tSouth Bank\nT9\tGPE 28 34\tFrance\n"
        "E1\tIn:T9 Place:T1\nA1\tSure E1\nA2\tBig T1\n"
    )
    add(folder / "b.ann")
    (example,) = dataset.examples()
    give(dataset, example, "accept", [(14, 24, "LOC"), (4, 9, "LOC")])
    write(dataset.examples(), folder.parent / "out.ann")
    assert (folder.parent / "out.ann").read_text() == (
        "T1\tLOC 14 24\tSouth Bank\nA2\tBig T1\nT10\tLOC 4 9\tNorth\n"
    )


def test_an_equivalence_goes_with_its_span_and_leaves_the_others(folder, add, dataset, give):
    (folder / "b.ann").write_text(
        "T1\tLOC 14 24\tSouth Bank\nT2\tGPE 28 34\tFrance\nT3\tLOC 4 9\tNorth\n"
        "*\tAlias T1 T2\n*\tAlias T1 T3\n"
    )
    add(folder / "b.ann")
    (example,) = dataset.examples()
    give(dataset, example, "accept", [(14, 24, "LOC"), (4, 9, "LOC")])
    write(dataset.examples(), folder.parent / "out.ann")
    assert (folder.parent / "out.ann").read_text() == (
        "T1\tLOC 14 24\tSouth Bank\nT3\tLOC 4 9\tNorth\n*\tAlias T1 T3\n"
    )


def test_several_examples_in_one_document(tmp_path):
    one = Example("🧪 Add", spans=(Span(2, 5, "A"),), answer="accept")
    two = Example("Stir\nit", spans=(Span(0, 7, "B"),), answer="accept")
    export = write([one, two, Example("open")], tmp_path / "gold.ann")
    assert (export.written, export.left_out) == (2, 1)
    (row,) = read(tmp_path / "gold.ann")
    assert row.text == "🧪 Add\nStir\nit"
    assert [(row.text[s.start : s.end], s.label) for s in row.spans] == [
        ("Add", "A"),
        ("Stir\nit", "B"),
    ]
    assert (tmp_path / "gold.ann").read_text().splitlines()[1] == "T2\tB 6 10;11 13\tStir it"


def test_relations_do_not_go_into_a_joint_document(folder, tmp_path):
    (row,) = read(folder / "b.ann")
    given = [example_from_row(row), Example("Add", answer="accept")]
    with pytest.raises(DataError, match="folder of documents"):
        write(given, tmp_path / "gold.ann")
    assert not (tmp_path / "gold.ann").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("T1\tLOC 0 99\tThe", "0 to 99 is not a stretch"),
        ("T1\tLOC 4 9\tSouth", "'South' is written here"),
        ("T1\tLOC four 9\tNorth", "is no span"),
        ("T1 LOC 4 9 North", "is no span"),
        ("T1\tLOC 9 4\tNorth", "not a stretch"),
        ("T1\tLOC 14 19;4 9\tSouth North", "not in order"),
    ],
)
def test_a_line_that_cannot_be_is_named(folder, line, said):
    (folder / "b.ann").write_text(f"T2\tGPE 28 34\tFrance\n{line}\n")
    with pytest.raises(DataError, match=said) as caught:
        list(read(folder))
    assert (caught.value.file, caught.value.line) == (str(folder / "b.ann"), 2)


def test_an_ann_without_its_text_says_so(folder):
    (folder / "b.txt").unlink()
    with pytest.raises(DataError, match="no such file"):
        list(read(folder / "b.ann"))


@pytest.mark.parametrize("label", ["a b", "tab\tbed", "line\nend", "x;y", "\u00a0"])
def test_a_label_that_brat_cannot_carry_is_refused(tmp_path, label):
    example = Example("Add", spans=(Span(0, 3, label),), answer="accept")
    with pytest.raises(DataError, match="brat cannot carry the label"):
        write([example], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_other_files_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/diary.txt").write_text("dear")
    with pytest.raises(DataError, match=r"other files, such as diary\.txt"):
        write([Example("Add", answer="accept")], tmp_path / "out")
    assert [one.name for one in (tmp_path / "out").iterdir()] == ["diary.txt"]


def solid(example):
    """Whether no span begins or ends with a line end, which brat has no way to say."""
    return not any(
        "\n" in (example.text[span.start], example.text[span.end - 1]) for span in example.spans
    )


@given(st.lists(examples(given=False).filter(solid), max_size=4))
def test_what_was_written_is_read_again(tmp_path_factory, given_examples):
    folder = tmp_path_factory.mktemp("brat") / "out"
    write(given_examples, folder)
    found = {row.text: places(row) for row in read(folder)} if given_examples else {}
    assert found == {one.text: places(one) for one in given_examples}
    again = folder.with_name("again")
    if given_examples:
        write((example_from_row(row) for row in read(folder)), again)
        files = {one.name: one.read_bytes() for one in folder.iterdir()}
        assert {one.name: one.read_bytes() for one in again.iterdir()} == files
