"""Data in and out: what a session holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from nbner.data import formats
from nbner.data.intake import AddReport, Misaligned, prepare
from nbner.faces.foundation import Foundation
from nbner.types import AnswerKind, Example

if TYPE_CHECKING:
    import pandas as pd

    from nbner.data.formats import Export

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
        import pandas as pd

        texts = {(one.split, one.input_hash): one.text for one in self._dataset.examples(split)}
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
            for answer in self._dataset.answers(split, annotator)
            if answer.answer is not None
        ]
        return pd.DataFrame(rows, columns=ANSWER_COLUMNS)

    def add(
        self,
        source: Any,
        split: str = "train",
        gold: bool | None = None,  # noqa: FBT001 - named in the contract, and read as a word
        *,
        misaligned: Misaligned = "keep",
    ) -> AddReport:
        """Add texts, with whatever is known of them; all or nothing.

        A row with an ``answer`` is an answer. CoNLL and DocBin are gold by
        nature and become accepted answers of annotator "import". Other rows
        with spans and no answer hold suggestions.

        Parameters
        ----------
        source : path, DataFrame, or iterable of str, dict, Doc or Example
            A file's format is found by its suffix, then by its content.
        split : str
        gold : bool, optional
            Take spans as gold, or as suggestions, whatever the format says.
            Gold speaks of the labels that the session has after the call; where
            several files share one list of labels, name it in ``labels=``.
        misaligned : {"keep", "refuse"}
            What becomes of a row with a span that the tokenizer cannot
            express: kept with the span as it is, or left out. Either way it is
            counted and listed.

        Returns
        -------
        AddReport
            ``added``, ``duplicate``, ``misaligned``, ``overlapping``,
            ``refused`` and ``frame``, which names file, line and reason.

        Raises
        ------
        DataError
            With file, line, field and remedy; the store is as it was.
        """
        labels = None if self._labels_follow_data else self.labels
        rows = formats.read(source)
        return self._dataset.add(
            prepare(
                rows,
                tokenize=self._tokenize,
                labels=labels,
                split=split,
                gold=gold,
                misaligned=misaligned,
            )
        )

    def export(
        self,
        path: str | Path,
        split: str | None = None,
        *,
        misaligned: Literal["refuse", "leave out"] = "refuse",
    ) -> Export:
        """Write the examples to a file, in the format of its suffix.

        Parameters
        ----------
        path : str or Path
            ``.jsonl`` and ``.csv`` carry every answer; ``.spacy`` and
            ``.conll`` carry accepted gold alone.
        split : str, optional
            By default all.
        misaligned : {"refuse", "leave out"}
            What becomes of gold with a span off the tokens in a format that is
            made of tokens: an error that names it, or a count.

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
        examples = (self._with_fitting_tokens(one) for one in self._dataset.examples(split))
        return formats.write(examples, path, tokenize=self._tokenize, misaligned=misaligned)
