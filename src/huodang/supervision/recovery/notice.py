"""The notice (退回通知) in plain words, to be printed: what, why, how much, how it comes back, how to object."""

from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined, Template

from huodang.supervision.recovery.values import RecoveryView


def render_notice(view: RecoveryView, day: date) -> str:
    """Print the notice of one recovery as HTML; the identity number stands in it as the view shows it.

    Args:
        view: the recovery.
        day: of the notice.
    """
    return _template().render(
        words=_words(),
        number=view.row.recovery_id[:12],
        identity=view.identity_number,
        day=day.isoformat(),
        debtor=view.row.debtor.value,
        months=view.months,
        debt=view.row.debt,
        recovered=view.row.recovered,
        outstanding=view.row.outstanding,
        laws=list(dict.fromkeys(law for month in view.months for law in month.law.splitlines())),
    )


@cache
def _words() -> dict[str, Any]:
    words: dict[str, Any] = yaml.safe_load(_file("notice.yaml"))
    return words


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(_file("notice.html.j2"))


def _file(name: str) -> str:
    return files("huodang.supervision.recovery").joinpath("data", name).read_text(encoding="utf-8")
