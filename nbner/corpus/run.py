"""Labelling of a corpus: a plan, partitions on a Dask cluster or here, and a report.

The engine is Dask. A partition is one task: Dask sends it again where a worker
dies, and up to twice more where it fails.
"""

from __future__ import annotations

import logging
import os
import uuid
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from nbner._common.progress import ProgressBar
from nbner.corpus.manifest import (
    Manifest,
    PartitionRecord,
    RunRecord,
    check_place,
    path_from_target,
)
from nbner.corpus.partition import CorpusTask, label_partition
from nbner.corpus.reader import Columns, Partition
from nbner.corpus.report import CorpusReport, FailedPartition
from nbner.corpus.settings import CorpusSettings, library_versions
from nbner.corpus.sources import Source
from nbner.corpus.storage import Folder, StorageOptions, require_libraries
from nbner.corpus.workers import check_workers
from nbner.errors import DataError
from nbner.nlp.prediction import require_main_guard

if TYPE_CHECKING:
    from distributed import Client
    from spacy.language import Language

    from nbner.corpus.prediction import Vocabulary

_Arrow: TypeAlias = Any  # pyarrow has no types
_LOG = logging.getLogger(__name__)

ATTEMPTS = 3  # for each partition
_LEAST_IN_FLIGHT = 64  # partitions that the scheduler knows at a time
_IN_FLIGHT_PER_THREAD = 4


@dataclass(frozen=True)
class TrainingTexts:
    """Figures of the training split, the baseline of drift.

    Parameters
    ----------
    vocabulary : array, optional
        Sorted hashes of the words of the training texts.
    figures : mapping
        Label rates and others of the training split, as they go into the manifest.
    """

    vocabulary: Vocabulary | None = None
    figures: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class CorpusPlan:
    """Partitions of a run: those to label, and those that are done.

    Parameters
    ----------
    source : Source
        The files.
    manifest : Manifest
        Of the target.
    settings : CorpusSettings
        Model and settings.
    types : pyarrow.Schema
        Columns that are kept.
    missing : list of Partition
        Partitions to label.
    done : dict of str to PartitionRecord
        Partitions that are done.
    outdated : tuple of str
        Partitions that were done of files that have changed since.
    run : RunRecord, optional
        What the target was begun with.
    """

    source: Source
    manifest: Manifest
    settings: CorpusSettings
    types: _Arrow
    missing: list[Partition]
    done: dict[str, PartitionRecord]
    outdated: tuple[str, ...]
    run: RunRecord | None


def plan_corpus(
    settings: CorpusSettings,
    source: str,
    target: str | None,
    *,
    resume: bool = True,
    storage_options: StorageOptions | None = None,
) -> CorpusPlan:
    """Find out what there is to do, and raise what can be known before the work.

    Parameters
    ----------
    settings : CorpusSettings
        Model and settings.
    source, target : str
        Paths or URLs; without a target everything is to do.
    resume : bool
        Whether partitions that are done stay.
    storage_options : mapping, optional
        Options of fsspec's file system.

    Raises
    ------
    DataError
        The source has no texts, its columns do not fit, the target cannot be
        used, or was labelled with another model or other settings.
    """
    require_libraries()
    found = Source(source, storage_options)
    # A folder in memory holds nothing.
    folder = Folder("memory://nbner-no-target" if target is None else target, storage_options)
    manifest = Manifest(folder)
    check_place(found, folder)
    run = manifest.run()
    if run is not None and resume:
        _check_same(run, settings, folder)
    if not resume:
        run = None
    done = {} if run is None else manifest.finished(settings.id)
    columns = Columns(settings.text, settings.keep)
    types = found.column_types(columns) if run is None else run.types
    columns = Columns(settings.text, settings.keep, types)
    stamps = {one.name: one.stamp for one in found.files}
    fresh = {name: one for name, one in done.items() if stamps.get(one.source) == one.source_stamp}
    parts = found.partitions(columns, done=_whole_files(fresh))
    names = {one.name for one in parts}
    _check_names(parts, fresh, found)
    outdated = {
        name
        for name, one in done.items()
        if one.source in stamps and name not in fresh and name not in names
    }
    return CorpusPlan(
        found,
        manifest,
        settings,
        types,
        [one for one in parts if one.name not in fresh],
        {name: one for name, one in done.items() if name in fresh or one.source not in stamps},
        tuple(sorted(outdated)),
        run,
    )


def _check_names(
    parts: Sequence[Partition], done: Mapping[str, PartitionRecord], source: Source
) -> None:
    """Raise where two partitions would be one file of the target, and one of them lost."""
    owners = {name: one.source for name, one in done.items()}
    taken: set[str] = set()
    for one in parts:
        other = owners.setdefault(one.name, one.file.name)
        if other != one.file.name or one.name in taken:
            raise DataError(
                f"{other} and {one.file.name} would both become {one.name} in the target",
                file=source.url,
                remedy="Rename one of them, or label them into two targets",
            )
        taken.add(one.name)


def _whole_files(done: Mapping[str, PartitionRecord]) -> dict[str, str]:
    """Return the files that one partition holds as a whole, name to stamp."""
    whole = {}
    for one in done.values():
        if one.partition in (one.source, f"{one.source}.parquet"):
            whole[one.source] = one.source_stamp
    return whole


def label_corpus(
    nlp: Language,
    plan: CorpusPlan,
    *,
    resume: bool = True,
    client: Client | None = None,
    n_process: int = -1,
    batch_size: int | None = None,
    training: Callable[[], TrainingTexts] = TrainingTexts,
    progress: bool = True,
) -> CorpusReport:
    """Label what is missing of a corpus.

    Parameters
    ----------
    nlp : Language
        A trained pipeline.
    plan : CorpusPlan
        What there is to do.
    resume : bool
        False removes what was labelled into the target before.
    client : distributed.Client, optional
        The cluster; by default processes of this machine.
    n_process : int
        Processes where there is no client; -1 for one a processor, 1 for this
        process.
    batch_size : int, optional
        As in ``nlp.pipe``.
    training : callable
        Returns what drift is measured against; called where a target begins.
    progress : bool
        Show a bar.

    Returns
    -------
    CorpusReport
        Of all partitions of the target.

    Raises
    ------
    DataError
        The target cannot be written, or a worker has no nbner, another version,
        or another view of the files.
    """
    manifest = plan.manifest
    manifest.folder.check_writable()
    if not resume:
        manifest.clear()
    run = plan.run
    if run is None:
        run = _begin(plan, training())
    elif run.versions != library_versions():
        _warn_versions(run.versions)
    failed: list[FailedPartition] = []
    records: dict[str, PartitionRecord] = {}
    stopped = False
    if plan.missing or plan.outdated:
        manifest.forget(plan.outdated)
    if plan.missing:
        manifest.put_model(nlp)
        task = CorpusTask(
            plan.source.reader, manifest.folder, plan.settings, plan.types, batch_size
        )
        engine = _engine(task, plan.missing, client, n_process)
        with closing(engine):
            link = getattr(client, "dashboard_link", None)
            stopped = _collect(engine, len(plan.missing), records, failed, link, visible=progress)
    if not stopped and not failed:
        manifest.finish()
    report = CorpusReport(
        target=manifest.folder.url,
        records=tuple(sorted({**plan.done, **records}.values(), key=lambda one: one.partition)),
        settings=plan.settings,
        new=len(records),
        failed=tuple(failed),
        missing=len(plan.missing) - len(records) - len(failed),
        ignored=plan.source.ignored,
        storage=manifest.folder,
    )
    if failed:
        warnings.warn(
            f"{len(failed):,} of {len(plan.missing):,} partitions failed; the first, "
            f"{failed[0].partition}: {failed[0].error.rstrip('.')}. "
            "Call label_corpus again for these.",
            stacklevel=3,
        )
    return report


def _begin(plan: CorpusPlan, training: TrainingTexts) -> RunRecord:
    if training.vocabulary is not None:
        plan.manifest.put_vocabulary(training.vocabulary)
    run = RunRecord(
        asdict(plan.settings),
        plan.source.url,
        plan.types,
        library_versions(),
        dict(training.figures or {}),
        path_from_target(plan.source, plan.manifest.folder),
    )
    plan.manifest.begin(run)
    return run


def _check_same(run: RunRecord, settings: CorpusSettings, folder: Folder) -> None:
    difference = settings.difference(run.settings)
    if difference is not None:
        raise DataError(
            f"the target was begun with another model or other settings: {difference}",
            file=folder.url,
            remedy="Use those, name another target, or label all of it anew with resume=False",
        )


def _warn_versions(before: Mapping[str, str]) -> None:
    changed = [
        f"{name} {before.get(name, 'unknown')} (now {version})"
        for name, version in library_versions().items()
        if before.get(name) != version
    ]
    warnings.warn(
        f"the target was begun with {', '.join(changed)}: partitions of this run may differ from "
        "those before it",
        stacklevel=4,
    )


# One outcome after the other: a record, or the error of a partition.
_Outcome: TypeAlias = "PartitionRecord | FailedPartition"


def _collect(
    outcomes: Iterator[_Outcome],
    total: int,
    records: dict[str, PartitionRecord],
    failed: list[FailedPartition],
    link: str | None,
    *,
    visible: bool,
) -> bool:
    """Record outcomes as they come, and return whether the stop button was pressed."""
    where = "" if link is None else f", {link}"
    texts = 0
    with ProgressBar(total, "labelling", "partitions", visible=visible) as bar:
        try:
            for one in bar.wrap(outcomes):
                if isinstance(one, FailedPartition):
                    failed.append(one)
                else:
                    records[one.partition] = one
                    texts += one.texts
                bar.set_text(f"{texts:,} texts{where}")
        except KeyboardInterrupt:
            bar.set_text("stopped: the same call goes on from here")
            return True
    return False


def _engine(
    task: CorpusTask, parts: Sequence[Partition], client: Client | None, n_process: int
) -> Generator[_Outcome, None, None]:
    if client is not None:
        return _on_cluster(client, task, parts)
    wanted = (os.cpu_count() or 1) if n_process == -1 else n_process
    if wanted < 1:
        raise DataError(
            f"n_process={n_process} is no number of processes",
            remedy="Give 1 or more, or -1 for one a processor",
        )
    wanted = min(wanted, len(parts))
    return _here(task, parts) if wanted == 1 else _in_processes(task, parts, wanted)


def _here(task: CorpusTask, parts: Sequence[Partition]) -> Generator[_Outcome, None, None]:
    for part in parts:
        yield _attempt(task, part)


def _attempt(task: CorpusTask, part: Partition) -> _Outcome:
    outcome = _try_once(task, part)
    for _ in range(ATTEMPTS - 1):
        if isinstance(outcome, PartitionRecord):
            break
        outcome = _try_once(task, part)
    return outcome


def _try_once(task: CorpusTask, part: Partition) -> _Outcome:
    try:
        return label_partition(task, part)
    except Exception as error:  # noqa: BLE001 - told in the report, whatever it is
        _LOG.debug("partition %s failed", part.name, exc_info=True)
        return FailedPartition(part.name, _in_words(error))


def _in_processes(
    task: CorpusTask, parts: Sequence[Partition], count: int
) -> Generator[_Outcome, None, None]:
    """Start a cluster on this machine for the time of the run."""
    try:
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise DataError(
            "several processes need Dask's scheduler, distributed, which is not installed",
            remedy='Install it, pip install "nbner[corpus]", or use n_process=1',
        ) from error
    require_main_guard("spawn")
    with (
        LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            dashboard_address=None,
            silence_logs=logging.CRITICAL,
        ) as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        yield from _on_cluster(client, task, parts)


def _on_cluster(
    client: Client, task: CorpusTask, parts: Sequence[Partition]
) -> Generator[_Outcome, None, None]:
    """Yield outcomes as they come; futures are cancelled when this is closed."""
    from distributed import as_completed

    check_workers(client, task)
    run = uuid.uuid4().hex[:8]
    waiting = iter(parts)
    names: dict[Any, str] = {}

    def submit() -> Any:
        part = next(waiting, None)
        if part is None:
            return None
        # The attempt counts by the name of the task, which another run must not share.
        future = client.submit(
            label_partition,
            task,
            part,
            key=f"nbner-label-{run}-{part.name}",
            retries=ATTEMPTS - 1,
            pure=False,
        )
        names[future] = part.name
        return future

    threads = sum(client.nthreads().values())
    limit = max(_LEAST_IN_FLIGHT, _IN_FLIGHT_PER_THREAD * threads)
    first = [one for one in (submit() for _ in range(min(limit, len(parts)))) if one is not None]
    completed = as_completed(first, loop=client.loop)
    try:
        for future in completed:
            name = names.pop(future)
            following = submit()
            if following is not None:
                completed.add(following)
            if future.cancelled():
                raise _lost(client)
            error = future.exception()
            yield future.result() if error is None else FailedPartition(name, _in_words(error))
            future.release()
    finally:
        try:
            client.cancel(list(names), force=True)
        except Exception:  # noqa: BLE001 - a cluster that has gone has nothing to cancel
            _LOG.debug("the rest of the run was not cancelled", exc_info=True)


def _lost(client: Client) -> DataError:
    return DataError(
        f"the connection to the cluster has been lost ({client.status})",
        remedy="Call label_corpus again with a Client of a cluster that runs: partitions that are "
        "done stay, and the others are labelled",
    )


def _in_words(error: BaseException) -> str:
    said = str(error).splitlines()[0] if str(error) else ""
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
