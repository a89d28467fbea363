"""What can go wrong with a lot, each with a stable code."""

from typing import ClassVar

from huodang.exchange.errors import ExchangeError


class LotError(ExchangeError):
    """A lot can't go on as asked."""

    code: ClassVar[str] = "exchange.lot"


class LotBusyError(LotError):
    """Another lot of the same resource and agreement is at work; `lot_id` names it."""

    code: ClassVar[str] = "exchange.lot_busy"

    def __init__(self, lot_id: str, resource: str) -> None:
        super().__init__(
            f"资源 {resource} 已有批次 {lot_id} 正在进行",
            f"lot {lot_id} of {resource} is at work",
            advice_chinese="请等它完成；确认已中断的，可先放弃该批次再重新开始。",
            advice_english="Wait until it is done; if it was given up, abandon it first.",
        )
        self.lot_id = lot_id


class LotStateError(LotError):
    """The lot isn't open, so nothing can be staged or closed."""

    code: ClassVar[str] = "exchange.lot_state"


class LotContentError(LotError):
    """A page or statement isn't what it must be; nothing of the lot is taken."""

    code: ClassVar[str] = "exchange.lot_content"


class UnknownLotError(LotError):
    """There is no such lot."""

    code: ClassVar[str] = "exchange.lot_unknown"


class SchemaDriftError(LotError):
    """The source's table isn't what it was when it was agreed on; nothing is delivered until somebody has looked."""

    code: ClassVar[str] = "exchange.schema_drift"


class PullError(LotError):
    """The gateway couldn't be reached, refused, or answered with what can't be used; the lot goes on later."""

    code: ClassVar[str] = "exchange.lot_pull"

    def __init__(self, reason: str, chinese: str, english: str, *, retryable: bool) -> None:
        super().__init__(chinese, english)
        self.reason = reason
        self.retryable = retryable
