"""The working process of sharing."""

from huodang.exchange.sharing.filters import RowColumns, RowFacts, RowFilter, covers_row, readable

__all__ = ["RowColumns", "RowFacts", "RowFilter", "covers_row", "readable"]
