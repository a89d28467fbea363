"""The store of payees: what a month's list says is what the store answers, whole and at once."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from supervision_watch import CLOCK, identity_of, sealer_in

from huodang.archive import PaymentDraft, PaymentKind, PaymentRecords
from huodang.ledger import Ledger
from huodang.standards import IdentityNumber, Money, Month
from huodang.store import Database
from huodang.supervision.watch import LateListError, ListBusyError, ListError, Loaded, Payees, PayLine
from huodang.supervision.watch.records import payee
from huodang.trust import Signer

JANUARY = Month(2025, 1)
Lists = list[Mapping[int, int]]


class CutError(Exception):
    """The process ends here."""


@pytest.fixture
def payees(any_database: Database, tmp_path: Path) -> Payees:
    return Payees(any_database, sealer_in(tmp_path), CLOCK)


@pytest.fixture
def in_slices(any_database: Database, tmp_path: Path) -> Payees:
    """Writes each slice in a transaction of its own."""
    return Payees(any_database, sealer_in(tmp_path), CLOCK, batch=1)


def lines(people: Mapping[int, int], scheme: str = "110") -> list[PayLine]:
    return [PayLine(identity_of(who), scheme, fen, "130102", f"62220000{who}") for who, fen in people.items()]


def paid(payees: Payees, who: int) -> list[tuple[str, str, str, int]]:
    with payees._database.read() as connection:
        found = payees.paid(connection, payees.person_index(identity_of(who)))
    return [(one.scheme, str(one.since), str(one.last), one.fen) for one in found]


def test_a_person_in_the_months_list_is_paid_and_one_who_is_not_is_not(payees: Payees) -> None:
    loaded = payees.load(lines({1: 300_000, 2: 250_050}), JANUARY)
    assert loaded == Loaded("", JANUARY, 2, 550_050, 2, 0, 0, again=False)
    assert paid(payees, 1) == [("110", "202501", "202501", 300_000)]
    assert paid(payees, 3) == []


def test_since_when_goes_on_over_a_raise_and_begins_anew_after_a_gap(payees: Payees) -> None:
    for month, people in enumerate(({1: 100, 2: 100}, {1: 100}, {1: 120, 2: 100})):
        payees.load(lines(people), JANUARY + month)
    assert paid(payees, 1) == [("110", "202501", "202503", 120)]
    assert paid(payees, 2) == [("110", "202503", "202503", 100)]


def test_the_same_list_again_in_another_order_changes_nothing(payees: Payees) -> None:
    rows = lines({1: 100, 2: 200, 3: 300})
    payees.load(rows, JANUARY)
    again = payees.load(reversed(rows), JANUARY)
    assert again.again
    assert (again.rows, again.fen, again.added) == (3, 600, 3)


def test_a_corrected_list_of_the_same_month_takes_the_place_of_the_first(payees: Payees) -> None:
    payees.load(lines({1: 100, 2: 200}), JANUARY)
    payees.load(lines({1: 100, 2: 200, 3: 300}), JANUARY + 1)
    payees.load(lines({1: 111, 2: 200}), JANUARY + 1)
    payees.load(lines({1: 111, 2: 200, 3: 300}), JANUARY + 1)
    assert paid(payees, 1) == [("110", "202501", "202502", 111)]
    assert paid(payees, 3) == [("110", "202502", "202502", 300)]
    index = payees.person_index(identity_of(1))
    with payees._database.read() as connection:
        spans = payees.spans(connection, [index])[index]
    assert [(str(one.first), str(one.last), one.fen) for one in spans] == [
        ("202501", "202501", 100),
        ("202502", "202502", 111),
    ]


def test_two_rows_of_one_person_in_one_scheme_are_summed(payees: Payees) -> None:
    payees.load([*lines({1: 100}), *lines({1: 50})], JANUARY)
    assert paid(payees, 1) == [("110", "202501", "202501", 150)]


def test_a_countys_list_says_nothing_about_who_is_paid_by_another(payees: Payees) -> None:
    payees.load(lines({1: 100}), JANUARY, payer="130102")
    payees.load(lines({1: 70}, "170"), JANUARY, payer="130104")
    payees.load(lines({2: 90}), JANUARY + 1, payer="130102")
    assert paid(payees, 1) == [("170", "202501", "202501", 70)]


def test_an_older_month_is_refused_and_changes_nothing(payees: Payees) -> None:
    payees.load(lines({1: 100}), JANUARY + 1)
    with pytest.raises(LateListError):
        payees.load(lines({2: 100}), JANUARY)
    assert (paid(payees, 1), paid(payees, 2)) == ([("110", "202502", "202502", 100)], [])


def test_an_empty_list_is_refused(payees: Payees) -> None:
    payees.load(lines({1: 100}), JANUARY)
    with pytest.raises(ListError):
        payees.load([], JANUARY + 1)
    assert paid(payees, 1) == [("110", "202501", "202501", 100)]


def cut_after(slices: int) -> Callable[[int, int], None]:
    def progress(done: int, _of: int) -> None:
        if done >= slices:
            raise CutError

    return progress


@pytest.mark.parametrize("slices", [1, 256])
def test_a_load_that_is_cut_off_shows_nothing_and_goes_on_where_it_was(in_slices: Payees, slices: int) -> None:
    people = {who: 100 + who for who in range(40)}
    in_slices.load(lines(people), JANUARY)
    later = {who: 200 + who for who in range(20, 60)}
    with pytest.raises(CutError):
        in_slices.load(lines(later), JANUARY + 1, progress=cut_after(slices))
    assert [paid(in_slices, who) for who in (0, 30)] == [
        [("110", "202501", "202501", 100)],
        [("110", "202501", "202501", 130)],
    ]
    begun: list[int] = []
    done = in_slices.load(lines(later), JANUARY + 1, progress=lambda one, _of: begun.append(one))
    assert all(one > slices for one in begun)
    assert (done.added, done.changed, done.gone) == (20, 20, 20)
    assert [paid(in_slices, who) for who in (0, 30, 50)] == [
        [],
        [("110", "202501", "202502", 230)],
        [("110", "202502", "202502", 250)],
    ]


def test_another_list_after_one_that_was_cut_off_leaves_no_trace_of_it(in_slices: Payees) -> None:
    in_slices.load(lines(dict.fromkeys(range(40), 100)), JANUARY)
    with pytest.raises(CutError):
        in_slices.load(lines(dict.fromkeys(range(30, 70), 999)), JANUARY + 1, progress=cut_after(200))
    done = in_slices.load(lines(dict.fromkeys(range(40), 100)), JANUARY + 1)
    assert (done.added, done.changed, done.gone) == (0, 0, 0)
    with in_slices._database.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(payee)).scalar() == 40


def test_two_processes_do_not_load_one_list_at_once(in_slices: Payees) -> None:
    def other(done: int, _of: int) -> None:
        if done < 256:
            with pytest.raises(CutError):
                in_slices.load(lines({1: 200, 2: 200}), JANUARY, progress=cut_after(256))

    with pytest.raises(ListBusyError):
        in_slices.load(lines({1: 200, 2: 200}), JANUARY, progress=other)
    assert paid(in_slices, 1) == []
    in_slices.load(lines({1: 200, 2: 200}), JANUARY)
    assert paid(in_slices, 1) == [("110", "202501", "202501", 200)]


def test_no_identity_number_and_no_account_stands_in_the_database(payees: Payees, tmp_path: Path) -> None:
    payees.load(lines({1: 100}), JANUARY, folder=tmp_path)
    with payees._database.read() as connection:
        [row] = connection.execute(sa.select(payee)).all()
    told = "|".join(map(str, row))
    assert identity_of(1) not in told
    assert "62220000" not in told
    assert not list(tmp_path.glob("huodang-payees-*"))


months = st.lists(
    st.dictionaries(st.integers(0, 12), st.sampled_from([100, 200, 300]), min_size=1), min_size=1, max_size=4
)


@settings(max_examples=5)
@given(months)
def test_the_store_tells_for_every_month_what_its_list_said(
    tmp_path_factory: pytest.TempPathFactory, migrated_template: Path, lists: Lists
) -> None:
    folder = tmp_path_factory.mktemp("payees")
    copy = folder / "hub.db"
    copy.write_bytes(migrated_template.read_bytes())
    database = Database.open(f"sqlite:///{copy}")
    payees = Payees(database, sealer_in(folder), CLOCK)
    for serial, people in enumerate(lists):
        payees.load(lines(people), JANUARY + serial)
    index = {payees.person_index(identity_of(who)): who for who in range(13)}
    with database.read() as connection:
        spans = payees.spans(connection, list(index))
        now = {who: sum(one.fen for one in payees.paid(connection, person)) for person, who in index.items()}
    database.close()
    told = [
        {
            who: fen
            for person, who in index.items()
            if (fen := sum(span.paid_in(JANUARY + serial) for span in spans[person]))
        }
        for serial in range(len(lists))
    ]
    assert told == [dict(people) for people in lists]
    assert {who: fen for who, fen in now.items() if fen} == dict(lists[-1])


def test_a_first_payment_of_the_joint_case_counts_before_any_list_holds_it(database: Database, tmp_path: Path) -> None:
    sealer = sealer_in(tmp_path)
    ledger = Ledger(database, tuple(Signer.generate("hub", one) for one in ("national", "international")), "t", CLOCK)
    records, payees = PaymentRecords(database, ledger, sealer, CLOCK), Payees(database, sealer, CLOCK)
    payees.load(lines({2: 100}), JANUARY)
    number = IdentityNumber.parse(identity_of(1))
    draft = PaymentDraft(number, "110", JANUARY + 1, Money(323_456), "case-1", {"basic": Money(323_456)})
    with database.begin() as connection:
        records.record_first(connection, draft)
    records_of = records.of_person(number)
    assert [one.kind for one in records_of] == [PaymentKind.FIRST]
    person = payees.person_index(number.text)
    with database.read() as connection:
        assert [(one.scheme, one.fen) for one in payees.paid(connection, person, records_of)] == [("110", 323_456)]
    payees.load(lines({2: 100}), JANUARY + 2)  # a later list without the person: not paid any more
    with database.read() as connection:
        assert payees.paid(connection, person, records_of) == []
