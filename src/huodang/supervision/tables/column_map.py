"""A mapping file (`--map`): which column of a file is which, said by a person.

```yaml
payments:
  identity_number: 证件号
  amount: {column: 金额, unit: fen}
  scheme: {value: "110"}          # the same for all rows
```
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from huodang.standards import Place
from huodang.supervision.tables.errors import ColumnMapError
from huodang.supervision.tables.kinds import SOURCES, Kind

_UNITS: Final = {"yuan": "yuan", "元": "yuan", "fen": "fen", "分": "fen"}


@dataclass(frozen=True)
class Mapped:
    """One line of a mapping: a column with its unit of money, or a value for all rows."""

    column: str | None = None
    unit: str | None = None
    value: str | None = None


ColumnMap = Mapping[Kind, Mapping[str, Mapped]]


def read_column_map(path: Path | None) -> ColumnMap:
    """Read a mapping file; none is an empty mapping.

    Raises:
        ColumnMapError: it can't be read, or names a table, column or unit that there isn't.
    """
    if path is None:
        return {}
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as problem:
        raise _refused(path, "对照文件无法读取", "the mapping file can't be read") from problem
    if not isinstance(raw, dict):
        raise _refused(path, "对照文件应按表写", "the mapping file names tables and under each its columns")
    return {_kind(path, name): _table(path, _kind(path, name), lines) for name, lines in raw.items()}


def _kind(path: Path, name: object) -> Kind:
    if name not in list(Kind):
        raise _refused(path, f"没有名为 {name} 的表", f"there is no table {name}")
    return Kind(str(name))


def _table(path: Path, kind: Kind, lines: object) -> dict[str, Mapped]:
    if not isinstance(lines, dict):
        raise _refused(path, f"{kind} 下应列出各列", f"under {kind} its columns are listed")
    known = {source.name for source in SOURCES[kind]}
    table: dict[str, Mapped] = {}
    for name, told in lines.items():
        if name not in known:
            raise _refused(
                path,
                f"{kind} 没有名为 {name} 的列，可用：{'、'.join(sorted(known))}",
                f"{kind} has no column {name}; there are: {', '.join(sorted(known))}",
            )
        table[name] = _line(path, f"{kind}.{name}", told)
    return table


def _line(path: Path, where: str, told: object) -> Mapped:
    if isinstance(told, str):
        return Mapped(told)
    if isinstance(told, dict) and set(told) <= {"column", "unit", "value"} and ("column" in told) != ("value" in told):
        unit = told.get("unit")
        if unit is None or unit in _UNITS:
            column, value = told.get("column"), told.get("value")
            return Mapped(
                None if column is None else str(column),
                None if unit is None else _UNITS[unit],
                None if value is None else str(value),
            )
    raise _refused(
        path,
        f"{where} 应写成列名，或 {{column: 列名, unit: yuan|fen}}，或 {{value: 值}}",
        f"{where} is a column's name, {{column: NAME, unit: yuan|fen}} or {{value: VALUE}}",
    )


def _refused(path: Path, chinese: str, english: str) -> ColumnMapError:
    return ColumnMapError(
        chinese,
        english,
        advice_chinese="写法见 docs/check.md“列名对照文件”。",
        advice_english="See docs/check.md, “Mapping file”.",
        place=Place(file=path.name),
    )
