"""Keys on disk, the list of trusted keys, and laying out a deployment."""

import json
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from huodang.trust import (
    FieldSealer,
    KeyExistsError,
    Provisioner,
    PublicKey,
    Signer,
    TrustedKeys,
    UnusableKeyError,
    seal_for,
)

SUITES = ("national", "international")
NOW = datetime(2025, 3, 3, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize("name", SUITES)
def test_a_signer_survives_its_files_and_only_its_owner_may_read_the_secret(name: str, tmp_path: Path) -> None:
    signer = Signer.generate("police", name)
    private = signer.save(tmp_path)
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    loaded = Signer.load(tmp_path, "police", name)
    assert (loaded.holder, loaded.suite, loaded.key_id) == ("police", name, signer.key_id)
    assert signer.public.verify(b"m", loaded.sign(b"m"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"police.{name}.json", f"police.{name}.key"]


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    first = Signer.generate("hub")
    first.save(tmp_path)
    with pytest.raises(KeyExistsError):
        Signer.generate("hub").save(tmp_path)
    assert Signer.load(tmp_path, "hub").key_id == first.key_id


def test_a_private_key_that_others_may_read_is_refused(tmp_path: Path) -> None:
    private = Signer.generate("hub").save(tmp_path)
    private.chmod(0o644)
    with pytest.raises(UnusableKeyError) as caught:
        Signer.load(tmp_path, "hub")
    assert "600" in caught.value.sentence("en")
    assert caught.value.place.file == "hub.national.key"


def test_a_private_key_beside_anothers_public_half_is_refused(tmp_path: Path) -> None:
    Signer.generate("hub").save(tmp_path)
    Signer.generate("hub").save(tmp_path / "other")
    (tmp_path / "other" / "hub.national.json").replace(tmp_path / "hub.national.json")
    with pytest.raises(UnusableKeyError):
        Signer.load(tmp_path, "hub")


def test_a_missing_or_broken_key_file_is_told_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(UnusableKeyError) as caught:
        Signer.load(tmp_path, "hub")
    assert caught.value.place.file == "hub.national.key"
    private = Signer.generate("hub").save(tmp_path)
    private.write_text("not a key")
    with pytest.raises(UnusableKeyError):
        Signer.load(tmp_path, "hub")


@pytest.mark.parametrize("holder", ["", "../hub", "hub/x", "公安", "Hub", ".hub", "a" * 65, "hub\n"])
def test_a_holders_name_that_could_leave_its_folder_is_none(holder: str) -> None:
    with pytest.raises(UnusableKeyError):
        Signer.generate(holder)


def test_the_key_id_depends_on_the_keys_and_not_on_the_holder() -> None:
    one = Signer.generate("hub")
    assert PublicKey("portal", one.suite, one.public.signing, one.public.sealing).key_id == one.key_id
    assert Signer.generate("hub").key_id != one.key_id
    swapped = PublicKey("hub", one.suite, one.public.sealing, one.public.signing)
    assert swapped.key_id != one.key_id


def test_the_list_of_trusted_keys_survives_its_file(tmp_path: Path) -> None:
    keys = [Signer.generate(holder, name).public for holder in ("hub", "police") for name in SUITES]
    trusted = TrustedKeys(tuple(keys))
    trusted.revoke("police", keys[2].key_id, NOW)
    trusted.save(tmp_path / "trust.json")
    loaded = TrustedKeys.load(tmp_path / "trust.json")
    assert list(loaded) == list(trusted)
    assert loaded.get("hub", keys[0].key_id) == keys[0]
    assert loaded.get("police", keys[0].key_id) is None
    revoked = loaded.get("police", keys[2].key_id)
    assert revoked is not None
    assert revoked.revoked_at == NOW
    assert len(loaded.of_holder("hub")) == 2


def spoil(text: str, member: str, value: object) -> str:
    members = json.loads(text)
    members["keys"][0][member] = value
    return json.dumps(members)


def test_a_spoilt_list_of_trusted_keys_is_refused_whole(tmp_path: Path) -> None:
    text = TrustedKeys((Signer.generate("hub").public, Signer.generate("police").public)).to_json()
    other = Signer.generate("hub").public.to_members()
    spoilt = [
        "",
        "[]",
        '{"format":"huodang-trust-1"}',
        text.replace("huodang-trust-1", "huodang-trust-9"),
        spoil(text, "signing", other["signing"]),
        spoil(text, "key_id", other["key_id"]),
        spoil(text, "holder", "../x"),
        spoil(text, "suite", "international"),
        spoil(text, "valid_to", "tomorrow"),
        spoil(text, "surplus", "x"),
        json.dumps({"format": "huodang-trust-1", "keys": ["x"]}),
    ]
    for bad in spoilt:
        (tmp_path / "trust.json").write_text(bad)
        with pytest.raises(UnusableKeyError):
            TrustedKeys.load(tmp_path / "trust.json")
    with pytest.raises(UnusableKeyError):
        TrustedKeys.load(tmp_path / "absent.json")


def test_an_unknown_key_cannot_be_revoked() -> None:
    with pytest.raises(UnusableKeyError):
        TrustedKeys().revoke("hub", "0" * 32, NOW)


def test_a_deployment_is_laid_out_as_the_architecture_says(tmp_path: Path) -> None:
    provisioner = Provisioner(tmp_path)
    provisioner.init()
    provisioner.issue("hub")
    provisioner.issue("police", suites=("international",), hosts=("police.example", "127.0.0.1"))
    provisioner.issue("portal")
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert {
        "trust.json",
        "tls/authority.crt",
        "tls/authority.key",
        "tls/hub.crt",
        "tls/hub.key",
        "tls/police.crt",
        "hub/keys/hub.national.key",
        "hub/keys/hub.international.key",
        "hub/keys/field.secret",
        "portal/keys/portal.national.key",
        "departments/police/keys/police.international.key",
    } <= files
    trusted = provisioner.trusted()
    assert {(key.holder, key.suite) for key in trusted} == {
        ("hub", "national"),
        ("hub", "international"),
        ("police", "international"),
        ("portal", "national"),
    }
    hub = Signer.load(provisioner.keys_folder("hub"), "hub")
    assert trusted.get("hub", hub.key_id) == hub.public
    FieldSealer(provisioner.keys_folder("hub"))
    secrets = [path for path in tmp_path.rglob("*") if path.suffix in {".key", ".secret"}]
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}


def test_issuing_again_refuses_and_changes_nothing(tmp_path: Path) -> None:
    provisioner = Provisioner(tmp_path)
    provisioner.init()
    provisioner.issue("police")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(KeyExistsError):
        provisioner.issue("police")
    provisioner.init()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_issuing_without_a_deployment_says_what_to_do_first(tmp_path: Path) -> None:
    with pytest.raises(UnusableKeyError) as caught:
        Provisioner(tmp_path).issue("hub")
    assert "keys init" in caught.value.sentence("en")
    assert list(tmp_path.iterdir()) == []


def test_departments_issued_at_the_same_moment_are_all_trusted(tmp_path: Path) -> None:
    provisioner = Provisioner(tmp_path)
    provisioner.init()
    names = [f"department{number}" for number in range(8)]
    threads = [
        threading.Thread(target=provisioner.issue, args=(name,), kwargs={"suites": ("international",)})
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {key.holder for key in provisioner.trusted()} == set(names)


@pytest.mark.parametrize("name", SUITES)
def test_a_key_of_the_wrong_curve_is_not_trusted(name: str) -> None:
    other = "national" if name == "international" else "international"
    key = Signer.generate("hub", other).public
    with pytest.raises(UnusableKeyError):
        TrustedKeys((PublicKey("hub", name, key.signing, key.sealing),))
    with pytest.raises(UnusableKeyError):
        seal_for(PublicKey("hub", "international", b"\x01" * 32, bytes(32)), b"x")
