"""The housing fund's accounts and business flow, fields by pinyin in the way of JGJ/T 320 (its text is unverified)."""

from sqlalchemy import Column, Index, MetaData, Numeric, String, Table

from huodang.simulation.departments.rows import Row, Rows, compact, stamp, yuan
from huodang.simulation.identity_numbers import fifteen_digits
from huodang.simulation.people import Population, Quirk
from huodang.standards import Month

metadata = MetaData()

ACCOUNTS = Table(
    "GR_ZHXX",  # 个人账户信息
    metadata,
    Column("GRZH", String(20), primary_key=True),  # 个人账号
    Column("XINGMING", String(120), nullable=False),
    Column("XINGBIE", String(1)),  # 1 男, 2 女
    Column("CSNY", String(8)),
    Column("ZJLX", String(2), nullable=False),  # 证件类型: 01 身份证
    Column("ZJHM", String(32), nullable=False),  # 证件号码
    Column("SJHM", String(20)),
    Column("DWZH", String(20)),  # 单位账号
    Column("GRZHZT", String(2), nullable=False),  # 个人账户状态: 01 正常, 02 封存, 05 提取销户
    Column("GRZHYE", Numeric(18, 2), nullable=False),  # 个人账户余额
    Column("JZNY", String(6)),  # 缴至年月
    Column("QJYS", Numeric(4, 0), nullable=False),  # 欠缴月数
    Column("FCRQ", String(8)),  # 封存日期
    Column("XHRQ", String(8)),  # 销户日期
    Column("GXSJ", String(14)),
)
Index("IX_GRZH_ZJHM", ACCOUNTS.c.ZJHM)

FLOW = Table(
    "GR_YWLS",  # 个人业务流水
    metadata,
    Column("YWLSH", String(120), primary_key=True),  # 业务流水号
    Column("GRZH", String(20), nullable=False),
    Column("ZJHM", String(32), nullable=False),
    Column("YWLX", String(4), nullable=False),  # 业务类型: FC 封存, TQXH 提取销户
    Column("FSE", Numeric(18, 2)),  # 发生额
    Column("TQYY", String(2)),  # 提取原因: 05 离退休
    Column("SKZH", String(40)),  # 收款账号
    Column("YWRQ", String(8), nullable=False),
)


def rows(population: Population) -> Rows:
    """Give what the fund's centre holds."""
    accounts: list[Row] = []
    last_month = Month.of(population.today) - 1
    for person in population.people:
        if not person.housing_account or person.died is not None:
            continue
        in_arrears = Quirk.HOUSING_ARREARS in person.quirks
        accounts.append(
            (
                f"0311{person.serial:08d}",
                person.former_name or person.name,
                person.sex,
                compact(person.registered_birth),
                "01",
                fifteen_digits(person.number) if Quirk.FIFTEEN_DIGITS in person.quirks else person.number,
                person.phone,
                person.employer.number if person.employer else None,
                "01",
                yuan(person.housing_balance),
                str(last_month - 7 if in_arrears else last_month),
                7 if in_arrears else 0,
                None,
                None,
                stamp(population.today),
            )
        )
    return {ACCOUNTS: accounts}
