from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from annotated_folder import INSIDE, NAMES, OUTSIDE, make_folder
from fewclicks.errors import InputError, StorageError
from fewclicks.web import database
from fewclicks.web.actions import Mask, RedoAction, UndoAction, read_action
from fewclicks.web.annotators import Annotators
from fewclicks.web.database import default_url, file_of, open_database
from fewclicks.web.leases import LeaseError
from fewclicks.web.store import Store
from fewclicks.web.tables import Base
from postgres import running_postgres

MASK = {"size": [60, 80], "counts": "`T9"}
FINISH = {"kind": "finish", "label": "cat", "mask": MASK}


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with running_postgres() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'annotations.sqlite'}"
        return
    url = request.getfixturevalue("postgres")
    yield url
    engine = open_database(url)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    engine = open_database(url)
    yield engine
    engine.dispose()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "pictures")


@pytest.fixture
def store(engine: Engine, folder: Path) -> Store:
    return Store(engine, folder)


@pytest.fixture
def anna(engine: Engine, store: Store) -> int:
    return person(engine, store, "Anna")


def person(engine: Engine, store: Store, name: str) -> int:
    entered = Annotators(engine, store.project_id).enter("", name)
    assert entered is not None
    return entered[1].id


def first(store: Store) -> int:
    return store.pictures()[0].id


def act(store: Store, who: int, content: dict[str, Any], name: str | None = None) -> Any:
    action: Any = {"undo": UndoAction(kind="undo"), "redo": RedoAction(kind="redo")}.get(
        content["kind"]
    ) or read_action(json.dumps(content))
    name = name or str(uuid.uuid4())
    return store.act(first(store), name, action, annotator=who, method="graphcut")


def test_the_tables_are_what_the_migrations_make(engine: Engine):
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_a_folder_keeps_its_pictures_and_takes_new_ones(engine: Engine, folder: Path):
    store = Store(engine, folder)
    assert [(row.name, row.state, row.objects) for row in store.pictures()] == [
        (name, "new", 0) for name in NAMES
    ]
    (folder / "aa.png").write_bytes((folder / "a.png").read_bytes())
    again = Store(engine, folder)
    assert [row.name for row in again.pictures()] == ["a.png", "aa.png", "b.png", "sub/c.png"]
    assert again.project_id == store.project_id
    assert again.chosen == ("default", None)


def test_a_folder_that_was_moved_keeps_what_was_done_in_it(folder: Path, tmp_path: Path):
    engine = open_database(default_url(folder))
    store = Store(engine, folder)
    act(store, person(engine, store, "Anna"), FINISH)
    engine.dispose()

    moved = folder.rename(tmp_path / "elsewhere")
    engine = open_database(default_url(moved))
    again = Store(engine, moved, begin=False)
    assert again.project_id == store.project_id
    assert [one.label for one in again.picture(first(again)).desk.objects] == ["cat"]
    engine.dispose()


@pytest.mark.parametrize("name", ["why?", "a%20b", "50%", "a b #é", "x@y:z"])
def test_whatever_a_folder_is_called_its_database_lies_in_it(name: str, tmp_path: Path):
    folder = make_folder(tmp_path / name)
    engine = open_database(default_url(folder))
    file = file_of(default_url(folder))
    engine.dispose()
    assert file == folder / ".fewclicks" / "annotations.sqlite"
    assert file.is_file()
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_folder_that_shares_its_database_is_not_taken_for_another(
    engine: Engine, folder: Path, tmp_path: Path
):
    Store(engine, folder)
    other = make_folder(tmp_path / "other")
    with pytest.raises(InputError, match=r"other was never annotated in .*it has .*pictures"):
        Store(engine, other, begin=False)
    assert Store(engine, other).project_id != Store(engine, folder, begin=False).project_id


def test_what_was_done_is_there_for_whoever_opens_the_database_next(
    store: Store, anna: int, url: str, folder: Path
):
    act(store, anna, INSIDE)
    act(store, anna, FINISH)
    act(store, anna, OUTSIDE)
    other = open_database(url)
    found = Store(other, folder).picture(first(store))
    other.dispose()
    assert [one.label for one in found.desk.objects] == ["cat"]
    assert len(found.desk.prompts) == 1
    assert found.state == "open"


def test_undo_and_redo_go_over_everything_and_a_new_action_ends_redo(store: Store, anna: int):
    for content in (INSIDE, FINISH, OUTSIDE):
        act(store, anna, content)
    assert act(store, anna, {"kind": "undo"}).desk.prompts == ()
    undone = act(store, anna, {"kind": "undo"})
    assert undone.desk.objects == ()
    assert (undone.can_undo, undone.can_redo) == (True, True)
    redone = act(store, anna, {"kind": "redo"})
    assert [one.label for one in redone.desk.objects] == ["cat"]
    assert not act(store, anna, INSIDE).can_redo
    with pytest.raises(InputError, match="nothing to redo"):
        act(store, anna, {"kind": "redo"})


def test_an_action_sent_twice_is_done_once(store: Store, anna: int):
    name = str(uuid.uuid4())
    before = act(store, anna, INSIDE, name)
    assert act(store, anna, INSIDE, name) == before


def test_what_does_not_fit_changes_nothing(store: Store, anna: int):
    before = act(store, anna, INSIDE)
    with pytest.raises(InputError, match="no finished object"):
        act(store, anna, {"kind": "delete", "object": 99})
    assert store.picture(first(store)) == before
    act(store, anna, {"kind": "undo"})
    with pytest.raises(InputError, match="nothing to undo"):
        act(store, anna, {"kind": "undo"})


def test_a_dropped_action_is_gone_from_the_desk_and_stays_in_the_record(store: Store, anna: int):
    act(store, anna, INSIDE)
    name = str(uuid.uuid4())
    act(store, anna, OUTSIDE, name)
    assert len(store.drop(first(store), name).desk.prompts) == 1
    assert [row.standing for row in store.record(first(store))] == ["done", "dropped"]


def test_the_record_says_who_did_what_even_where_it_was_undone(store: Store, anna: int):
    act(store, anna, INSIDE)
    act(store, anna, {"kind": "undo"})
    act(store, anna, OUTSIDE)
    rows = store.record(first(store))
    assert [(row.kind, row.standing) for row in rows] == [
        ("click", "dropped"), ("undo", "log"), ("click", "done")
    ]  # fmt: skip
    assert {row.annotator_id for row in rows} == {anna}
    assert {row.method for row in rows} == {"graphcut"}


def test_two_annotators_never_change_one_picture(store: Store, anna: int, engine: Engine):
    ben = person(engine, store, "Ben")
    act(store, anna, INSIDE)
    with pytest.raises(LeaseError, match=r"Anna is working on a\.png"):
        act(store, ben, OUTSIDE)
    with pytest.raises(LeaseError, match=r"Anna is working on a\.png"):
        store.set_state(first(store), "done", annotator=ben)
    assert store.counts()[1] == 0
    assert store.lease(first(store), ben) == "Anna"
    assert store.pictures()[0].holder == "Anna"
    store.give_back(first(store), ben)
    assert store.lease(first(store), ben) == "Anna"
    store.give_back(first(store), anna)
    assert store.lease(first(store), ben) == "Ben"
    assert len(act(store, ben, OUTSIDE).desk.prompts) == 2


def test_a_lease_that_ran_out_is_anybodys(
    store: Store, anna: int, engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("fewclicks.web.leases.LEASE_SECONDS", -1)
    act(store, anna, INSIDE)
    assert store.pictures()[0].holder is None
    ben = person(engine, store, "Ben")
    assert len(act(store, ben, OUTSIDE).desk.prompts) == 2


def test_many_at_once_lose_no_action(store: Store, anna: int):
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: act(store, anna, INSIDE), range(40)))
    found = store.picture(first(store))
    assert len(found.desk.prompts) == 40
    assert [row.number for row in store.record(found.id)] == list(range(1, 41))


def test_a_draft_is_kept_only_for_the_version_it_belongs_to(store: Store, anna: int):
    found = act(store, anna, INSIDE)
    rle = Mask.model_validate(MASK).rle
    store.keep_draft(found.id, found.version, rle)
    assert store.picture(found.id).draft == rle
    act(store, anna, OUTSIDE)
    store.keep_draft(found.id, found.version, rle)
    assert store.picture(found.id).draft is None


def test_labels_come_with_objects_and_keep_their_order(store: Store, anna: int):
    store.add_label("dog", "#123456")
    act(store, anna, INSIDE)
    act(store, anna, FINISH)
    again = store.add_label("dog")
    assert store.labels()[0].colour == "#123456"
    assert [label.name for label in store.labels()] == ["dog", "cat"]
    assert store.change_label(again.id, name="wolf", colour=None).name == "wolf"
    with pytest.raises(InputError, match="Another label is called 'cat'"):
        store.change_label(again.id, name="cat", colour=None)
    with pytest.raises(InputError, match="no label 999"):
        store.change_label(999, name="cat", colour=None)


def test_pictures_of_another_folder_are_not_this_ones(store: Store, engine: Engine, tmp_path: Path):
    other = Store(engine, make_folder(tmp_path / "other"))
    with pytest.raises(InputError, match="no picture"):
        store.picture(first(other))
    assert store.counts() == (3, 0)


def test_done_pictures_are_counted(store: Store):
    store.set_state(first(store), "done", annotator=1)
    assert store.counts() == (3, 1)


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ("nonsense", "no database URL"),
        ("mysql://somebody@host/name", "no database of ours"),
        ("postgresql://nobody:secret@127.0.0.1:1/none", "Cannot open the database"),
    ],
)
def test_a_database_that_cannot_be_used_is_refused_in_one_line(bad: str, complaint: str):
    with pytest.raises((InputError, StorageError), match=complaint) as caught:
        open_database(bad)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path):
    path = tmp_path / "annotations.sqlite"
    path.write_text("my diary, no database" * 100)
    with pytest.raises(StorageError, match="not a database"):
        open_database(f"sqlite:///{path}")
    assert path.read_text().startswith("my diary")


def test_a_place_where_no_folder_can_be_made_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="name another place with --db"):
        open_database(f"sqlite:///{tmp_path / 'file' / 'x' / 'a.sqlite'}")


def test_the_newest_migration_is_the_one_that_alembic_ends_at():
    script = ScriptDirectory(str(database._MIGRATIONS))
    assert database._newest_revision() == script.get_current_head()
