"""What monitoring asks of a hub, and that nobody else gets an answer."""

import re
from pathlib import Path

import httpx
from web_deployment import Deployment, Program

PROMETHEUS = Path(__file__).parents[2] / "deploy" / "prometheus"


def samples(text: str) -> dict[str, float]:
    found = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            found[name] = float(value)
    return found


def test_metrics_tell_jobs_ledger_and_requests_by_route(
    deployment: Deployment, client: httpx.Client, window: Program
) -> None:
    window.get("/api/v1/queue")
    read = samples(client.get("/metrics").text)
    assert read["huodang_ledger_leaves"] >= 0
    assert read["huodang_readings_failed"] == 0
    assert read["huodang_job_overdue_seconds"] >= 0
    requests = [
        value for name, value in read.items() if name.startswith("huodang_requests_total") and "/api/v1/queue" in name
    ]
    assert sum(requests) >= 1


def test_metrics_hold_no_number_that_could_be_somebodys(deployment: Deployment, client: httpx.Client) -> None:
    client.get("/cases/TX-130100199001011234")
    labels = re.findall(r'="([^"]*)"', client.get("/metrics").text)
    assert not [label for label in labels if re.search(r"\d{15}", label)]


def test_ready_names_what_a_node_lacks(deployment: Deployment, client: httpx.Client) -> None:
    assert client.get("/ready").json() == {"ready": True, "checks": {"database": "ok", "disk": "ok"}}
    folder = deployment.services.settings.volumes
    away = folder.with_name("away")
    folder.rename(away)
    try:
        answer = client.get("/ready")
    finally:
        away.rename(folder)
    assert answer.status_code == 503
    assert answer.json()["checks"]["disk"] == "volumes_missing"


def test_who_is_not_of_the_monitoring_network_finds_nothing(client: httpx.Client) -> None:
    for path in ("/metrics", "/ready"):
        assert client.get(path, headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 404
        assert client.get(path).status_code == 200


def test_every_figure_that_alerts_and_dashboard_name_is_told(client: httpx.Client) -> None:
    client.get("/metrics")
    told = set(re.findall(r"^# TYPE (\w+)", client.get("/metrics").text, re.MULTILINE))
    told |= {"huodang_requests_error_total"}  # made with the first error; there is none here
    told |= {"huodang_request_duration_seconds_bucket"} if "huodang_request_duration_seconds" in told else set()
    named: set[str] = set()
    for file in ("alerts.yaml", "dashboard.json"):
        named |= set(re.findall(r"\bhuodang_\w+", (PROMETHEUS / file).read_text("utf-8")))
    assert len(named) > 10
    assert named <= told, sorted(named - told)
