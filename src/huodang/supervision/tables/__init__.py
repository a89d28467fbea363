"""The canonical tables of a check (数据准备): headers understood, files read, numbers packed, the unfit set aside."""

from huodang.supervision.tables.kinds import SOURCES, Kind, Source
from huodang.supervision.tables.schema import COMMON, SCHEMAS

__all__ = ["COMMON", "SCHEMAS", "SOURCES", "Kind", "Source"]
