"""Medical insurance, named as the national platform names things: psn_no, certno, insutype, psn_insu_stas."""

from sqlalchemy import Column, Index, MetaData, String, Table

from huodang.simulation.departments.rows import Row, Rows
from huodang.simulation.people import Population, Standing

metadata = MetaData()

INSURED = Table(
    "psn_insu_d",
    metadata,
    Column("psn_insu_rlts_id", String(30), primary_key=True),
    Column("psn_no", String(30), nullable=False),
    Column("certno", String(50), nullable=False),
    Column("psn_name", String(50), nullable=False),
    Column("gend", String(1)),  # 1, 2
    Column("brdy", String(10)),
    Column("insutype", String(6), nullable=False),  # 310 employees, 390 residents
    Column("psn_type", String(6), nullable=False),  # 11 working, 12 retired
    Column("psn_insu_stas", String(3), nullable=False),  # 1 insured, 2 paused, 4 ended
    Column("clct_accu_mons", String(4), nullable=False),  # cumulative months paid
    Column("retr_trt_begn_date", String(10)),
    Column("emp_no", String(40)),
    Column("updt_time", String(19), nullable=False),
)
Index("ix_psn_insu_certno", INSURED.c.certno)

CHANGES = Table(
    "psn_stas_chg_d",
    metadata,
    Column("chg_evt_id", String(120), primary_key=True),
    Column("psn_no", String(30), nullable=False),
    Column("certno", String(50), nullable=False),
    Column("chg_type", String(6), nullable=False),  # 21 from working to retired
    Column("befo_psn_type", String(6)),
    Column("aft_psn_type", String(6), nullable=False),
    Column("chg_date", String(10), nullable=False),
)


def rows(population: Population) -> Rows:
    """Give what the platform holds."""
    changed = f"{population.today:%Y-%m-%d} 02:10:00"
    insured: list[Row] = [
        (
            f"RL{person.serial:012d}",
            f"13{person.serial:012d}",
            person.number,
            person.name,
            person.sex,
            person.registered_birth.isoformat(),
            "310",
            "12" if person.standing is Standing.RETIRED else "11",
            "1" if person.died is None else "4",
            str(person.medical_months),
            None,
            person.employer.number if person.employer else None,
            changed,
        )
        for person in population.people
    ]
    return {INSURED: insured}
