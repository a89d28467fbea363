"""Row and element filters say row by row what the policy says: the policy is the oracle."""

from collections.abc import Sequence
from datetime import date

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from huodang.exchange import ROLES, Action, Actor, Agreement, DecisionRequest, ExchangeError, Kind, decide
from huodang.exchange.sharing import RowColumns, RowFacts, covers_row, readable
from huodang.trust import HIDDEN_TEXT

ELEMENTS = ("name", "identity_number", "sex", "bank_account")
TABLE = sa.Table(
    "rows",
    sa.MetaData(),
    sa.Column("number", sa.Integer, primary_key=True),
    *(sa.Column(name, sa.String) for name in ("owner", "employer", "department", "region", "household_region", "sex")),
    sa.Column("assigned", sa.Boolean),
)
COLUMNS = RowColumns(
    owner=TABLE.c.owner,
    employer=TABLE.c.employer,
    department=TABLE.c.department,
    region=TABLE.c.region,
    assigned=TABLE.c.assigned,
    elements={"household_region": TABLE.c.household_region, "sex": TABLE.c.sex},
)
ENGINE = sa.create_engine("sqlite://")
TABLE.create(ENGINE)

actors = st.builds(
    Actor,
    user_id=st.sampled_from(["u1", "u2", ""]),
    name=st.just("某人"),
    role=st.sampled_from(ROLES),
    department=st.sampled_from(["police", "social_insurance", ""]),
    region=st.sampled_from(["130000", "130100", "130102", "000000", "1301", ""]),
    employer=st.sampled_from(["E1", "E2", ""]),
)
facts = st.builds(
    RowFacts,
    owner=st.sampled_from(["u1", "u2", ""]),
    employer=st.sampled_from(["E1", "E2", ""]),
    department=st.sampled_from(["police", "social_insurance", ""]),
    region=st.sampled_from(["130102", "130202", "140100", "130100", "13", ""]),
    assigned=st.booleans(),
    elements=st.fixed_dictionaries(
        {}, optional={"household_region": st.sampled_from(["130102", "140102", ""]), "sex": st.sampled_from(["1", "2"])}
    ),
)


def agreement(
    number: int, fields: Sequence[str], rows: dict[str, tuple[str, ...]], purposes: Sequence[str]
) -> Agreement:
    return Agreement(
        agreement_id=f"XY-{number}",
        provider="police",
        consumer="social_insurance",
        resource="police.household_table",
        kind=Kind.TABLE,
        purposes=tuple(purposes),
        legal_basis="社会保险经办条例第八条",
        elements=(),
        fields=tuple(fields),
        valid_from=date(2025, 1, 1),
        rows=rows,
    )


agreements = st.none() | st.lists(
    st.builds(
        agreement,
        st.integers(1, 9),
        st.lists(st.sampled_from(ELEMENTS), unique=True, min_size=1),
        st.sampled_from([{}, {"household_region": ("1301*",)}, {"sex": ("1",), "household_region": ("13*", "140102")}]),
        st.lists(st.sampled_from(["retirement", "supervision"]), unique=True, min_size=1),
    ),
    max_size=3,
)


@settings(max_examples=150)
@given(
    actor=actors,
    action=st.sampled_from([Action.READ_DELIVERED, Action.VIEW_CASE, Action.VIEW_CORRECTION, Action.VIEW_SHARING]),
    purpose=st.sampled_from(["retirement", "supervision", "correction", "sharing", "audit"]),
    elements=st.lists(st.sampled_from(ELEMENTS), unique=True, max_size=4),
    rows=st.lists(facts, min_size=1, max_size=6),
    agreed=agreements,
)
def test_the_filter_says_row_by_row_what_the_policy_says(
    *,
    actor: Actor,
    action: Action,
    purpose: str,
    elements: list[str],
    rows: list[RowFacts],
    agreed: list[Agreement] | None,
) -> None:
    found = readable(actor, purpose, "police.household_table", elements, agreements=agreed, action=action)
    expected: list[tuple[str, ...]] = []
    permitted: list[bool] = []
    for row in rows:
        told = decide(
            DecisionRequest(
                actor,
                action,
                purpose,
                tuple(elements),
                owner=row.owner,
                employer=row.employer,
                region=row.region,
                department=row.department,
                assigned=row.assigned,
            )
        )
        covering = [one for one in agreed or () if purpose in one.purposes and covers_row(one, row.elements)]
        handed = set(elements) if agreed is None else {name for one in covering for name in one.fields}
        expected.append(tuple(name for name in told.elements if name in handed))
        permitted.append(bool(expected[-1]) if elements else told.permitted and (agreed is None or bool(covering)))
    assert [found.elements_of(row) for row in rows] == expected
    assert [found.permits(row) for row in rows] == permitted
    assert _numbers(rows, found.condition(COLUMNS)) == {at for at, one in enumerate(permitted) if one}
    for name in elements:
        assert _numbers(rows, found.condition(COLUMNS, name)) == {at for at, one in enumerate(expected) if name in one}


def _numbers(rows: list[RowFacts], condition: sa.ColumnElement[bool]) -> set[int]:
    """The rows that SQL finds."""
    with ENGINE.connect() as connection, connection.begin() as transaction:
        connection.execute(
            sa.insert(TABLE),
            [
                {
                    "number": number,
                    "owner": row.owner or None,  # a column without a value counts as empty
                    "employer": row.employer,
                    "department": row.department,
                    "region": row.region,
                    "assigned": row.assigned,
                    "household_region": row.elements.get("household_region"),
                    "sex": row.elements.get("sex"),
                }
                for number, row in enumerate(rows)
            ],
        )
        numbers = set(connection.execute(sa.select(TABLE.c.number).where(condition)).scalars())
        transaction.rollback()
    return numbers


CLERK = Actor("u1", "某人", "window_clerk", "social_insurance", "130100")


def test_a_clerk_sees_rows_of_the_own_region_and_only_what_the_agreement_hands_over() -> None:
    found = readable(
        CLERK,
        "retirement",
        "police.household_table",
        ("name", "identity_number", "sex"),
        agreements=[agreement(1, ("name", "identity_number"), {}, ("retirement",))],
    )
    here, elsewhere = RowFacts(region="130102"), RowFacts(region="130202")
    assert found.elements_of(here) == ("name", "identity_number")
    assert not found.permits(elsewhere)
    values = {"name": "王建国", "identity_number": "130102196503010011", "sex": "1"}
    assert found.show(here, values) == {
        "name": "王建国",
        "identity_number": "130102********0011",
        "sex": HIDDEN_TEXT,
    }


def test_without_an_agreement_for_the_purpose_no_row_is_seen() -> None:
    found = readable(CLERK, "retirement", "police.household_table", ("name",), agreements=[])
    assert not found.permits(RowFacts(region="130102"))


def test_rows_limited_by_what_the_table_does_not_hold_are_refused_by_name() -> None:
    limited = agreement(1, ("name",), {"nationality": ("01",)}, ("retirement",))
    found = readable(CLERK, "retirement", "police.household_table", ("name",), agreements=[limited])
    with pytest.raises(ExchangeError, match="nationality"):
        found.condition(COLUMNS)
