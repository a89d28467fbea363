"""How well a column fits an element: its name, its type and its values together, with the evidence for each. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from huodang.exchange.connect.codes import CodeFit, fit_codes
from huodang.exchange.connect.facts import ColumnFacts, ColumnKind
from huodang.exchange.connect.naming import Hint, name_hints
from huodang.exchange.connect.profile import NATIVE, SERIAL, ColumnProfile
from huodang.exchange.connect.said import Said
from huodang.standards import DataElement, element

USED: Final = 0.7
"""From here on a column is proposed as the element; below it is a question."""
ASKED: Final = 0.4

_EMPTY_CAP: Final = 0.72
"""What a good name is worth without a value to hold it against: just enough when the name is exact."""
_BROKEN_CAP: Final = 0.6
"""What a good name is worth where the encoding of the values is broken: a question."""
_MOST: Final = 0.6
_NEARLY_ALL: Final = 0.9
_LITTLE: Final = 0.2
_IDENTITIES: Final = frozenset({"identity_number", "agent_identity_number"})
_NAMES: Final = frozenset({"name", "former_name", "archive_name", "contact_name", "agent_name", "bank_account_holder"})
_ADDRESSES: Final = frozenset({"household_address", "home_address"})
_PHONES: Final = frozenset({"phone", "contact_phone"})
_ORGANISATIONS: Final = frozenset({"employer", "fund_centre", "bank_name"})
_FREE: Final = frozenset({"remark", "special_trade"})
_MOST_MONTHS: Final = 1_200


@dataclass(frozen=True)
class Candidate:
    """A column taken for an element.

    Attributes:
        confidence: 0 to 1.
        evidence: why, in order of weight.
        fit: of codes: what maps to the standard and what doesn't.
    """

    column: str
    element: DataElement
    confidence: float
    evidence: tuple[Said, ...]
    fit: CodeFit | None = None


@dataclass(frozen=True)
class _Held:
    """What the values say of one element: from -1 (they contradict) to 1 (they prove it)."""

    score: float
    why: Said | None = None
    alone: float = 0.0
    fit: CodeFit | None = None


def candidates(column: ColumnFacts, profile: ColumnProfile, department: str) -> list[Candidate]:
    """List the elements that a column may be, the likeliest first."""
    if not column.sampled:
        return []
    hints = name_hints(column.name, column.comment)
    known_by_value = {"identity_number", "birth_date", "sex", "phone", "name", "household_region"}
    found = []
    for identifier in {*hints, *known_by_value}:
        described = element(identifier)
        hint = hints.get(identifier)
        held = _held(described, column, profile, department)
        confidence = _together(hint, held, profile)
        if confidence < ASKED:
            continue
        evidence = tuple(one for one in (hint.why if hint else None, held.why) if one is not None)
        found.append(Candidate(column.name, described, round(confidence, 2), evidence, held.fit))
    return sorted(found, key=lambda one: (-one.confidence, one.element.identifier))


def _together(hint: Hint | None, held: _Held, profile: ColumnProfile) -> float:
    if hint is None:
        return held.alone
    if not profile.filled:
        return min(hint.strength, _EMPTY_CAP) if held.score >= 0 else 0.0
    if profile.broken > profile.filled / 2:
        return min(hint.strength, _BROKEN_CAP)
    if held.score < 0:
        return hint.strength * (1 + held.score)
    return max(held.alone, hint.strength + (1 - hint.strength) * 0.85 * held.score)


def _held(described: DataElement, column: ColumnFacts, profile: ColumnProfile, department: str) -> _Held:
    if not profile.filled:
        return _Held(0.0 if _type_fits(described, column) else -1.0, Said("样本中没有值", "no value in the sample"))
    identifier = described.identifier
    for names, test in _BY_NAME:
        if identifier in names:
            return test(profile)
    if described.code_table:
        return _held_codes(described, profile, department)
    if described.type in _BY_TYPE:
        return _BY_TYPE[described.type](profile)
    return _held_text(identifier, profile)


def _type_fits(described: DataElement, column: ColumnFacts) -> bool:
    if column.kind in (ColumnKind.DATE, ColumnKind.INSTANT):
        return described.type in ("date", "month")
    if described.identifier in _NAMES | _ADDRESSES | _ORGANISATIONS:
        return column.kind is ColumnKind.TEXT
    if described.type == "money" and column.kind is ColumnKind.TEXT:
        return column.length is None or column.length >= 6
    if described.identifier in _IDENTITIES and column.length is not None:
        return column.length >= 15
    return True


def _held_identity(profile: ColumnProfile) -> _Held:
    share = profile.identity
    if share >= 0.5:
        why = Said(f"{share:.0%} 的值通过校验码", f"{share:.0%} of the values pass the check digit")
        return _Held(share, why, alone=0.9 if share >= _MOST else 0.7)
    if profile.scientific > profile.filled / 2:
        return _Held(
            -0.15,
            Said(
                "号码被变成科学计数法，末几位已丢失", "the numbers were turned to scientific notation: digits are lost"
            ),
        )
    if profile.identity_like >= 0.5:
        return _Held(
            -0.15,
            Said(
                f"形如身份号码，但只有 {share:.0%} 通过校验码（可能是脱敏或测试数据）",
                f"shaped like identity numbers, but only {share:.0%} pass the check digit (masked or test data?)",
            ),
        )
    return _Held(-1.0)


def _held_birth(profile: ColumnProfile) -> _Held:
    if profile.dates < _MOST:
        return _held_date(profile)
    if profile.compared and profile.births >= 0.5:
        why = Said(
            f"{profile.births:.0%} 与证件号码中的出生日期相同",
            f"{profile.births:.0%} equal the date in the identity number",
        )
        return _Held(profile.births, why, alone=0.85 if profile.births >= _NEARLY_ALL else 0.0)
    if profile.compared:
        return _Held(
            -0.7, Said("与证件号码中的出生日期大多不同", "mostly differs from the date in the identity number")
        )
    return _held_date(profile)


def _held_date(profile: ColumnProfile) -> _Held:
    if profile.dates >= _MOST:
        if profile.compared and profile.births >= 0.8:
            return _Held(-0.8)
        kinds = "、".join(one for one in profile.formats if one != NATIVE) or "日期型"
        return _Held(0.5, Said(f"值是日期（{kinds}）", f"the values are dates ({', '.join(profile.formats)})"))
    if profile.formats.get(SERIAL, 0) > profile.filled / 2:
        return _Held(
            0.05, Said("日期被电子表格变成了序列数，不能直接用", "a spreadsheet turned the dates into serial numbers")
        )
    readable = sum(count for one, count in profile.formats.items() if one != SERIAL)
    if profile.filled and all(one in profile.sentinels for one in profile.codes) and profile.codes:
        return _Held(0.0, Said("样本中只有表示“无”的值", "only values that mean none stand in the sample"))
    if readable >= profile.filled / 4:
        share = readable / profile.filled
        return _Held(0.1, Said(f"只有 {share:.0%} 能读成日期", f"only {share:.0%} can be read as dates"))
    return _Held(-1.0)


def _held_month(profile: ColumnProfile) -> _Held:
    if profile.months >= _MOST:
        return _Held(0.5, Said("值是年月", "the values are months"))
    if profile.dates >= _MOST:
        return _Held(0.25, Said("值是日期，可读作年月", "the values are dates: they can be read as months"))
    return _Held(-1.0)


def _held_money(profile: ColumnProfile) -> _Held:
    if profile.numbers < _NEARLY_ALL or profile.dates >= _MOST or profile.identity_like >= _MOST:
        return _Held(-1.0)
    return _Held(0.5 if profile.whole < 1 else 0.3, Said("值是金额", "the values are amounts"))


def _held_integer(profile: ColumnProfile) -> _Held:
    if profile.whole < _NEARLY_ALL or profile.largest > _MOST_MONTHS or profile.dates >= _MOST:
        return _Held(-0.8)
    return _Held(0.4, Said("值是不大的整数", "the values are small whole numbers"))


def _held_decimal(profile: ColumnProfile) -> _Held:
    if profile.numbers < _NEARLY_ALL or profile.dates >= _MOST:
        return _Held(-0.8)
    return _Held(0.4, Said("值是数字", "the values are numbers"))


def _held_name(profile: ColumnProfile) -> _Held:
    if profile.names >= _MOST:
        alone = 0.55 if profile.names >= _NEARLY_ALL else 0.0
        return _Held(0.8, Said(f"{profile.names:.0%} 的值像人名", f"{profile.names:.0%} look like names"), alone=alone)
    if profile.organisations >= 0.5 or profile.numbers >= 0.5 or profile.identity_like >= 0.5 or profile.dates >= 0.5:
        return _Held(-1.0)
    return _Held(-0.4 if profile.names < _LITTLE else 0.0)


def _held_phone(profile: ColumnProfile) -> _Held:
    if profile.phones >= _MOST:
        alone = _MOST if profile.phones >= _NEARLY_ALL else 0.0
        return _Held(
            0.8, Said(f"{profile.phones:.0%} 的值是手机号", f"{profile.phones:.0%} are mobile numbers"), alone=alone
        )
    return _Held(-0.7 if profile.identity_like >= 0.5 or profile.dates >= 0.5 or profile.names >= 0.5 else -0.2)


def _held_address(profile: ColumnProfile) -> _Held:
    if profile.addresses >= 0.5:
        return _Held(0.7, Said("值像地址", "the values look like addresses"))
    return _Held(-0.8 if profile.numbers >= 0.5 or profile.names >= 0.5 or profile.dates >= 0.5 else 0.0)


def _held_organisation(profile: ColumnProfile) -> _Held:
    if profile.organisations >= 0.3:
        return _Held(0.7, Said("值像单位名称", "the values look like names of organisations"))
    return _Held(-0.8 if profile.numbers >= 0.5 or profile.names >= _MOST or profile.dates >= 0.5 else -0.1)


def _held_card(profile: ColumnProfile) -> _Held:
    if profile.cards >= _MOST and profile.identity < _LITTLE and profile.dates < _LITTLE:
        return _Held(0.6, Said("值像银行账号", "the values look like bank accounts"))
    return _Held(-0.8)


def _held_free(profile: ColumnProfile) -> _Held:
    return _Held(-0.8 if profile.identity_like >= 0.5 or profile.dates >= _MOST else 0.1)


def _held_codes(described: DataElement, profile: ColumnProfile, department: str) -> _Held:
    if described.code_table == "region":
        if profile.region_codes < _MOST:
            return _Held(-1.0)
        alone = 0.5 if profile.regions >= _MOST else 0.0
        why = Said(f"{profile.region_codes:.0%} 是行政区划代码", f"{profile.region_codes:.0%} are codes of regions")
        return _Held(0.6, why, alone=alone)
    if not profile.codes:
        return _Held(-1.0, Said("不同的值太多，不像代码", "too many different values for a code"))
    sexes = profile.sexes if described.identifier == "sex" else {}
    fit = fit_codes(
        described.code_table, profile.codes, element=described.identifier, department=department, sexes=sexes
    )
    if sexes and sum(profile.codes[code] for code in sexes) >= 0.8 * profile.filled:
        why = Said("取值与证件号码中的性别一致", "the codes go with the sex in the identity number")
        return _Held(1.0, why, alone=0.8, fit=fit)
    if described.identifier == "sex" and profile.compared > 20 and len(profile.codes) > 1 and not sexes:
        return _Held(-0.6, Said("取值与证件号码中的性别无关", "the codes don't go with the sex in the identity number"))
    if fit.share >= 0.8:
        why = Said(
            f"{fit.share:.0%} 的代码在标准代码表中或可对照",
            f"{fit.share:.0%} of the codes are standard or can be mapped",
        )
        return _Held(0.6 if fit.named or len(profile.codes) > 1 else 0.4, why, fit=fit)
    why = Said(f"只有 {fit.share:.0%} 的代码能对照", f"only {fit.share:.0%} of the codes can be mapped")
    return _Held(-0.4 if fit.share < 0.5 else 0.0, why, fit=fit)


def _held_text(identifier: str, profile: ColumnProfile) -> _Held:
    contradicted = (
        profile.identity >= 0.5
        or profile.names >= _MOST
        or profile.organisations >= 0.5
        or profile.phones >= _MOST
        or (profile.dates >= _MOST and profile.longest != 6)
        or profile.addresses >= 0.5
    )
    if contradicted:
        return _Held(-0.9)
    if identifier in ("person_id", "certificate_number", "account_number", "archive_number"):
        # A number of one thing differs from row to row.
        return _Held(0.3 if profile.distinct >= 0.5 * profile.filled else -0.3)
    return _Held(0.2)


_BY_NAME: Final[tuple[tuple[frozenset[str], Callable[[ColumnProfile], _Held]], ...]] = (
    (_IDENTITIES, _held_identity),
    (frozenset({"birth_date", "archive_birth_date"}), _held_birth),
    (_NAMES, _held_name),
    (_PHONES, _held_phone),
    (_ADDRESSES, _held_address),
    (_ORGANISATIONS, _held_organisation),
    (frozenset({"bank_account"}), _held_card),
    (_FREE, _held_free),
)
_BY_TYPE: Final[dict[str, Callable[[ColumnProfile], _Held]]] = {
    "date": _held_date,
    "month": _held_month,
    "money": _held_money,
    "integer": _held_integer,
    "decimal": _held_decimal,
}
