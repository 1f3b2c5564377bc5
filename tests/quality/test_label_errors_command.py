"""The command that judges label issues by two versions of one corpus."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from module_files import loaded

from nbner.types import Span


@pytest.fixture(scope="module")
def command():
    with loaded(Path(__file__).parents[1] / "benchmarks" / "label_errors.py") as module:
        yield module


def write(path, sentences):
    rows = ["\n".join(f"{word}\t{tag}" for word, tag in one) for one in sentences]
    path.write_text("\n\n".join(rows) + "\n", encoding="utf-8")
    return path


def tagged(text, **tags):
    return [(word, tags.get(word.strip("."), "O")) for word in text.split()]


CITIES = ("Rome", "Oslo", "Bonn", "Lyon", "Cork", "Bern")
VERBS = ("visited", "left", "saw", "liked")


def sentences(label):
    found = [
        tagged(f"Ann{i} {verb} {city} .", **{f"Ann{i}": "B-PER", city: "B-LOC"})
        for i, (verb, city) in enumerate((verb, city) for verb in VERBS for city in CITIES)
    ]
    found[4] = tagged("Ann4 visited Cork .", Ann4="B-PER", Cork=label)
    return found


@pytest.fixture
def files(tmp_path):
    older, corrected = sentences("B-ORG"), sentences("B-LOC")
    older[7] = tagged("Ann7 left Oslo .", Oslo="B-LOC")  # missing
    older += [tagged("split here Rome", Rome="B-LOC")]
    corrected += [tagged("split here"), tagged("Rome", Rome="B-LOC")]
    return (
        write(tmp_path / "older.conll", older),
        write(tmp_path / "corrected.conll", corrected),
    )


def test_versions_are_aligned_by_their_letters_and_errors_counted(command, files):
    older, labels = command.read_version(files[0], None)
    corrected, _ = command.read_version(files[1], None)
    versions = command.align_versions(older, corrected, labels)
    assert (versions.errors, versions.judged_spans) == (2, 47)
    assert versions.wrong[4] == {Span(13, 17, "ORG")}
    assert versions.missing[7] == (Span(0, 4, "PER"),)
    assert versions.wrong[-1] is None
    assert [list(one) for one in versions.not_aligned] == [
        ["split here Rome"],
        ["split here", "Rome"],
    ]


def test_an_error_counts_once_and_texts_of_one_version_alone_are_not_judged(command, files):
    older, labels = command.read_version(files[0], None)
    versions = command.align_versions(older, command.read_version(files[1], None)[0], labels)

    def suspect(text, span, *, is_gold=True):
        return command.Suspect(text, span if is_gold else None, span.start, span.end)

    org, per = Span(13, 17, "ORG"), Span(0, 4, "PER")
    ranked = [
        suspect(4, org),
        suspect(len(older) - 1, Span(11, 15, "LOC")),  # not judged
        suspect(4, per),
        suspect(7, per, is_gold=False),
        suspect(7, per, is_gold=False),
    ]
    found = command.judge(ranked, versions)
    assert found["average precision"] == pytest.approx((1 + 2 / 3) / 2)
    assert (found["recall"], found["suspects"]) == (1, 4)
    assert found["first 50"] == pytest.approx(2 / 50)


def test_spans_are_moved_to_texts_that_differ_in_whitespace(command):
    one = command.Example("A.C.  Milan won", spans=(Span(0, 11, "ORG"),))
    assert list(command._moved_spans(one, "A.C. Milan won")) == [Span(0, 10, "ORG")]


def test_the_command_prints_a_row_for_each_ranking_and_runs_without_cleanlab(
    command, files, capsys, monkeypatch
):
    for name in ("cleanlab", "cleanlab.token_classification.rank"):
        monkeypatch.setitem(sys.modules, name, None)
    older, corrected = map(str, files)
    options = ["--older", older, "--corrected", corrected, "--folds", "2", "--learners", "crf"]
    command.main(options)
    said = capsys.readouterr().out
    assert "24 texts are in both versions, with 47 spans in the older one and 2 errors" in said
    assert "1 text is in the older version alone" in said
    assert "pip install cleanlab" in said
    rows = {line.split("|")[1].strip(): line for line in said.splitlines() if line[:1] == "|"}
    assert list(rows)[2:] == [
        "random",
        "label issues",
        "models alone, by margin",
        "crf alone, by margin",
        "probability of gold",
    ]
    with pytest.raises(SystemExit, match="do not differ"):
        command.main(["--older", older, "--corrected", older])
