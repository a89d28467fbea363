"""nginx before the nodes of a hub, with the configuration that `deploy/` ships."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import urllib3

from huodang.simulation.world import World
from huodang.trust import TlsAuthority


def find_nginx() -> str | None:
    """Find the program; None where it isn't installed."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


@contextmanager
def proxy(nginx: str, world: World, folder: Path, configuration: Path) -> Iterator[str]:
    """Run nginx before a world's nodes, on the port that its portal would have.

    Args:
        nginx: the program.
        world: whose nodes; its portal doesn't run.
        folder: is made, for what nginx writes.
        configuration: `deploy/nginx/huodang.conf`.

    Yields:
        The address.
    """
    pair = TlsAuthority.load(world.tls).issue("proxy", ("127.0.0.1", "localhost"))
    port = world.ports["portal"]
    nodes = "\n".join(f"server 127.0.0.1:{world.ports[one]} max_fails=2 fail_timeout=5s;" for one in world.nodes)
    filled = configuration.read_text("utf-8")
    for name, value in {
        "NODES": nodes,
        "LISTEN": f"127.0.0.1:{port}",
        "NAME": "localhost",
        "CERTIFICATE": str(pair.certificate),
        "KEY": str(pair.key),
    }.items():
        filled = filled.replace(f"@{name}@", value)
    folder.mkdir()
    main = folder / "nginx.conf"
    temporary = "\n".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "root" if os.geteuid() == 0 else "nobody"
    main.write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1; user {user};\n"
        f"events {{ worker_connections 256; }}\nhttp {{ access_log off; {temporary}\n{filled}\n}}\n",
        "utf-8",
    )
    subprocess.run([nginx, "-t", "-q", "-c", str(main)], check=True)  # noqa: S603  (our own configuration)
    process = subprocess.Popen([nginx, "-c", str(main)])  # noqa: S603  (as above)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield f"https://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def through_proxy(world: World) -> urllib3.PoolManager:
    """Make connections that trust the proxy's certificate."""
    return urllib3.PoolManager(
        maxsize=16,
        block=True,
        retries=False,
        timeout=urllib3.Timeout(connect=5, read=60),
        ca_certs=str(world.tls / "authority.crt"),
    )
