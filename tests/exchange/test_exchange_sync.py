"""One lot between two SQLite files: whatever is planted is found, and nothing else changes."""

# ruff: noqa: S608  (statements are made of the names of the test's own tables)

import fcntl
import hashlib
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huodang.exchange.sync import (
    AddressError,
    BusyError,
    CheckError,
    ConnectError,
    DriftError,
    MassDeleteError,
    ProofError,
    SyncError,
    SyncReport,
    SyncRequest,
    TableError,
    sync_table,
    verify_table,
)

PERSON = "CREATE TABLE person (id TEXT PRIMARY KEY, name TEXT, amount NUMERIC(12,2), updated_at INTEGER)"


class Pair:
    """Two SQLite files and a sync between them."""

    def __init__(self, folder: Path, schema: str = PERSON, table: str = "person", key: str = "id") -> None:
        self.folder = folder
        self.table = table
        self.key = tuple(key.split(","))
        self.source = sqlite3.connect(folder / "source.db", isolation_level=None)
        self.source.execute("PRAGMA synchronous = OFF")
        self.source.execute(schema)
        self.cursor: str | None = None

    def request(self, **more: object) -> SyncRequest:
        given_: dict[str, object] = {
            "source": str(self.folder / "source.db"),
            "table": self.table,
            "key": self.key,
            "target": str(self.folder / "target.db"),
            "cursor": self.cursor,
            "quarantine_file": self.folder / "quarantine.csv",
            "work_folder": self.folder,
            "memory": "200MB",
            **more,
        }
        return SyncRequest(**given_)  # type: ignore[arg-type]

    def sync(self, **more: object) -> SyncReport:
        return sync_table(self.request(**more))

    def target(self, query: str = "") -> list[tuple[object, ...]]:
        with sqlite3.connect(self.folder / "target.db") as opened:
            return opened.execute(query or f'SELECT * FROM "{self.table}" ORDER BY 1').fetchall()

    def do(self, statement: str) -> None:
        with sqlite3.connect(self.folder / "target.db") as opened:
            opened.execute(statement)

    def rows(self) -> list[tuple[object, ...]]:
        return self.source.execute(f'SELECT * FROM "{self.table}" ORDER BY 1').fetchall()


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    """Two hundred people at the source."""
    made = Pair(tmp_path)
    made.source.executemany(
        "INSERT INTO person VALUES (?, ?, ?, ?)", [(f"P{n:04}", f"张{n}", n * 1.25, 1000 + n) for n in range(200)]
    )
    return made


def counts(report: SyncReport) -> tuple[int, ...]:
    return (report.rows, report.inserted, report.updated, report.deleted, report.late, report.quarantined)


def test_first_lot_makes_the_target_and_proves_it(pair: Pair) -> None:
    report = pair.sync()
    assert counts(report) == (200, 200, 0, 0, 0, 0)
    assert report.created
    assert report.proof is not None
    assert report.proof.equal
    assert report.proof.source_root == report.proof.target_root
    assert pair.target() == pair.rows()
    assert pair.target("SELECT name FROM pragma_table_info('person') WHERE pk") == [("id",)]


def test_second_lot_finds_every_insert_update_and_delete_without_a_cursor(pair: Pair) -> None:
    pair.sync()
    pair.source.execute("UPDATE person SET name = '李四' WHERE id IN ('P0001', 'P0002', 'P0003')")
    pair.source.execute("DELETE FROM person WHERE id >= 'P0190'")
    pair.source.execute("INSERT INTO person VALUES ('Q1', '', NULL, NULL)")
    assert counts(pair.sync()) == (191, 1, 3, 10, 0, 0)
    assert pair.target() == pair.rows()


def test_cursor_tells_what_is_late_and_an_update_that_did_not_move_it_is_found(pair: Pair) -> None:
    pair.cursor = "updated_at"
    assert pair.sync().watermark == "1199"
    pair.source.execute("INSERT INTO person VALUES ('L1', '迟到', 1, 1050), ('N1', '新到', 1, 2000)")
    pair.source.execute("UPDATE person SET name = '未动' WHERE id = 'P0007'")
    report = pair.sync()
    assert counts(report) == (202, 2, 1, 0, 1, 0)
    assert report.unmoved == 1
    assert report.previous_watermark == "1199"
    assert report.watermark == "2000"


def test_lot_with_nothing_to_do_changes_nothing_and_still_proves(pair: Pair) -> None:
    pair.sync()
    report = pair.sync()
    assert counts(report) == (200, 0, 0, 0, 0, 0)
    assert report.lot == 2
    assert report.proof is not None
    assert report.proof.equal


def test_dry_run_tells_the_changes_and_changes_nothing(pair: Pair) -> None:
    pair.sync()
    pair.source.execute("DELETE FROM person WHERE id = 'P0001'")
    before = pair.target()
    report = pair.sync(dry_run=True)
    assert (report.deleted, report.proof, report.dry_run) == (1, None, True)
    assert pair.target() == before


def test_key_that_stands_twice_is_quarantined_and_the_targets_row_of_it_stays(tmp_path: Path) -> None:
    pair = Pair(tmp_path, "CREATE TABLE person (id TEXT, name TEXT)")
    pair.source.executemany("INSERT INTO person VALUES (?, ?)", [("a", "一"), ("b", "二"), ("c", "三")])
    pair.sync()
    pair.source.execute("INSERT INTO person VALUES ('b', '另一个'), (NULL, '没有号')")
    pair.source.execute("UPDATE person SET name = '三三' WHERE id = 'c'")
    report = pair.sync()
    assert counts(report) == (5, 0, 1, 0, 0, 3)
    assert report.quarantine_reasons == {"key_null": 1, "key_twice": 2}
    assert pair.target() == [("a", "一"), ("b", "二"), ("c", "三三")]
    refused = (tmp_path / "quarantine.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(refused) == 4
    assert (tmp_path / "quarantine.csv").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("column", "value"),
    [("证件", "1.30102E+17"), ("sfzh", "1.30102e17"), ("remark", "1.3E+17"), ("sfzh", 1.30102e17), ("zjhm", 3.4e17)],
)
def test_identity_number_turned_to_scientific_notation_is_refused(tmp_path: Path, column: str, value: object) -> None:
    pair = Pair(tmp_path, f'CREATE TABLE person (id INTEGER, "{column}")')
    pair.source.execute("INSERT INTO person VALUES (1, ?), (2, '130102196001011234')", (value,))
    report = pair.sync()
    assert report.quarantine_reasons == {"scientific_notation": 1}
    assert pair.target() == [(2, "130102196001011234")]


def test_column_may_be_checked_against_a_data_element(pair: Pair) -> None:
    pair.source.execute("ALTER TABLE person ADD COLUMN sfzh TEXT")
    pair.source.execute("UPDATE person SET sfzh = '110101199013070011' WHERE id = 'P0001'")
    report = pair.sync(checks={"sfzh": "identity_number"})
    assert report.quarantine_reasons == {"check_identity_number": 1}
    with pytest.raises(CheckError):
        pair.sync(checks={"sfzh": "nonsense"})


def test_refused_cells_are_no_formulas_for_a_spreadsheet(tmp_path: Path) -> None:
    pair = Pair(tmp_path, "CREATE TABLE person (id TEXT, name TEXT)")
    pair.source.execute("INSERT INTO person VALUES (NULL, '=cmd|calc'), ('ok', 'x')")
    pair.sync()
    assert ",'=cmd|calc" in (tmp_path / "quarantine.csv").read_text(encoding="utf-8-sig")


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ("ALTER TABLE person ADD COLUMN phone TEXT", ("phone",)),
        ("ALTER TABLE person DROP COLUMN amount", ("amount",)),
        ("ALTER TABLE person RENAME COLUMN name TO full_name", ("name", "full_name")),
    ],
)
def test_drift_is_refused_by_name_and_nothing_is_applied(pair: Pair, change: str, names: tuple[str, ...]) -> None:
    pair.sync()
    pair.source.execute(change)
    pair.source.execute("DELETE FROM person WHERE id = 'P0001'")
    before = pair.target()
    with pytest.raises(DriftError) as refused:
        pair.sync()
    assert all(name in refused.value.chinese for name in names)
    assert pair.target() == before


def test_added_column_is_taken_on_request(pair: Pair) -> None:
    pair.sync()
    pair.source.execute("ALTER TABLE person ADD COLUMN phone TEXT")
    pair.source.execute("UPDATE person SET phone = '1' WHERE id < 'P0010'")
    report = pair.sync(on_drift="add")
    assert (report.updated, report.added_columns) == (10, ("phone",))
    assert pair.target() == pair.rows()
    assert pair.sync().updated == 0


def test_retyped_column_is_refused_until_the_target_has_the_type_too(tmp_path: Path) -> None:
    pair = Pair(tmp_path, "CREATE TABLE t (k INTEGER, v INTEGER)", "t", "k")
    pair.source.execute("INSERT INTO t VALUES (1, 1)")
    pair.sync()
    pair.source.execute("DROP TABLE t")
    pair.source.execute("CREATE TABLE t (k INTEGER, v TEXT)")
    pair.source.execute("INSERT INTO t VALUES (1, 'x')")
    with pytest.raises(DriftError) as refused:
        pair.sync()
    assert "INTEGER" in refused.value.english
    pair.do("ALTER TABLE t DROP COLUMN v")
    pair.do("ALTER TABLE t ADD COLUMN v TEXT")
    assert pair.sync().updated == 1


def test_emptied_source_and_mass_delete_are_refused_unless_meant(pair: Pair) -> None:
    pair.sync()
    pair.source.execute("DELETE FROM person WHERE id >= 'P0080'")
    with pytest.raises(MassDeleteError):
        pair.sync()
    pair.source.execute("DELETE FROM person")
    with pytest.raises(MassDeleteError):
        pair.sync()
    assert len(pair.target()) == 200
    assert pair.sync(allow_mass_delete=True).deleted == 200


def test_deleting_a_tenth_needs_no_permission(pair: Pair) -> None:
    pair.sync()
    pair.source.execute("DELETE FROM person WHERE id >= 'P0180'")
    assert pair.sync().deleted == 20


def test_trigger_that_changes_values_is_caught_and_the_lot_taken_back(pair: Pair) -> None:
    pair.sync()
    pair.do("CREATE TRIGGER meddle AFTER UPDATE ON person BEGIN UPDATE person SET amount = 0 WHERE id = NEW.id; END")
    pair.source.execute("UPDATE person SET amount = 7 WHERE id = 'P0005'")
    before = pair.target()
    with pytest.raises(ProofError) as refused:
        pair.sync()
    assert refused.value.report is not None
    assert refused.value.report.proof is not None
    assert len(refused.value.report.proof.unequal_buckets) == 1
    assert pair.target() == before


def test_verification_reads_both_sides_anew_and_names_what_differs(pair: Pair) -> None:
    pair.sync()
    assert verify_table(pair.request()).equal
    pair.do("UPDATE person SET name = '改过' WHERE id = 'P0005'")
    proof = verify_table(pair.request())
    assert not proof.equal
    assert len(proof.unequal_buckets) == 1


def test_target_that_was_meddled_with_is_put_right_by_the_next_lot(pair: Pair) -> None:
    pair.sync()
    pair.do("UPDATE person SET name = '改过' WHERE id = 'P0005'")
    pair.do("INSERT INTO person VALUES ('extra', '', 1, 1)")
    report = pair.sync()
    assert (report.updated, report.deleted) == (1, 1)
    assert pair.target() == pair.rows()


def test_second_sync_of_the_same_table_at_once_is_refused(pair: Pair) -> None:
    pair.sync()
    path = pair.folder / "target.db"
    digest = hashlib.sha256(f"huodang sync {path} person".encode()).hexdigest()[:12]
    with path.with_name(f"target.db.{digest}.lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(BusyError):
            pair.sync()
    assert pair.sync().lot == 2


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"table": "nobody"}, TableError),
        ({"key": ("nothing",)}, TableError),
        ({"key": ()}, TableError),
        ({"key": ("id", "id")}, TableError),
        ({"cursor": "nothing"}, TableError),
        ({"source": "/nowhere/a.db"}, ConnectError),
        ({"target": "/nowhere/a.db"}, ConnectError),
        ({"source": "nonsense"}, AddressError),
        ({"source": "nonsense://host/db"}, AddressError),
        ({"source": "oracle://user@host/db"}, AddressError),
        ({"source": "postgresql://nobody@127.0.0.1:1/none"}, ConnectError),
        ({"source": "mysql://nobody@127.0.0.1:1/none"}, ConnectError),
        ({"target": "sqlite://"}, AddressError),
        ({"memory": "lots"}, CheckError),
    ],
)
def test_wrong_request_is_refused_with_advice(pair: Pair, change: dict[str, object], error: type[SyncError]) -> None:
    with pytest.raises(error) as refused:
        pair.sync(**change)
    assert refused.value.advice_chinese
    assert refused.value.advice_english


def test_table_is_not_synced_onto_itself(pair: Pair) -> None:
    with pytest.raises(TableError):
        pair.sync(target=str(pair.folder / "source.db"))


def test_odd_names_and_one_column_and_empty_tables_are_synced(tmp_path: Path) -> None:
    for number, (name, column) in enumerate([("order", "select"), ("人员 表", "身份证号"), ('a"b', "x.y")]):
        folder = tmp_path / str(number)
        folder.mkdir()
        quoted = [text.replace('"', '""') for text in (name, column)]
        pair = Pair(folder, f'CREATE TABLE "{quoted[0]}" ("{quoted[1]}" TEXT)', name, column)
        assert counts(pair.sync()) == (0, 0, 0, 0, 0, 0)
        pair.source.execute(f"INSERT INTO \"{quoted[0]}\" VALUES (''), ('a'), ('\t\n\\N')")
        assert counts(pair.sync()) == (3, 3, 0, 0, 0, 0)
        assert sorted(pair.target(f'SELECT * FROM "{quoted[0]}"')) == [("",), ("\t\n\\N",), ("a",)]


def test_text_that_is_no_unicode_is_quarantined(tmp_path: Path) -> None:
    pair = Pair(tmp_path, "CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT)", "t", "k")
    pair.source.execute("INSERT INTO t VALUES (1, CAST(x'c4e3' AS TEXT)), (2, '你')")
    assert pair.sync().quarantine_reasons == {"unfit": 1}
    assert pair.target() == [(2, "你")]


def test_row_longer_than_any_reader_expects_is_synced(pair: Pair) -> None:
    pair.source.execute("INSERT INTO person VALUES ('long', ?, 1, 1)", ("长" * 1_500_000,))
    assert pair.sync().inserted == 201
    assert pair.target() == pair.rows()


VALUES = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(max_size=12),
    st.sampled_from(
        ["", "\\N", "\\", "\t", "a\nb", "\r\n", "=1+1", " a ", "张三", "𠮷", "\x00", "1e5", "\\B00", "\v\f\b", '"']
    ),
    st.binary(max_size=8),
)
KEYS = st.one_of(st.integers(-5, 5), st.sampled_from(["a", "A", "a ", "", "张", "\t", "1", "1.0"]))
TABLES = st.dictionaries(st.tuples(KEYS, KEYS), st.tuples(VALUES, VALUES, st.integers(0, 100)), max_size=12)


def spoilt(row: tuple[object, ...]) -> bool:
    return any(isinstance(value, str) and value.upper().startswith(("1E17", "1E+17", "1E14")) for value in row)


@settings(max_examples=40)
@given(first=TABLES, second=TABLES)
def test_any_table_after_any_edits_is_the_same_on_both_sides_and_counted_rightly(
    tmp_path_factory: pytest.TempPathFactory,
    first: dict[tuple[object, object], tuple[object, ...]],
    second: dict[tuple[object, object], tuple[object, ...]],
) -> None:
    pair = Pair(tmp_path_factory.mktemp("any"), "CREATE TABLE t (k1, k2, a, b NUMERIC, c INTEGER)", "t", "k1,k2")
    pair.cursor = "c"

    def fill(rows: dict[tuple[object, object], tuple[object, ...]]) -> dict[tuple[object, ...], tuple[object, ...]]:
        pair.source.execute("DELETE FROM t")
        pair.source.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", [key + row for key, row in rows.items()])
        stored = pair.source.execute("SELECT * FROM t").fetchall()
        return {tuple((type(part), part) for part in row[:2]): row for row in stored}

    before = fill(first)
    report = pair.sync(allow_mass_delete=True)
    assert report.inserted == len(before)
    after = fill(second)
    report = pair.sync(allow_mass_delete=True)
    same = before.keys() & after.keys()
    highest = max((row[4] for row in before.values()), default=None)
    new = after.keys() - before.keys()
    moved = [key for key in same if before[key][4] != after[key][4]]
    assert report.inserted == len(new)
    assert report.deleted == len(before.keys() - after.keys())
    assert report.updated == sum(repr(before[key]) != repr(after[key]) for key in same)
    assert report.late == sum(highest is not None and after[key][4] < highest for key in [*new, *moved])
    assert sorted(map(repr, pair.target('SELECT * FROM "t"'))) == sorted(map(repr, after.values()))
