"""Health's registers: death certificates, as hospitals report them, and the one-child parents' register."""

from datetime import timedelta

from sqlalchemy import Column, Index, MetaData, String, Table

from huodang.simulation.departments.rows import Row, Rows
from huodang.simulation.identity_numbers import fifteen_digits
from huodang.simulation.people import Person, Population, Quirk

metadata = MetaData()

DEATHS = Table(
    "DEATH_CERT",
    metadata,
    Column("CERT_NO", String(20), primary_key=True),
    Column("DECEDENT_ID_NO", String(18)),
    Column("DECEDENT_NAME", String(60), nullable=False),
    Column("SEX_CD", String(1)),  # M, F
    Column("BIRTH_DT", String(10)),
    Column("DEATH_TM", String(19), nullable=False),
    Column("DEATH_ADDR_CD", String(1)),  # 1 hospital, 2 on the way, 3 home, 9 elsewhere
    Column("ISSUE_ORG", String(100)),
    Column("ISSUE_TM", String(19)),
    Column("VALID_FLAG", String(1), nullable=False),
)
Index("IX_DEATH_ID", DEATHS.c.DECEDENT_ID_NO)

ONE_CHILD = Table(
    "ONE_CHILD_REG",
    metadata,
    Column("REG_NO", String(20), primary_key=True),
    Column("PARENT_ID_NO", String(18), nullable=False),
    Column("PARENT_NAME", String(60), nullable=False),
    Column("CERT_DT", String(10)),
    Column("AWARD_STAT", String(1), nullable=False),  # 0 not yet, 1 awarded
)
Index("IX_ONE_CHILD_ID", ONE_CHILD.c.PARENT_ID_NO)

AWARDS = Table(
    "ONE_CHILD_AWARD",
    metadata,
    Column("AWARD_NO", String(120), primary_key=True),
    Column("REG_NO", String(20), nullable=False),
    Column("PARENT_ID_NO", String(18), nullable=False),
    Column("APPLY_DT", String(10), nullable=False),
    Column("PAYEE_ACCT", String(40)),
)


def death_certificate(person: Person, died_at: str, issued_at: str) -> Row:
    """Write one certificate; times as `yyyy-mm-dd hh:mm:ss`."""
    return (
        f"SW{person.serial:08d}",
        person.number,
        person.name,
        "M" if person.sex == "1" else "F",
        person.registered_birth.isoformat(),
        died_at,
        "1",
        "演示市第一医院",
        issued_at,
        "1",
    )


def rows(population: Population) -> Rows:
    """Give what the registers hold: everyone who really died, and nobody who is dead on paper only."""
    deaths = [
        death_certificate(person, f"{person.died} 04:30:00", f"{person.died + timedelta(days=1)} 10:00:00")
        for person in population.people
        if person.died is not None
    ]
    parents: list[Row] = [
        (
            f"DS{person.serial:08d}",
            # Registered decades ago: one source that still holds numbers of 15 digits.
            fifteen_digits(person.number) if Quirk.FIFTEEN_DIGITS in person.quirks else person.number,
            person.former_name or person.name,
            f"{person.born.year + 27}-06-01",
            "0",
        )
        for person in population.people
        if person.one_child
    ]
    return {DEATHS: deaths, ONE_CHILD: parents}
