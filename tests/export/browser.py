"""``python -m tests.export.browser``: size, golden outputs and speed of WebAssembly, in Node and in Chromium."""

import json
import re
import shutil
import subprocess
import tempfile

from cfc_ref import export_wasm
from tests.export.speed import MODELS

CLANG, LINKER, NODE = shutil.which("clang"), shutil.which("wasm-ld"), shutil.which("node")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_RUN = """
const fs = require("fs"), page = fs.readFileSync(process.argv[1], "utf8");
const about = JSON.parse(page.match(/<script type="application\\/json" id="content">(.*?)<\\/script>/s)[1]);
const floats = (text) => new Float32Array(Uint8Array.from(Buffer.from(text, "base64")).buffer);
WebAssembly.instantiate(fs.readFileSync(process.argv[2])).then(({ instance: { exports: c } }) => {
  const view = (at, size) => new Float32Array(c.memory.buffer, at, size), inputs = about.features.length;
  const x = view(c.at_x(), inputs), y = view(c.at_y(), about.outputs.length);
  const state = view(c.at_state(), about.units), rates = view(c.at_rates(), about.units);
  const given = floats(about.golden.x), dt = floats(about.golden.dt), seen = { y: [], state: [], rates: [] };
  c.reset();
  for (let k = 0; k < dt.length; k++) {
    x.set(given.subarray(k * inputs, (k + 1) * inputs));
    c.step(dt[k]);
    for (const [name, of] of Object.entries({ y, state, rates })) seen[name].push(Array.from(of));
  }
  let best = Infinity;
  for (let round = 0; round < Number(process.argv[3]); round++) {
    const start = performance.now();
    for (let k = 0; k < 2000; k++) c.step(dt[3]);
    best = Math.min(best, (performance.now() - start) / 2);
  }
  const golden = { x: Array.from(given), dt: Array.from(dt), y: Array.from(floats(about.golden.y)) };
  console.log(JSON.stringify({ ...seen, golden, about, microseconds: best }));
});
"""


def in_node(page, rounds=40):
    """Return the outputs, states and rates of a run over golden inputs in Node, what the page holds, and the time."""
    line = [NODE, "-e", _RUN, str(page), str(page.with_suffix(".wasm")), str(rounds)]
    return json.loads(subprocess.run(line, check=True, capture_output=True, text=True, timeout=60).stdout)


def in_chromium(page, folder):
    """Return the verdict of the page on itself in a headless Chromium: "passed" or "failed", error and time."""
    line = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile"]
    line += ["--virtual-time-budget=2000", "--dump-dom", page.as_uri()]
    text = subprocess.run(line, check=True, capture_output=True, text=True, timeout=60).stdout
    return dict(re.findall(r'data-(\w+)="([^"]*)"', re.search(r"<body[^>]*>", text)[0]))


def main():
    for name, make in MODELS.items():
        with tempfile.TemporaryDirectory() as folder:
            page = export_wasm(make(), folder, "n")
            kb = [f"{path.stat().st_size / 1000:.1f} kB" for path in (page.with_suffix(".wasm"), page)]
            said = f"{name}: module {kb[0]}, page {kb[1]}"
            if NODE:
                said += f"; a step {in_node(page)['microseconds']:.2f} us in Node"
            if CHROMIUM:
                seen = in_chromium(page, folder)
                said += f"; Chromium: golden test {seen['golden']}, largest error {float(seen['error']):.1e}"
        print(said)  # noqa: T201


if __name__ == "__main__":
    main()
