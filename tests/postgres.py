"""Start a PostgreSQL server for the tests, or install one, or say what to do."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OLDEST = 15
ADVICE = (
    f"No PostgreSQL server from version {OLDEST} on was found and none could be installed: "
    "install one (Debian: apt install postgresql), or set NBNER_POSTGRES_BIN to the folder of its "
    "initdb."
)
_PLACES = ("/usr/lib/postgresql/*/bin", "/opt/homebrew/opt/postgresql*/bin", "/usr/pgsql-*/bin")
_PATIENCE = 60  # seconds


def candidates():
    """Give the folders in which an initdb may be, an explicit one first and alone."""
    explicit = os.environ.get("NBNER_POSTGRES_BIN")
    if explicit:
        return [Path(explicit)]
    on_path = shutil.which("initdb")
    globbed = [found for place in _PLACES for found in Path("/").glob(place[1:])]
    return [*([Path(on_path).resolve().parent] if on_path else []), *sorted(globbed, reverse=True)]


def version(folder):
    """Ask an initdb for its version; 0 where there is none."""
    if not (folder / "initdb").is_file() or not (folder / "postgres").is_file():
        return 0
    said = subprocess.run(
        [folder / "initdb", "--version"], capture_output=True, text=True, check=False
    )
    words = [word for word in said.stdout.split() if word[0].isdigit()]
    return int(words[0].split(".")[0]) if words else 0


def find():
    """Give the folder of the server's programs, or None."""
    return next((one for one in candidates() if version(one) >= OLDEST), None)


def install():
    """Install through apt as root."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=quiet)
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "postgresql"]
        subprocess.run(command, check=False, env=quiet)


def require():
    """Give the folder of the server's programs.

    Raises
    ------
    RuntimeError
        With one sentence that says what to do.
    """
    found = find()
    if found is None:
        raise RuntimeError(ADVICE)
    return found


def other_user():
    """Name somebody for the server to run as: it refuses to be root."""
    if os.geteuid() != 0:
        return {}
    names = {one.pw_name for one in pwd.getpwall()}
    name = next(one for one in ("postgres", "nobody") if one in names)
    return {"user": name, "group": pwd.getpwnam(name).pw_gid}


class Server:
    """A server of one's own on a free port, with its files in a temporary folder.

    Parameters
    ----------
    durable : bool
        Wait for the disk, as servers do; tests of behaviour need not.
    """

    def __init__(self, *, durable=False):
        self._bin = require()
        self._folder = Path(tempfile.mkdtemp(prefix="nbner-postgres-"))
        self._as = other_user()
        if self._as:
            os.chown(self._folder, pwd.getpwnam(self._as["user"]).pw_uid, self._as["group"])
        self._options = [] if durable else ["-c", "fsync=off", "-c", "synchronous_commit=off"]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        data = self._folder / "data"
        command = [self._bin / "initdb", "-D", data, "-U", "nbner", "--auth=trust", "--no-sync"]
        subprocess.run(
            [*command, "-E", "UTF8", "--locale=C"],
            check=True,
            capture_output=True,
            cwd=self._folder,
            **self._as,
        )
        self._schemas = 0
        self._databases = set()
        self._process = None
        self.start()

    def start(self):
        """Start, and wait until it takes connections."""
        import psycopg

        command = [self._bin / "postgres", "-D", self._folder / "data", "-p", str(self.port)]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, "-h", "127.0.0.1", "-k", self._folder, *self._options],
                cwd=self._folder,
                stdout=log,
                stderr=log,
                env={**os.environ, "LOCPATH": str(self._locales)},
                **self._as,
            )
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                psycopg.connect(self.address).close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise
                time.sleep(0.05)
            else:
                return

    @property
    def address(self):
        return f"postgresql://nbner@127.0.0.1:{self.port}/postgres"

    @property
    def _locales(self):
        """The folder of the C library's locales that are made for this server."""
        return self._folder / "locales"

    def place(self, order=None, *, encoding="UTF8"):
        """Make room for one store, apart from all others, and give its address.

        Parameters
        ----------
        order : str, optional
            What a new database sorts by: "icu sv-SE", "libc en_US.UTF-8", or "C", which
            is also that of the database that the server comes with.
        encoding : str
            Of that database.
        """
        import psycopg

        self._schemas += 1
        name = f"place_{self._schemas}"
        address = self.address
        if order is not None or encoding != "UTF8":
            address = self._database(order or "C", encoding)
        with psycopg.connect(address, autocommit=True, client_encoding="utf8") as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return f"{address}?options=-csearch_path%3D{name}"

    def _database(self, order, encoding):
        """Make a database, or find the one that was made before, and give its address."""
        import psycopg

        name = re.sub(r"\W+", "_", f"{order} {encoding}").lower()
        if name not in self._databases:
            kind, _, locale = order.partition(" ")
            if kind == "libc":
                self._make_locale(locale)
            options = {
                "C": "LOCALE 'C'",
                "icu": f"LOCALE_PROVIDER icu ICU_LOCALE '{locale}' LOCALE 'C'",
                "libc": f"LOCALE_PROVIDER libc LOCALE '{locale}'",
            }[kind]
            with psycopg.connect(self.address, autocommit=True) as connection:
                connection.execute(
                    f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}' {options}"
                )
            self._databases.add(name)
        return f"postgresql://nbner@127.0.0.1:{self.port}/{name}"

    def _make_locale(self, locale):
        """Make one of the C library's locales for this server alone, where it can be made.

        Without ``localedef``, as on macOS, the machine itself must have it; the server
        says so otherwise.
        """
        language, charset = locale.split(".")
        if shutil.which("localedef"):
            self._locales.mkdir(exist_ok=True)
            # Warnings are an exit code of 1, and the server says whether it is there.
            command = ["localedef", "--no-archive", "-i", language, "-f", charset]
            subprocess.run([*command, self._locales / locale], check=False, capture_output=True)

    def halt(self):
        """Stop at once, as a server does that is lost; ``start`` brings it back."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(_PATIENCE)

    def stop(self):
        """Stop for good and leave nothing behind."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(_PATIENCE)
        shutil.rmtree(self._folder, ignore_errors=True)


if __name__ == "__main__":
    if find() is None:
        install()
    found = find()
    sys.stdout.write(f"PostgreSQL for the tests: {found}\n" if found else f"{ADVICE}\n")
    sys.exit(found is None)
