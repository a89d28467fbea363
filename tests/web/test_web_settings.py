"""hub.yaml and portal.yaml: paths from the file's own folder, whole or refused whole."""

from pathlib import Path

import pytest
import yaml

from huodang.web.settings import HubSettings, PortalSettings, SettingsError

HUB = {
    "province": "hebei",
    "database": "sqlite:///hub.db",
    "keys": "keys",
    "trust": "../trust.json",
    "tls": {"authority": "../tls/authority.crt", "certificate": "../tls/hub.crt", "key": "../tls/hub.key"},
    "volumes": "volumes",
    "secrets": "secrets",
    "ferry": {"inward": "../ferry/inward", "outward": "../ferry/outward", "refused": "../ferry/refused"},
    "gateways": {"police": "https://127.0.0.1:8801"},
}
PORTAL = {"keys": "keys", "trust": "../trust.json", "ferry": HUB["ferry"]}


def write(folder: Path, values: object, name: str = "hub.yaml") -> Path:
    file = folder / "hub" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(yaml.safe_dump(values), "utf-8")
    return file


def test_paths_are_meant_from_the_files_own_folder(tmp_path: Path) -> None:
    settings = HubSettings.load(write(tmp_path, HUB))
    assert settings.database == f"sqlite:///{tmp_path}/hub/hub.db"
    assert settings.trust == tmp_path / "trust.json"
    assert settings.ferry.inward == tmp_path / "ferry" / "inward"
    assert settings.agreements == tmp_path / "hub" / "agreements"


def test_what_is_left_out_has_the_documented_value(tmp_path: Path) -> None:
    settings = HubSettings.load(write(tmp_path, HUB))
    assert (settings.listen.host, settings.listen.port) == ("127.0.0.1", 8800)
    assert (settings.sessions.idle_minutes, settings.sessions.absolute_hours) == (30, 8)
    assert settings.clock_offset_file is None


def test_other_databases_url_stays_as_it_is(tmp_path: Path) -> None:
    url = "postgresql://huodang@db.example/huodang"
    assert HubSettings.load(write(tmp_path, {**HUB, "database": url})).database == url
    absolute = "sqlite:////var/lib/huodang/hub.db"
    assert HubSettings.load(write(tmp_path, {**HUB, "database": absolute})).database == absolute


@pytest.mark.parametrize(
    ("changed", "element"),
    [
        ({"province": None}, "province"),
        ({"databse": "x"}, "databse"),
        ({"worker_threads": 0}, "worker_threads"),
        ({"worker_threads": "two"}, "worker_threads"),
        ({"listen": {"port": True}}, "listen.port"),
        ({"listen": {"prot": 8800}}, "listen.prot"),
        ({"tls": {"authority": "a"}}, "tls.certificate"),
        ({"gateways": {"police": 8801}}, "gateways"),
        ({"gateways": ["police"]}, "gateways"),
        ({"sessions": {"secure_cookies": "yes"}}, "sessions.secure_cookies"),
    ],
)
def test_wrong_setting_is_refused_and_named(tmp_path: Path, changed: dict[str, object], element: str) -> None:
    with pytest.raises(SettingsError) as refused:
        HubSettings.load(write(tmp_path, {**HUB, **changed}))
    assert refused.value.place.element == element


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "a: [", "a: \udce4"])
def test_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "hub.yaml"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(SettingsError):
        HubSettings.load(file)


def test_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        PortalSettings.load(tmp_path / "portal.yaml")
    assert refused.value.place.file == str(tmp_path / "portal.yaml")


def test_portal_knows_no_database(tmp_path: Path) -> None:
    assert PortalSettings.load(write(tmp_path, PORTAL)).listen.port == 8900
    with pytest.raises(SettingsError) as refused:
        PortalSettings.load(write(tmp_path, {**PORTAL, "database": "sqlite:///x.db"}))
    assert refused.value.place.element == "database"
