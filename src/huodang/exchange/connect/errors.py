"""What can go wrong while a source is looked at or a gateway is tested."""

from typing import ClassVar

from huodang.exchange.errors import ExchangeError


class ConnectError(ExchangeError):
    """A source can't be looked at as asked: address, account, schema or table."""

    code: ClassVar[str] = "exchange.connect"


class OutputExistsError(ConnectError):
    """A file that would be written is there already; nothing was written."""

    code: ClassVar[str] = "exchange.connect.exists"
