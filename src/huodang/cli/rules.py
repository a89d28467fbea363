"""`huodang rules`: retirement ages, pensions and the parameters behind them."""

# ruff: noqa: PLC0415  (a room is imported when one of its commands runs, so that `--help` stays quick)

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from huodang.standards import HuodangError, Month, Place

if TYPE_CHECKING:
    from huodang.pension import ComputedTable, Parameter, RetirementAge

app = typer.Typer(help="退休规则 / the rules of retirement", no_args_is_help=True, rich_markup_mode="rich")


class CommandError(HuodangError):
    """The command line asks for something that can't be done as asked."""

    code: ClassVar[str] = "cli.usage"


Json = Annotated[bool, typer.Option("--json", help="输出 JSON / print JSON")]
Out = Annotated[
    str | None,
    typer.Option("--out", metavar="FILE", help="写入文件，不写标准输出 / write to a file, not to standard output"),
]


@app.command("retirement-age")
def retirement_age(
    category: Annotated[
        str | None,
        typer.Option(
            help="人员类别 / category: male（男） | female55（女55、女干部、灵活就业女） | female50（女50、女工人）"
        ),
    ] = None,
    born: Annotated[str | None, typer.Option(help="出生年月 / month of birth: 1965-03")] = None,
    csv: Annotated[
        str | None,
        typer.Option("--csv", metavar="FILE", help="成批计算，- 为标准输入 / a whole file, - reads standard input"),
    ] = None,
    out: Out = None,
    *,
    as_json: Json = False,
) -> None:
    """计算法定退休年龄 / compute the lawful retirement age.

    CSV 需有 category 和 birth_ym 两列，其余列和行序保留；有误的行在 problem 列写明原因，其他行照常计算。

    A CSV file has columns category and birth_ym, in any order; other columns and the order of rows are kept. A broken
    row says why in the column problem, the others are still computed.

    [bold]例 / examples[/bold]

    huodang rules retirement-age --category male --born 1965-03

    huodang rules retirement-age --category 女50 --born 1975-12 --json

    huodang rules retirement-age --csv people.csv --out ages.csv
    """
    from huodang.pension import Category
    from huodang.pension import retirement_age as compute

    if csv is not None:
        if category is not None or born is not None or as_json:
            raise CommandError(
                "--csv 不能与 --category、--born、--json 同用", "--csv goes without --category, --born and --json"
            )
        from huodang.pension import read_table, retirement_age_table

        _deliver(retirement_age_table(read_table(_read(csv), _name(csv))), out)
        return
    if category is None or born is None or out is not None:
        raise CommandError(
            "请给出 --category 和 --born，或给出 --csv（--out 只与 --csv 同用）",
            "give --category and --born, or --csv (--out goes with --csv only)",
            advice_chinese="例：huodang rules retirement-age --category male --born 1965-03",
            advice_english="Example: huodang rules retirement-age --category male --born 1965-03",
        )
    try:
        who = Category.parse(category)
    except HuodangError as error:
        raise error.at(Place(column="--category")) from None
    try:
        age = compute(who, Month.parse(born))
    except HuodangError as error:
        raise error.at(Place(column="--born")) from None
    _print_age(who.value, who.chinese, born.strip(), age, as_json=as_json)


@app.command("pension")
def pension(
    csv: Annotated[
        str, typer.Option("--csv", metavar="FILE", help="CSV 文件，- 为标准输入 / CSV file, - reads standard input")
    ],
    out: Out = None,
) -> None:
    """成批计算职工养老金 / compute employee pensions for a CSV file.

    读取列 / columns read（均可缺可空 / any may be absent or blank）: province, retire, base, avg_index, indexed_wage,
    total_years, deemed_years, pre_account_years, account, payout_months, category, birth_ym。

    增加列 / columns added: basic, account_pension, transition, total（元，两位小数 / yuan, two decimals）, problem。

    能算的部分照算；缺什么、哪一格有误，写在 problem 列。过渡性养老金只在该省规则已列入参数时计算。

    What can be computed is; what is missing or broken stands in problem. The transitional part is computed only where
    the province's rule stands in the parameters.

    [bold]例 / examples[/bold]

    huodang rules pension --csv statements.csv

    huodang rules pension --csv - --out pensions.csv < statements.csv
    """
    from huodang.pension import pension_table, read_table

    _deliver(pension_table(read_table(_read(csv), _name(csv))), out)


@app.command("parameters")
def parameters(
    province: Annotated[
        str,
        typer.Option(help="省份：代码、名称或行政区划代码，national 为全国 / code, name or region code of a province"),
    ] = "national",
    *,
    as_json: Json = False,
) -> None:
    """列出一省的全部参数及其依据 / list every parameter of a province with its law.

    状态 / status: official 国家规定, provincial 本省公布, statement 见于核定表, unverified 待核实。

    [bold]例 / examples[/bold]

    huodang rules parameters --province hebei

    huodang rules parameters --province 河北省 --json
    """
    from huodang.pension import parameters as of_province

    listing = of_province(province).listing()
    if as_json:
        _echo(json.dumps([_as_dict(parameter) for parameter in listing], ensure_ascii=False, indent=2) + "\n")
        return
    for parameter in listing:
        _echo(
            f"{parameter.chinese} / {parameter.english}\n"
            f"  {parameter.name} = {_value_text(parameter.plain_value())}  [{parameter.unit}]\n"
            f"  有效期 / validity: {_validity(parameter)}\n"
            f"  依据 / law: {parameter.law}\n"
            f"  来源 / source: {parameter.source}\n"
            f"  状态 / status: {parameter.status.chinese} {parameter.status}\n"
            + (f"  说明 / note: {parameter.note}\n" if parameter.note else "")
            + "\n"
        )


def _print_age(category: str, chinese: str, born: str, age: "RetirementAge", *, as_json: bool) -> None:
    from huodang.pension import month_like

    month = month_like(age.retirement_month, born)
    if as_json:
        # A tenth as float prints as the same tenth: one decimal has no longer shortest form.
        payout = int(age.payout_months) if age.payout_months == int(age.payout_months) else float(age.payout_months)
        laws = [
            {"concerns": law.concerns, "chinese": law.chinese, "law": law.law, "status": law.status} for law in age.laws
        ]
        facts = {
            "category": category,
            "born": born,
            "delay_months": age.delay_months,
            "age_months": age.age_months,
            "retire_month": month,
            "payout_months": payout,
            "min_contribution_months": age.minimum_contribution_months,
            "laws": laws,
        }
        _echo(json.dumps(facts, ensure_ascii=False, indent=2) + "\n")
        return
    years, months = divmod(age.age_months, 12)
    minimum_years, minimum_months = divmod(age.minimum_contribution_months, 12)
    rest = f" {minimum_months} 个月" if minimum_months else ""
    law = {reference.concerns: reference.text for reference in age.laws}
    _echo(
        f"人员类别 / category: {chinese} {category}\n"
        f"出生年月 / born: {born}\n"
        f"延迟月数 / delay months: {age.delay_months}  〔{law['delay_months']}〕\n"
        f"法定退休年龄 / age: {years} 岁 {months} 个月（{age.age_months} 个月 / months）  〔{law['age_months']}〕\n"
        f"退休年月 / retirement month: {month}  〔{law['delay_months']}〕\n"
        f"计发月数 / payout months: {age.payout_months:f}  〔{law['payout_months']}〕\n"
        f"最低缴费年限 / minimum contributions: {minimum_years} 年{rest}"
        f"（{age.minimum_contribution_months} 个月 / months）"
        f"  〔{law['min_contribution_months']}〕\n"
    )


def _as_dict(parameter: "Parameter") -> dict[str, object]:
    return {
        "province": parameter.province,
        "name": parameter.name,
        "chinese": parameter.chinese,
        "english": parameter.english,
        "unit": parameter.unit,
        # Figures stay the decimal text of the file, which is exact.
        "value": parameter.plain_value(),
        "valid_from": parameter.valid_from.iso if parameter.valid_from else None,
        "valid_to": parameter.valid_to.iso if parameter.valid_to else None,
        "published_on": parameter.published_on.isoformat() if parameter.published_on else None,
        "law": parameter.law,
        "source": parameter.source,
        "status": parameter.status.value,
        "note": parameter.note,
    }


def _value_text(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False).replace('"', "")


def _validity(parameter: "Parameter") -> str:
    start = parameter.valid_from.iso if parameter.valid_from else "…"
    end = parameter.valid_to.iso if parameter.valid_to else "…"
    published = f"（公布 / published {parameter.published_on}）" if parameter.published_on else ""
    return f"{start} – {end}{published}"


def _name(path: str) -> str:
    return "标准输入 / standard input" if path == "-" else path


def _read(path: str) -> bytes:
    """Read a file whole, or standard input for `-`."""
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CommandError(
            f"无法读取文件（{error.strerror}）",
            f"the file can't be read ({error.strerror})",
            advice_chinese="请核对路径和权限。",
            advice_english="Check path and permissions.",
            place=Place(file=path),
        ) from None


def _deliver(computed: "ComputedTable", out: str | None) -> None:
    """Print the table, or write it to a file whole; say on standard error how many rows have a problem."""
    if out is None:
        _echo(computed.text)
    else:
        _write(Path(out), computed.text.encode())
    if computed.problems:
        typer.echo(
            f"{computed.rows} 行中有 {computed.problems} 行有问题，见 problem 列 / "
            f"{computed.problems} of {computed.rows} rows have a problem, see the column problem",
            err=True,
        )


def _write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: under another name first, then renamed."""
    temporary = ""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
            temporary = file.name
            file.write(data)
        # A temporary file is private; a result is as readable as any other file the user makes.
        mask = os.umask(0)
        os.umask(mask)
        Path(temporary).chmod(0o666 & ~mask)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise CommandError(
            f"无法写入文件（{error.strerror}）",
            f"the file can't be written ({error.strerror})",
            place=Place(file=str(path)),
        ) from None


def _echo(text: str) -> None:
    """Print as UTF-8 bytes, whatever the terminal's locale: names and reasons are Chinese."""
    typer.echo(text.encode(), nl=False)
