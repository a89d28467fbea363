"""`huodang files`, as a department's clerk and a hub's administrator use it."""

import json
import sys
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml

from huodang.cli import main
from huodang.exchange import AGREEMENT, Agreement, Kind
from huodang.trust import Provisioner, Signer, cosign_envelope, sign_envelope

MAPPING = {
    "resource": "justice.custody_file",
    "key": ["identity_number"],
    "elements": {
        "identity_number": "证件号码",
        "name": "姓名",
        "custody_from": {"column": "起始日期", "format": "yyyymmdd"},
    },
    "required": ["custody_from"],
    "most_quarantined_percent": 50,
}


def identity(first_seventeen: str) -> str:
    weights = [2 ** (17 - place) % 11 for place in range(17)]
    return first_seventeen + "10X98765432"[sum(int(d) * w for d, w in zip(first_seventeen, weights, strict=True)) % 11]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run the command line; return exit code, standard output and standard error."""

    def command(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["huodang", "files", *(str(one) for one in arguments)])
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = int(ended.code or 0)
        told = capsys.readouterr()
        return code, told.out, told.err

    return command


@pytest.fixture
def names(tmp_path: Path) -> Path:
    path = tmp_path / "名单.csv"
    rows = [
        f"{identity('13010219650301001')},王建国,20250101",
        f"{identity('13010219700515229')},李红梅,20250102",
        "1.30102E+17,赵铁柱,20250103",
    ]
    path.write_text("\r\n".join(["证件号码,姓名,起始日期", *rows]) + "\r\n", encoding="gb18030")
    return path


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    path = tmp_path / "mappings" / "justice.custody_file.yaml"
    path.parent.mkdir()
    path.write_text(yaml.safe_dump(MAPPING, allow_unicode=True), encoding="utf-8")
    return path


def test_file_is_shown_for_what_it_is_without_showing_anybody(run, names: Path) -> None:
    code, out, _ = run("read", names)
    assert code == 0
    assert "gb18030" in out
    assert "digits_lost" in out
    assert "建国" not in out
    assert "19650301" not in out
    code, out, _ = run("read", names, "--json")
    told = json.loads(out)
    assert (told["rows"], told["at_fault"], told["format"]["columns"]) == (3, 1, ["证件号码", "姓名", "起始日期"])


def test_dry_run_needs_no_keys_and_writes_the_rows_to_be_corrected(run, names: Path, mapping: Path) -> None:
    wanted = names.with_name("待更正.xlsx")
    report = names.with_name("report.json")
    code, out, _ = run("check", names, "--mapping", mapping, "--quarantine", wanted, "--report", report)
    assert code == 0
    assert "可接收" in out
    sheet = openpyxl.load_workbook(wanted).active
    assert sheet is not None
    assert [cell.value for cell in sheet[2]][1] == "4"
    assert json.loads(report.read_text())["quality"]["quarantined"] == 1
    assert "赵铁柱" not in report.read_text()


def test_conversion_carries_over_what_it_can_and_names_the_rest(run, names: Path) -> None:
    target = names.with_name("名单.xlsx")
    code, out, err = run("convert", names, "--to", target)
    assert code == 1
    assert "2 行" in out
    assert "quarantine" in err
    sheet = openpyxl.load_workbook(target).active
    assert sheet is not None
    assert [row[0].value for row in sheet.iter_rows(min_row=2)] == [
        identity("13010219650301001"),
        identity("13010219700515229"),
    ]
    assert run("convert", names, "--to", target)[0] == 2
    assert run("convert", names, "--to", names.with_name("名单.pdf"))[0] == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["check", "{names}", "--mapping", "{names}"], "映射"),
        (["pack", "{names}", "--resource", "a.b", "--agreement", "X", "--out", "o"], "--config"),
        (["read", "{empty}"], "空"),
        (["check", "{folder}"], "manifest.json"),
    ],
)
def test_what_can_t_be_done_is_said_in_both_languages(
    run, names: Path, tmp_path: Path, arguments: list[str], told: str
) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "folder").mkdir()
    places = {"names": names, "empty": tmp_path / "empty.csv", "folder": tmp_path / "folder"}
    code, out, err = run(*(one.format(**places) for one in arguments))
    assert code in (1, 2)
    assert told in out + err


def hub(root: Path) -> Path:
    """Lay out a hub with one agreement on files in force."""
    keys = Provisioner(root)
    keys.init()
    for party in ("hub", "portal", "justice", "social_insurance"):
        keys.issue(party)
    fields = ("identity_number", "name", "custody_from")
    agreement = Agreement(
        agreement_id="XY-custody",
        provider="justice",
        consumer="social_insurance",
        resource="justice.custody_file",
        kind=Kind.FILE,
        purposes=("supervision",),
        legal_basis="社会保险经办条例第八条",
        elements=fields,
        fields=fields,
        valid_from=date(2025, 1, 1),
    )
    folders = {name: Signer.load(keys.keys_folder(name), name) for name in ("social_insurance", "justice")}
    envelope = sign_envelope(AGREEMENT, agreement.to_payload(), folders["social_insurance"])
    home = root / "hub"
    (home / "agreements").mkdir()
    (home / "agreements" / "XY-custody.v1.json").write_text(cosign_envelope(envelope, folders["justice"]).to_json())
    settings: dict[str, Any] = {
        "province": "hebei",
        "database": "sqlite:///hub.db",
        "keys": "keys",
        "secrets": "keys",
        "trust": "../trust.json",
        "tls": {
            "authority": "../tls/authority.crt",
            "certificate": "../tls/hub.crt",
            "key": "../tls/hub.key",
        },
        "volumes": "volumes",
        "ferry": {"inward": "../ferry/inward", "outward": "../ferry/outward", "refused": "../ferry/refused"},
        "gateways": {},
        "files": {"folder": "files", "mappings": "../mappings"},
    }
    (home / "hub.yaml").write_text(yaml.safe_dump(settings))
    return home / "hub.yaml"


def test_delivery_goes_from_the_clerk_s_table_into_the_hub(run, names: Path, mapping: Path, tmp_path: Path) -> None:
    config = hub(tmp_path)
    keys = tmp_path / "departments" / "justice" / "keys"
    terms = ["--resource", "justice.custody_file", "--agreement", "XY-custody", "--keys", keys, "--as", "justice"]
    code, out, _ = run("pack", names, *terms, "--out", tmp_path / "first")
    assert (code, "序号 1" in out) == (0, True)
    code, out, _ = run("check", tmp_path / "first", "--trust", tmp_path / "trust.json", "--mapping", mapping)
    assert (code, "签名有效" in out) == (0, True)
    code, out, _ = run("take", tmp_path / "first", "--config", config, "--json")
    assert code == 0
    told = json.loads(out)
    assert (told["state"], told["rows"], told["quarantined"]) == ("taken", 3, 1)
    assert (tmp_path / "first" / "manifest.json").exists()
    assert run("take", tmp_path / "first", "--config", config)[0] == 1
    assert run("pack", names, *terms, "--out", tmp_path / "first")[0] == 2
    code, out, _ = run("pack", names, *terms, "--out", tmp_path / "second", "--period", "2025-01-01..2025-01-31")
    assert (code, "序号 2" in out) == (0, True)
