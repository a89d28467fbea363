"""How the files to and from a bank look, as data."""

from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec
import yaml


class Sent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Columns of the file that asks a bank to take money back."""

    batch: str
    line: str
    account: str
    amount: str
    remark: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns in their order."""
        return (self.batch, self.line, self.account, self.amount, self.remark)


class Answered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Columns of a bank's answer."""

    batch: str
    line: str
    result: str
    returned: str
    day: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that must be there."""
        return (self.batch, self.line, self.result, self.returned, self.day)


class BankLayout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The files of one bank; `results` turns its words into what they mean."""

    sent: Sent
    answered: Answered
    results: dict[str, Literal["full", "part", "none"]]


def layout_of(bank: str) -> BankLayout:
    """Give the layout of a bank's files; one without a section of its own has the default."""
    layouts = _layouts()
    return layouts.get(bank, layouts["default"])


@cache
def _layouts() -> dict[str, BankLayout]:
    text = files("huodang.supervision.recovery").joinpath("data", "bank_files.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), dict[str, BankLayout])
