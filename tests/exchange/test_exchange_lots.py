"""Lots at the hub: staged, proven, taken whole or not at all, on both databases."""

import json

import pytest
import sqlalchemy as sa
from exchange_lots import AS_OF, TABLE, make_lots, number, statement, table_agreement
from exchange_province import Province
from hypothesis import given, settings
from hypothesis import strategies as st

from huodang.exchange import (
    Actor,
    Agreement,
    Looks,
    LotBusyError,
    LotContentError,
    Lots,
    LotState,
    LotStateError,
    LotStatement,
    Put,
    Removal,
)
from huodang.exchange.errors import NotPermittedError
from huodang.exchange.lots import records
from huodang.exchange.quality import RowMarks
from huodang.ledger import Ledger
from huodang.store import Database, FixedClock
from huodang.trust import EnvelopeError, Provisioner, sign_envelope

SUPERVISION = Actor("system", "系统", "system", "social_insurance", "130000")


@pytest.fixture
def hub_ledger(any_database: Database, province: Province) -> Ledger:
    signers = (province.signer("hub", "national"), province.signer("hub", "international"))
    return Ledger(any_database, signers, "test.example/huodang", province.clock)


@pytest.fixture
def lots(province: Province, any_database: Database, hub_ledger: Ledger) -> Lots:
    return make_lots(province, any_database, hub_ledger)


def content(serial: int, name: str = "王建国") -> bytes:
    return json.dumps({"household_region": "130102", "identity_number": number(serial), "name": name}).encode()


class Side:
    """A provider's side: what it holds, and what changed since the last lot."""

    def __init__(self, province: Province, database: Database, lots: Lots, agreement: Agreement) -> None:
        self.province, self.database, self.lots, self.agreement = province, database, lots, agreement
        self.salt = lots.salt(agreement.agreement_id)
        self.rows: dict[str, bytes] = {}

    def put(self, serial: int, name: str = "王建国") -> Put:
        key, text = number(serial), content(serial, name)
        self.rows[key] = text
        marks = RowMarks(self.salt)
        return Put(marks.mark(key), text, marks.digest(text), key)

    def remove(self, serial: int) -> Removal:
        del self.rows[number(serial)]
        return Removal(RowMarks(self.salt).mark(number(serial)))

    def open(self, **changes):
        with self.database.begin() as connection:
            return self.lots.open(connection, self.agreement, **changes)

    def told(self, **changes):
        return statement(self.province, self.agreement, self.rows, self.salt, **changes)

    def deliver(self, *changes, **opening):
        lot = self.open(**opening)
        self.lots.stage(lot, 0, changes)
        return self.lots.close(lot, self.told())


@pytest.fixture
def side(province: Province, any_database: Database, lots: Lots) -> Side:
    return Side(province, any_database, lots, table_agreement(province))


def test_first_lot_is_taken_whole_and_proven_equal_on_both_sides(side: Side) -> None:
    proof = side.deliver(*[side.put(serial) for serial in range(30)])
    assert (proof.equal, proof.inserted, proof.hub_rows, proof.provider_rows) == (True, 30, 30, 30)
    assert proof.hub_root == proof.provider_root
    (holding,) = side.lots.holdings(TABLE)
    assert (holding.rows, holding.root, holding.as_of) == (30, proof.hub_root, AS_OF)
    assert side.lots.verify("XY-table") == ()


def test_changes_are_inserts_updates_and_deletes_and_rows_sent_again_change_nothing(side: Side) -> None:
    side.deliver(*[side.put(serial) for serial in range(20)])
    proof = side.deliver(side.put(20), side.put(3, "王建军"), side.put(4), side.remove(5), side.remove(6))
    assert (proof.equal, proof.inserted, proof.updated, proof.deleted, proof.hub_rows) == (True, 1, 1, 2, 19)


def test_page_staged_again_changes_nothing_and_another_page_in_its_place_is_refused(side: Side) -> None:
    lot = side.open()
    page = [side.put(1), side.put(2)]
    first = side.lots.stage(lot, 0, page, digest="aa")
    assert side.lots.stage(lot, 0, page, digest="aa") == first
    with pytest.raises(LotContentError):
        side.lots.stage(lot, 0, page, digest="bb")
    assert side.lots.close(lot, side.told()).hub_rows == 2


def test_nothing_is_shown_before_the_lot_is_taken(side: Side) -> None:
    side.deliver(side.put(1))
    lot = side.open()
    side.lots.stage(lot, 0, [side.put(1, "王建军"), side.put(2)])
    rows = side.lots.rows(SUPERVISION, "supervision", TABLE, agreements=[side.agreement])
    assert [row.values["name"] for row in rows] == ["王建国"]
    side.lots.close(lot, side.told())
    rows = side.lots.rows(SUPERVISION, "supervision", TABLE, agreements=[side.agreement])
    assert sorted(row.values["name"] for row in rows) == ["王建军", "王建国"]


def test_lot_that_differs_from_the_statement_is_refused_and_leaves_the_copy_as_it_was(side: Side) -> None:
    before = side.deliver(*[side.put(serial) for serial in range(10)])
    lot = side.open()
    lost = side.put(10)
    side.lots.stage(lot, 0, [side.put(11), side.put(1, "王建军")])
    proof = side.lots.close(lot, side.told())
    assert not proof.equal
    assert proof.differing == (int(lost.mark[:2], 16),)
    assert side.lots.lot(lot.lot_id).state is LotState.REFUSED
    assert side.lots.holdings(TABLE)[0].root == before.hub_root
    assert side.lots.verify("XY-table") == ()
    again = side.deliver(lost, side.put(11), side.put(1, "王建军"))
    assert (again.equal, again.hub_rows) == (True, 12)


def test_only_one_lot_of_an_agreement_is_at_work(side: Side) -> None:
    lot = side.open()
    with pytest.raises(LotBusyError) as refused:
        side.open()
    assert refused.value.lot_id == lot.lot_id
    side.lots.abandon(lot, "given_up")
    assert side.deliver(side.put(1)).equal


def test_abandoned_lot_leaves_no_row_and_takes_no_more_pages(side: Side) -> None:
    side.deliver(side.put(1), side.put(2))
    kept = dict(side.rows)
    lot = side.open()
    side.lots.stage(lot, 0, [side.put(3), side.put(1, "王建军"), side.remove(2)])
    side.lots.abandon(lot, "given_up")
    with pytest.raises(LotStateError):
        side.lots.stage(lot, 1, [])
    side.rows = kept
    assert side.deliver(side.put(4)).hub_rows == 3


def test_full_delivery_ends_rows_that_it_does_not_name(side: Side) -> None:
    side.deliver(*[side.put(serial) for serial in range(10)])
    side.rows.clear()
    proof = side.deliver(*[side.put(serial) for serial in range(2, 9)], side.put(40), content="full")
    assert (proof.equal, proof.inserted, proof.updated, proof.deleted, proof.hub_rows) == (True, 1, 0, 3, 8)


def test_file_whose_key_stands_twice_leaves_the_held_row_untouched(side: Side) -> None:
    side.deliver(side.put(1), side.put(2))
    lot = side.open(mode="file", content="full")
    first, again = side.put(1, "王建军"), side.put(1, "王建民")
    assert side.lots.stage(lot, 0, [first, side.put(3)]).twins == ()
    assert side.lots.stage(lot, 1, [again]).twins == (again,)
    told = LotStatement.from_payload(side.told(pages=2, root="", buckets={}, rows=None).payload)
    proof = side.lots.close(lot, told)
    assert (proof.equal, proof.inserted, proof.updated, proof.deleted) == (True, 1, 0, 1)
    rows = side.lots.rows(SUPERVISION, "supervision", TABLE, agreements=[side.agreement], key=number(1))
    assert [row.values["name"] for row in rows] == ["王建国"]
    assert side.lots.lot(lot.lot_id).state is LotState.CLOSED


def test_statement_forged_or_of_another_lot_is_refused(side: Side, province: Province) -> None:
    lot = side.open(remote="remote-1")
    side.lots.stage(lot, 0, [side.put(1)])
    true = side.told()
    with pytest.raises(EnvelopeError):
        side.lots.close(lot, sign_envelope(true.kind, true.payload, province.signer("justice")))
    for other in ({"lot": "remote-2"}, {"agreement_version": 2}, {"resource": "police.other_table"}, {"pages": 2}):
        with pytest.raises(LotContentError):
            side.lots.close(lot, side.told(**other))
    assert side.lots.close(lot, true).equal


def test_lot_closed_again_gives_the_same_reconciliation(side: Side) -> None:
    lot = side.open()
    side.lots.stage(lot, 0, [side.put(1)])
    told = side.told()
    assert side.lots.close(lot, told) == side.lots.close(lot, told)


def test_table_at_rest_holds_no_name_and_no_identity_number(side: Side, any_database: Database) -> None:
    side.deliver(side.put(1, "欧阳锋"))
    with any_database.read() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM exchange_delivered_row").fetchall()
    text = repr(rows)
    assert number(1) not in text
    assert "欧阳锋" not in text


def test_row_altered_at_rest_is_found_and_mended_by_the_next_lot(side: Side, any_database: Database) -> None:
    side.deliver(*[side.put(serial) for serial in range(10)])
    mark = RowMarks(side.salt).mark(number(4))
    with any_database.begin() as connection:
        connection.execute(sa.delete(records.delivered_row).where(records.delivered_row.c.key_index == mark))
    assert side.lots.verify("XY-table") == (int(mark[:2], 16),)
    side.lots.rehash("XY-table")
    assert int(mark[:2], 16) not in side.lots.holdings(TABLE)[0].buckets
    proof = side.deliver(side.put(4), replaces=[int(mark[:2], 16)])
    assert (proof.equal, proof.hub_rows, side.lots.verify("XY-table")) == (True, 10, ())


def test_deleted_row_keeps_key_and_digest_as_history_but_no_content(side: Side, any_database: Database) -> None:
    side.deliver(side.put(1))
    side.deliver(side.put(1, "王建军"))
    side.deliver(side.remove(1))
    versions = side.lots.copies_of(TABLE, number(1))
    assert len(versions) == 2
    assert all(one.ended_by for one in versions)
    with any_database.read() as connection:
        kept = connection.exec_driver_sql("SELECT content FROM exchange_delivered_row").fetchall()
    assert {one[0] for one in kept} == {""}


def test_recalled_row_is_shown_to_nobody_until_it_is_sent_again(side: Side, any_database: Database) -> None:
    side.deliver(side.put(1), side.put(2))
    key_index = side.lots.key_index("XY-table", number(1))
    with any_database.begin() as connection:
        assert side.lots.mark_recalled(connection, TABLE, key_index) == 1
    assert len(side.lots.rows(SUPERVISION, "supervision", TABLE, agreements=[side.agreement])) == 1
    assert side.lots.deliveries_of(TABLE, key_index)[0].recalled_at is not None
    side.deliver(side.put(1, "王建军"))
    assert len(side.lots.rows(SUPERVISION, "supervision", TABLE, agreements=[side.agreement])) == 2


def test_rows_are_decided_masked_and_each_look_recorded(
    side: Side, any_database: Database, hub_ledger: Ledger, province: Province
) -> None:
    side.deliver(side.put(1))
    investigator = Actor("u1", "李", "investigator", "social_insurance", "130000")
    asking = {"agreements": [side.agreement], "key": number(1)}
    (row,) = side.lots.rows(investigator, "supervision", TABLE, assigned=True, case_id="clue-1", **asking)
    assert number(1) not in row.values.values()
    (look,) = Looks(any_database, hub_ledger, province.clock).of_case("clue-1")
    assert (look.user_id, look.what, look.purpose) == ("u1", TABLE, "supervision")
    for actor, purpose in (
        (investigator, "retirement"),
        (Actor("u2", "赵", "steward", "police", "130000"), "supervision"),
    ):
        with pytest.raises(NotPermittedError):
            side.lots.rows(actor, purpose, TABLE, **asking)
    assert side.lots.rows(investigator, "supervision", TABLE, **asking) == []


def test_lot_leaves_a_ledger_entry_with_root_and_counts(side: Side, hub_ledger: Ledger) -> None:
    lot = side.open()
    side.lots.stage(lot, 0, [side.put(1)])
    proof = side.lots.close(lot, side.told())
    hub_ledger.seal_batch()
    receipt = hub_ledger.receipt(side.lots.lot(lot.lot_id).entry_id)
    facts = json.loads(receipt.to_json())
    assert proof.hub_root in json.dumps(facts)


@settings(max_examples=12)
@given(data=st.data())
def test_any_edits_end_with_equal_copies(
    data: st.DataObject, migrated_template, tmp_path_factory, province_keys
) -> None:
    folder = tmp_path_factory.mktemp("edits")
    (folder / "hub.db").write_bytes(migrated_template.read_bytes())
    database = Database.open(f"sqlite:///{folder / 'hub.db'}")
    province = Province(province_keys, FixedClock(AS_OF), Provisioner(province_keys))
    signers = (province.signer("hub", "national"), province.signer("hub", "international"))
    lots = make_lots(province, database, Ledger(database, signers, "test.example/huodang", province.clock))
    side = Side(province, database, lots, table_agreement(province))
    for _ in range(3):
        before = dict(side.rows)
        puts = data.draw(st.dictionaries(st.integers(0, 12), st.sampled_from(["王建国", "李红", "赵刚"])))
        held = [serial for serial in range(13) if number(serial) in before and serial not in puts]
        removed = data.draw(st.lists(st.sampled_from(held), unique=True)) if held else []
        changes = [side.put(serial, name) for serial, name in puts.items()] + [side.remove(one) for one in removed]
        proof = side.deliver(*changes)
        assert proof.equal
        assert (proof.inserted, proof.deleted) == (len(side.rows.keys() - before.keys()), len(removed))
        assert proof.updated == sum(before[key] != side.rows[key] for key in before.keys() & side.rows.keys())
    database.close()
