# SPDX-License-Identifier: Apache-2.0
"""A page in headless Chromium, spoken to through a pipe: what it loads, what it complains about, what it looks like."""
import base64
import json
import os
import shutil
import subprocess
import tempfile

import check

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")


def program():
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


class Browser:
    """with Browser() as b: page = b.open("file:///x.html"); page.evaluate("1 + 1")"""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="scapula-browser-")
        commands, self.commands = os.pipe()
        self.answers, answers = os.pipe()
        line = 'exec "$0" "$@" 3<&%d 4>&%d' % (commands, answers)
        self.process = check.popen(["bash", "-c", line, program(), "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                                    "--disable-lcd-text", "--disable-dev-shm-usage", "--no-first-run", "--remote-debugging-pipe",
                                    "--user-data-dir=" + self.folder,
                                    "about:blank"], pass_fds=(commands, answers), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   start_new_session=True)
        os.close(commands)
        os.close(answers)
        self.buffer = b""
        self.last = 0
        self.events = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.call("Browser.close")
            self.process.wait(20)
        except (OSError, EOFError, subprocess.TimeoutExpired):
            pass
        if self.process.poll() is None:
            os.killpg(self.process.pid, 9)
            self.process.wait()
        os.close(self.commands)
        os.close(self.answers)
        shutil.rmtree(self.folder, ignore_errors=True)

    def receive(self):
        while b"\0" not in self.buffer:
            part = os.read(self.answers, 1 << 16)
            if not part:
                raise EOFError("the browser ended")
            self.buffer += part
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, session=None, **params):
        self.last += 1
        message = {"id": self.last, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        while True:
            got = self.receive()
            if got.get("id") == self.last:
                if "error" in got:
                    raise RuntimeError("%s: %s" % (method, got["error"]))
                return got["result"]
            self.events.append(got)

    def open(self, url, scripts=True, width=1280, height=1000, dark=False, media=""):
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            page.call(domain + ".enable")
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        page.call("Emulation.setEmulatedMedia", media=media, features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        if not scripts:
            page.call("Emulation.setScriptExecutionDisabled", value=True)
        self.events.clear()
        page.call("Page.navigate", url=url)
        page.wait("Page.loadEventFired")
        return page


class Page:
    def __init__(self, browser, session):
        self.browser = browser
        self.session = session

    def call(self, method, **params):
        return self.browser.call(method, self.session, **params)

    def wait(self, method):
        while not any(e.get("method") == method and e.get("sessionId") == self.session for e in self.browser.events):
            self.browser.events.append(self.browser.receive())

    def told(self, *methods):
        self.call("Runtime.getIsolateId")  # what happened before has arrived when this is answered
        return [e["params"] for e in self.browser.events if e.get("method") in methods and e.get("sessionId") == self.session]

    def complaints(self):
        """What a console would show, and dialogs."""
        return self.told("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening")

    def requests(self):
        return [e["request"]["url"] for e in self.told("Network.requestWillBeSent")]

    def evaluate(self, expression):
        got = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in got:
            raise RuntimeError(got["exceptionDetails"])
        return got["result"].get("value")

    def html(self):
        """The document as it is now, also where scripts are switched off."""
        root = self.call("DOM.getDocument", depth=0)["root"]
        return self.call("DOM.getOuterHTML", nodeId=root["nodeId"])["outerHTML"]

    def text(self):
        return self.call("DOM.getDocument") and self.evaluate("document.body.innerText")

    def screenshot(self, path, whole=False):
        size = {"captureBeyondViewport": whole}
        with open(path, "wb") as f:
            f.write(base64.b64decode(self.call("Page.captureScreenshot", format="png", **size)["data"]))

    def close(self):
        self.call("Page.close")
