"""Database: SQLite beside the pictures, or PostgreSQL; opened, and brought up to date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.orm import Session as Transaction

from fewclicks.errors import InputError, MissingExtraError, StorageError

HIDDEN_FOLDER: Final = ".fewclicks"
_FILE: Final = "annotations.sqlite"
_MIGRATIONS: Final = Path(__file__).parent / "migrations"
_BUSY_SECONDS: Final = 30


class DatabaseError(StorageError):
    """The database cannot be reached, read or written; what was to be written is not there."""


def default_url(folder: Path) -> str:
    """Name the SQLite file that lies with a folder of pictures."""
    # Not put together by hand: a ? or %20 in the folder's name would mean something else there.
    url = URL.create("sqlite", database=str(folder / HIDDEN_FOLDER / _FILE))
    return url.render_as_string(hide_password=False)


def file_of(url: str) -> Path | None:
    """Name the file of a SQLite database; None for any other."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        return None
    return Path(parsed.database)


def open_database(url: str) -> Engine:
    """Connect, and make or update the tables.

    Parameters
    ----------
    url
        As SQLAlchemy takes it: ``sqlite:///FILE``, or ``postgresql://USER:PASSWORD@HOST/NAME``.

    Raises
    ------
    InputError
        If the URL is none, or of another database.
    DatabaseError
        If the database cannot be reached, made or written.
    """
    engine = _engine(url)
    try:
        with engine.begin() as connection:
            if _revision(connection) != _newest_revision():
                migrate(connection)
    except (SQLAlchemyError, OSError) as error:
        raise DatabaseError(
            f"Cannot open the database {_shown(url)}: {reason(error)}; check the place and its "
            "rights, or name another with --db."
        ) from error
    return engine


def migrate(connection: Connection) -> None:
    """Bring the tables to the newest revision."""
    from alembic import command  # slow to load, and seldom needed
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    """Read which revision the tables are of; None where there are none."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return None if found is None else str(found)


def _newest_revision() -> str:
    """Name the newest migration: their files are called by number and subject."""
    names = sorted(path.name for path in (_MIGRATIONS / "versions").glob("[0-9]*.py"))
    return names[-1].partition("_")[0]


@contextmanager
def transaction(engine: Engine) -> Iterator[Transaction]:
    """Do all of something, or nothing.

    Raises
    ------
    DatabaseError
        If the database cannot be used.
    """
    try:
        with Transaction(engine, expire_on_commit=False) as there, there.begin():
            yield there
    except SQLAlchemyError as error:
        raise DatabaseError(
            f"The database cannot be used: {reason(error)}; nothing was changed."
        ) from error


def reason(error: BaseException) -> str:
    """Give what the driver said, in one line."""
    said = str(getattr(error, "orig", None) or error).strip()
    return said.splitlines()[0] if said else type(error).__name__


def _engine(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise InputError(
            f"'{_shown(url)}' is no database URL; needs sqlite:///FILE or "
            "postgresql://USER:PASSWORD@HOST/NAME."
        ) from None
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        if parsed.database:
            _make_folder(Path(parsed.database).parent)
        engine = create_engine(parsed, connect_args={"timeout": _BUSY_SECONDS})
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_at_once)
        return engine
    if kind == "postgresql":
        try:
            return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True)
        except (ModuleNotFoundError, NoSuchModuleError):
            raise MissingExtraError("PostgreSQL", "postgres") from None
    raise InputError(f"'{kind}' is no database of ours; needs sqlite or postgresql.")


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(
            f"Cannot make {folder}: {(error.strerror or str(error)).lower()}; name another place "
            "with --db sqlite:///FILE."
        ) from error


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # `begin` below is ours
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_at_once(connection: Connection) -> None:
    """Take the write lock first: a reader that turned writer could wait for itself."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _shown(url: str) -> str:
    """Hide a password."""
    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return url
