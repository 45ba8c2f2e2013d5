# Copyright (c) 2026, The openstack_ops.glance developers
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# SPDX-FileCopyrightText: 2026, The openstack_ops.glance developers

"""A headless Chromium, driven through chromedriver: as much of the WebDriver protocol as the tests need."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

import requests

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


class Browser:
    """One browser with one window, as a context manager."""

    def __init__(self, *flags: str) -> None:
        self._flags = [*FLAGS, *flags]
        self._directory = tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True)
        self._driver: t.Optional[subprocess.Popen[bytes]] = None
        self._base = ""

    def __enter__(self) -> Browser:
        programs = {name: shutil.which(name) for name in ("chromedriver", "chromium")}
        missing = [name for name, path in programs.items() if path is None]
        assert not missing, f"{missing} missing: install the packages with tests/tools/apt.sh chromium chromium-driver"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self._driver = subprocess.Popen(
            [str(programs["chromedriver"]), f"--port={port}", "--log-level=OFF"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._base = f"http://127.0.0.1:{port}"
        self._wait()
        options = {
            "binary": programs["chromium"],
            "args": [*self._flags, f"--user-data-dir={self._directory.name}"],
        }
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
        session = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._base += f"/session/{session['sessionId']}"
        return self

    def __exit__(self, *_error: object) -> None:
        assert self._driver is not None
        try:
            self.ask("DELETE", "")
        finally:
            self._driver.terminate()
            self._driver.wait(10)
            self._directory.cleanup()

    def _wait(self) -> None:
        for _attempt in range(100):
            try:
                if self.ask("GET", "/status")["ready"]:
                    return
            except requests.ConnectionError:
                time.sleep(0.1)
        raise AssertionError("chromedriver does not answer")

    def ask(self, method: str, path: str, body: t.Optional[dict[str, t.Any]] = None) -> t.Any:
        """Send one command, and return the value that it gives."""
        data = None if method in ("GET", "DELETE") else json.dumps(body or {})
        with requests.Session() as session:
            # A proxy of the environment has no business here.
            session.trust_env = False
            answer = session.request(method, self._base + path, data=data, timeout=120)
        value = answer.json()["value"]
        assert answer.ok, value
        return value

    def open(self, url: str) -> None:
        """Load a page, and wait until it is there."""
        self.ask("POST", "/url", {"url": url})

    def run(self, script: str) -> t.Any:
        """Run a script in the page; the page's policy does not hold for it."""
        return self.ask("POST", "/execute/sync", {"script": script, "args": []})

    def tool(self, command: str, **params: t.Any) -> t.Any:
        """Send a command of the developer tools."""
        return self.ask("POST", "/goog/cdp/execute", {"cmd": command, "params": params})

    def resize(self, width: int, height: int, *, dark: bool = False) -> None:
        """Show the page as on a screen of this size."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.tool("Emulation.setDeviceMetricsOverride", **metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.tool("Emulation.setEmulatedMedia", features=[scheme])

    def console(self) -> list[str]:
        """Return what the page has written to the console since it was last asked."""
        return [str(line["message"]) for line in self.ask("POST", "/se/log", {"type": "browser"})]

    def requests(self) -> list[str]:
        """Return the URLs that were asked for since this was last called, that of the page among them."""
        events = [
            json.loads(line["message"])["message"] for line in self.ask("POST", "/se/log", {"type": "performance"})
        ]
        return [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]

    def picture(self, path: Path) -> None:
        """Write a picture of what is on the screen, PNG."""
        path.write_bytes(base64.b64decode(self.ask("GET", "/screenshot")))
