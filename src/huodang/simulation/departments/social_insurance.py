"""The social-insurance agency's own core system, by element codes.

Persons, enrolments, contributions by month, deemed years, benefits and payments. Meanings of the codes drift between
vendors; here AAE201 is months really paid, BIC096 deemed months. Columns without a code in public sources bear pinyin
names. Views sum what the joint case needs, so that the gateway reads them like tables.
"""

from collections.abc import Iterator
from datetime import date
from typing import Final

from sqlalchemy import Column, Index, Integer, MetaData, Numeric, String, Table

from huodang.pension import Category
from huodang.simulation.departments.rows import Row, Rows, compact, yuan
from huodang.simulation.people import Person, Population, Quirk, Spell, Standing
from huodang.standards import Money, Month

metadata = MetaData()
EMPLOYEES, RESIDENTS = "110", "170"

PERSONS = Table(
    "AC01",
    metadata,
    Column("AAC001", Integer, primary_key=True),  # 人员ID
    Column("AAC147", String(18), nullable=False),  # 证件号码
    Column("AAC003", String(50), nullable=False),  # 姓名
    Column("AAC004", String(1)),  # 性别
    Column("AAC005", String(2)),  # 民族
    Column("AAC006", String(8)),  # 出生日期 (档案)
    Column("AAC012", String(1)),  # 个人身份: 1 工人, 2 干部
    Column("AAC013", String(1)),  # 用工形式: 1 单位职工, 2 灵活就业
    Column("AAC067", String(20)),  # 手机号码
    Column("AAB001", String(20)),  # 单位编号
    Column("AAB004", String(100)),  # 单位名称
)
Index("IX_AC01_AAC147", PERSONS.c.AAC147)

ENROLMENTS = Table(
    "AC02",
    metadata,
    Column("AAC001", Integer, primary_key=True, autoincrement=False),
    Column("AAE140", String(3), primary_key=True),  # 险种: 110 职工, 170 居民
    Column("AAC008", String(1)),  # 参保状态
    Column("AAC031", String(1)),  # 缴费状态
    Column("AAC030", String(8)),  # 参保日期
)

CONTRIBUTIONS = Table(
    "AC20",
    metadata,
    Column("AAC001", Integer, primary_key=True, autoincrement=False),
    Column("AAE003", Integer, primary_key=True, autoincrement=False),  # 费款所属期
    Column("AAE180", Integer, nullable=False),  # 缴费基数, whole yuan
    sqlite_with_rowid=False,
)

DEEMED = Table(
    "AC41",
    metadata,
    Column("AAC001", Integer, primary_key=True, autoincrement=False),
    Column("AAE041", Integer, primary_key=True, autoincrement=False),  # 开始年月
    Column("AAE042", Integer, nullable=False),  # 终止年月
    Column("BIC096", Integer, nullable=False),  # 视同缴费月数
)

ACCOUNTS = Table(
    "AC50",
    metadata,
    Column("AAC001", Integer, primary_key=True, autoincrement=False),
    Column("BIC008", Numeric(16, 2), nullable=False),  # 个人账户存储额
    Column("AIC164", String(12)),  # 平均缴费指数
    Column("ZSHGZ", Numeric(16, 2)),  # 指数化月平均缴费工资, where the agency states it
    Column("BIC032", Integer, nullable=False),  # 特殊工种工作月数
)

RECOGNITIONS = Table(
    "AC42",  # 缴费年限认定: only who has a recognition form
    metadata,
    Column("AAC001", Integer, primary_key=True, autoincrement=False),
    Column("LJJFNX", String(12), nullable=False),  # 累计缴费年限, the form's own decimal text
    Column("JZQNX", String(12)),  # 建账前年限
    Column("RDRQ", String(8), nullable=False),  # 认定日期
)

BENEFITS = Table(
    "IC10",
    metadata,
    Column("AAC001", Integer, primary_key=True, autoincrement=False),
    Column("AAE140", String(3), primary_key=True),
    Column("AAE116", String(1), nullable=False),  # 待遇状态: 1 正常, 2 暂停, 3 终止
    Column("AAE210", Integer, nullable=False),  # 待遇开始年月
    Column("AIC166", Numeric(12, 2), nullable=False),  # 月养老金
)

PAYMENTS = Table(
    "IC20",
    metadata,
    Column("AAC001", Integer, primary_key=True, autoincrement=False),
    Column("AAE140", String(3), primary_key=True),
    Column("AAE002", Integer, primary_key=True, autoincrement=False),  # 发放年月
    Column("AAE019", Numeric(12, 2), nullable=False),  # 金额
    Column("AAE117", String(1), nullable=False),  # 支付标志
)

REGISTRATIONS = Table(
    "IC11",  # 待遇登记, by the joint case
    metadata,
    Column("YWLSH", String(120), primary_key=True),
    Column("AAC001", Integer, nullable=False),
    Column("AAE140", String(3), nullable=False),
    Column("AAE116", String(1), nullable=False),
    Column("AAE210", Integer, nullable=False),
    Column("AIC166", Numeric(12, 2), nullable=False),
    Column("AAE010", String(40), nullable=False),  # 银行账号
    Column("AAE036", String(8), nullable=False),  # 经办日期
)
Index("IX_IC11_AAC001", REGISTRATIONS.c.AAC001)

COMMUNITY = Table(
    "SH01",  # 社会化管理
    metadata,
    Column("YWLSH", String(120), primary_key=True),
    Column("AAC001", Integer, nullable=False),
    Column("JSRQ", String(8), nullable=False),  # 接收日期
    Column("AAC067", String(20)),
)

VIEWS: Final = {
    "V_JFQK": (
        'SELECT p."AAC147", p."AAC003", p."AAC004", p."AAC006", p."AAC012", p."AAC013", p."AAC067", '
        'p."AAB001", p."AAB004", a."BIC008", a."AIC164", a."ZSHGZ", a."BIC032", r."LJJFNX", r."JZQNX", r."RDRQ", '
        '(SELECT COUNT(*) FROM "AC20" c WHERE c."AAC001" = p."AAC001") AS "AAE201", '
        '(SELECT COALESCE(SUM(d."BIC096"), 0) FROM "AC41" d WHERE d."AAC001" = p."AAC001") AS "BIC096", '
        '(SELECT COUNT(*) FROM "AC20" c WHERE c."AAC001" = p."AAC001" AND c."AAE003" < 199601) '
        # Of deemed years, too, only the months before accounts began: 1995 * 12 + 12 is the ordinal of the last one.
        '+ (SELECT COALESCE(SUM(CASE WHEN d."AAE042" < 199601 THEN d."BIC096" '
        'WHEN d."AAE041" < 199601 THEN 23952 - (d."AAE041" / 100 * 12 + d."AAE041" % 100) + 1 ELSE 0 END), 0) '
        'FROM "AC41" d WHERE d."AAC001" = p."AAC001") AS "JZQYS", '
        '(SELECT MIN(c."AAE003") FROM "AC20" c WHERE c."AAC001" = p."AAC001") AS "AAC049" '
        'FROM "AC01" p JOIN "AC50" a ON a."AAC001" = p."AAC001" LEFT JOIN "AC42" r ON r."AAC001" = p."AAC001"'
    ),
    "V_CBXX": (
        'SELECT p."AAC147", p."AAC003", e."AAE140", e."AAC008", e."AAC031", e."AAC030" '
        'FROM "AC01" p JOIN "AC02" e ON e."AAC001" = p."AAC001"'
    ),
    # Who draws nothing yet: among them those who reach the age are looked for.
    "V_DQRY": (
        'SELECT p."AAC147", p."AAC003", p."AAC004", p."AAC006", p."AAC012", p."AAC013", p."AAB004" FROM "AC01" p '
        'WHERE NOT EXISTS (SELECT 1 FROM "IC10" b WHERE b."AAC001" = p."AAC001" AND b."AAE140" = \'110\') '
        'AND NOT EXISTS (SELECT 1 FROM "IC11" r WHERE r."AAC001" = p."AAC001")'
    ),
    "V_DYXX": (
        'SELECT p."AAC147", p."AAC003", b."AAE140", b."AAE116", b."AAE210", b."AIC166" '
        'FROM "AC01" p JOIN "IC10" b ON b."AAC001" = p."AAC001" '
        'UNION ALL SELECT p."AAC147", p."AAC003", r."AAE140", r."AAE116", r."AAE210", r."AIC166" '
        'FROM "AC01" p JOIN "IC11" r ON r."AAC001" = p."AAC001"'
    ),
}


def rows(population: Population) -> Rows:
    """Give what the core system holds."""
    people = population.people
    return {
        PERSONS: [_person(person) for person in people],
        ENROLMENTS: [row for person in people for row in _enrolments(person)],
        CONTRIBUTIONS: [row for person in people for row in _contributions(person)],
        DEEMED: [
            (person.serial, int(str(spell.first)), int(str(spell.last)), spell.months)
            for person in people
            for spell in person.career.deemed
        ],
        ACCOUNTS: [_account(person) for person in people],
        RECOGNITIONS: [row for person in people for row in _recognition(person)],
        BENEFITS: [row for person in people for row in _benefits(person)],
        PAYMENTS: [row for person in people for row in _payments(person, population.today)],
    }


def _person(person: Person) -> Row:
    return (
        person.serial,
        person.number,
        person.former_name or person.name,
        person.sex,
        person.nationality,
        compact(person.born),
        "1" if person.category is Category.FEMALE50 else "2" if person.category is Category.FEMALE55 else None,
        "1" if person.employer else "2",
        person.phone,
        person.employer.number if person.employer else None,
        person.employer.name if person.employer else None,
    )


def _enrolments(person: Person) -> Iterator[Row]:
    first = min((spell.first for spell in person.career.spells), default=person.wished)
    paying = "3" if person.standing is Standing.RETIRED else "1"
    yield person.serial, EMPLOYEES, "1" if person.died is None else "4", paying, f"{first}01"
    if Quirk.TWO_SCHEMES in person.quirks:
        yield person.serial, RESIDENTS, "1", "1", "20120701"
    if Quirk.DUPLICATE_BENEFIT in person.quirks:
        yield person.serial, RESIDENTS, "4", "3", "20120701"


def _contributions(person: Person) -> Iterator[Row]:
    index = person.career.average_index
    wages: dict[int, int] = {}
    for spell in person.career.spells:
        for month in _months(spell):
            year = month // 100
            if year not in wages:
                # Average wages grew about eight times from 1992 to 2025; the base is the person's share of them.
                wages[year] = int(900 * index * 107 ** (year - 1992) // 100 ** (year - 1992)) if year > 1992 else 400
            yield person.serial, month, wages[year]


def _months(spell: Spell) -> Iterator[int]:
    year, month = spell.first.year, spell.first.month
    for _ in range(spell.months):
        yield year * 100 + month
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def _account(person: Person) -> Row:
    indexed_wage = person.statement.indexed_wage if person.statement else None
    return (
        person.serial,
        yuan(person.career.account),
        str(person.career.average_index),
        None if indexed_wage is None else yuan(indexed_wage),
        person.career.special_trade_months,
    )


def _recognition(person: Person) -> Iterator[Row]:
    statement = person.statement
    if statement is not None:
        decided = compact(statement.retired.first_day())
        yield person.serial, statement.total_years, statement.pre_account_years or None, decided


def _pension(person: Person) -> Money:
    """What a pensioner draws: a made-up amount that grows with years and index, in whole jiao."""
    years = (person.career.contribution_months + person.career.deemed_months) // 12
    return Money(int(years * 6200 * (1 + person.career.average_index) / 10) * 10)


def _benefits(person: Person) -> Iterator[Row]:
    if person.standing is Standing.RETIRED:
        state = "1" if person.died is None else "3"
        yield person.serial, EMPLOYEES, state, int(str(person.wished + 1)), yuan(_pension(person))
    if Quirk.DUPLICATE_BENEFIT in person.quirks:
        yield person.serial, RESIDENTS, "1", int(str(person.wished - 5)), yuan(Money(22_300))


def _payments(person: Person, today: date) -> Iterator[Row]:
    if person.standing is not Standing.RETIRED:
        return
    last = Month.of(today) if person.died is None else min(Month.of(today), Month.of(person.died))
    amount = yuan(_pension(person))
    for back in range(12):
        month = last - back
        if month > person.wished:
            yield person.serial, EMPLOYEES, int(str(month)), amount, "1"
