"""Names of the folders that models are kept in: safe for a file system, and one a dataset."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from unicodedata import is_normalized

from nbner.store.url import is_memory, parse_url, sqlite_path

_SUFFIX = ".models"
_PLAIN = re.compile(r"[\w-][\w.-]*")
_HASHED = re.compile(r"-[0-9a-f]{8}")
_MAX_BYTES = 200  # file systems take 255
# Names that Windows takes for devices, whatever their suffix.
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def model_folder(store: str | Path, dataset: str) -> Path | None:
    """Return the folder for the models of one dataset of one store; None for a store in memory.

    Beside ``data.db`` it is ``data.models/<dataset>``. A SQLite file of another
    suffix keeps that in the name, ``data.sqlite-models``; for a server it is
    ``<database>-<hash>.models`` in the working directory. A dataset whose name
    is no safe name of a folder, or that another dataset's folder would be taken
    for, gets a hash of its name behind it.

    Parameters
    ----------
    store : str or Path
        The session's store.
    dataset : str
        Name of the dataset.
    """
    url = parse_url(store)
    if is_memory(url):
        return None
    file = sqlite_path(url)
    if file is not None:
        base = file.with_suffix(_SUFFIX) if file.suffix == ".db" else Path(f"{file}-models")
    else:
        # Without user and password: the same database has one folder for all.
        place = repr((url.get_backend_name(), url.host, url.port, url.database))
        name = re.sub(r"[^\w-]+", "_", url.database or "nbner")[:50]
        base = Path(f"{name}-{_short_hash(place)}{_SUFFIX}").absolute()
    return base / _folder_name(dataset, base)


def is_beside_store(store: str | Path) -> bool:
    """Return whether the models of a store lie beside its file, so that they move with it.

    Parameters
    ----------
    store : str or Path
        The session's store.
    """
    return sqlite_path(parse_url(store)) is not None


def legacy_folder(store: str | Path, dataset: str) -> Path | None:
    """Return the folder that earlier versions used; None where it could lie anywhere else.

    Parameters
    ----------
    store : str or Path
        The session's store.
    dataset : str
        Name of the dataset.
    """
    store = str(store)
    name = re.sub(r"[^\w.-]+", "_", dataset)
    if store == ":memory:" or name in ("", ".", ".."):
        return None
    file = Path("nbner.db") if "://" in store else Path(store)
    return file.absolute().with_suffix(_SUFFIX) / name


def _folder_name(dataset: str, base: Path) -> str:
    safe = re.sub(r"[^\w.-]+", "_", dataset)
    is_plain = (
        _PLAIN.fullmatch(dataset)
        and not dataset.endswith(".")
        and not _HASHED.search(dataset[-9:])
        and not _DEVICES.fullmatch(dataset)
        and len(dataset.encode("utf-8", "replace")) <= _MAX_BYTES
        and is_normalized("NFC", dataset)
    )
    if is_plain and not _is_other_spelling(base / dataset):
        return dataset
    safe = safe.strip(".") or "dataset"
    while len(safe.encode("utf-8", "replace")) > _MAX_BYTES:
        safe = safe[:-1]
    return f"{safe}-{_short_hash(dataset)}"


def _is_other_spelling(folder: Path) -> bool:
    """Return whether a file system without case takes this for a folder of another name."""
    try:
        return folder.exists() and folder.name not in {one.name for one in folder.parent.iterdir()}
    except OSError:
        return False


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
