"""What the guards in the table of clues mean: each gives the reason why an event can't be, or None."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Final

import sqlalchemy as sa

from huodang.supervision.clues import records
from huodang.supervision.clues.clue_record import Change, Desk, Guard
from huodang.supervision.clues.errors import ClueGuardError
from huodang.supervision.clues.signals import signals_of
from huodang.supervision.clues.states import ClueState
from huodang.supervision.clues.values import Outcome, Stance

ANSWERS: Final = frozenset({"yes", "no", "unknown"})
NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "investigator_named": ("investigator",),
    "department_named": ("department",),
    "answer_given": ("answer",),
    "letter_named": ("department", "letter"),
    "note_given": ("note",),
    "law_given": ("law",),
    "fact_dated": ("fact_from",),
    "meeting_recorded": ("meeting", "note"),
    "joinable_named": ("into",),
}
"""What an event needs, by the guard that asks for it."""

_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_LAW = re.compile(r".{2,500}", re.DOTALL)
_LETTER = re.compile(r".{2,200}")
_USER = re.compile(r"\S{1,128}")
_DATED: Final = frozenset({"death", "custody"})


class ClueGuards:
    """The conditions of the table by name."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def all(self) -> Mapping[str, Guard]:
        """Give the conditions by name."""
        return {
            "investigator_named": _text(
                "investigator_named", "investigator", _USER, "请写明稽核员账号", "name the investigator's user id"
            ),
            "department_named": _text(
                "department_named", "department", _CODE, "请写明函询的部门代码", "name the department's code"
            ),
            "note_given": _note,
            "law_given": _text("law_given", "law", _LAW, "请写明依据的法规条款", "name the law"),
            "letter_named": _text("letter_named", "letter", _LETTER, "请写明复函文号", "name the department's letter"),
            "meeting_recorded": _meeting,
            "answer_given": _answer,
            "is_assigned": _is_assigned,
            "is_free": _is_free,
            "has_lock": _has_lock,
            "may_record": _may_record,
            "was_asked": self._was_asked,
            "not_the_proposer": _not_the_proposer,
            "a_register_says_so": self._a_register_says_so,
            "fact_dated": _fact_dated,
            "seen_in_person": _seen_in_person,
            "was_confirmed": _was_confirmed,
            "nothing_stands": self._nothing_stands,
            "no_conflict": self._no_conflict,
            "all_say_no": self._all_say("no", "还没有一致答复“不属实”", "not every department says no"),
            "all_say_yes": self._all_say("yes", "还没有一致答复“属实”", "not every department says yes"),
            "joinable_named": _joinable_named,
        }

    def _was_asked(self, change: Change) -> ClueGuardError | None:
        table, department = records.opinion, answering(change)
        found = change.connection.execute(
            sa.select(table.c.number).where(
                table.c.clue_id == change.clue.clue_id,
                table.c.department == department,
                table.c.answered_at.is_(None),
            )
        ).first()
        if found is not None:
            return None
        return ClueGuardError(
            "was_asked", "没有向该部门函询过，或已答复", "that department wasn't asked, or has answered already"
        )

    def _a_register_says_so(self, change: Change) -> ClueGuardError | None:
        signals = signals_of(change.connection, self._desk.sealer, change.clue.clue_id)
        if any(one.stance is Stance.FOR and not one.fuzzy for one in signals):
            return None
        return ClueGuardError(
            "a_register_says_so",
            "只有疑似关联，没有按身份号码对上的记录，不能认定属实",
            "there is a likeness only, no record by number: it can't be confirmed",
            advice=("请先函询登记部门，由其书面确认。", "Ask the register first and have it confirm."),
        )

    def _nothing_stands(self, change: Change) -> ClueGuardError | None:
        signals = signals_of(change.connection, self._desk.sealer, change.clue.clue_id)
        if all(one.stance is Stance.AGAINST for one in signals):
            return None
        return ClueGuardError("nothing_stands", "仍有来源支持该疑点", "a register still says so")

    def _no_conflict(self, change: Change) -> ClueGuardError | None:
        signals = signals_of(change.connection, self._desk.sealer, change.clue.clue_id)
        if all(one.stance is Stance.FOR or one.fuzzy for one in signals):
            return None
        return ClueGuardError("no_conflict", "证据仍然冲突", "the evidence still conflicts")

    @staticmethod
    def _all_say(answer: str, chinese: str, english: str) -> Guard:
        def guard(change: Change) -> ClueGuardError | None:
            table = records.opinion
            rows = change.connection.execute(
                sa.select(table.c.department, table.c.answer, table.c.number)
                .where(table.c.clue_id == change.clue.clue_id)
                .order_by(table.c.number)
            ).all()
            latest = {row.department: row.answer for row in rows}
            if latest and set(latest.values()) == {answer}:
                return None
            return ClueGuardError(f"all_say_{answer}", chinese, english)

        return guard


def answering(change: Change) -> str:
    """Say for which department an answer is given: a corrector's own, else the one that the letter came from."""
    return change.actor.department if change.actor.role == "corrector" else change.text("department")


def _text(guard_name: str, name: str, pattern: re.Pattern[str], chinese: str, english: str) -> Guard:
    def guard(change: Change) -> ClueGuardError | None:
        if pattern.fullmatch(change.text(name)):
            return None
        return ClueGuardError(guard_name, f"{chinese}（{name}）", f"{english} (`{name}`)")

    return guard


def _note(change: Change) -> ClueGuardError | None:
    if len(change.note) >= 2 and "\0" not in change.note:
        return None
    return ClueGuardError("note_given", "请写明理由（note）", "give the reason (`note`)")


def _meeting(change: Change) -> ClueGuardError | None:
    if change.text("meeting") and len(change.note) >= 2:
        return None
    return ClueGuardError(
        "meeting_recorded",
        "请写明联席会议纪要编号（meeting）和理由（note）",
        "name the joint meeting's record (`meeting`) and the reason (`note`)",
    )


def _answer(change: Change) -> ClueGuardError | None:
    if change.text("answer") in ANSWERS:
        return None
    return ClueGuardError(
        "answer_given",
        "答复须为 yes（属实）、no（不属实）或 unknown（查不清）",
        "an answer is `yes`, `no` or `unknown`",
    )


def _is_assigned(change: Change) -> ClueGuardError | None:
    if change.clue.assigned_to == change.actor.user_id:
        return None
    return ClueGuardError("is_assigned", "疑点已分派给另一名稽核员", "the clue is assigned to another investigator")


def _is_free(change: Change) -> ClueGuardError | None:
    if change.clue.locked_by in {"", change.actor.user_id}:
        return None
    return ClueGuardError("is_free", "疑点正由另一名稽核员办理", "another investigator has the clue")


def _has_lock(change: Change) -> ClueGuardError | None:
    if change.clue.locked_by == change.actor.user_id:
        return None
    return ClueGuardError(
        "has_lock", "疑点没有由您领办", "you haven't taken this clue", advice=("请先“领办”。", "Take it first.")
    )


def _may_record(change: Change) -> ClueGuardError | None:
    return None if change.clue.state == ClueState.ARBITRATION else _has_lock(change)


def _not_the_proposer(change: Change) -> ClueGuardError | None:
    if change.clue.proposed_by and change.clue.proposed_by != change.actor.user_id:
        return None
    return ClueGuardError(
        "not_the_proposer",
        "拟认定人与复核人不能是同一人",
        "who proposed it can't approve it",
        advice=("请由另一名复核员复核。", "Have another reviewer approve it."),
    )


def _fact_dated(change: Change) -> ClueGuardError | None:
    """A death or custody is confirmed with its day: what is due and what isn't follows from it."""
    if change.clue.matter not in _DATED and not change.text("fact_from"):
        return None
    try:
        day = date.fromisoformat(change.text("fact_from"))
    except ValueError:
        day = date.max
    if day <= change.today:
        return None
    return ClueGuardError(
        "fact_dated",
        "请写明事实发生之日（fact_from，如 2025-03-03），不得晚于今天",
        "give the day on which it began (`fact_from`, as 2025-03-03), not later than today",
    )


def _seen_in_person(change: Change) -> ClueGuardError | None:
    if change.text("seen_in_person") == "yes":
        return None
    return ClueGuardError("seen_in_person", "本人没有到场核验", "the person wasn't seen in person")


def _was_confirmed(change: Change) -> ClueGuardError | None:
    if change.clue.outcome == Outcome.CONFIRMED:
        return None
    return ClueGuardError("was_confirmed", "该疑点没有认定属实", "this clue wasn't confirmed")


def _joinable_named(change: Change) -> ClueGuardError | None:
    table = records.clue
    row = change.connection.execute(sa.select(table).where(table.c.clue_id == change.text("into"))).one_or_none()
    if (
        row is not None
        and row.clue_id != change.clue.clue_id
        and row.person_index == change.clue.person_index
        and row.live_key is not None
    ):
        return None
    return ClueGuardError(
        "joinable_named", "请写明同一人的另一条在办疑点（into）", "name another open clue of the same person (`into`)"
    )
