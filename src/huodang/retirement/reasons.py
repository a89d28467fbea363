"""Why a case waits for a person, and what it should know: codes with their sentences and ways on, as data."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml

from huodang.retirement.checks import CHECK_OF
from huodang.retirement.errors import RegisterError
from huodang.retirement.states import Event
from huodang.standards import Place


@dataclass(frozen=True)
class Reason:
    """One reason or note. Holds codes only, no personal data, so that it may stand in lists and reports.

    Attributes:
        kind: key of `data/reasons.yaml`.
        subject: the check it comes from, or "" for a rule.
        detail: a code, a month or a count.
    """

    kind: str
    subject: str = ""
    detail: str = ""

    @property
    def code(self) -> str:
        """The stable text of the reason, such as `police.alive:unreachable` or `parameter_missing:…`."""
        if self.kind in {"not_answered", "contributions_not_answered"}:
            return f"{self.subject}:{self.detail}"
        return f"{self.kind}:{self.detail}" if self.detail else self.kind

    @property
    def is_note(self) -> bool:
        """Whether it stops nothing."""
        return bool(_texts()[self.kind].get("note", False))

    @property
    def ways(self) -> tuple[Event, ...]:
        """The events by which staff may lawfully go on."""
        return tuple(Event(name) for name in _texts()[self.kind]["ways"])

    @property
    def law(self) -> str:
        """The law behind it, as far as named."""
        return str(_texts()[self.kind].get("law", ""))

    def sentence(self, language: Literal["zh", "en"] = "zh") -> str:
        """Say the reason."""
        return self._filled("chinese" if language == "zh" else "english", language)

    def advice(self, language: Literal["zh", "en"] = "zh") -> str:
        """Say what to do next; empty for a note."""
        return self._filled("advice_chinese" if language == "zh" else "advice_english", language)

    def _filled(self, key: str, language: str) -> str:
        check = CHECK_OF.get(self.subject)
        name = self.subject if check is None else (check.chinese if language == "zh" else check.english)
        text = str(_texts()[self.kind].get(key, ""))
        return text.replace("{check}", name).replace("{detail}", self.detail)

    def to_values(self) -> dict[str, str]:
        """Give the reason as plain values for the database."""
        return {"kind": self.kind, "subject": self.subject, "detail": self.detail}

    @classmethod
    def from_values(cls, values: dict[str, str]) -> "Reason":
        """Read what `to_values` gave."""
        return cls(values["kind"], values["subject"], values["detail"])


@cache
def _texts() -> dict[str, dict[str, Any]]:
    raw: dict[str, dict[str, Any]] = yaml.safe_load(
        resources.files("huodang.retirement").joinpath("data/reasons.yaml").read_text("utf-8")
    )
    for kind, texts in raw.items():
        if not {"chinese", "english", "ways"} <= set(texts):
            raise RegisterError(
                f"原因 {kind} 的说明不完整",
                f"the reason {kind} lacks a text",
                place=Place(file="retirement/data/reasons.yaml", element=kind),
            )
    return raw


def kinds() -> tuple[str, ...]:
    """Give every kind of reason there is."""
    return tuple(_texts())


def codes(reasons: Iterable[Reason]) -> list[str]:
    """Give the codes of some reasons."""
    return [reason.code for reason in reasons]
