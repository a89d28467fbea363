"""What a linkage costs when it errs, and how much of the machine it may take. Pure."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from huodang.supervision.linkage.errors import LinkSettingsError

_MEMORY: Final = re.compile(r"[1-9][0-9]*(\.[0-9]+)?\s*[KMGT]i?B", re.IGNORECASE)


@dataclass(frozen=True)
class LinkSettings:
    """How two files are linked.

    A link is given out where its expected harm is below that of leaving it out: with probability `p` that both records
    are of one person, (1 − p) · cost_wrong < p · cost_missed. So the least probability is
    cost_wrong / (cost_wrong + cost_missed), and probabilities are calibrated to be used so.

    Attributes:
        cost_wrong: what a wrong link costs (a living person is asked whether they are dead), in any unit.
        cost_missed: what a missed link costs (a dead person is paid on until the next register tells), in the same.
        model: a trained model, taken if the file exists and fits, written after training if it doesn't exist.
        memory: most memory for the tables of the run; what is beyond goes to disk.
        threads: of the processor; None for all.
        folder: where the run keeps its tables, emptied afterwards; None for the system's temporary folder.
        shown: how many of the least certain links the page of waterfalls holds; a tenth as many again are drawn from
            the rest.
    """

    cost_wrong: float = 19.0
    cost_missed: float = 1.0
    model: Path | None = None
    memory: str = "4GB"
    threads: int | None = None
    folder: Path | None = None
    shown: int = 500

    def __post_init__(self) -> None:
        if not (0 < self.cost_wrong < float("inf") and 0 < self.cost_missed < float("inf")):
            raise LinkSettingsError(
                "误认与漏认的代价都须是大于零的数",
                "the costs of a wrong and of a missed link must be numbers above zero",
                advice_chinese="例如 --cost-wrong 19 --cost-missed 1，即误认一人之害等于漏认十九人。",
                advice_english="Such as --cost-wrong 19 --cost-missed 1: one wrong link harms as much as 19 missed.",
            )
        if not _MEMORY.fullmatch(self.memory.strip()):
            raise LinkSettingsError("内存上限写成如 4GB", "write the memory limit as 4GB")
        if self.threads is not None and self.threads < 1:
            raise LinkSettingsError("线程数至少为 1", "at least one thread is needed")
        if self.shown < 0:
            raise LinkSettingsError("展示条数不能为负", "the number of links shown can't be negative")

    @property
    def threshold(self) -> float:
        """The least probability at which a link is given out."""
        return self.cost_wrong / (self.cost_wrong + self.cost_missed)
