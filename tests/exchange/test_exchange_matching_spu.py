"""The optional engine: told how to make its environment where it is absent, tried for real where it is there."""

import os
import socket
import sys
import threading

import pytest
from matching_sides import texts
from typer.testing import CliRunner

from huodang.cli import app
from huodang.exchange.matching import Address, EngineError, MatchResult, SpuSide

SPU = os.environ.get("HUODANG_SPU_PYTHON", "")


def side(own: int = 1, peer: int = 2, protocol: str = "ecdh") -> SpuSide:
    return SpuSide(Address("127.0.0.1", own), Address("127.0.0.1", peer), protocol, patience=30.0)


@pytest.mark.parametrize("interpreter", ["", "/absent/python", sys.executable])
def test_engine_that_is_absent_is_told_with_the_line_that_makes_it(interpreter: str) -> None:
    with pytest.raises(EngineError, match="pip install spu"):
        side().query(texts("a"), {"HUODANG_SPU_PYTHON": interpreter})


@pytest.mark.parametrize("option", [["--size-only"], ["--minimum-set", "5"]])
def test_option_that_the_engine_does_not_know_is_refused_not_ignored(option: list[str]) -> None:
    command = ["intersect", "query", "absent.csv", "--column", "a", "--peer", "127.0.0.1:1", "--out", "o.csv"]
    result = CliRunner().invoke(app, [*command, "--engine", "spu", *option])
    assert result.exit_code == 2


@pytest.mark.skipif(not SPU, reason="HUODANG_SPU_PYTHON names no environment with spu")
@pytest.mark.parametrize("protocol", ["ecdh", "ecdh-fourq", "kkrt", "rr22"])
def test_two_processes_find_the_overlap(protocol: str) -> None:
    ports = []
    for _ in range(2):
        with socket.create_server(("127.0.0.1", 0)) as free:
            ports.append(free.getsockname()[1])
    held: list[MatchResult] = []
    holder = threading.Thread(
        target=lambda: held.append(side(*ports, protocol).hold(texts("b", "c", "d"))), daemon=True
    )
    holder.start()
    found = side(*reversed(ports), protocol).query(texts("d", "a", "c", "e"))
    holder.join(60)
    assert found.members is not None
    assert (found.overlap, found.held, found.members.tolist()) == (2, 3, [0, 2])
    assert (held[0].held, held[0].members) == (4, None)
