"""`deploy/`: nginx takes its configuration, units name commands that exist, dashboards and alarms ask for
numbers that there are, and what nginx sends to the edges is what edges serve."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import httpx2
import pytest
import yaml

from server.parts import AT_THE_EDGE
from server.settings import Settings
from tests.nursery import ROOT, finished
from tests.running import Running

DEPLOY = ROOT / "deploy"
NAMES = re.compile(r"\b(?:pingyi|process)_[a-z_]+\b")
OF_PROMETHEUS = {"pingyi_up"}
PARTS = ("web", "edge", "worker")


def asked_for() -> dict[str, set[str]]:
    """{file: the numbers that it asks Prometheus for}"""
    dashboard = json.loads((DEPLOY / "grafana" / "pingyi.json").read_text())
    panels = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    alarms = yaml.safe_load((DEPLOY / "prometheus" / "alarms.yml").read_text())
    rules = [rule["expr"] for group in alarms["groups"] for rule in group["rules"]]
    return {
        "dashboard": set(NAMES.findall(" ".join(panels))),
        "alarms": set(NAMES.findall(" ".join(rules))),
    }


def test_dashboard_and_alarms_ask_for_what_there_is(shared_demo: Running) -> None:
    with shared_demo.socket() as socket:
        socket.recv()
        told = httpx2.get(f"{shared_demo.url}/metrics", trust_env=False).text
    there = {line.split("{")[0].split(" ")[0] for line in told.splitlines() if line[:1] != "#"}
    asked = asked_for()
    for names in asked.values():
        assert names
        assert names <= there
    ours = {name for name in there if name.startswith("pingyi_")}
    assert ours - asked["dashboard"] <= {"pingyi_hearings_watched"}
    text = (ROOT / "docs" / "operating.md").read_text()
    assert {name for name in ours if not re.search(rf"\| `{name}[`{{]", text)} == set()
    assert 'pingyi_up{part="serve"} 1.0' in told
    assert 'pingyi_sockets{room="public"} 1.0' in told


def test_every_alarm_is_explained() -> None:
    alarms = yaml.safe_load((DEPLOY / "prometheus" / "alarms.yml").read_text())
    text = (ROOT / "docs" / "operating.md").read_text()
    for group in alarms["groups"]:
        for rule in group["rules"]:
            assert f"`{rule['alert']}`" in text


def unit_of(name: str) -> configparser.RawConfigParser:
    """A unit's sections."""
    read = configparser.RawConfigParser(strict=False)
    read.optionxform = str  # type: ignore[assignment]
    read.read(DEPLOY / "systemd" / name)
    return read


def test_one_process_and_the_parts_never_run_side_by_side() -> None:
    parts = set(unit_of("pingyi.target")["Unit"]["Wants"].split())
    alone = unit_of("pingyi.service")["Unit"]
    for what in ("Conflicts", "Before"):
        assert set(alone[what].split()) == {"pingyi.target", *parts}


def test_the_file_of_settings_names_settings_that_exist_and_brings_no_secret() -> None:
    text = (DEPLOY / "systemd" / "pingyi.env").read_text()
    found = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", text, re.M))
    there = {f"PINGYI_{name.upper()}" for name in Settings.model_fields}
    assert set(found) - {"EDGES"} <= there
    assert found["PINGYI_SECRET"] == ""


def test_prometheus_asks_every_process_that_the_units_begin() -> None:
    edge = unit_of("pingyi-edge.service")["Service"]
    n = int(edge["Environment"].removeprefix("EDGES="))
    command = {name: unit_of(f"pingyi-{name}.service")["Service"]["ExecStart"] for name in PARTS}
    port = {name: int(re.findall(r"--port (\d+)", line)[0]) for name, line in command.items()}
    ports = [port["web"], *range(port["edge"], port["edge"] + n), port["worker"]]
    asked = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    (targets,) = asked["scrape_configs"][0]["static_configs"]
    assert targets["targets"] == [f"127.0.0.1:{one}" for one in ports]


@pytest.mark.parametrize(
    "unit", sorted((DEPLOY / "systemd").glob("*.service")), ids=lambda u: u.stem
)
def test_units_begin_again_and_name_commands_that_exist(unit: Path) -> None:
    service = unit_of(unit.name)["Service"]
    assert service["Restart"] == "always"
    program, part, *options = shlex.split(service["ExecStart"])
    assert program.endswith("/.venv/bin/pingyi")
    told = finished(part, "--help").stdout
    for option in options:
        if option.startswith("--"):
            assert option in told


def locations() -> list[tuple[str, re.Pattern[str]]]:
    """(upstream, what it matches) of the locations, exact and regular ones before prefixes."""
    text = (DEPLOY / "nginx" / "locations.conf").read_text()
    found = re.findall(
        r"location (=|~|) ?(\S+) \{\s*(?:proxy_pass http://(\w+)|return (\d+));", text
    )
    kinds = {"=": lambda p: f"{re.escape(p)}$", "~": lambda p: p, "": lambda p: re.escape(p)}
    order = {"=": 0, "~": 1, "": 2}
    found.sort(key=lambda one: (order[one[0]], -len(one[1])))
    return [(to or status, re.compile(kinds[how](path))) for how, path, to, status in found]


def upstream(address: str) -> str:
    """Where nginx sends an address."""
    return next(to for to, pattern in locations() if pattern.match(address))


EXAMPLE = {
    "{slug}": "a-hearing",
    "{code}": "K2M4P6Q8",
    "{id}": "R7",
    "{id_}": "R7",
    "{name:path}": "a/b.css",
}
AT_WEB = {"/rounds/{id}/ballot"}
"""An edge serves it too, but a panelist's ballot does not stand in a crowd's way."""


@pytest.mark.parametrize("template", sorted({*AT_THE_EDGE, "/static/{name:path}"}))
def test_what_edges_serve_is_sent_to_them(template: str) -> None:
    page = template == "/" or template.startswith(("/static", "/h/", "/q/")) or template == "/q"
    address = template if page else f"/api/v1{template}"
    for name, value in EXAMPLE.items():
        address = address.replace(name, value)
    assert "{" not in address
    assert upstream(address) == ("pingyi_web" if template in AT_WEB else "pingyi_edges")


@pytest.mark.parametrize(
    "address",
    ["/office", "/login", "/h/a/host", "/h/a/host/socket", "/h/a/panel", "/h/a/desk/list", "/join/AB",
     "/api/v1/hearings/a/desk/questions", "/api/v1/hearings/a/queue", "/api/v1/rounds/R/opening",
     "/api/v1/sessions", "/api/v1/openapi.json", "/healthz"],
)  # fmt: skip
def test_staff_go_to_web(address: str) -> None:
    assert upstream(address) == "pingyi_web"
    assert upstream("/metrics") == "404"


@pytest.mark.system
def test_nginx_takes_the_configuration(tmp_path: Path) -> None:
    """The files as they are, but for paths and ports of this test's own."""
    nginx = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    assert nginx
    module = Path("/usr/lib/nginx/modules/ngx_rtmp_module.so")
    assert module.exists()
    (tmp_path / "hls" / "stream").mkdir(parents=True)
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x",
         "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    here = DEPLOY / "nginx"
    moved = {
        "/etc/ssl/pingyi.pem": f"{tmp_path}/cert.pem",
        "/etc/ssl/private/pingyi.key": f"{tmp_path}/key.pem",
        "include /etc/nginx/pingyi/locations.conf;": f"include {here}/stream-locations.conf;"
        f" include {here}/locations.conf;",
        "/var/lib/nginx/hls": f"{tmp_path}/hls",
        "listen 443": "listen 127.0.0.1:4430",
        "listen 80;": "listen 127.0.0.1:8070;",
        "listen 1935": "listen 127.0.0.1:19350",
    }
    for name in ("pingyi.conf", "stream.conf"):
        text = (here / name).read_text()
        for before, after in moved.items():
            text = text.replace(before, after)
        (tmp_path / name).write_text(text)
    (tmp_path / "nginx.conf").write_text(
        f"load_module {module}; pid {tmp_path}/pid; error_log {tmp_path}/error.log; events {{}}\n"
        f"http {{ access_log off; include {tmp_path}/pingyi.conf; }}\ninclude {tmp_path}/stream.conf;\n"
    )
    told = subprocess.run(
        [nginx, "-t", "-c", tmp_path / "nginx.conf"], capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr
