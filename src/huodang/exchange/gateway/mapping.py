"""From the shapes of a gateway's file to checks that can be answered; every name is held against the standard here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final, Protocol

from huodang.exchange.gateway.answers import Answer, AnswerRules, Finding, OutcomeRule
from huodang.exchange.gateway.conditions import ConditionCompiler, ValueKind
from huodang.exchange.gateway.config import (
    AnswerSpec,
    AsOfSpec,
    GatewayFile,
    OutcomeSpec,
    ResourceSpec,
    config_error,
)
from huodang.exchange.gateway.conversion import QUARANTINED, UNREACHABLE, Codes, ElementSource, Row, kind_of, plain
from huodang.exchange.gateway.formats import ISO_INSTANT, FormatFault, MomentFormat
from huodang.exchange.gateway.shapes import ElementSpec, Title
from huodang.exchange.gateway.sources import Found, Selection, Source
from huodang.exchange.values import OUTCOMES, Kind, Outcome
from huodang.standards import BadValue, DataElement, Place, code_table, crosswalk, element, load_crosswalk, region
from huodang.store import SHANGHAI


class Beside(Protocol):
    """A file that holds a mapping; crosswalk files are named relative to it."""

    def beside(self, relative: str) -> Path:
        """Give the path of a file that is named relative to this one."""
        ...


@dataclass(frozen=True)
class AsOf:
    """How fresh an answer is."""

    column: str = ""
    format: MomentFormat | None = None
    file_time: bool = False

    def of(self, row: Row | None, found: Found, now: datetime) -> datetime:
        """Give the instant at which what was read was true; the present one where no row says."""
        if self.file_time and found.file_time is not None:
            return found.file_time
        if not self.column or row is None:
            return now
        raw = row[self.column]
        if isinstance(raw, datetime):
            return raw if raw.tzinfo else raw.replace(tzinfo=SHANGHAI)
        try:
            return (self._instant(raw) if type(raw) is str else self._read(raw)) or now
        except FormatFault:
            return now

    @cached_property
    def _instant(self) -> Callable[[object], datetime | None]:
        """Many rows of a source were written at one time: each text is read once."""
        return lru_cache(maxsize=8192)(self._read)

    def _read(self, raw: object) -> datetime | None:
        text = plain(raw)
        return (self.format or ISO_INSTANT).instant(text) if text else None


@dataclass(frozen=True)
class CheckResource:
    """A check that a gateway offers, ready to be answered.

    Attributes:
        needs: elements that the rules look at; a grant that doesn't name them all is refused.
        offers: elements that may be handed over raw, if agreement and grant say so.
        parameters: parameters that a grant must carry.
        required_claims: claims that a grant must carry.
    """

    name: str
    title: Title | None
    selection: Selection
    rules: AnswerRules
    as_of: AsOf
    needs: frozenset[str]
    offers: frozenset[str]
    parameters: frozenset[str]
    required_claims: frozenset[str]

    def answer(
        self,
        found: Found | None,
        claims: Mapping[str, str],
        parameters: Mapping[str, str],
        fields: frozenset[str],
        now: datetime,
    ) -> tuple[Finding, datetime]:
        """Answer from what the source holds of a person: the finding, with the values of these fields, and its as-of.

        Args:
            found: the person's rows; None if the source can't be read at this moment.
            claims: what the asker says.
            parameters: what the question needs beyond the person.
            fields: elements to be handed over raw.
            now: the present instant.

        Raises:
            QuestionFault: a parameter can't be compared.
        """
        finding, as_of = self.examine(found, claims, parameters, self.needs | fields, now)
        kept = {name: value for name in sorted(fields) if (value := finding.values.get(name)) is not None}
        return Finding(finding.answer, kept, finding.row), as_of

    def examine(
        self,
        found: Found | None,
        claims: Mapping[str, str],
        parameters: Mapping[str, str],
        wanted: frozenset[str],
        now: datetime,
    ) -> tuple[Finding, datetime]:
        """Do as `answer`, with all values of `wanted`, which includes `needs`: the caller picks what is handed over."""
        if found is None:
            return Finding(Answer(Outcome.UNKNOWN, UNREACHABLE), {}), now
        finding = self.rules.decide(found.rows, claims, parameters, wanted)
        if found.quarantined and finding.answer.outcome not in (Outcome.HIT, Outcome.CONFLICT):
            finding = Finding(Answer(Outcome.UNKNOWN, QUARANTINED), {})
        return finding, self.as_of.of(finding.row, found, now)


def compile_check(spec: ResourceSpec, file: GatewayFile) -> CheckResource:
    """Understand one entry of `resources`.

    Raises:
        GatewayConfigError: something in it is unknown to the standard or contradicts itself; the place says what.
    """
    place = Place(file=str(file.path), element=spec.resource)
    of_files = file.spec.source.files is not None
    if (spec.file if of_files else spec.table) is None or (spec.table if of_files else spec.file) is not None:
        raise config_error(
            "数据库来源应写 table，文件来源应写 file", "a database takes `table`, files take `file`", place
        )
    if spec.take not in (None, "latest", "all") or (spec.take and not of_files):
        raise config_error("take 只能是 latest 或 all", "`take` is latest or all, for files", place)
    sources = compile_elements(spec.elements, file, place)
    kinds = {source.element.identifier: kind_of(source.element) for source in sources}
    for name in spec.required:
        if name not in kinds:
            raise config_error("required 中的数据元没有映射", "an element of `required` isn't mapped", _at(place, name))
    for name in spec.required_claims:
        standard_element(name, place)
    compiler = ConditionCompiler(kinds, place, _known_kind)
    outcomes = tuple(OutcomeRule(_answer(one, place), compiler.compile(one.when)) for one in spec.outcomes)
    as_of = _as_of(spec.as_of, place, of_files=of_files)
    columns = [source.column for source in sources if source.column]
    return CheckResource(
        name=spec.resource,
        title=spec.title,
        selection=Selection(
            table=spec.file or spec.table or "",
            subject=spec.subject,
            columns=tuple(dict.fromkeys([spec.subject, *columns, *([as_of.column] if as_of.column else [])])),
            only=_values_of(spec.only),
            order=spec.order.column if spec.order else "",
            descending=spec.order.descending if spec.order else False,
            take_all=spec.take == "all",
            elements=sources,
        ),
        rules=AnswerRules(
            elements=sources,
            outcomes=outcomes,
            otherwise=_answer(spec.otherwise, place),
            no_row=_answer(spec.no_row, place),
            several_rows=_answer(spec.several_rows, place) if spec.several_rows else None,
            required=frozenset(spec.required),
        ),
        as_of=as_of,
        needs=frozenset(spec.required).union(*(rule.condition.elements for rule in outcomes)),
        offers=frozenset(kinds),
        parameters=frozenset[str]().union(*(rule.condition.parameters for rule in outcomes)),
        required_claims=frozenset(spec.required_claims),
    )


def check_columns(table: str, columns: Mapping[str, str | None], source: Source, place: Place) -> None:
    """Hold columns against the source.

    Args:
        table: table, view or file pattern.
        columns: column to the element it is for, or None.
        source: where to look.
        place: file and resource, for the error.

    Raises:
        GatewayConfigError: the table or a column isn't there.
    """
    there = source.columns(table)
    if not there:
        raise config_error(f"来源中没有 {table}", f"the source has no {table}", place)
    for column, for_element in columns.items():
        if column not in there:
            raise config_error(
                f"{table} 中没有列 {column}；现有列：{'、'.join(there)}",
                f"{table} has no column {column}; it has: {', '.join(there)}",
                Place(column=column, element=for_element).within(place),
            )


def columns_of(resource: CheckResource) -> dict[str, str | None]:
    """List the columns that a check touches, with the element each is for."""
    selection = resource.selection
    columns: dict[str, str | None] = {selection.subject: "identity_number"}
    columns |= {source.column: source.element.identifier for source in resource.rules.elements if source.column}
    for column in (*selection.only, selection.order, resource.as_of.column):
        if column:
            columns.setdefault(column, None)
    return columns


_LONGEST_SHOWN_CODE: Final = 6


def unmapped_codes(resource: CheckResource, source: Source) -> list[str]:
    """Tell which local codes have no standard code: warnings, as the other rows can be answered."""
    warnings: list[str] = []
    for one in resource.rules.elements:
        if one.codes is None or not one.column:
            continue
        unknown = [
            code
            for code in source.distinct(resource.selection.table, one.column)
            if code not in one.absent_values and one.codes(code) is None
        ]
        if unknown:
            # Only what is short enough to be a code: a wrong column might hold names.
            shown = "、".join(code if len(code) <= _LONGEST_SHOWN_CODE else "…" for code in unknown[:10])
            warnings.append(
                f"{resource.name}：列 {one.column}（{one.element.identifier}）有 {len(unknown)} 个代码没有对照 / "
                f"{len(unknown)} codes without crosswalk: {shown}"
            )
    return warnings


def compile_elements(specs: Mapping[str, str | ElementSpec], file: Beside, place: Place) -> tuple[ElementSource, ...]:
    """Understand a mapping of elements to columns.

    Raises:
        GatewayConfigError: an element, crosswalk, format or unit isn't known or doesn't fit.
    """
    return tuple(
        _element_source(name, spec if isinstance(spec, ElementSpec) else ElementSpec(column=spec), file, place)
        for name, spec in specs.items()
    )


def standard_element(name: str, place: Place) -> DataElement:
    """Give an element of the standard.

    Raises:
        GatewayConfigError: there is none of that name.
    """
    try:
        return element(name)
    except BadValue as problem:
        raise config_error(
            f"标准中没有数据元 {name}", f"the standard has no element {name}", _at(place, name)
        ) from problem


def _element_source(name: str, spec: ElementSpec, file: Beside, place: Place) -> ElementSource:
    standard, place = standard_element(name, place), _at(place, name)
    if (spec.column is None) is (spec.constant is None):
        raise config_error("应写 column 或 constant 之一", "give either `column` or `constant`", place)
    if spec.format is not None and standard.type not in ("date", "month"):
        raise config_error("format 只用于日期和年月", "`format` is for dates and months", place)
    if spec.unit is not None and (standard.type != "money" or spec.unit not in ("yuan", "fen")):
        raise config_error("unit 只用于金额：yuan 或 fen", "`unit` is for money: yuan or fen", place)
    return ElementSource(
        element=standard,
        column=spec.column or "",
        constant=spec.constant,
        codes=_codes(standard, spec.crosswalk, file, place),
        format=moment_format(spec.format, place) if spec.format else None,
        yuan=spec.unit == "yuan",
        absent_values=frozenset(spec.absent_values),
    )


def _codes(standard: DataElement, spec: object, file: Beside, place: Place) -> Codes | None:
    if not standard.code_table:
        if spec is not None:
            raise config_error(
                "该数据元不是代码，不用 crosswalk", "the element is no code: it takes no crosswalk", place
            )
        return None
    permitted = _permitted(standard.code_table)
    if spec is None:
        return lambda local: local if permitted(local) else None
    if isinstance(spec, str):
        try:
            named = crosswalk(spec)
        except BadValue as problem:
            raise config_error(f"没有对照表 {spec}", f"there is no crosswalk {spec}", place) from problem

        def by_name(local: str) -> str | None:
            try:
                return named.to_standard(local)
            except BadValue:
                return None

        return by_name
    pairs = _pairs(spec, file, place)
    for code in pairs.values():
        if not permitted(code):
            raise config_error(
                f"对照表中的 {code} 不是标准代码", f"{code} in the crosswalk is no code of the standard", place
            )
    return pairs.get


def _permitted(table: str) -> Codes:
    if table == "region":

        def is_region(code: str) -> str | None:
            try:
                return region(code).code
            except BadValue:
                return None

        return is_region
    codes = code_table(table).codes
    return lambda code: code if code in codes else None


def _pairs(spec: object, file: Beside, place: Place) -> dict[str, str]:
    if isinstance(spec, dict) and set(spec) == {"file"} and isinstance(spec["file"], str):
        path = file.beside(spec["file"])
        try:
            return dict(load_crosswalk(path).standard_by_local)
        except OSError as problem:
            raise config_error(
                "对照文件无法读取", "the crosswalk file can't be read", Place(file=str(path)).within(place)
            ) from problem
    if isinstance(spec, dict) and spec and all(isinstance(one, str) for pair in spec.items() for one in pair):
        return dict(spec)
    raise config_error(
        "crosswalk 应为名称、{file: …} 或带引号的代码对",
        "`crosswalk` is a name, {file: …} or pairs of quoted codes",
        place,
    )


def moment_format(pattern: str, place: Place) -> MomentFormat:
    """Understand a pattern of dates.

    Raises:
        GatewayConfigError: it isn't one.
    """
    try:
        return MomentFormat.compile(pattern)
    except FormatFault:
        raise config_error(f"无法理解日期格式 {pattern}", f"{pattern} is no format of a date", place) from None


def _as_of(spec: AsOfSpec | None, place: Place, *, of_files: bool) -> AsOf:
    if spec is None:
        return AsOf(file_time=of_files)
    if sum((spec.column is not None, spec.file_time, spec.now)) != 1 or (spec.file_time and not of_files):
        raise config_error(
            "as_of 应为 column、file_time（仅文件）、now 之一", "`as_of` is column, file_time (files) or now", place
        )
    return AsOf(spec.column or "", moment_format(spec.format, place) if spec.format else None, spec.file_time)


def _answer(spec: AnswerSpec | OutcomeSpec, place: Place) -> Answer:
    if spec.outcome not in OUTCOMES[Kind.CHECK]:
        raise config_error(
            f"结论 {spec.outcome} 不可用，应为 clear、hit、conflict 或 unknown",
            f"outcome {spec.outcome} isn't clear, hit, conflict or unknown",
            place,
        )
    return Answer(Outcome(spec.outcome), spec.reason)


def _values_of(only: Mapping[str, str | tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    return {column: (value,) if isinstance(value, str) else value for column, value in only.items()}


def _known_kind(name: str) -> ValueKind | None:
    try:
        return kind_of(element(name))
    except BadValue:
        return None


def _at(place: Place, name: str) -> Place:
    return Place(element=f"{place.element}.{name}" if place.element else name).within(place)
