"""The optional engine: secretflow's `spu` in an environment of its own, one helper process a side.

Both helpers listen, for each connects to the other. The line between them is in the clear as to sizes; see
`docs/matching.md`.
"""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from huodang.exchange.matching.errors import EngineError, NormalisationError
from huodang.exchange.matching.lanes import DIGEST_BYTES
from huodang.exchange.matching.messages import PROTOCOL
from huodang.exchange.matching.querying import MatchResult
from huodang.exchange.matching.values import ValueSet

if TYPE_CHECKING:
    from huodang.exchange.matching.by_hand import Address

INTERPRETER: Final = "HUODANG_SPU_PYTHON"
MAKE_ENVIRONMENT: Final = (
    "python3 -m venv ~/spu && ~/spu/bin/pip install spu==0.9.5 && export HUODANG_SPU_PYTHON=~/spu/bin/python"
)
_DISAGREE: Final = 3


@dataclass(frozen=True)
class SpuSide:
    """One side of a match by the engine `spu`.

    Attributes:
        own: where this side listens.
        peer: where the other side listens.
        protocol: `ecdh` (curve 25519), `ecdh-fourq`, `kkrt` or `rr22`; both sides the same.
        patience: seconds to wait for the other side.
    """

    own: "Address"
    peer: "Address"
    protocol: str = "ecdh"
    patience: float = 600.0

    @property
    def is_loopback(self) -> bool:
        """Say whether nothing leaves this machine."""
        return self.own.is_loopback and self.peer.is_loopback

    def hold(self, values: ValueSet, environment: Mapping[str, str] | None = None) -> MatchResult:
        """Hold a set for one querier; what comes back tells only how many values it has (`held`).

        Raises:
            EngineError: the engine isn't there, or the match failed.
            NormalisationError: the sides compare different things.
        """
        return self._run(values, environment, receives=False)

    def query(self, values: ValueSet, environment: Mapping[str, str] | None = None) -> MatchResult:
        """Match a set against the one that the other side holds.

        Raises:
            EngineError, NormalisationError: as for `hold`.
        """
        return self._run(values, environment, receives=True)

    def _run(self, values: ValueSet, environment: Mapping[str, str] | None, *, receives: bool) -> MatchResult:
        interpreter = _interpreter(os.environ if environment is None else environment)
        began = time.monotonic()
        # Digests of identity numbers can be tried out: the folder is this user's alone, and goes at the end.
        with tempfile.TemporaryDirectory(prefix="huodang-match-") as name:
            folder = Path(name)
            (folder / "own.csv").write_text(
                "\n".join(["v", *(one.hex() for one in _digests(values))]) + "\n", encoding="ascii"
            )
            told = self._helper(interpreter, folder, values, receives=receives)
            members = _members(values, folder / "overlap.csv") if receives else None
        overlap = len(members) if members is not None else 0
        return MatchResult(overlap, values.size, told, members, time.monotonic() - began)

    def _helper(self, interpreter: str, folder: Path, values: ValueSet, *, receives: bool) -> int:
        settings = {
            "version": PROTOCOL,
            "normalisation": values.normalisation.value,
            "size": values.size,
            "protocol": self.protocol,
            "rank": 1 if receives else 0,
            "parties": [str(self.peer), str(self.own)] if receives else [str(self.own), str(self.peer)],
            "patience_milliseconds": int(self.patience * 1000),
            "folder": str(folder),
        }
        with as_file(files("huodang.exchange.matching").joinpath("spu_process.py")) as script:
            try:
                done = subprocess.run(  # noqa: S603  (the interpreter is named by who runs this process)
                    [interpreter, str(script)],
                    input=json.dumps(settings).encode(),
                    capture_output=True,
                    check=False,
                    cwd=folder,
                )
            except OSError as problem:
                raise _absent(type(problem).__name__) from None
        if done.returncode == _DISAGREE:
            raise NormalisationError(
                "双方的版本、比对方式或协议不同",
                "the sides differ in version, in what they compare, or in the protocol",
                advice_chinese="请核对双方的 --as、--spu-protocol 和程序版本。",
                advice_english="Compare --as, --spu-protocol and the release on both sides.",
            )
        try:
            return int(json.loads((folder / "facts.json").read_bytes())["held"])
        except (OSError, ValueError, KeyError, TypeError):
            if b"No module named" in done.stderr:
                raise _absent("spu") from None
            raise EngineError(
                f"spu 引擎失败（退出码 {done.returncode}）",
                f"the spu engine failed (exit code {done.returncode})",
                advice_chinese="请核对双方地址是否互通、是否同时启动；没有写出任何结果。",
                advice_english="See whether each side reaches the other and both run; nothing was written.",
            ) from None


def _interpreter(environment: Mapping[str, str]) -> str:
    named = environment.get(INTERPRETER, "")
    if not named:
        raise _absent(INTERPRETER)
    return named


def _absent(what: str) -> EngineError:
    return EngineError(
        f"没有可用的 spu 环境（{what}）",
        f"there is no environment with spu ({what})",
        advice_chinese=f"请先建立：{MAKE_ENVIRONMENT}",
        advice_english=f"Make it: {MAKE_ENVIRONMENT}",
    )


def _digests(values: ValueSet) -> list[bytes]:
    data = values.digests
    return [data[start : start + DIGEST_BYTES] for start in range(0, len(data), DIGEST_BYTES)]


def _members(values: ValueSet, file: Path) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    found = {line.strip().strip('"') for line in file.read_text(encoding="ascii").splitlines()[1:]}
    return np.array([number for number, one in enumerate(_digests(values)) if one.hex() in found], dtype=np.int64)
