"""A browser without a network: shows pages out of a folder, runs none of their scripts, takes pictures."""

from __future__ import annotations

import base64
import fcntl
import io
import json
import mimetypes
import os
import re
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from PIL import Image

from omma.errors import MissingExtra, MissingFile
from omma.sample import Size

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
HOST = "page.invalid"  # a name that no network knows; what it serves is served from here
_ENCODING = re.compile(rb"<meta[^>]+charset|<\?xml[^>]+encoding", re.IGNORECASE)
LARGEST = 16 * 2**20  # bytes of one file of a page
FLAGS = (
    *("--headless=new", "--remote-debugging-pipe", "--disable-gpu", "--no-first-run", "--hide-scrollbars"),
    *(
        "--disable-extensions",
        "--disable-background-networking",
        "--disable-component-update",
        "--mute-audio",
    ),
    *("--disable-sync", "--no-pings", "--disable-default-apps", "--force-color-profile=srgb"),
    # Nothing is ever asked of a network: no name is looked up, and all traffic goes where nobody listens.
    *("--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=http://127.0.0.1:9"),
    "--proxy-bypass-list=<-loopback>",
)


class BrowserTrouble(Exception):
    """The browser did not do what was asked, or not in time; a new one may."""


def find_browser(named: Path | None = None) -> Path:
    """The program to use: the one that was named, or a Chromium on the path.

    Raises MissingFile for a named one that is not there, MissingExtra where the machine has none.
    """
    if named is not None:
        if not named.is_file():
            raise MissingFile(
                f"{named} is no program; name Chromium or Chrome, or leave it out to search for one"
            )
        return named
    for program in PROGRAMS:
        if found := shutil.which(program):
            return Path(found)
    raise MissingExtra(
        f"no browser was found; wanted one of {', '.join(PROGRAMS)} on the path: install Chromium, or name it"
    )


def _kind_of(name: str, body: bytes) -> str:
    """A file's media type. A page that says nothing of its letters and is UTF-8 is told as that.

    A browser takes such a page for Windows-1252, and shows signs that nobody wrote.
    """
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    said = _ENCODING.search(body[:4096]) or body.startswith((b"\xff\xfe", b"\xfe\xff"))
    if kind != "text/html" or said:
        return kind
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return kind
    return f"{kind}; charset=utf-8"


class Browser:
    """One Chromium with one page, spoken to through a pipe. `patience` is for one request, in seconds."""

    def __init__(self, program: Path, patience: float = 30.0) -> None:
        self.program, self.patience = program, patience
        self._number, self._heard = 0, b""
        self._session: str | None = None
        self._world = 0
        self._root = Path()
        self._loaded = False

    def __enter__(self) -> Browser:
        self._profile = tempfile.TemporaryDirectory(prefix="omma-browser-", ignore_cleanup_errors=True)
        ours_in, self._to = os.pipe()
        self._from, ours_out = os.pipe()
        # The browser reads at 3 and writes at 4: first out of the way of these numbers, then onto them.
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (ours_in, ours_out)]
        root = ("--no-sandbox",) if hasattr(os, "geteuid") and os.geteuid() == 0 else ()
        try:
            self._process = self._started(ends, root)
        except OSError as problem:
            raise MissingExtra(
                f"{self.program} cannot be run: {problem.strerror}; name a Chromium or Chrome"
            ) from None
        finally:
            for end in (ours_in, ours_out, *ends):
                os.close(end)
        try:
            self._begin()
        except BaseException as problem:
            self.__exit__(None, None, None)
            if isinstance(problem, BrowserTrouble):
                raise MissingExtra(
                    f"{self.program} did not begin to work as a browser: {problem}; name a Chromium"
                ) from problem
            raise
        return self

    def _started(self, ends: list[int], root: tuple[str, ...]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [str(self.program), *FLAGS, *root, f"--user-data-dir={self._profile.name}", "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=lambda: [os.dup2(end, number) for end, number in zip(ends, (3, 4), strict=True)],
            pass_fds=(3, 4, *ends),
        )

    def __exit__(
        self, kind: type[BaseException] | None, wrong: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)
        self._profile.cleanup()

    def _begin(self) -> None:
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        self.call("Page.enable")
        self.call("Emulation.setScriptExecutionDisabled", {"value": True})
        self.call("Fetch.enable", {"patterns": [{"urlPattern": "*"}]})

    # Speaking

    def call(self, method: str, given: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask the browser for something and wait for it. Raises BrowserTrouble."""
        number = self._send(method, given or {})
        deadline = time.monotonic() + self.patience
        while True:
            heard = self._hear(deadline)
            if heard.get("id") == number:
                if "error" in heard:
                    told = str(heard["error"].get("message"))
                    gone = "the page led on to another one by itself"
                    raise BrowserTrouble(gone if "context" in told else f"{method}: {told}")
                result: dict[str, Any] = heard.get("result", {})
                return result

    def _send(self, method: str, given: dict[str, Any]) -> int:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": given}
        if self._session is not None:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        try:
            while data:
                data = data[os.write(self._to, data) :]
        except OSError as problem:
            raise BrowserTrouble(f"it listens no more: {problem.strerror}") from problem
        return self._number

    def _hear(self, deadline: float) -> dict[str, Any]:
        """The next message; requests for files are answered on the way."""
        while b"\0" not in self._heard:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._from], [], [], left)[0]:
                raise BrowserTrouble(f"no answer within {self.patience:.0f} s")
            data = os.read(self._from, 2**20)
            if not data:
                raise BrowserTrouble("it ended by itself")
            self._heard += data
        line, _, self._heard = self._heard.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        match message.get("method"):
            case "Fetch.requestPaused":
                self._serve(message["params"])
            case "Page.loadEventFired":
                self._loaded = True
        return message

    def _serve(self, asked: dict[str, Any]) -> None:
        """Give a file of the page's folder; everything else is refused."""
        url = urlsplit(asked["request"]["url"])
        path = self._inside(unquote(url.path)) if url.netloc == HOST and url.scheme == "http" else None
        if path is None:
            self._send(
                "Fetch.failRequest", {"requestId": asked["requestId"], "errorReason": "BlockedByClient"}
            )
            return
        body = path.read_bytes()
        answer = {
            "requestId": asked["requestId"],
            "responseCode": 200,
            "responseHeaders": [{"name": "Content-Type", "value": _kind_of(path.name, body)}],
            "body": base64.b64encode(body).decode(),
        }
        self._send("Fetch.fulfillRequest", answer)

    def _inside(self, name: str) -> Path | None:
        """The file of this name, where it lies in the page's folder and is not too large."""
        try:
            path = (self._root / name.lstrip("/")).resolve(strict=True)
            fits = path.is_file() and path.stat().st_size <= LARGEST and os.access(path, os.R_OK)
        except (OSError, ValueError, RuntimeError):
            return None
        return path if fits and path.is_relative_to(self._root) else None

    # What it is for

    def show(self, page: Path, root: Path, size: Size) -> None:
        """Show a page in a window of this size. It sees files in `root` alone. Raises BrowserTrouble."""
        self._root, self._loaded = root.resolve(), False
        window = {"width": size.width, "height": size.height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", window)
        name = quote(page.resolve().relative_to(self._root).as_posix())
        told = self.call("Page.navigate", {"url": f"http://{HOST}/{name}"})
        if told.get("errorText"):
            raise BrowserTrouble(str(told["errorText"]))
        deadline = time.monotonic() + self.patience
        while not self._loaded:
            self._hear(deadline)
        frame = self.call("Page.getFrameTree")["frameTree"]["frame"]["id"]
        made = self.call("Page.createIsolatedWorld", {"frameId": frame, "worldName": "omma"})
        self._world = made["executionContextId"]

    def tell(self, script: str) -> Any:
        """What a script of ours says of the page that is shown; the page's own scripts never run."""
        asked = {"expression": script, "contextId": self._world, "returnByValue": True}
        told = self.call("Runtime.evaluate", asked)
        if "exceptionDetails" in told:
            raise BrowserTrouble(f"the page cannot be looked at: {told['exceptionDetails'].get('text')}")
        return told["result"].get("value")

    def picture(self) -> Image.Image:
        """What the window shows."""
        data = self.call("Page.captureScreenshot", {"format": "png"})["data"]
        return Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB")
