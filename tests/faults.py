"""A labelling run in which kernels are killed and pages loaded again, and what came of it.

The page's own record, of what was given and what was acknowledged, is kept in
the tab's storage: it survives whatever is done to the kernel and to the page.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import threading
from dataclasses import dataclass, field

from playwright.sync_api import expect

LABELS = ["Reagent", "Action", "Amount"]
#: In milliseconds; a kernel that is killed comes back within seconds.
PATIENCE = 120_000
RECORD = r"""(() => {
  const put = Storage.prototype.setItem;
  const note = (kind, value) =>
    put.call(sessionStorage, `faults:${kind}:${sessionStorage.length}:${Math.random()}`,
      JSON.stringify({ at: performance.timeOrigin + performance.now(), ...value }));
  Storage.prototype.setItem = function (key, value) {
    // What a person has given is in the browser's storage before it is sent.
    if (this === localStorage && /^nbner:.*:answer:/.test(key))
      note("given", JSON.parse(value).message);
    return put.call(this, key, value);
  };
  const text = new TextDecoder();
  const content = (buffer) => {
    const view = new DataView(buffer);
    const offset = (i) => Number(view.getBigUint64(8 * (i + 1), true));
    return text.decode(buffer.slice(offset(4), offset(5)));
  };
  const Plain = window.WebSocket;
  window.WebSocket = class extends Plain {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => {
        if (!(data instanceof ArrayBuffer)) return;
        const message = JSON.parse(content(data)).data?.content;
        if (message?.type === "saved" && message.re) note("acknowledged", { id: message.re });
      });
    }
  };
})();"""
READ = """kind => Object.keys(sessionStorage)
  .filter((key) => key.startsWith(`faults:${kind}:`))
  .map((key) => JSON.parse(sessionStorage.getItem(key)))
  .sort((a, b) => a.at - b.at)"""
WAITING = "() => Object.keys(localStorage).filter((key) => /^nbner:.*:answer:/.test(key)).length"
CURRENT = (
    "SELECT CAST(input_hash AS TEXT), nbner_current.answer FROM nbner_current "
    "JOIN nbner_examples ON nbner_examples.id = example_id"
)
STEPS = [
    *([("ArrowRight", "1", "a")] * 4),
    *([("a",), ("x",), ("Space",)] * 2),
    ("f", "a"),
    ("Backspace",),
    ("Control+z", "Control+z"),
]


@dataclass
class Outcome:
    """What was given, what was acknowledged, and what the database file holds."""

    given: list[dict]
    acknowledged: set[str]
    stored: list[str]
    current: dict[str, str]
    kills: int = 0
    reloads: int = 0
    last: dict[str, str | None] = field(init=False)

    def __post_init__(self):
        self.last = {one["example"]: one["answer"] for one in self.given}

    @property
    def missing(self):
        """Acknowledged and not in the file."""
        return self.acknowledged - set(self.stored)

    @property
    def never_stored(self):
        """Given and neither in the file nor replaced by a later word on the same example."""
        stored, replaced, lost = set(self.stored), set(), []
        for one in reversed(self.given):
            if one["id"] in stored:
                replaced.add(one["example"])
            elif one["example"] not in replaced:
                lost.append(one["id"])
        return lost

    @property
    def twice(self):
        """Stored more than once, or by nobody's hand."""
        given = {one["id"] for one in self.given}
        return [one for one in self.stored if self.stored.count(one) > 1 or one not in given]

    @property
    def differing(self):
        """Examples whose answer in the file is not the last that was given."""
        return [one for one, answer in self.last.items() if self.current.get(one) != answer]

    def __str__(self):
        return (
            f"{self.kills} kills and {self.reloads} reloads; {len(self.given):,} answers given, "
            f"{len(self.acknowledged):,} acknowledged, {len(self.stored):,} in the file; "
            f"acknowledged and missing {len(self.missing)}, given and never stored "
            f"{len(self.never_stored)}, stored twice {len(self.twice)}, "
            f"last answer differs {len(self.differing)}"
        )


class Run:
    """A scripted person at a notebook that is not kind to them."""

    def __init__(self, lab, name, seed=0):
        self.lab = lab
        self.name = name
        self.random = random.Random(seed)
        lab.page.add_init_script(RECORD)
        lab.page.set_default_timeout(PATIENCE)

    def go(self, kills, reloads):
        """Label, and let so much go wrong, in an order of chance."""
        self.lab.open(self.lab.server.write(f"{self.name}.ipynb", self.source))
        faults = [self.kill] * kills + [self.reload] * reloads
        self.random.shuffle(faults)
        for fault in faults:
            self.begin()
            fault()
        self.begin()
        self.label(5)
        saving = self.lab.annotator.locator("[data-save]")
        expect(saving).to_have_attribute("data-save", "saved", timeout=PATIENCE)
        self.lab.page.wait_for_function(f"() => ({WAITING})() === 0")
        return self.outcome(kills, reloads)

    @property
    def source(self):
        return (
            "import os, nbner\nfrom pathlib import Path\n"
            f"Path('{self.name}.pid').write_text(str(os.getpid()))\n"
            f"session = nbner.Session('faults', labels={LABELS!r}, store='{self.name}.db')\n"
            "if not session.counts().total:\n"
            "    session.add([f'Add {i} ml of LB broth.' for i in range(20_000)])\n"
            "session.manual()"
        )

    def begin(self):
        """Run the cell; the dialog that tells of a death may stand in the way."""
        self.lab.wait_for_kernel()
        self.dismiss()
        self.lab.command("notebook:run-cell")
        expect(self.lab.annotator).to_have_count(1, timeout=PATIENCE)
        self.lab.page.wait_for_function(
            """() => {
              const panel = window.jupyterapp.shell.currentWidget;
              const live = panel.content.widgets[0].node.querySelector("[data-nbner]");
              return panel.sessionContext.session?.kernel?.status === "idle"
                && live?.dataset.example && panel.content.widgets[0].model.executionCount !== null
                && live.querySelector("[data-save]").dataset.save === "saved";
            }"""
        )

    def label(self, steps):
        self.lab.annotator.first.focus()
        for _ in range(steps):
            for key in self.random.choice(STEPS):
                self.lab.page.keyboard.press(key)

    def kill(self):
        pid = int((self.lab.server.root / f"{self.name}.pid").read_text())
        timer = threading.Timer(self.random.uniform(0, 0.8), os.kill, (pid, signal.SIGKILL))
        timer.start()
        while timer.is_alive():
            self.label(1)
        self.label(self.random.randrange(4))
        # The dialog that tells of it may be gone by now: the space key presses its button.
        said = self.lab.annotator.first.get_by_role("status").first
        expect(said).to_contain_text("The kernel was restarted", timeout=PATIENCE)
        self.lab.page.evaluate(
            "() => { window.jupyterapp.shell.currentWidget.content.widgets[0].model"
            ".executionCount = null; }"
        )

    def reload(self):
        self.label(self.random.randrange(1, 12))
        self.lab.page.reload()

    def dismiss(self):
        dialog = self.lab.page.locator(".jp-Dialog")
        while dialog.count():
            dialog.get_by_role("button").last.click()
            self.lab.page.wait_for_function(
                "() => document.querySelectorAll('.jp-Dialog').length === 0"
            )

    def outcome(self, kills, reloads):
        with sqlite3.connect(self.lab.server.root / f"{self.name}.db") as database:
            stored = [row[0] for row in database.execute("SELECT uid FROM nbner_answers")]
            current = dict(database.execute(CURRENT))
        return Outcome(
            given=self.lab.page.evaluate(READ, "given"),
            acknowledged={one["id"] for one in self.lab.page.evaluate(READ, "acknowledged")},
            stored=stored,
            current=current,
            kills=kills,
            reloads=reloads,
        )
