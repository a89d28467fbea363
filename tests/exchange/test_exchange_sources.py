"""One contract for every kind of source: SQLite, MariaDB, PostgreSQL and CSV answer and refuse alike."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from exchange_province import LI, POLICE, STRANGER, WANG, ZHAO_OLD_CARD, Province

from huodang.exchange import Gateway, GatewayConfigError, Outcome, SourceError, Verdict
from huodang.exchange.gateway.conversion import plain
from huodang.exchange.gateway.database_source import DatabaseSource
from huodang.exchange.gateway.file_source import FileSource
from huodang.exchange.gateway.sources import Selection, Source, Wanted
from huodang.standards import IdentityNumber

FIFTEEN = ZHAO_OLD_CARD[:6] + ZHAO_OLD_CARD[8:17]
ROWS = [
    # number, name, sex, born, months, amount, status
    (WANG, "王建国", "1", "1965-03-01", 300, "123456.70", "A"),
    (WANG, "王建国", "1", "1965-03-01", 12, "0.07", "B"),
    (LI.lower(), "李红梅", "2", "1970-05-15", 0, "1.10", "A"),
    (FIFTEEN, "𠮷野", "1", "1958-07-07", 1, "99.00", "A"),
]
HEADINGS = ("certno", "xm", "xb", "csrq", "js", "ye", "zt")


@dataclass
class Given:
    """A source with the same rows in it, and what its table is called."""

    source: Source
    table: str
    url: sa.URL | None = None


def fill(url: sa.URL) -> None:
    """Lay the rows with the column types of a server database."""
    engine = sa.create_engine(url)
    table = sa.Table(
        "psn_info",
        sa.MetaData(),
        sa.Column("certno", sa.CHAR(20)),
        sa.Column("xm", sa.String(50)),
        sa.Column("xb", sa.CHAR(1)),
        sa.Column("csrq", sa.Date if url.get_backend_name() != "sqlite" else sa.Text),
        sa.Column("js", sa.Integer),
        sa.Column(
            "ye", sa.Numeric(16, 2, asdecimal=False) if url.get_backend_name() == "sqlite" else sa.Numeric(16, 2)
        ),
        sa.Column("zt", sa.String(4)),
    )
    with engine.begin() as connection:
        table.create(connection)
        for row in ROWS:
            values = dict(zip(HEADINGS, row, strict=True))
            if url.get_backend_name() != "sqlite":
                values["csrq"] = IdentityNumber.parse(str(row[0])).birth_date
            else:
                values["ye"] = float(str(row[5]))
            connection.execute(table.insert().values(**values))
        connection.execute(sa.text("CREATE VIEW v_psn AS SELECT * FROM psn_info WHERE zt <> 'Z'"))
    engine.dispose()


@pytest.fixture(
    params=[
        "sqlite",
        "csv",
        pytest.param("mariadb", marks=pytest.mark.mariadb),
        pytest.param("postgresql", marks=pytest.mark.postgresql),
    ]
)
def given(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Given]:
    """The same rows in each kind of source."""
    kind = request.param
    if kind == "csv":
        lines = [",".join(HEADINGS), *(",".join(str(cell) for cell in row) for row in ROWS)]
        (tmp_path / "psn_1.csv").write_bytes("\r\n".join(lines).encode("gb18030"))
        yield Given(FileSource(tmp_path, encoding="gb18030"), "psn_*.csv")
        return
    if kind == "sqlite":
        url = sa.make_url(f"sqlite:///{tmp_path / 'department.db'}")
    else:
        url = sa.make_url(request.getfixturevalue("mariadb_url" if kind == "mariadb" else "postgresql_url"))
        url = url.set(drivername="mysql+pymysql" if kind == "mariadb" else "postgresql+psycopg")
        if kind == "mariadb":
            url = url.update_query_dict({"charset": "utf8mb4"})
    fill(url)
    source = DatabaseSource(url)
    yield Given(source, "psn_info", url)
    source.close()


def selection(given: Given, **changes: Any) -> Selection:
    return Selection(**{"table": given.table, "subject": "certno", "columns": HEADINGS, **changes})


def found(given: Given, *numbers: str, **changes: Any) -> list[list[dict[str, str | None]]]:
    wanted = [Wanted(IdentityNumber.parse(number)) for number in numbers]
    results = given.source.lookup(selection(given, **changes)).find(wanted)
    return [[{column: plain(value) for column, value in row.items()} for row in one.rows] for one in results]


def test_a_source_tells_its_columns(given: Given) -> None:
    assert given.source.columns(given.table) == HEADINGS
    assert given.source.columns("nothing_of_that_name") == ()


def test_persons_are_found_in_the_order_asked_whatever_form_their_number_has(given: Given) -> None:
    asked = (ZHAO_OLD_CARD, STRANGER, LI, WANG)
    names = [[row["xm"] for row in rows] for rows in found(given, *asked)]
    assert names == [["𠮷野"], [], ["李红梅"], ["王建国", "王建国"]]


def test_the_same_person_may_be_asked_for_twice_at_once(given: Given) -> None:
    first, second = found(given, LI, LI)
    assert first == second
    assert len(first) == 1


def test_a_filter_lets_only_its_values_through(given: Given) -> None:
    (rows,) = found(given, WANG, only={"zt": ("B", "C")})
    assert [row["js"] for row in rows] == ["12"]


def test_a_filter_on_a_number_column_is_written_as_text_all_the_same(given: Given) -> None:
    (rows,) = found(given, WANG, only={"js": ("300",)})
    assert [row["zt"] for row in rows] == ["A"]


def test_rows_of_one_person_come_in_the_order_asked_for(given: Given) -> None:
    assert [row["zt"] for row in found(given, WANG, order="zt", descending=True)[0]] == ["B", "A"]
    assert [row["zt"] for row in found(given, WANG, order="zt")[0]] == ["A", "B"]


def test_amounts_and_dates_come_exact(given: Given) -> None:
    rows = found(given, WANG, order="zt")[0]
    assert [float(row["ye"] or 0) for row in rows] == [123456.7, 0.07]
    assert [row["ye"].rstrip("0") for row in rows if row["ye"]] == ["123456.7", "0.07"]
    assert {row["csrq"] for row in rows} == {"1965-03-01"}


def test_the_different_values_of_a_column_are_told(given: Given) -> None:
    assert given.source.distinct(given.table, "zt") == ["A", "B"]


def test_a_source_says_whether_it_is_there(given: Given) -> None:
    given.source.lookup(selection(given))
    assert given.source.reachable()
    assert given.source.quarantine() == ()


def test_a_view_is_as_good_as_a_table(given: Given) -> None:
    if given.url is None:
        pytest.skip("a folder has no views")
    view = Given(given.source, "v_psn", given.url)
    assert [row["xm"] for row in found(view, LI)[0]] == ["李红梅"]


def test_reading_sessions_can_not_write(given: Given) -> None:
    if not isinstance(given.source, DatabaseSource):
        pytest.skip("files are only ever read")
    with pytest.raises(SourceError), given.source.reading() as connection:
        connection.execute(sa.text("DELETE FROM psn_info"))
    assert len(found(given, WANG)[0]) == 2


def config(given: Given) -> dict[str, Any]:
    """A gateway over the source: its file differs by URL alone."""
    made = deepcopy(POLICE)
    assert given.url is not None
    made["source"] = {"url": given.url.render_as_string(hide_password=False)}
    made["resources"][0] |= {
        "table": "psn_info",
        "subject": "certno",
        "elements": {
            "name": "xm",
            "former_name": {"column": "zt", "absent_values": ["A", "B"]},
            "sex": "xb",
            "birth_date": "csrq",
            "death_date": {"column": "zt", "absent_values": ["A", "B"]},
        },
        "order": {"column": "zt"},
    }
    made["resources"][0].pop("as_of")
    return made


def test_a_gateway_over_any_database_gives_the_same_verdict(given: Given, province: Province) -> None:
    if given.url is None:
        pytest.skip("files are tested as the justice department's gateway")
    province.lay(province.agreement())
    gateway = province.gateway(config(given))
    answer = province.ask(gateway, province.grant())
    assert isinstance(answer, Verdict)
    assert (answer.outcome, answer.reason, answer.fields) == (
        Outcome.CLEAR,
        "matches",
        {"name": "王建国", "sex": "1"},
    )


def test_a_column_that_is_not_there_is_named_on_any_database(given: Given, province: Province) -> None:
    if given.url is None:
        pytest.skip("files are tested as the justice department's gateway")
    wrong = config(given)
    wrong["resources"][0]["elements"]["name"] = "xingming"
    with pytest.raises(GatewayConfigError, match="xingming"):
        province.gateway(wrong)


def test_an_action_on_any_database_is_done_once(given: Given, province: Province) -> None:
    if given.url is None:
        pytest.skip("files take no actions")
    engine = sa.create_engine(given.url)
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "CREATE TABLE yw_ls (lsh VARCHAR(64) PRIMARY KEY, certno CHAR(20), rq DATE, "
                "je NUMERIC(16, 2), n INTEGER)"
            )
        )
    engine.dispose()
    province.lay(province.agreement("housing_fund.seal"))
    gateway = province.gateway(action_config(given))
    parameters = {"idempotency_key": "k1", "on_date": "2025-03-03", "amount": "12345", "count": "3"}
    answers = [province.ask(gateway, province.grant("housing_fund.seal", LI, parameters=parameters)) for _ in range(2)]
    for answer in answers:
        assert isinstance(answer, Verdict)
        assert (answer.outcome, answer.fields) == (Outcome.DONE, {"account_balance": "12345"})
    assert written(given) == [("k1", LI, "2025-03-03", "123.45", "3", "C", "7")]


def action_config(given: Given) -> dict[str, Any]:
    assert given.url is not None
    return {
        **{key: value for key, value in POLICE.items() if key != "resources"},
        "department": "housing_fund",
        "source": {"url": given.url.render_as_string(hide_password=False)},
        "actions": [
            {
                "resource": "housing_fund.seal",
                "table": "psn_info",
                "subject": "certno",
                "require": {"zt": "A", "js": "0"},
                "set": {"zt": "C", "js": "7"},
                "insert": {
                    "table": "yw_ls",
                    "key": "lsh",
                    "values": {
                        "lsh": "{idempotency_key}",
                        "certno": "{identity_number}",
                        "rq": "{on_date}",
                        "je": "{amount:yuan}",
                        "n": "{count}",
                    },
                },
                "fields": {"account_balance": {"column": "je", "unit": "yuan"}},
            }
        ],
    }


def written(given: Given) -> list[tuple[str | None, ...]]:
    assert given.url is not None
    engine = sa.create_engine(given.url)
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT l.lsh, l.certno, l.rq, l.je, l.n, p.zt, p.js FROM yw_ls l "
                "JOIN psn_info p ON upper(p.certno) = upper(l.certno)"
            )
        )
        told = [tuple(plain(cell) for cell in row) for row in rows]
    engine.dispose()
    return told


def test_a_gateway_tells_when_its_database_has_gone(given: Given, province: Province) -> None:
    if given.url is None or given.url.get_backend_name() == "sqlite":
        pytest.skip("a server that goes away")
    province.lay(province.agreement())
    gateway: Gateway = province.gateway(config(given))
    engine = sa.create_engine(given.url)
    with engine.begin() as connection:
        connection.execute(sa.text("DROP VIEW v_psn"))
        connection.execute(sa.text("DROP TABLE psn_info"))
    engine.dispose()
    answer = province.ask(gateway, province.grant())
    assert isinstance(answer, Verdict)
    assert (answer.outcome, answer.reason) == (Outcome.UNKNOWN, "source_unreachable")
