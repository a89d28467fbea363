"""What a department's monitoring asks of its gateway."""

import re

from exchange_province import POLICE, Province, fill_police
from litestar.testing import TestClient

from huodang.exchange import build_gateway


def test_a_gateway_tells_how_its_source_and_agreements_fare(province: Province) -> None:
    fill_police(province.folder("police") / "police.db")
    path = province.write(POLICE)
    with TestClient(build_gateway(path)) as client:
        assert client.get("/ready").json() == {
            "ready": False,
            "checks": {"source": "ok", "agreements": "none_in_force"},
        }
        assert client.get("/ready").status_code == 503
        province.lay(province.agreement())
        assert client.get("/ready").status_code == 200
        told = client.get("/metrics").text
    assert re.search(r"^huodang_source_reachable 1", told, re.MULTILINE)
    assert re.search(r'^huodang_agreements_in_force{resource="police.\w+"} 1', told, re.MULTILINE)
    assert 'app_name="gateway"' in told
