"""What the case page shows: the view that the office hands out, put into words and shapes. No rule, no look-up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from markupsafe import Markup

from huodang.exchange import Look
from huodang.retirement import (
    CaseView,
    CheckView,
    EventChoice,
    ItemView,
    Label,
    MaterialsList,
    QueueRow,
    ReasonView,
    diagram_svg,
)
from huodang.standards import Money, Month, element
from huodang.store import shanghai_text
from huodang.web.application_form import form_choices
from huodang.web.labels import (
    CHECK_SHAPES,
    ITEM_SHAPES,
    LIGHT_SHAPES,
    OUTCOMES,
    PARAMETER_STATUSES,
    STATE_KINDS,
    Chip,
    chip_of,
    department_name,
    element_names,
    few_element_names,
    purpose_name,
    role_name,
    shaped,
    shown_value,
)
from huodang.web.language import mark, translate
from huodang.web.reason_words import reason_words

_STATE_SHAPES: Final = {"bad": "!", "warn": "▲", "good": "✓", "blue": "▶", "": "○"}
_WITHDRAWS: Final = frozenset({"withdraw", "return_application", "death_reported", "appeal_dismissed"})
_FINDINGS: Final = (
    ("alive:alive", mark("生存状态：认定在世")),
    ("alive:dead", mark("生存状态：认定死亡")),
    ("birth_date:", mark("出生日期：认定为下面填写的日期")),
    ("objection:dismissed", mark("公示异议：不成立")),
    ("objection:upheld", mark("公示异议：成立")),
)


@dataclass(frozen=True)
class Words:
    """Says things in one language."""

    language: str

    def say(self, chinese: str, **values: object) -> str:
        """A sentence of the catalogue."""
        return translate(chinese, self.language, **values)

    def of(self, label: Label) -> str:
        """A label that a room hands out in both languages."""
        return label.english if self.language == "en" else label.chinese

    def chip(self, chip: Chip) -> Chip:
        """A chip with its word in this language."""
        return Chip(chip.shape, self.say(chip.word), chip.kind)


@dataclass(frozen=True)
class Action:
    """One button of the case page, with the fields that its event needs."""

    event: str
    label: str
    kind: str = ""
    note_required: bool = False
    evidence: bool = False
    papers: bool = False
    papers_given: str = ""
    finding_date: bool = False
    target_label: str = ""
    targets: tuple[tuple[str, str], ...] = field(default=())


def state_chip(words: Words, code: str, label: Label) -> Chip:
    """A case's state as word and shape."""
    kind = STATE_KINDS.get(code, "")
    return Chip(_STATE_SHAPES[kind], words.of(label), kind)


def queue_rows(rows: Iterable[QueueRow], language: str) -> list[dict[str, Any]]:
    """The rows of the queue."""
    words = Words(language)
    return [
        {
            "case_id": row.case_id,
            "name": row.name,
            "state": state_chip(words, row.state.value, row.state_label),
            "light": shaped(LIGHT_SHAPES, row.light, words.of(row.light_label)),
            "due": row.step_due.isoformat() if row.step_due else "",
            "submitted": row.submitted_at,
            "month": row.retirement_month.iso if row.retirement_month else "—",
            "reasons": "；".join(words.of(reason.sentence) for reason in row.reasons),
        }
        for row in rows
    ]


def case_page(view: CaseView, entries: Mapping[str, str], looks: Iterable[Look], language: str) -> dict[str, Any]:
    """Everything that the case page shows.

    Args:
        view: the case as this user may see it.
        entries: the ledger entry of the verdict, by grant and (the last one) by resource.
        looks: who looked into this case.
        language: `zh` or `en`.
    """
    words = Words(language)
    clock = view.clock
    return {
        "case_id": view.case_id,
        "name": view.person.get("name", ""),
        "identity_number": view.person.get("identity_number", ""),
        "state": state_chip(words, view.state.value, view.state_label),
        "light": None if clock.due is None else shaped(LIGHT_SHAPES, clock.light, words.of(clock.light_label)),
        "provisional": view.provisional,
        "step_due": clock.step_due.isoformat() if clock.step_due else "",
        "due": clock.due.isoformat() if clock.due else "",
        "facts": _facts(view, words),
        "reasons": [
            *(_reason(one, words, is_note=False) for one in view.reasons),
            *(_reason(one, words, is_note=True) for one in view.notes),
        ],
        "actions": [action for choice in view.events if (action := _action(choice, view, words)) is not None],
        "may_hand_in_again": any("form" in choice.needs for choice in view.events),
        "checks": [_check(check, entries, words) for check in view.checks],
        **_evidence(view, words),
        "pension": _pension(view, words),
        "joint_items": [_item(item, entries, words) for item in view.items],
        "days": [(words.of(party.label), party.days) for party in clock.parties],
        "counted_days": clock.counted,
        "promised_days": clock.promised,
        "days_before": clock.was,
        "notices": view.notices,
        "messages": [(message.at, words.of(message.text)) for message in view.messages],
        "papers": None if view.materials is None else papers(view.materials),
        "history": [
            {
                "at": row.at,
                "event": words.of(row.label),
                "who": _who(row.actor_role, row.actor_id, language),
                "state": words.of(row.to_state),
                "note": row.note,
                "entry_id": row.ledger_entry,
            }
            for row in view.history
        ],
        # Drawn by the retirement room from its own transition table; holds no value that anybody typed.
        "diagram": Markup(diagram_svg(view.state.value, "en" if language == "en" else "zh")),  # noqa: S704  # see above
        "looks": [look_row(look, language) for look in looks],
    }


def look_row(look: Look, language: str) -> dict[str, Any]:
    """One line of the list of looks."""
    return {
        "at": look.at,
        # A citizen is not named here: the role says it all, and an auditor sees no whole name.
        "who": "" if look.role == "citizen" else look.user_name,
        "department": department_name(look.department, language),
        "role": role_name(look.role, language),
        "purpose": purpose_name(look.purpose, language),
        "what": look.what,
        "elements": element_names(look.elements, language),
        "few": few_element_names(look.elements, language),
        "policy": look.policy,
        "case_id": look.case_id,
        "entry_id": look.entry_id,
    }


def papers(materials: MaterialsList) -> dict[str, Any]:
    """The papers that must be brought and those that needn't, in both languages, as texts."""
    return {
        "before": materials.papers_before,
        "after": materials.papers_after,
        "to_bring": [_paper(paper.chinese, paper.english, paper.item) for paper in materials.must_bring],
        "awaiting": [_paper(paper.chinese, paper.english, paper.item) for paper in materials.awaiting],
        "not_brought": [
            {
                **_paper(one.paper.chinese, one.paper.english, one.paper.item),
                "source_zh": one.source_chinese,
                "source_en": one.source_english,
                "as_of": shanghai_text(one.as_of)[:16] if one.as_of else "",
            }
            for one in materials.not_brought
        ],
    }


def _who(role: str, user_id: str, language: str) -> str:
    """Role and account; of citizens and the system the role says it all."""
    name = role_name(role, language)
    return name if role in {"citizen", "system"} else f"{name} {user_id}"


def _paper(chinese: str, english: str, item: tuple[str, str]) -> dict[str, str]:
    return {"zh": chinese, "en": english, "item_zh": item[0], "item_en": item[1]}


def _facts(view: CaseView, words: Words) -> list[tuple[str, str]]:
    choices = {name: dict(options) for name, options in form_choices(words.language).items()}
    facts = [
        (words.say("职工类别"), choices["category"].get(view.category, view.category)),
        (words.say("退休方式"), choices["route"].get(view.route, view.route)),
        (words.say("退休年月"), view.retirement_month.iso if view.retirement_month else ""),
        (words.say("最后工作单位"), view.person.get("employer", "")),
        (words.say("联系电话"), view.person.get("phone", "")),
        (
            words.say("由谁申请"),
            role_name("citizen" if view.applicant_kind == "person" else view.applicant_kind, words.language),
        ),
        (words.say("提交于"), shanghai_text(view.submitted_at)[:16] if view.submitted_at else ""),
        (words.say("档号"), view.volume_id or ""),
    ]
    return [(label, value) for label, value in facts if value]


def _reason(reason: ReasonView, words: Words, *, is_note: bool) -> dict[str, Any]:
    return {
        "sentence": words.of(reason.sentence),
        "advice": words.of(reason.advice),
        "law": reason.law,
        "is_note": is_note,
    }


def _check(check: CheckView, entries: Mapping[str, str], words: Words) -> dict[str, Any]:
    answered = check.status == "answered"
    chip = (
        words.chip(chip_of(OUTCOMES, check.outcome))
        if answered
        else shaped(CHECK_SHAPES, check.status, words.of(check.status_label))
    )
    accepted = ""
    if check.accepted_evidence:
        accepted = words.say("凭“{paper}”认定", paper=check.accepted_evidence)
    return {
        "name": words.of(check.label),
        "department": words.of(check.department),
        "chip": chip,
        "reason": reason_words(check.reason, words.language),
        "as_of": shanghai_text(check.as_of)[:16] if check.as_of else "—",
        "accepted": accepted,
        "disputed": _disputed(check, words),
        "entry_id": entries.get(check.grant_id or "", ""),
    }


def _disputed(check: CheckView, words: Words) -> Chip | None:
    """Say which values of a check are in doubt: whoever reviews mustn't rely on them before the department answers."""
    if not check.disputed:
        return None
    named = [element(one) for one in check.disputed]
    elements = "、".join(one.chinese if words.language == "zh" else one.english for one in named)
    return shaped(CHECK_SHAPES, "disputed", words.say("数据有异议：{elements}", elements=elements))


def _item(item: ItemView, entries: Mapping[str, str], words: Words) -> dict[str, Any]:
    settled = words.say("凭“{paper}”认定", paper=item.evidence) if item.evidence else ""
    return {
        "name": words.of(item.label),
        "department": words.of(item.department),
        "chip": shaped(ITEM_SHAPES, item.status, words.of(item.status_label)),
        "reason": settled or reason_words(item.reason, words.language),
        "entry_id": entries.get(item.resource, ""),
    }


def _evidence(view: CaseView, words: Words) -> dict[str, Any]:
    """The values that departments handed over beside those of the form, where at least two sources speak."""
    sources: dict[str, Mapping[str, str]] = {words.say("申请表"): view.person}
    for check in view.checks:
        if check.fields:
            sources[f"{words.of(check.department)} · {words.of(check.label)}"] = check.fields
    names = list(dict.fromkeys(name for values in list(sources.values())[1:] for name in values))
    rows = []
    for name in names:
        cells = [values.get(name, "") for values in sources.values()]
        said = {cell for cell in cells if cell}
        rows.append(
            {
                "name": element_names([name], words.language),
                "cells": [shown_value(name, cell, words.language) for cell in cells],
                "differs": len(said) > 1,
            }
        )
    return {"evidence": rows, "evidence_sources": list(sources) if rows else []}


def _pension(view: CaseView, words: Words) -> dict[str, Any] | None:
    decision = view.decision
    if decision is None:
        return None
    month = Month.parse(decision["pay_from"]).iso
    amounts = [
        (words.say("每月合计（元）"), decision["total"]),
        (words.say("基础养老金"), decision["basic"]),
        (words.say("个人账户养老金"), decision["account"]),
        (words.say("过渡性养老金"), decision["transitional"]),
    ]
    facts = [
        (words.say("阶段"), words.say("已核定") if view.decision_stage == "final" else words.say("拟核定")),
        (words.say("从何月起"), month),
        (
            words.say("退休时年龄"),
            words.say(
                "{years} 岁 {months} 个月", years=decision["age_months"] // 12, months=decision["age_months"] % 12
            ),
        ),
        (
            words.say("缴费年限"),
            words.say(
                "{years} 年（其中视同缴费 {deemed} 个月）", years=decision["years"], deemed=decision["deemed_months"]
            ),
        ),
        (
            words.say("计发基数"),
            words.say(
                "{amount} 元（{year} 年）", amount=Money(decision["base"]).text, year=decision["base_year"] or "—"
            ),
        ),
    ]
    return {
        "amounts": amounts,
        "facts": facts,
        "trace": [_trace_line(line, words) for line in decision["trace"]],
    }


def _trace_line(line: Mapping[str, str], words: Words) -> dict[str, Any]:
    return {
        "label": line["label_english"] if words.language == "en" else line["label_chinese"],
        "formula": line["formula"],
        "value": line["value"],
        "law": line["law"],
        "source": line["source"],
        "chip": words.chip(chip_of(PARAMETER_STATUSES, line["status"])) if line["status"] else None,
    }


def _action(choice: EventChoice, view: CaseView, words: Words) -> Action | None:
    """The button of an event; none when there is nothing that it could be done to."""
    event = choice.event.value
    needs = set(choice.needs)
    if "form" in needs:
        return None
    targets: list[tuple[str, str]] = []
    target_label = ""
    if "check" in needs:
        target_label = words.say("认定哪一项核验")
        labels = {check.resource: words.of(check.label) for check in view.checks}
        subjects = [reason.subject for reason in view.reasons if choice.event in reason.ways and reason.subject]
        targets = [(f"check:{subject}", labels.get(subject, subject)) for subject in dict.fromkeys(subjects)]
    elif "item" in needs:
        target_label = words.say("了结哪一项")
        targets = [(f"item:{one.resource}", words.of(one.label)) for one in view.items if one.status == "needs_person"]
    elif "finding" in needs:
        target_label = words.say("裁定")
        targets = [(code, words.say(text)) for code, text in _FINDINGS]
        targets += [
            (f"{one.resource}:accepted", words.say("{check}：予以认定", check=words.of(one.label)))
            for one in view.checks
        ]
        targets += [
            (f"{one.resource}:refused", words.say("{check}：不予认定", check=words.of(one.label)))
            for one in view.checks
        ]
    if needs & {"check", "item"} and not targets:
        return None
    return Action(
        event=event,
        label=words.of(choice.label),
        kind="danger" if event in _WITHDRAWS else "",
        note_required="note" in needs,
        evidence="evidence" in needs,
        papers="papers" in needs,
        papers_given="\n".join(view.papers_asked) if event == "supplement_received" else "",
        finding_date="finding" in needs,
        target_label=target_label,
        targets=tuple(targets),
    )
