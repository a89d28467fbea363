"""What can go wrong in the exchange, each with a stable code."""

from typing import ClassVar

from huodang.standards import HuodangError


class ExchangeError(HuodangError):
    """Base of every error of this room."""

    code: ClassVar[str] = "exchange"


class GatewayConfigError(ExchangeError):
    """A gateway's file can't be used as it stands; the place names file, column and element."""

    code: ClassVar[str] = "exchange.gateway_config"


class MessageError(ExchangeError):
    """A grant, verdict, refusal or agreement isn't shaped as it must be."""

    code: ClassVar[str] = "exchange.malformed"


class NotPermittedError(ExchangeError):
    """No policy permits what was asked, or the agreement doesn't cover it. Nothing was asked of any department."""

    code: ClassVar[str] = "exchange.not_permitted"


class NoAgreementError(ExchangeError):
    """No agreement in force covers the resource."""

    code: ClassVar[str] = "exchange.no_agreement"


class TransitionError(ExchangeError):
    """An agreement can't take this step from the state it is in."""

    code: ClassVar[str] = "exchange.transition"


class AgreementError(ExchangeError):
    """An agreement's signatures or contents don't hold."""

    code: ClassVar[str] = "exchange.agreement"


class CatalogueError(ExchangeError):
    """An entry of the catalogue, or a file of entries, can't be taken; the place names file, row and column."""

    code: ClassVar[str] = "exchange.catalogue"


class SourceError(ExchangeError):
    """A department's own source can't be read at this moment."""

    code: ClassVar[str] = "exchange.source"


class FerryError(ExchangeError):
    """An envelope at the ferry is refused."""

    code: ClassVar[str] = "exchange.ferry"
