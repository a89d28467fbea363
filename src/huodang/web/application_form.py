"""The application form as people fill it in: its fields and choices, for the window's page and the portal's alike."""

from collections.abc import Mapping
from typing import Final

from huodang.web.language import mark, translate

# Identity number and name come from who is signed in (portal) or are typed first (window); who files it follows from
# the role.
FORM_FIELDS: Final = (
    "category",
    "route",
    "wished_month",
    "notice_given_on",
    "special_trade_months",
    "employer",
    "phone",
    "bank_name",
    "bank_account",
    "one_child",
    "declaration",
    "province",
)

_CATEGORIES: Final = (
    ("", mark("请选择")),
    ("male", mark("男职工（原 60 岁）")),
    ("female55", mark("女职工，管理技术岗位（原 55 岁）")),
    ("female50", mark("女职工，生产操作岗位（原 50 岁）")),
)
_ROUTES: Final = (
    ("normal", mark("按法定年龄退休")),
    ("flexible_early", mark("弹性提前退休")),
    ("flexible_late", mark("弹性延迟退休")),
    ("special_early", mark("特殊工种提前退休")),
)


def form_choices(language: str) -> dict[str, list[tuple[str, str]]]:
    """The choices of the form's lists, in one language."""
    return {
        "category": [(code, translate(text, language)) for code, text in _CATEGORIES],
        "route": [(code, translate(text, language)) for code, text in _ROUTES],
    }


def typed_values(fields: Mapping[str, str]) -> dict[str, str]:
    """Of what a browser sent, the form's own fields that hold something; the room that owns the form judges them."""
    return {name: fields[name].strip() for name in FORM_FIELDS if fields.get(name, "").strip()}
