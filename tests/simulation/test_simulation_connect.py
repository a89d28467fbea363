"""What `huodang connect` proposes for the six departments, held against the mappings written for them by hand.

The hand-written files are no input of the proposal: they are what a steward made of the same databases.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from huodang.exchange import build_gateway, read_gateway_file
from huodang.exchange.connect import (
    ConformanceResult,
    Inspection,
    InspectionSettings,
    State,
    check_conformance,
    conformance_report,
    inspect_database,
    inspect_files,
)
from huodang.simulation.data_files import data_text
from huodang.simulation.departments import DEPARTMENTS
from huodang.simulation.people import Population
from huodang.trust import Provisioner

FLOOR_PRECISION, FLOOR_RECALL = 0.92, 0.90
DATABASES = [code for code, one in DEPARTMENTS.items() if one.metadata is not None]


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory, province: Population) -> Path:
    """Keys of all, and each department's own database or files."""
    root = tmp_path_factory.mktemp("deployed")
    keys = Provisioner(root)
    keys.init()
    keys.issue("hub")
    for code, department in DEPARTMENTS.items():
        keys.issue(code)
        folder = root / "departments" / code
        (folder / "agreements").mkdir()
        if department.metadata is None:
            assert department.write_files is not None
            department.write_files(province, folder / "files")
        else:
            department.fill(province, f"sqlite:///{folder / f'{code}.db'}")
    return root


@pytest.fixture(scope="module")
def inspected(deployed: Path, province: Population) -> dict[str, Inspection]:
    found = {}
    for code in DEPARTMENTS:
        folder = deployed / "departments" / code
        settings = InspectionSettings(code, province.today)
        if code in DATABASES:
            found[code] = inspect_database(f"sqlite:///{folder / f'{code}.db'}", settings)
        else:
            found[code] = inspect_files(folder / "files", settings)
        path = folder / "gateway.yaml"
        path.write_text(found[code].gateway_text(path), encoding="utf-8")
    return found


def by_hand(code: str) -> Iterator[tuple[str, str, str]]:
    """Table, column and element of the hand-written file."""
    file = yaml.safe_load(data_text(f"gateways/{code}.yaml"))
    sections = [*file.get("resources", ()), *file.get("lists", ()), *file.get("events", {}).get("publish", ())]
    for one in sections:
        table = one.get("table") or one["file"]
        if "subject" in one:
            yield table, one["subject"], "identity_number"
        for element, spec in one["elements"].items():
            column = spec if isinstance(spec, str) else spec.get("column")
            if column:
                yield table, column, element


def test_proposals_meet_the_hand_written_mappings(inspected: dict[str, Inspection]) -> None:
    right = wrong = missed = 0
    told = []
    for code, found in inspected.items():
        proposed = {
            (one.mapping.facts.name, mapped.column): element
            for one in found.proposals
            for element, mapped in one.mapping.used.items()
        }
        truth: dict[tuple[str, str], set[str]] = {}
        for table, column, element in by_hand(code):
            truth.setdefault((table, column), set()).add(element)
        for where, elements in truth.items():
            got = proposed.get(where)
            right += got in elements
            wrong += got is not None and got not in elements
            missed += got not in elements
            if got not in elements:
                told.append((*where, sorted(elements), got))
    precision, recall = right / (right + wrong), right / (right + missed)
    print(f"precision {precision:.3f} recall {recall:.3f} of {right + missed} columns; not as by hand: {told}")  # noqa: T201
    assert precision >= FLOOR_PRECISION, told
    assert recall >= FLOOR_RECALL, told


@pytest.mark.parametrize("code", list(DEPARTMENTS))
def test_each_proposed_file_is_a_working_gateway(code: str, inspected: dict[str, Inspection], deployed: Path) -> None:
    file = read_gateway_file(deployed / "departments" / code / "gateway.yaml")
    assert file.spec.department == code
    assert build_gateway(file, environment={}) is not None
    names = {one.resource for one in inspected[code].entries}
    assert {one.resource for one in file.spec.resources} <= names


@pytest.mark.parametrize("code", ["police", "justice", "social_insurance"])
def test_a_proposed_gateway_passes_its_conformance_test(
    code: str, inspected: dict[str, Inspection], deployed: Path
) -> None:
    folder = deployed / "departments" / code
    before = {one: one.read_bytes() for one in folder.rglob("*") if one.is_file() and one.suffix in (".csv", ".yaml")}
    held = sorted(one.name for one in (folder / "agreements").iterdir())
    result = check_conformance(folder / "gateway.yaml", environment={})
    states = {one.name: one.state for one in result.checks}
    failed = {name for name, state in states.items() if state is State.FAIL}
    assert failed == set()
    assert states["agreements"] is State.WARN  # none was signed yet
    assert result.passed
    assert result.score >= 90
    assert inspected[code].settings.department == result.department
    assert sorted(one.name for one in (folder / "agreements").iterdir()) == held
    assert {one: one.read_bytes() for one in before} == before


def failures(result: ConformanceResult) -> set[str]:
    return {one.name for one in result.checks if one.state is State.FAIL}


def test_a_conformance_test_tells_what_is_wrong_and_what_to_do(
    inspected: dict[str, Inspection], deployed: Path, tmp_path: Path
) -> None:
    assert inspected
    folder = deployed / "departments" / "housing_fund"
    text = (folder / "gateway.yaml").read_text(encoding="utf-8")
    key = next((folder / "keys").glob("housing_fund.*.key"))
    mode = key.stat().st_mode
    key.chmod(0o644)
    bad = folder / "bad.yaml"
    bad.write_text(text.replace("housing_fund.crt", "missing.crt"), encoding="utf-8")
    try:
        result = check_conformance(bad, environment={})
    finally:
        key.chmod(mode)
    assert {"keys", "tls"} <= failures(result)
    assert not result.passed
    bad.write_text(text.replace("table: GR_ZHXX", "table: GR_GONE"), encoding="utf-8")
    result = check_conformance(bad, environment={})
    assert {"opens", "nobody"} <= failures(result)
    for ending, told in ((".json", b'"score"'), (".html", "还不能上线".encode()), (".md", "还不能上线".encode())):
        assert told in conformance_report(result, tmp_path / f"report{ending}")


def test_a_conformance_test_neither_acts_nor_touches_the_source(
    deployed: Path, inspected: dict[str, Inspection]
) -> None:
    assert inspected
    folder = deployed / "departments" / "health"
    text = (folder / "gateway.yaml").read_text(encoding="utf-8")
    hand = yaml.safe_load(data_text("gateways/health.yaml"))
    spec = yaml.safe_load(text) | {"actions": hand["actions"], "resources": hand["resources"]}
    (folder / "acting.yaml").write_text(yaml.safe_dump(spec, allow_unicode=True), encoding="utf-8")
    database = folder / "health.db"
    before = database.read_bytes()
    result = check_conformance(folder / "acting.yaml", environment={})
    assert result.passed, failures(result)
    assert "1 项不试" in next(one.detail.chinese for one in result.checks if one.name == "nobody")
    assert database.read_bytes() == before
