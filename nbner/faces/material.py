"""Data in and out: what a session holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nbner.faces.foundation import Foundation
from nbner.io import formats, huggingface
from nbner.io.gold_export import GoldOnly
from nbner.io.importer import AddReport, Misaligned, prepare
from nbner.types import Answer, AnswerKind, Example

if TYPE_CHECKING:
    import pandas as pd

    from nbner.io.formats import By, Export, Format

ANSWER_COLUMNS = [
    *("input_hash", "split", "annotator", "answer", "text", "spans", "flagged", "note", "created")
]


class Material(Foundation):
    """Add, look at and export examples and answers."""

    def examples(
        self, split: str | None = None, *, answer: AnswerKind | None = None
    ) -> list[Example]:
        """Give the examples with their tokens and spans, in the order of addition.

        Parameters
        ----------
        split : str, optional
            By default all.
        answer : {"accept", "reject", "ignore"}, optional
            Only those with this current answer.
        """
        return [self._tokenized(one) for one in self._dataset.examples(split, answer=answer)]

    def answers(self, split: str | None = None, *, annotator: str | None = None) -> pd.DataFrame:
        """Give the current answers, one row an example and annotator.

        Returns
        -------
        DataFrame
            ``input_hash``, ``split``, ``annotator``, ``answer``, ``text``,
            ``spans`` (a list of ``(start, end, label)`` in code points),
            ``flagged``, ``note`` and ``created`` (UTC).
        """
        texts = {(one.split, one.input_hash): one.text for one in self._dataset.examples(split)}
        return answer_frame(self._dataset.answers(split, annotator), texts)

    def add(
        self,
        source: Any,
        split: str = "train",
        gold: bool | None = None,  # noqa: FBT001 - named in the contract, and read as a word
        *,
        misaligned: Misaligned = "keep",
        by: By | None = None,
        format: Format | None = None,  # noqa: A002 - the word that people look for
        tag_names: Sequence[str] | None = None,
    ) -> AddReport:
        """Add texts, with whatever is known of them; all or nothing.

        A row with an ``answer`` is an answer. CoNLL, DocBin, brat and token
        rows are gold by nature and become accepted answers of annotator
        "import". Other rows with spans and no answer hold suggestions. Of
        spans that overlap, the longest is kept, then the earliest.

        Parameters
        ----------
        source : path, DataFrame, or iterable of str, dict, Doc or Example
            A file's format is found by its suffix, then by its content; a
            folder holds documents of brat, or plain texts.
        split : str
        gold : bool, optional
            Take spans as gold, or as suggestions, whatever the format says.
            Gold speaks of the labels that the session has after the call; where
            several files share one list of labels, name it in ``labels=``.
        misaligned : {"keep", "expand", "contract", "refuse"}
            What becomes of a span that the tokens cannot express: kept as
            characters and shown below the text, moved out to the ends of the
            tokens that it touches, moved in to those that lie in it as a whole,
            or refused with its row. Either way it is counted and listed.
        by : {"line", "paragraph", "file"}, optional
            What one text is in a file of plain text: by default a line, in a
            folder a file.
        format : str, optional
            Read a file so, whatever its suffix says: "prodigy", "conll",
            "spacy", "brat", "label-studio", "table", "huggingface", "text".
        tag_names : sequence of str, optional
            The tags that numbers stand for in token rows, in their order.

        Returns
        -------
        AddReport
            ``added``, ``duplicate``, ``misaligned``, ``overlapping``,
            ``discontinuous``, ``refused`` and ``frame``, which names file, line
            and reason.

        Raises
        ------
        DataError
            With file, line, field and remedy; the store is as it was.
        """
        labels = None if self._labels_follow_data else self.labels
        rows = formats.read(source, by=by, format=format, tag_names=tag_names)
        batch = prepare(
            rows,
            tokenize=self._tokenize,
            labels=labels,
            split=split,
            gold=gold,
            misaligned=misaligned,
        )
        report = self._dataset.add(batch)
        if batch.labels:
            self._show_labels()
        return report

    def export(
        self,
        path: str | Path,
        split: str | None = None,
        *,
        misaligned: Literal["refuse", "leave out"] = "refuse",
        format: Format | None = None,  # noqa: A002 - the word that people look for
    ) -> Export:
        """Write the examples to a file, in the format of its suffix.

        Parameters
        ----------
        path : str or Path
            ``.jsonl`` (Prodigy), ``.json`` (Label Studio), ``.csv`` and
            ``.tsv`` carry every answer; ``.spacy``, ``.conll`` and ``.ann``
            (brat) carry accepted gold alone. A path without a suffix is a
            folder of brat's documents.
        split : str, optional
            By default all.
        misaligned : {"refuse", "leave out"}
            What becomes of gold with a span off the tokens in a format that is
            made of tokens: an error that names it, or a count.
        format : str, optional
            Write it so, whatever the suffix says: "huggingface" writes token
            rows, one a line.

        Returns
        -------
        Export
            ``path``, ``written``, ``left_out`` and ``misaligned``.

        Raises
        ------
        DataError
            The suffix is unknown, the file cannot be written, or the format
            cannot carry a label or a span.
        """
        examples = self._dataset.examples(split)
        return formats.write(
            examples, path, tokenize=self._tokenize, misaligned=misaligned, format=format
        )

    def token_rows(self, split: str | None = None) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
        """Give accepted gold as Hugging Face's ``datasets`` holds it.

        Returns
        -------
        rows : list of dict
            ``tokens`` and ``ner_tags``, which are numbers.
        names : tuple of str
            The tags that the numbers stand for: "O", "B-ORG", "I-ORG" and so
            on, labels sorted; for ``ClassLabel(names=...)``.

        Raises
        ------
        DataError
            A span does not fit the tokens.
        """
        gold = GoldOnly(self._tokenize, "refuse").of(self._dataset.examples(split))
        return huggingface.numbered(huggingface.rows_from_gold(gold))


def answer_frame(answers: Iterable[Answer], texts: Mapping[tuple[str, int], str]) -> pd.DataFrame:
    """Give decisions as a frame, one row each.

    Parameters
    ----------
    answers : iterable of Answer
        Those that take a decision back have no row.
    texts : mapping
        (split, input hash) to text.
    """
    import pandas as pd

    rows = [
        {
            "input_hash": answer.input_hash,
            "split": answer.split,
            "annotator": answer.annotator,
            "answer": answer.answer,
            "text": texts[answer.split, answer.input_hash],
            "spans": [(span.start, span.end, span.label) for span in answer.spans],
            "flagged": answer.flagged,
            "note": answer.note,
            "created": pd.Timestamp(answer.created, unit="s", tz="UTC"),
        }
        for answer in answers
        if answer.answer is not None
    ]
    return pd.DataFrame(rows, columns=ANSWER_COLUMNS)
