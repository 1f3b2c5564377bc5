"""Database connections: opening without side effects, transactions, and readable errors."""

from __future__ import annotations

import logging
import os
import shutil
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4
from weakref import finalize, ref

from sqlalchemy import URL, Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import NullPool, QueuePool

from nbner.errors import StoreError
from nbner.store import backup as backups
from nbner.store import file_identity, forks, read_only, schema
from nbner.store.file_identity import FileId, OpenConnection, OpenFiles
from nbner.store.migrations import migrate
from nbner.store.url import check_path, is_memory, parse_url, sqlite_path

_LOG = logging.getLogger(__name__)

#: How long a statement waits for another writer, in seconds.
BUSY_SECONDS = 30

_IS_WRITE = "nbner_writes"
_FOREIGN_FILE = "is not a store of nbner. Name another file: nbner makes one that is not there yet."
_BUSY = "is busy: another program is writing to it. Try again in a moment."
_FULL = "cannot be written: the disk is full. Make room and try again."
_UNREACHABLE = "cannot be reached. Check that the server runs; then try again."
_AUTHENTICATION = "refuses this user and password. Check the address."
_NUL = "cannot hold the character NUL, as no text in PostgreSQL can. Remove it."
_READ_ONLY = "can be read but not written. Check the permissions of the file and its folder."
_FOREIGN_CHARACTER = (
    "cannot hold one of these characters, because its database is not in UTF-8. Make a database "
    "with ENCODING 'UTF8', and copy the store to it with session.store.backup() and session.add()."
)
# What is still open can be saved, although a new session would not see it.
_RESCUE = (
    "What this session has stored can be saved with session.store.backup(path); then open that "
    "copy with a new session."
)
_FILE_IS_GONE = (
    "was moved, replaced or deleted, or its disk is gone. Put it back. If that cannot be done: "
    f"{_RESCUE}"
)
_LOG_IS_GONE = (
    "has lost its log: another program moved, replaced or deleted the file that ends in -wal, "
    f"which holds the latest answers. {_RESCUE} Keep other programs away from this file."
)
_NOT_ACKNOWLEDGED = "The last change does not count as stored."
_INHERITED = (
    "was in the middle of a transaction when this process was forked from another one. Start the "
    "process with the method 'spawn', or fork while no thread uses the store."
)
_FOREIGN_FORK = (
    "was opened by another process, from which this one was forked without Python's knowledge. "
    "Open it in a process of its own."
)
_COPIED_MEMORY = (
    "is in the memory of another process: this forked one has a copy, which can be read, and what "
    "it stored would be lost. Use a file."
)

# Primary result codes of SQLite: https://sqlite.org/rescode.html
_READONLY = 8
_SQLITE_MESSAGES = {
    5: _BUSY,  # SQLITE_BUSY
    6: _BUSY,  # SQLITE_LOCKED
    _READONLY: _READ_ONLY,
    11: "is damaged. Go back to a copy of it.",  # SQLITE_CORRUPT
    13: _FULL,  # SQLITE_FULL
    14: "cannot be opened. Check the permissions of the file and its folder.",  # SQLITE_CANTOPEN
    26: _FOREIGN_FILE,  # SQLITE_NOTADB
}
# Python 3.10 does not expose the code. sqlite3_errstr() translates each code into
# one fixed English string, so that for this version the string stands for the code.
_SQLITE_CODES = {
    "database is locked": 5,
    "database table is locked": 6,
    "attempt to write a readonly database": _READONLY,
    "database disk image is malformed": 11,
    "database or disk is full": 13,
    "unable to open database file": 14,
    "file is not a database": 26,
}
# SQLSTATE codes, or their first two characters for a whole class:
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_SQLSTATE_MESSAGES = {
    "08": _UNREACHABLE,
    "22021": _NUL,
    "22P05": _FOREIGN_CHARACTER,
    "28": _AUTHENTICATION,
    "3D000": "is not there. Check the address; the database itself must be made first.",
    "3F000": "has no schema of this name. Check the address; the schema must be made first.",
    "42501": "may not be used by this user. Ask for the right to make tables in it.",
    "53100": _FULL,
    "53300": "has no free connection. Close other programs that use it, or try again later.",
    "55P03": _BUSY,
    "57P01": "cannot be reached: the server is going down. Try again later.",
    "57P02": "cannot be reached: the server is going down. Try again later.",
    "57P03": "cannot be reached: the server is starting or going down. Try again later.",
}
# An arbitrary constant: the advisory lock that whoever creates or migrates tables holds.
_MIGRATION_LOCK_ID = 0x6E626E6572


class Database:
    """Connections to one store, usable from any number of threads.

    Parameters
    ----------
    location : str or Path
        A SQLite file, ":memory:", or a database URL.

    Raises
    ------
    StoreError
        There is no store and none can be created; existing data is unchanged.

    Attributes
    ----------
    key : str
        Identity of the store, generated when it is created and never changed.
    url : str
        Its location, without a password.
    """

    def __init__(self, location: str | Path) -> None:
        url = parse_url(location)
        self.url = url.render_as_string(hide_password=True)
        self._file = sqlite_path(url)
        self._name = f"The store {self._file or self.url}"
        self._is_memory = is_memory(url)
        self._files: OpenFiles | None = None
        # The connection of the block that this thread is in: see `one_state`.
        self._shared = threading.local()
        self._closed = False
        # Why nothing can be done, or nothing be written; empty where it can.
        self._unusable = self._unwritable = ""
        #: Transactions that are open, by the ids of their threads.
        self.transactions: Counter[int] = Counter()
        forks.register(self)
        if self._file is not None:
            self._check_this_process(self._file)
            url = self._readable(url, self._file)
        self._engine = self._create_engine(url)
        self._writer = self._engine.execution_options(**{_IS_WRITE: True})
        # A server would otherwise show each statement a later state.
        self._reader = (
            self._engine
            if self.is_sqlite
            else self._engine.execution_options(isolation_level="REPEATABLE READ")
        )
        try:
            with self._transaction():
                self.key = self._open()
        except BaseException:
            self._engine.dispose()
            raise
        _LOG.debug("opened store %s", self.url)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection with one read transaction, which sees one state of the store.

        Raises
        ------
        StoreError
            The store is closed, moved, or cannot be read.
        """
        shared: Connection | None = getattr(self._shared, "connection", None)
        if shared is not None:
            with self._friendly_errors():
                yield shared
            return
        with self._guarded(), self._reader.begin() as connection:
            yield connection

    @contextmanager
    def one_state(self) -> Iterator[None]:
        """Have everything that this thread reads in the block see one state of the store.

        Nothing can be written in the block, and no process be forked.

        Raises
        ------
        StoreError
            The store is closed, moved, or cannot be read.
        """
        with self.reading() as connection:
            outer = getattr(self._shared, "connection", None)
            self._shared.connection = connection
            try:
                yield
            finally:
                self._shared.connection = outer

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Yield a connection with one write transaction: durable at the end, or rolled back.

        At the end the file that a new session would open holds what was written.

        Raises
        ------
        StoreError
            The store is closed, moved, or cannot be written; or its file or log was
            moved or deleted meanwhile, so that what was written may be lost.
        """
        with self._guarded():
            if self._unwritable:
                raise StoreError(f"{self._name} {self._unwritable}")
            with self._writer.begin() as connection:
                yield connection
        self._check_files(_NOT_ACKNOWLEDGED)

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is SQLite, which allows one writer at a time."""
        return self._engine.dialect.name == "sqlite"

    @property
    def file(self) -> Path | None:
        """Path of the SQLite file; None for memory and servers."""
        return self._file

    def backup(self, path: Path | None = None) -> Path:
        """Copy the store to a SQLite file, which is a store itself.

        Parameters
        ----------
        path : Path, optional
            By default a file with the current time in its name beside the
            store, or in the working directory where the store is not a file.

        Returns
        -------
        Path
            The absolute path of the copy.

        Raises
        ------
        StoreError
            The file exists already, or cannot be written.
        """
        target = check_path(path or self._backup_path("")).expanduser().absolute()
        is_gone = bool(self._missing_files())
        if is_gone and not self._engine.pool.checkedin():  # type: ignore[attr-defined]
            # A new connection would lead to another file.
            self._check_files()
        with self._guarded(check_files=not is_gone), self._reader.begin() as connection:
            backups.copy(connection, target)
        return target

    def close(self) -> None:
        """Close all connections. Closing again does nothing."""
        self._closed = True
        self._engine.dispose()

    def before_fork(self) -> None:
        """Close the idle connections to a file: a child must not inherit them."""
        engine = getattr(self, "_engine", None)
        if engine is not None and self.is_sqlite and not self._is_memory:
            engine.dispose()

    def after_fork_in_child(self, *, is_open: bool) -> None:
        """Leave the connections of the parent alone, and open new ones from now on.

        Parameters
        ----------
        is_open : bool
            Whether a transaction was open during the fork, so that a connection to a
            file was inherited after all.
        """
        if getattr(self, "_engine", None) is None:
            return
        if self._is_memory:
            self._unwritable = _COPIED_MEMORY
            self._unusable = _INHERITED if is_open else self._unusable
            return
        # What was inherited must not be closed either, as the garbage collector would.
        _inherited.append(self._engine.pool)
        if self.is_sqlite:
            file_identity.forget_all()
        if self.is_sqlite and is_open:
            self._unusable = _INHERITED
            if self._files is not None and self._files.id is not None:
                _inherited_files.add(self._files.id)
        self._engine.dispose(close=False)

    @contextmanager
    def _guarded(self, *, check_files: bool = True) -> Iterator[None]:
        if self._closed:
            raise StoreError(f"{self._name} is closed. Make a new session.")
        with self._transaction():
            if check_files:
                self._check_files()
            with self._friendly_errors():
                yield
            if check_files:
                self._remember_log()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Keep forks away from a transaction, and transactions away from what was inherited."""
        with forks.transaction(self):
            if not forks.is_same_process():
                raise StoreError(f"{self._name} {_FOREIGN_FORK}")
            if self._unusable:
                raise StoreError(f"{self._name} {self._unusable}")
            yield

    def _check_files(self, also: str = "") -> None:
        """Raise where a new session would not open the file and the log that are open here."""
        problem = self._missing_files()
        if problem:
            # SQLite would go on writing to a file that no longer has a name.
            raise StoreError(f"{self._name} {problem} {also}".rstrip())

    def _remember_log(self) -> None:
        if self._files is not None and not self._unwritable:
            self._files.remember_log()

    def _missing_files(self) -> str:
        if self._files is None:
            return ""
        if not self._files.is_file_there():
            return _FILE_IS_GONE
        return "" if self._files.is_log_there() else _LOG_IS_GONE

    def _check_this_process(self, file: Path) -> None:
        """Raise where other connections of this process stand in the way of new ones."""
        files = OpenFiles(file)
        if files.id in _inherited_files:
            raise StoreError(f"{self._name} {_INHERITED}")
        if not files.is_log_there():
            raise StoreError(f"{self._name} {_LOG_IS_GONE}")

    @contextmanager
    def _friendly_errors(self) -> Iterator[None]:
        """Raise a ``StoreError`` with a remedy in place of a driver's error."""
        try:
            yield
        except DBAPIError as error:
            raise StoreError(f"{self._name} {_message(error)}") from error
        except PoolTimeoutError as error:
            raise StoreError(f"{self._name} {_BUSY}") from error

    def _readable(self, url: URL, file: Path) -> URL:
        """Check a file without write access, and return the URL by which it is opened.

        A foreign file is not changed. A file that cannot be written is opened for
        reading, or a copy of it where it has a log or is of an older version.
        """
        self._check_place(file)
        if not file.exists():
            return url
        if read_only.is_writable(file):
            with self._friendly_errors():
                self._probe(read_only.read_only_uri(file))
            return url
        self._unwritable = _READ_ONLY
        with self._friendly_errors():
            uri, copy = read_only.find_readable(file, self._is_current)
        if copy is not None:
            finalize(self, _delete_folder, copy.parent, os.getpid())
            _LOG.debug("%s is read from a copy", file)
            return url.set(database=str(copy))
        assert uri is not None  # noqa: S101 - for the type checker: one of the two
        path, _, query = uri.partition("?")
        options = dict(pair.split("=") for pair in query.split("&"))
        return url.set(database=path, query={**options, "uri": "true"})

    def _check_place(self, file: Path) -> None:
        try:
            is_folder, has_folder = file.is_dir(), file.parent.is_dir()
            file.exists()
        except OSError as error:
            # Python 3.10 to 3.13 raise it for a name that is too long.
            raise StoreError(
                f"{self._name} cannot be opened: {error.strerror}. Choose another path."
            ) from error
        if is_folder:
            raise StoreError(f"{self._name} is a folder. Name a file in it.")
        if not has_folder:
            raise StoreError(f"{self._name} has no folder. Make {file.parent} first.")

    def _is_current(self, uri: str) -> bool:
        """Return whether a store has tables of the present version."""
        try:
            return self._probe(uri) == schema.SCHEMA_VERSION
        except DBAPIError as error:
            if isinstance(error.orig, sqlite3.OperationalError):
                raise error.orig from error
            raise

    def _probe(self, uri: str) -> int | None:
        """Return the version of the tables of a SQLite file that is not written."""
        engine = create_engine(
            "sqlite://",
            creator=lambda: sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS),
            poolclass=NullPool,
        )
        with forks.transaction(self), engine.connect() as connection:
            return self._schema_version(connection)

    def _schema_version(self, connection: Connection) -> int | None:
        """Return the version of nbner's tables; None where there are none yet."""
        tables = inspect(connection).get_table_names()
        if schema.store.name not in tables:
            # A server's database may hold other tables; a SQLite file is nbner's alone.
            if tables and connection.dialect.name == "sqlite":
                raise StoreError(f"{self._name} {_FOREIGN_FILE}")
            return None
        version = connection.scalar(select(schema.store.c.schema_version))
        if version is None or version > schema.SCHEMA_VERSION:
            raise StoreError(
                f"{self._name} was made by a newer version of nbner (its tables are version "
                f"{version}, this nbner knows {schema.SCHEMA_VERSION}). Update nbner."
            )
        return int(version)

    def _create_engine(self, url: URL) -> Engine:
        try:
            if url.get_backend_name() != "sqlite":
                return create_engine(url, pool_pre_ping=True, connect_args=_server_options(url))
            engine = create_engine(url, **_sqlite_options(url))
        except (ArgumentError, NoSuchModuleError) as error:
            raise StoreError(f"{self._name} is not an address that is known: {error}.") from error
        except ModuleNotFoundError as error:
            needed = '"nbner[postgres]"' if error.name == "psycopg" else error.name
            raise StoreError(f"{self._name} needs a driver: pip install {needed}.") from error
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        self._count_connections(engine)
        return engine

    def _count_connections(self, engine: Engine) -> None:
        """Know while this process has the store's log open: see `OpenFiles`."""
        # The engine must not keep the database alive, which deletes a copy at its end.
        database = ref(self)

        def opened(connection: Any, _record: Any) -> None:
            self = database()
            if self is not None and self._files is not None:
                connection.counted = OpenConnection(self._files)

        def closed(connection: Any, _record: Any) -> None:
            counted = getattr(connection, "counted", None)
            if counted is not None:
                counted.end()

        event.listen(engine, "connect", opened)
        event.listen(engine, "close", closed)

    def _open(self) -> str:
        """Create or migrate the tables where necessary, and return the store's key."""
        with self._friendly_errors():
            with self._engine.begin() as connection:
                version = self._schema_version(connection)
            if self._file is not None:
                # SQLite has made the file by now. From here on it must stay where it is.
                self._engine.dispose()
                self._files = OpenFiles(self._file)
            if self.is_sqlite and not self._unwritable:
                self._enable_write_ahead_log()
            if version is None:
                self._create_tables()
            elif version < schema.SCHEMA_VERSION:
                self._migrate(version)
            with self._engine.begin() as connection:
                key = str(connection.scalar(select(schema.store.c.key)))
        self._remember_log()
        return key

    def _create_tables(self) -> None:
        with self._writer.begin() as connection:
            self._lock_migration(connection)
            # Another process may have created them since the first check.
            if self._schema_version(connection) is not None:
                return
            self._require_utf8(connection)
            schema.metadata.create_all(connection)
            connection.execute(
                insert(schema.store).values(
                    key=uuid4().hex, schema_version=schema.SCHEMA_VERSION, created=time.time()
                )
            )

    def _require_utf8(self, connection: Connection) -> None:
        """Raise before a store is made in a database that cannot hold every text."""
        if connection.dialect.name != "postgresql":
            return
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar()
        if encoding != "UTF8":
            raise StoreError(
                f"{self._name} cannot be made: its database has the encoding {encoding}, which "
                "cannot hold every text. Make another database with ENCODING 'UTF8'."
            )

    def _migrate(self, version: int) -> None:
        """Bring older tables up to date, after a backup of them."""
        if not self._unwritable:
            with self._reader.begin() as connection:
                backups.copy(connection, self._backup_path(f"-version-{version}"))
        with self._writer.begin() as connection:
            self._lock_migration(connection)
            if self._schema_version(connection) == version:
                migrate(connection)
        _LOG.debug("migrated %s from version %d of the tables", self.url, version)

    def _backup_path(self, suffix: str) -> Path:
        timestamp = f"{datetime.now().astimezone():%Y-%m-%d-%H%M%S-%f}"
        file = self._file or Path("nbner.db").absolute()
        return file.with_name(f"{file.stem}-{timestamp}{suffix}{file.suffix or '.db'}")

    def _lock_migration(self, connection: Connection) -> None:
        if not self.is_sqlite:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK_ID})")

    def _enable_write_ahead_log(self) -> None:
        """Let readers and a writer work at the same time; the setting stays in the file."""
        until = time.monotonic() + BUSY_SECONDS
        # SQLite does not wait by itself here, as it does everywhere else.
        while (error := self._set_journal_mode()) and time.monotonic() < until:
            time.sleep(0.01)
        if error:
            raise StoreError(f"{self._name} {_sqlite_message(error)}") from error

    def _set_journal_mode(self) -> sqlite3.OperationalError | None:
        """Ask for the write-ahead log once; return the error where it is not granted."""
        with self._engine.connect() as connection:
            raw: Any = connection.connection.dbapi_connection
            try:
                # On the driver's connection, because the mode cannot change in a transaction.
                raw.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError as error:
                # A store that can only be read stays as it is, and readable.
                return None if _sqlite_code(error) == _READONLY else error
        return None


# Pools of connections that a forked process has inherited: never used, and never closed.
_inherited: list[Any] = []
_inherited_files: set[FileId] = set()


class _SqliteConnection(sqlite3.Connection):
    """A connection that is counted until it is closed or collected."""

    counted: OpenConnection | None = None


def _server_options(url: URL) -> dict[str, Any]:
    # A database in another encoding converts then, or keeps the bytes as they are (SQL_ASCII).
    is_postgres = url.get_backend_name() == "postgresql"
    return {"client_encoding": "utf8"} if is_postgres else {}


def _sqlite_options(url: URL) -> dict[str, Any]:
    options: dict[str, Any] = {
        "poolclass": QueuePool,
        "pool_timeout": BUSY_SECONDS,
        "connect_args": {
            "timeout": BUSY_SECONDS,
            "check_same_thread": False,
            "factory": _SqliteConnection,
        },
    }
    if is_memory(url):
        # The one connection is the database; threads take turns.
        options |= {"pool_size": 1, "max_overflow": 0}
    return options


def _delete_folder(folder: Path, process: int) -> None:
    """Delete a temporary folder, in the process that made it and not in one forked from it."""
    if os.getpid() == process:
        shutil.rmtree(folder, ignore_errors=True)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver would begin transactions by itself, and too late: see _begin_sqlite.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA synchronous = FULL")
    # 16 MB: hashes are spread over a whole index, which should stay in memory.
    cursor.execute("PRAGMA cache_size = -16000")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A write transaction takes the lock at once: one that reads first and writes
    # later can only fail when another has written in between.
    is_write = connection.get_execution_options().get(_IS_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")


def _message(error: DBAPIError) -> str:
    """Return the message for a driver's error, by its code and not by its words."""
    original = error.orig
    if isinstance(original, sqlite3.Error):
        return _sqlite_message(original)
    state = getattr(original, "sqlstate", None)
    if state:
        known = _SQLSTATE_MESSAGES.get(state) or _SQLSTATE_MESSAGES.get(state[:2])
        return known or _failed(original)
    if error.connection_invalidated:
        return _UNREACHABLE
    if _has_nul(error.params):
        return _NUL
    # libpq keeps the SQLSTATE of a failed connection attempt to itself.
    attempt = getattr(original, "pgconn", None)
    if getattr(attempt, "used_password", False) or getattr(attempt, "needs_password", False):
        return _AUTHENTICATION
    if error.statement is None:
        return (
            f"cannot be reached: {_one_line(original)}. Check the address and that the server "
            "runs; the database and the user must be made first."
        )
    return _failed(original)


def _sqlite_message(error: sqlite3.Error) -> str:
    return _SQLITE_MESSAGES.get(_sqlite_code(error), _failed(error))


def _sqlite_code(error: sqlite3.Error) -> int:
    """Return the primary result code of an error; 0 where SQLite did not raise it."""
    code = getattr(error, "sqlite_errorcode", None)
    return _SQLITE_CODES.get(str(error), 0) if code is None else int(code) & 0xFF


def _has_nul(params: Any) -> bool:
    """Return whether a statement's parameters hold a string with the character NUL."""
    if isinstance(params, str):
        return "\0" in params
    if isinstance(params, Mapping):
        return any(map(_has_nul, params.values()))
    return isinstance(params, (list, tuple)) and any(map(_has_nul, params))


def _failed(error: BaseException | None) -> str:
    return f"failed: {_one_line(error)}."


def _one_line(error: BaseException | None) -> str:
    return " ".join(str(error).split()).rstrip(".")
