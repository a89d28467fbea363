"""The ferry: sealed, signed, typed, bounded; what doesn't fit is refused with its reason; each counts once."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from exchange_province import Province
from sqlalchemy import Connection

from huodang.exchange import Crossing, Ferry, FerryError, MessageError
from huodang.standards import HuodangError
from huodang.store import Database
from huodang.trust import Signer, TrustedKeys, open_sealed


def text_only(payload: dict[str, Any]) -> None:
    if set(payload) != {"text"} or not isinstance(payload["text"], str):
        raise MessageError("不是文本", "no text")


FerryMaker = Callable[..., Ferry]


@pytest.fixture
def ends(province: Province) -> FerryMaker:
    """Make one end of the ferry."""

    def make(side: str, **changes: Any) -> Ferry:
        other = {"hub": "portal", "portal": "hub"}[side]
        folder = province.root / "ferry"
        inward, outward = folder / "inward", folder / "outward"
        parts: dict[str, Any] = {
            "outgoing": outward if side == "hub" else inward,
            "incoming": inward if side == "hub" else outward,
            "refused": folder / "refused",
            "own": province.signer(side),
            "peer": other,
            "trusted": province.trusted,
            "kinds": {"application": text_only},
            "clock": province.clock,
        }
        return Ferry(**{**parts, **changes})

    return make


def inward(province: Province) -> list[Path]:
    return sorted((province.root / "ferry" / "inward").iterdir())


def refused(province: Province) -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted((province.root / "ferry" / "refused").glob("*.txt"))]


def test_what_is_sent_comes_over_once_and_in_order(province: Province, ends: FerryMaker) -> None:
    portal, hub = ends("portal"), ends("hub")
    for number in range(3):
        portal.send("application", {"text": f"第{number}份"})
    assert [one["text"] for one in hub.receive("application")] == ["第0份", "第1份", "第2份"]
    assert list(hub.receive("application")) == []
    assert inward(province) == []


def test_what_lies_between_the_zones_can_be_read_by_the_receiver_only(province: Province, ends: FerryMaker) -> None:
    ends("portal").send("application", {"text": "王建国的申请"})
    (path,) = inward(province)
    data = path.read_bytes()
    assert "王建国".encode() not in data
    assert b"application" not in data
    aad = b"huodang-ferry-1\0portal\0hub"
    assert "王建国".encode() in open_sealed(province.signer("hub"), data, aad)
    with pytest.raises(HuodangError):
        open_sealed(province.signer("police"), data, aad)


def test_the_hub_handles_each_envelope_exactly_once_even_if_its_file_comes_back(
    province: Province, ends: FerryMaker, database: Database
) -> None:
    portal, hub = ends("portal"), ends("hub")
    portal.send("application", {"text": "一"})
    (path,) = inward(province)
    data = path.read_bytes()
    handled: list[str] = []

    def handle(_connection: Connection, crossing: Crossing) -> None:
        handled.append(crossing.payload["text"])

    assert hub.receive_once(database, handle) == 1
    path.write_bytes(data)  # a crash before the file was removed, or somebody who lays it down again
    assert hub.receive_once(database, handle) == 0
    assert handled == ["一"]
    assert inward(province) == []


def test_a_crash_while_handling_leaves_the_envelope_for_the_next_try(
    province: Province, ends: FerryMaker, database: Database
) -> None:
    portal, hub = ends("portal"), ends("hub")
    portal.send("application", {"text": "一"})

    def crash(_connection: Connection, _crossing: Crossing) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        hub.receive_once(database, crash)
    assert len(inward(province)) == 1
    assert hub.receive_once(database, lambda _connection, _crossing: None) == 1


def test_an_envelope_whose_content_is_refused_by_the_business_is_kept_with_the_reason(
    province: Province, ends: FerryMaker, database: Database
) -> None:
    portal, hub = ends("portal"), ends("hub")
    portal.send("application", {"text": "坏"})

    def refuse(_connection: Connection, _crossing: Crossing) -> None:
        raise MessageError("表单不合规", "the form doesn't fit")

    assert hub.receive_once(database, refuse) == 0
    assert inward(province) == []
    (reason,) = refused(province)
    assert "表单不合规" in reason


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "trust.seal_broken"),
        (lambda data: data[: len(data) // 2], "trust.seal_broken"),
        (lambda _data: b"", "trust.seal_broken"),
        (lambda _data: b"x" * (2 * 1024 * 1024), "exchange.ferry"),
    ],
)
def test_a_spoilt_envelope_is_refused_and_the_others_come_over(
    province: Province, ends: FerryMaker, spoil: Callable[[bytes], bytes], told: str
) -> None:
    portal, hub = ends("portal"), ends("hub")
    portal.send("application", {"text": "坏"})
    (path,) = inward(province)
    path.write_bytes(spoil(path.read_bytes()))
    portal.send("application", {"text": "好"})
    assert [one["text"] for one in hub.receive("application")] == ["好"]
    (reason,) = refused(province)
    assert reason.startswith(told)
    assert len(list((province.root / "ferry" / "refused").glob("*.ferry"))) == 1


def test_an_envelope_of_an_unexpected_kind_or_shape_is_refused(province: Province, ends: FerryMaker) -> None:
    portal, hub = ends("portal"), ends("hub")
    portal.send("command", {"text": "x"})
    portal.send("application", {"text": 3})
    assert list(hub.receive("application")) == []
    assert [reason.split("\n")[0] for reason in refused(province)] == ["exchange.ferry", "exchange.malformed"]


def test_an_envelope_of_another_sender_is_refused(province: Province, ends: FerryMaker) -> None:
    stranger = Signer.generate("portal")
    trusted = TrustedKeys(tuple(province.trusted))
    ends("portal", own=stranger, trusted=trusted).send("application", {"text": "x"})
    assert list(ends("hub").receive("application")) == []
    assert refused(province)[0].startswith("envelope.")


def test_an_envelope_laid_under_another_name_is_refused(province: Province, ends: FerryMaker) -> None:
    ends("portal").send("application", {"text": "x"})
    (path,) = inward(province)
    path.rename(path.with_name("faaa.ferry"))
    assert list(ends("hub").receive("application")) == []
    assert refused(province)[0].startswith("exchange.ferry")


def test_an_envelope_can_not_be_sent_back_to_its_sender(province: Province, ends: FerryMaker) -> None:
    ends("portal").send("application", {"text": "x"})
    (path,) = inward(province)
    path.rename(province.root / "ferry" / "outward" / path.name)
    assert list(ends("portal").receive("application")) == []
    assert len(refused(province)) == 1


def test_half_written_files_are_left_alone(province: Province, ends: FerryMaker) -> None:
    hub = ends("hub")
    (province.root / "ferry" / "inward" / ".f1.ferry.tmp").write_bytes(b"x")
    assert list(hub.receive("application")) == []
    assert refused(province) == []


def test_a_link_is_no_envelope(province: Province, ends: FerryMaker) -> None:
    hub = ends("hub")
    (province.root / "ferry" / "inward" / "f1.ferry").symlink_to(province.root / "trust.json")
    assert list(hub.receive("application")) == []
    assert len(refused(province)) == 1
    assert (province.root / "trust.json").exists()


def test_too_large_a_payload_is_not_sent(province: Province, ends: FerryMaker) -> None:
    with pytest.raises(HuodangError):
        ends("portal").send("application", {"text": "x" * 1_100_000})
    assert inward(province) == []


def test_a_ferry_needs_a_peer_it_trusts(ends: FerryMaker) -> None:
    with pytest.raises(FerryError):
        ends("portal", trusted=TrustedKeys())


def test_a_pipe_a_folder_or_an_endless_name_does_not_hold_up_the_others(province: Province, ends: FerryMaker) -> None:
    portal, hub = ends("portal"), ends("hub")
    folder = province.root / "ferry" / "inward"
    for _ in range(2):  # twice: what was refused before must not stand in the way
        os.mkfifo(folder / "a.ferry")
        (folder / "b.ferry").mkdir()
        (folder / "b.ferry" / "inside").write_bytes(b"x")
        (folder / f"{'c' * 249}.ferry").write_bytes(b"x")
        portal.send("application", {"text": "王建国"})
        assert list(hub.receive("application")) == [{"text": "王建国"}]
        assert inward(province) == []
    reasons = refused(province)
    assert len(reasons) == 6
    assert all(reason.strip() for reason in reasons)
