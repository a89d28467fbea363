"""One side of a match in an environment that has `spu`: settings on stdin, facts and overlap in files.

Run by that environment's interpreter, which has none of this package: it imports nothing of ours.
"""

import json
import sys
from pathlib import Path

from spu import libspu, psi

_CURVES = {"ecdh": "CURVE_25519", "ecdh-fourq": "CURVE_FOURQ"}
_PROTOCOLS = {
    "ecdh": "PROTOCOL_ECDH",
    "ecdh-fourq": "PROTOCOL_ECDH",
    "kkrt": "PROTOCOL_KKRT",
    "rr22": "PROTOCOL_RR22",
}
_QUERIER = 1
_DISAGREE = 3
_AGREED = ("version", "normalisation", "protocol")


def main() -> int:
    """Match, and tell how many values the other side has."""
    settings = json.load(sys.stdin)
    folder = Path(settings["folder"])
    description = libspu.link.Desc()
    description.recv_timeout_ms = settings["patience_milliseconds"]
    for name, address in zip(("holder", "querier"), settings["parties"], strict=True):
        description.add_party(name, address)
    line = libspu.link.create_brpc(description, settings["rank"])
    told = [json.loads(one) for one in line.all_gather(json.dumps(settings | {"folder": ""}))]
    if any(one[key] != settings[key] for one in told for key in _AGREED):
        line.stop_link()
        return _DISAGREE
    way = psi.PsiProtocolConfig()
    way.protocol = psi.parse_protocol(_PROTOCOLS[settings["protocol"]])
    way.receiver_rank = _QUERIER
    way.broadcast_result = False
    if settings["protocol"] in _CURVES:
        way.ecdh_params = psi.EcdhParams(curve=psi.parse_curve_type(_CURVES[settings["protocol"]]))
    kind = psi.SourceType.SOURCE_TYPE_FILE_CSV
    psi.psi_execute(
        psi.PsiExecuteConfig(
            protocol_conf=way,
            input_params=psi.InputParams(
                type=kind, path=str(folder / "own.csv"), selected_keys=["v"], keys_unique=True
            ),
            output_params=psi.OutputParams(type=kind, path=str(folder / "overlap.csv")),
        ),
        line,
    )
    line.stop_link()
    (folder / "facts.json").write_text(json.dumps({"held": told[1 - settings["rank"]]["size"]}), encoding="ascii")
    return 0


if __name__ == "__main__":
    sys.exit(main())
