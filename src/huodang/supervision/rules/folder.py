"""A county's own rules (本地规则): Python files in a folder, each of which defines `rule = Rule(...)`.

A file is code and runs with the rights of whoever starts the check, so a folder is to be writable by those alone. Each
rule is tried on its own planted cases before it is accepted: it must find exactly those it says, and spare the rest.
"""

import runpy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import ibis
import pyarrow as pa

from huodang.standards import HuodangError, Month, Place
from huodang.supervision.rules.catalogue import all_rules
from huodang.supervision.rules.errors import RuleFileError, RuleNotProvenError
from huodang.supervision.rules.planting import Mint
from huodang.supervision.rules.rule import Rule, Tables
from huodang.supervision.rules.settings import RuleSettings

# Any month does: what is planted follows the month under check.
_TRIED_IN = RuleSettings(Month(2025, 6))


@dataclass(frozen=True)
class RefusedRule:
    """A file whose rule isn't run, and why."""

    file: Path
    error: HuodangError


@dataclass(frozen=True)
class OwnRules:
    """What a folder holds; iterates over the rules accepted.

    Attributes:
        rules: Those accepted, by the names of their files.
        refused: The files refused, each alone; the others are run.
    """

    rules: tuple[Rule, ...]
    refused: tuple[RefusedRule, ...]

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)


def rules_of_folder(path: Path) -> OwnRules:
    """Read the rules of a folder and try each on its planted cases, on DuckDB.

    Names that begin with `_` are passed over. A file that can't be read, defines no rule, uses a code that is taken, or
    isn't proven by its cases is refused by itself.

    Raises:
        RuleFileError: there is no such folder.
    """
    if not path.is_dir():
        raise RuleFileError(
            "没有这个规则文件夹",
            "there is no such folder of rules",
            advice_chinese="请检查 --rules 后的路径。",
            advice_english="Check the path after --rules.",
            place=Place(file=str(path)),
        )
    taken = {each.code for each in all_rules()}
    accepted: list[Rule] = []
    refused: list[RefusedRule] = []
    for file in sorted(path.glob("[!_]*.py")):
        try:
            rule = _read(file)
            if rule.code in taken:
                raise RuleFileError(
                    f"规则代码 {rule.code} 已被占用",
                    f"the code {rule.code} is taken",
                    advice_chinese="请换一个代码。",
                    advice_english="Choose another code.",
                )
            prove(rule)
        except HuodangError as error:
            refused.append(RefusedRule(file, error.at(Place(file=file.name))))
            continue
        taken.add(rule.code)
        accepted.append(rule)
    return OwnRules(tuple(accepted), tuple(refused))


def prove(rule: Rule) -> None:
    """Hold a rule to its own planted cases, on DuckDB.

    Raises:
        RuleNotProvenError: it fails, plants nothing to be found, or finds other rows than it should.
    """
    try:
        planted = rule.plant(Mint(_TRIED_IN))
        expected = planted.expected.get(rule.code, ())
        tables = Tables.of({kind: ibis.memtable(table) for kind, table in planted.tables.items()})
        found = _run(rule, tables)
    except HuodangError:
        raise
    except Exception as error:  # whatever a county's code does, it stops that rule alone
        raise RuleNotProvenError(
            f"规则 {rule.code} 运行失败：{type(error).__name__}",
            f"rule {rule.code} fails: {type(error).__name__}",
            advice_chinese="请在文件中改正后重试。",
            advice_english="Correct the file and try again.",
        ) from error
    columns = ["row", "fen", *rule.evidence]
    if found.column_names != columns:
        raise RuleNotProvenError(
            f"规则 {rule.code} 的结果列应为 {'、'.join(columns)}",
            f"the columns of what rule {rule.code} finds are to be {', '.join(columns)}",
        )
    rows = sorted(found["row"].to_pylist())
    if not expected or rows != sorted(expected):
        missed, beyond = len(set(expected) - set(rows)), len(rows) - len(set(expected) & set(rows))
        raise RuleNotProvenError(
            f"规则 {rule.code} 应恰好找到植入的 {len(expected)} 行：漏 {missed} 行，多 {beyond} 行",
            f"rule {rule.code} is to find exactly the {len(expected)} rows planted for it: it misses {missed} and "
            f"finds {beyond} others",
            advice_chinese="请核对规则和植入的案例；至少要植入一行应找到的。",
            advice_english="Compare rule and planted cases; at least one row is to be found.",
        )


def _run(rule: Rule, tables: Tables) -> pa.Table:
    connection = ibis.duckdb.connect(threads=1)
    try:
        table: pa.Table = connection.to_pyarrow(rule.find(tables, _TRIED_IN))
    finally:
        connection.disconnect()
    return table


def _read(file: Path) -> Rule:
    try:
        found = runpy.run_path(str(file)).get("rule")
    except Exception as error:  # the file is code of the county: anything may go wrong in it
        raise RuleFileError(
            f"规则文件无法读取：{type(error).__name__}",
            f"the file of the rule can't be read: {type(error).__name__}",
            advice_chinese="请用 Python 运行该文件，按提示改正。",
            advice_english="Run the file with Python and correct what it says.",
        ) from error
    if not isinstance(found, Rule):
        raise RuleFileError(
            "规则文件没有定义 rule = Rule(...)",
            "the file doesn't define rule = Rule(...)",
            advice_chinese="请参照 docs/check_rules.md 的例子。",
            advice_english="See the example in docs/check_rules.md.",
        )
    return found
