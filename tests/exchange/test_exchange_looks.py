"""Who looked at whose data: each look in the transaction of what it is about, and in the ledger."""

import pytest
from exchange_province import WANG, Province

from huodang.exchange import Actor, DecisionRequest, Looks, decide
from huodang.ledger import Ledger
from huodang.store import Database, FixedClock
from huodang.trust import FieldSealer

CLERK = Actor("u7", "张窗口", "window_clerk", "social_insurance", "130100")


def record(looks: Looks, database: Database, subject: str, case: str = "case-1") -> str:
    elements = ("name", "identity_number")
    decision = decide(DecisionRequest(CLERK, "view_case", "retirement", elements, region="130102"))
    with database.begin() as connection:
        return looks.record(
            connection,
            actor=CLERK,
            purpose="retirement",
            case_id=case,
            subject_index=subject,
            elements=decision.elements,
            decision=decision,
            what="/cases/1",
        )


def test_a_look_tells_who_what_why_and_by_which_policy(
    database: Database, ledger: Ledger, clock: FixedClock, province: Province
) -> None:
    looks = Looks(database, ledger, clock)
    index = FieldSealer.create(province.keys.keys_folder("hub")).blind_index("identity_number", WANG)
    entry = record(looks, database, index)
    record(looks, database, "0" * 32, "case-2")
    (look,) = looks.of_subject(index)
    assert (look.user_name, look.role, look.department, look.purpose) == (
        "张窗口",
        "window_clerk",
        "social_insurance",
        "retirement",
    )
    assert (look.at, look.elements, look.what) == (clock.now(), ("name", "identity_number"), "/cases/1")
    assert look.policy == "window_clerk.region_sensitive window_clerk.region"
    assert look.mask_level == "partial"
    assert looks.of_case("case-1") == [look]
    assert len(looks.latest()) == 2
    ledger.seal_batch()
    assert ledger.receipt(entry).entry_id == look.entry_id


def test_a_look_stands_or_falls_with_the_transaction_it_is_about(
    database: Database, ledger: Ledger, clock: FixedClock
) -> None:
    looks = Looks(database, ledger, clock)
    decision = decide(DecisionRequest(CLERK, "view_case", "retirement", ("name",), region="130102"))
    with pytest.raises(RuntimeError), database.begin() as connection:  # noqa: PT012  (the transaction is the point)
        looks.record(
            connection,
            actor=CLERK,
            purpose="retirement",
            case_id="case-1",
            subject_index="1" * 32,
            elements=("name",),
            decision=decision,
            what="x",
        )
        raise RuntimeError
    assert looks.latest() == []
    assert ledger.pending() == 0
