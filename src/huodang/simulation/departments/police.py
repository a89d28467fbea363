"""Public security's population register (人口信息管理系统): field names by pinyin initials, dates as eight digits.

The field names are those seen in public code about such registers; the local sex and nationality codes differ from the
standard (`crosswalks/police.*.csv`).
"""

from datetime import date, timedelta
from typing import Final

from sqlalchemy import Column, Index, MetaData, String, Table

from huodang.simulation.departments.rows import Row, Rows, compact, stamp
from huodang.simulation.people import Person, Population, Quirk

metadata = MetaData()

REGISTER = Table(
    "T_CZRK_JBXX",  # 常住人口基本信息
    metadata,
    Column("RYBH", String(20), primary_key=True),  # 人员编号
    Column("GMSFHM", String(18), nullable=False),  # 公民身份号码
    Column("XM", String(100), nullable=False),  # 姓名
    Column("CYM", String(100)),  # 曾用名
    Column("XB", String(1)),  # 性别
    Column("CSRQ", String(8)),  # 出生日期
    Column("MZ", String(2)),  # 民族, by letters
    Column("HKSZD", String(6)),  # 户口所在地
    Column("HKSZDXZ", String(200)),  # 户口所在地详址
    Column("HKZT", String(1)),  # 户口状态: 0 正常, 1 死亡注销, 2 迁出
    Column("SWRQ", String(8)),  # 死亡日期
    Column("GXSJ", String(14)),  # 更新时间
)
Index("IX_CZRK_GMSFHM", REGISTER.c.GMSFHM)

CONFIRMATIONS = Table(
    "T_YW_HJHS",  # 户籍核实业务
    metadata,
    Column("YWBH", String(120), primary_key=True),
    Column("GMSFHM", String(18), nullable=False),
    Column("YWLB", String(2), nullable=False),  # 业务类别: 31 退休户籍确认
    Column("SQDW", String(100)),  # 申请单位
    Column("BLRQ", String(8), nullable=False),  # 办理日期
)

# GB/T 3304 gives every nationality two letters, too; this register keeps the letters.
LETTERS: Final = {"01": "HA", "02": "MG", "03": "HU", "04": "ZA", "05": "UG", "11": "MA", "17": "KZ"}


def register_row(person: Person, today: date, *, died: date | None) -> Row:
    """Write a person's row of the register."""
    return (
        f"R{person.serial:09d}",
        person.number,
        person.name,
        person.former_name,
        person.sex,
        compact(person.registered_birth),
        LETTERS[person.nationality],
        person.household_region,
        f"演示路{person.serial}号",
        "0" if died is None else "1",
        compact(died),
        stamp(today),
    )


def rows(population: Population) -> Rows:
    """Give what the register holds: not those who have still to move here, and some whom it takes for dead."""
    wrongly_dead = population.today - timedelta(days=400)
    register: list[Row] = [
        register_row(
            person,
            population.today,
            died=wrongly_dead if Quirk.DEAD_ON_PAPER in person.quirks else person.died,
        )
        for person in population.people
        if Quirk.NOT_REGISTERED not in person.quirks
    ]
    return {REGISTER: register}
