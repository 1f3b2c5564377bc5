"""The manifest of a target: what it is labelled with, and one file for each partition done.

::

    target/part-0.parquet                       what was labelled
    target/_bad_rows/part-0.jsonl               rows that were set aside, where there are some
    target/_unsure/part-0.arrow                 texts that the model is not sure of
    target/_nbner/run.json                      settings, columns, versions
    target/_nbner/partitions/part-0.parquet.json    one line of JSON a partition
    target/_nbner/model.cfg, model.bin          the model, while there is work to do

Readers of Parquet folders pass over the names with an underscore, or at least over
files with another suffix than ``.parquet``.

A partition is done when its line is there: it is written last. No file is
written by two processes, so that nothing has to be locked.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np

from nbner.corpus.prediction import Vocabulary
from nbner.corpus.settings import CorpusSettings
from nbner.corpus.sources import Source
from nbner.corpus.storage import OWN_FOLDER, Folder, stamp_of
from nbner.errors import DataError
from nbner.nlp.dask import forget_loaded, load_once

if TYPE_CHECKING:
    from spacy.language import Language

_Arrow: TypeAlias = Any  # pyarrow has no types

_BAD_ROWS, _UNSURE = "_bad_rows", "_unsure"
_PARTITIONS = f"{OWN_FOLDER}/partitions"
_RUN, _MODEL = f"{OWN_FOLDER}/run.json", f"{OWN_FOLDER}/model"
_VOCABULARY = f"{OWN_FOLDER}/vocabulary.npy"
_FORMAT = 1  # of the manifest

# New words that a pipeline may meet. A memory zone forgets the words, and not the places that they
# had in spaCy's hash tables (preshed), which grow by some 35 bytes a word: after so many, 15 MB.
_MAX_NEW_WORDS = 400_000

# Words that pipelines had when they were loaded.
_first_sizes: WeakKeyDictionary[Language, int] = WeakKeyDictionary()

# The last vocabulary that this process has read, by the file that it stands in.
_vocabularies: dict[str, frozenset[int]] = {}


@dataclass(frozen=True, slots=True)
class PartitionRecord:
    """Record of a partition that is done.

    Parameters
    ----------
    partition : str
        Name of its file in the target.
    source, source_stamp : str
        The file that it was read from, and its size and time.
    bytes : int
        Size of its file in the target.
    rows : int
        Rows that were read, those set aside among them.
    texts : int
        Texts that were labelled.
    repeated : int
        Texts that stood in the partition before, and were predicted once.
    spans : int
        Spans in the target.
    left_out : int
        Spans below the minimum.
    bad_rows : int
        Rows that were set aside.
    unsure : int
        Texts of which the model is not sure.
    without_entities : int
        Texts without a span in the target.
    tokens, unknown : int
        Tokens, and those whose word the training texts do not have.
    labels : dict of str to int
        Predicted spans by label, those left out among them.
    probability_sum, kept_probability_sum : float, optional
        Sum of the probabilities of all predicted spans, and of those in the target.
    seconds : float
        Time that it took.
    finished : str
        When, in UTC.
    settings : str
        Hash of model and settings.
    versions : dict of str to str
        Versions of libraries.
    """

    partition: str
    source: str
    source_stamp: str
    bytes: int = 0
    rows: int = 0
    texts: int = 0
    repeated: int = 0
    spans: int = 0
    left_out: int = 0
    bad_rows: int = 0
    unsure: int = 0
    without_entities: int = 0
    tokens: int = 0
    unknown: int | None = None
    labels: dict[str, int] = field(default_factory=dict)
    probability_sum: float | None = None
    kept_probability_sum: float | None = None
    seconds: float = 0.0
    finished: str = ""
    settings: str = ""
    versions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunRecord:
    """Record of the model and settings of a target.

    Parameters
    ----------
    settings : dict
        As `CorpusSettings` has them.
    source : str
        Path or URL of the source.
    types : pyarrow.Schema
        Columns that are kept.
    versions : dict of str to str
        Versions of libraries of the first run.
    training : dict
        Of the training split: ``unknown_share`` and others; empty where there
        was none.
    source_from_target : str, optional
        Path of the source seen from the target, where both are on this machine: they
        may be moved together.
    """

    settings: dict[str, Any]
    source: str
    types: _Arrow
    versions: dict[str, str]
    training: dict[str, Any]
    source_from_target: str | None = None


def bad_rows_name(partition: str) -> str:
    """Return the name, in the target, of the rows of a partition that were set aside.

    Parameters
    ----------
    partition : str
        Its name.
    """
    return f"{_BAD_ROWS}/{partition.removesuffix('.parquet')}.jsonl"


def unsure_name(partition: str) -> str:
    """Return the name, in the target, of the texts of a partition that the model is not sure of.

    Parameters
    ----------
    partition : str
        Its name.
    """
    return f"{_UNSURE}/{partition.removesuffix('.parquet')}.arrow"


class Manifest:
    """The manifest of a target.

    Parameters
    ----------
    folder : Folder
        The target.
    """

    def __init__(self, folder: Folder) -> None:
        self.folder = folder

    # The run.

    def run(self) -> RunRecord | None:
        """Return what the target is labelled with; None where nothing has been begun.

        Raises
        ------
        DataError
            The manifest is damaged, or of a newer version.
        """
        try:
            value = json.loads(self.folder.read(_RUN))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except ValueError as error:
            raise self._damaged(_RUN) from error
        if not isinstance(value, dict):
            raise self._damaged(_RUN)
        if value.get("format") != _FORMAT:
            raise DataError(
                f"the target's manifest has version {value.get('format')}, and this nbner knows "
                f"version {_FORMAT}",
                file=self.folder.url,
                remedy="Use the nbner that has written it, or a target of its own",
            )
        try:
            return RunRecord(
                value["settings"],
                value["source"],
                _types_from_json(value["columns"]),
                value["versions"],
                value["training"],
                value.get("source_from_target"),
            )
        except (KeyError, TypeError, ValueError) as error:  # pyarrow's are ValueErrors
            raise self._damaged(_RUN) from error

    def begin(self, run: RunRecord) -> None:
        """Write what the target is labelled with.

        Parameters
        ----------
        run : RunRecord
            The settings of the run.
        """
        value = {
            "format": _FORMAT,
            "settings": run.settings,
            "source": run.source,
            "columns": _types_to_json(run.types),
            "versions": run.versions,
            "training": run.training,
            "source_from_target": run.source_from_target,
        }
        self.folder.write_json(_RUN, value)

    # The partitions.

    def records(self) -> dict[str, PartitionRecord]:
        """Return what is known of the partitions that are done, by their names.

        Raises
        ------
        DataError
            A record is damaged.
        """
        names = [one for one in self.folder.sizes(_PARTITIONS) if one.endswith(".json")]
        found = {}
        for name, data in self.folder.read_all(names).items():
            try:
                value = json.loads(data)
                known = {one.name for one in fields(PartitionRecord)}
                record = PartitionRecord(**{k: v for k, v in value.items() if k in known})
            except (ValueError, TypeError, AttributeError) as error:
                raise self._damaged(name) from error
            found[record.partition] = record
        return dict(sorted(found.items()))

    def finished(self, settings: str) -> dict[str, PartitionRecord]:
        """Return the records whose files in the target are there as they were written.

        Parameters
        ----------
        settings : str
            Hash of model and settings.
        """
        sizes = self.folder.sizes()
        return {
            name: one
            for name, one in self.records().items()
            if sizes.get(name) == one.bytes
            and one.settings == settings
            and (not one.bad_rows or bad_rows_name(name) in sizes)
            and (not one.unsure or unsure_name(name) in sizes)
        }

    def add(self, record: PartitionRecord) -> None:
        """Record that a partition is done.

        Parameters
        ----------
        record : PartitionRecord
            Its files are in place.
        """
        self.folder.write_json(f"{_PARTITIONS}/{record.partition}.json", asdict(record))

    def forget(self, partitions: Iterable[str]) -> None:
        """Remove partitions with all their files.

        Parameters
        ----------
        partitions : iterable of str
            Names of partitions; the record goes first.
        """
        for name in partitions:
            self.folder.remove(f"{_PARTITIONS}/{name}.json")
            self.folder.remove(name)
            self.folder.remove(bad_rows_name(name))
            self.folder.remove(unsure_name(name))

    def clear(self) -> None:
        """Remove all that was labelled into the target, and nothing else."""
        self.forget(self.records())
        for name in (_BAD_ROWS, _UNSURE, OWN_FOLDER):
            self.folder.remove(name)

    # What workers need.

    def put_model(self, nlp: Language) -> None:
        """Write the model where workers read it.

        Parameters
        ----------
        nlp : Language
            A trained pipeline.
        """
        self.folder.write(f"{_MODEL}.bin", nlp.to_bytes())
        self.folder.write(f"{_MODEL}.cfg", nlp.config.to_str().encode())

    def model(self, settings: CorpusSettings) -> Language:
        """Return the model, which is read once for each process.

        It is read again when the pipeline has met so many new words that their
        traces take memory, which would grow with the number of texts.

        Parameters
        ----------
        settings : CorpusSettings
            Of the run.
        """
        # The same weights may have another calibration.
        name = f"{settings.model} {settings.calibration}"
        nlp = self._load(name)
        if len(nlp.vocab) - _first_sizes[nlp] > _MAX_NEW_WORDS:
            del nlp
            forget_loaded(name)
            nlp = self._load(name)
        nlp.max_length = settings.max_length  # a pipeline's bytes do not hold it
        return nlp

    def _load(self, name: str) -> Language:
        nlp = load_once(
            name,
            lambda: (
                self.folder.read(f"{_MODEL}.cfg").decode(),
                self.folder.read(f"{_MODEL}.bin"),
            ),
        )
        _first_sizes.setdefault(nlp, len(nlp.vocab))
        return nlp

    def put_vocabulary(self, vocabulary: Vocabulary) -> None:
        """Write the words of the training texts.

        Parameters
        ----------
        vocabulary : array
            Sorted hashes.
        """
        buffer = io.BytesIO()
        np.save(buffer, vocabulary, allow_pickle=False)
        self.folder.write(_VOCABULARY, buffer.getvalue())

    def vocabulary(self) -> frozenset[int] | None:
        """Return the words of the training texts, read once for each process; None for none."""
        # A target may be begun anew, with other training texts.
        try:
            self.folder.fs.invalidate_cache()
            info = self.folder.fs.info(self.folder.full(_VOCABULARY))
        except FileNotFoundError:
            return None
        key = f"{self.folder.full(_VOCABULARY)} {stamp_of(info)}"
        if key not in _vocabularies:
            data = io.BytesIO(self.folder.read(_VOCABULARY))
            found: Vocabulary = np.load(data, allow_pickle=False)
            _vocabularies.clear()
            _vocabularies[key] = frozenset(found.tolist())
        return _vocabularies[key]

    def finish(self) -> None:
        """Remove what only workers need, when all is done."""
        self.folder.remove(f"{_MODEL}.bin")
        self.folder.remove(f"{_MODEL}.cfg")
        self.folder.remove_unfinished()

    def _damaged(self, name: str) -> DataError:
        return DataError(
            "this file of the manifest is damaged",
            file=self.folder.full(name),
            remedy="Remove it: its partition is labelled once more"
            if name != _RUN
            else "Label into another target, or remove this one",
        )


def open_target(url: str, options: Mapping[str, Any] | None = None) -> tuple[Manifest, RunRecord]:
    """Open a target that has been labelled, or is being labelled.

    Parameters
    ----------
    url : str
        Path or URL.
    options : mapping, optional
        Options of fsspec's file system.

    Raises
    ------
    DataError
        It is not one.
    """
    manifest = Manifest(Folder(url, options))
    run = manifest.run()
    if run is None:
        raise DataError(
            "this is no target of session.label_corpus: there is no manifest in it",
            file=url,
            remedy="Name the folder that was given as target=",
        )
    return manifest, run


def source_of(manifest: Manifest, run: RunRecord, options: Mapping[str, Any] | None) -> Source:
    """Open the source of a target, also where both were moved or copied together.

    Parameters
    ----------
    manifest : Manifest
        Of the target.
    run : RunRecord
        What the target is labelled with.
    options : mapping, optional
        Options of fsspec's file system.

    Raises
    ------
    DataError
        It is in neither place.
    """
    try:
        return Source(run.source, options)
    except DataError:
        if run.source_from_target is None:
            raise
        moved = os.path.normpath(manifest.folder.full(run.source_from_target))
        try:
            return Source(moved, options)
        except DataError as error:
            raise DataError(
                f"the source of this target is neither there nor in {moved}",
                file=run.source,
                remedy="Bring it back to one of these places",
            ) from error


def path_from_target(source: Source, target: Folder) -> str | None:
    """Return the path of a source seen from a target; None where one is on another machine.

    Parameters
    ----------
    source : Source
        The source.
    target : Folder
        The target.
    """
    if not (source.folder.is_local and target.is_local):
        return None
    try:
        return Path(os.path.relpath(Folder(source.url).path, target.path)).as_posix()
    except ValueError:  # two drives of Windows
        return None


def check_place(source: Source, target: Folder) -> None:
    """Raise where a target cannot be written without harm to what is there.

    Parameters
    ----------
    source : Source
        The source.
    target : Folder
        The target, which need not exist.

    Raises
    ------
    DataError
        It lies in the source, is a file, or holds files of another origin.
    """
    if source.covers(target):
        raise DataError(
            "the target lies inside of the source, so that what is written would be read",
            file=target.url,
            remedy="Name a folder beside the source",
        )
    if not target.exists():
        return
    if target.fs.isfile(target.path):
        raise DataError(
            "the target is a file", file=target.url, remedy="Name a folder, new or empty"
        )
    others = [] if target.exists(_RUN) else list(target.sizes())
    others = [one for one in others if not one.startswith(f"{OWN_FOLDER}/")]
    if others:
        raise DataError(
            f"the target holds other files, such as {others[0]}",
            file=target.url,
            remedy="Name a folder that is new or empty",
        )


def _types_to_json(types: _Arrow) -> str:
    return bytes(types.serialize()).hex()


def _types_from_json(value: str) -> _Arrow:
    from pyarrow import ipc, py_buffer

    return ipc.read_schema(py_buffer(bytes.fromhex(value)))
