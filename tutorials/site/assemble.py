"""Put the site's pages together, build them with Sphinx, and check what came out.

The pages are the notebooks as they are stored, the README's sections, the generated pages, and two kinds that are
made here: the reference of the public names, and the code of every equation.
"""

from __future__ import annotations

import inspect
import json
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib import metadata
from pathlib import Path
from urllib.parse import unquote, urlsplit

from browser_page import compiler_is_there, linked, write_page
from build import COMPILED

import cfc_ref
from cfc_ref.plots.lectures import moving_bound

SITE = Path(__file__).resolve().parent
TUTORIALS, ROOT = SITE.parent, SITE.parents[1]
MATHJAX = "tex-svg-full.js"
GROUPS = {  # page of the reference -> its title and the public names on it; a module stands for all of its own names
    "neuron": ("One neuron", ["LTCNeuron", "solve", "exact", "closed_form", "frozen"]),
    "signals": ("Signals", ["signals"]),
    "bounds": ("Bounds", ["bounds"]),
    "verify": ("The report", ["verify"]),
    "networks": ("Networks", ["CfC", "LTC", "NeuralLTC", "LSTM", "CTRNN"]),
    "wirings": ("Wirings", ["wirings"]),
    "files": ("Weights and files", ["save", "load", "from_ncps", "to_ncps_state_dict"]),
    "learning": ("Learning", ["fit", "CfCRegressor", "CfCClassifier"]),
    "translate": ("Translation into closed form", ["translate"]),
    "teach": ("Exercises that answer", ["teach"]),
    "more": ("More", ["set_num_threads", "warmup"]),  # and every public name that is on no other page
}
SECTIONS = {  # page -> its title, and the README's heading over what is on it
    "verify": ("What cfc-ref verify says", "## What `cfc-ref verify` says"),
    "claims": ("The paper's claims", "## The paper's claims"),
    "run": ("Networks, and coming from ncps", "## Networks"),
    "own_data": ("Own data: training on a CSV file", "## Own data"),
}
MACHINE = re.compile(r"(?<![\w.:/\-])/(?:home|root|tmp|Users|work|usr|opt|var|mnt|private)/\w")


def build(folder: Path, *, lite: bool = False) -> None:
    """Build the site in `folder`; a warning, a broken link or a path of this machine ends it with SystemExit.

    With `lite` it has the notebooks in JupyterLite, too, and each notebook's page links to where it runs. With clang
    and wasm-ld it has a page that runs a network.
    """
    from sphinx.cmd.build import main as sphinx

    if folder.exists() and any(folder.iterdir()):
        raise SystemExit(f"--site: got {str(folder)!r}, which is not empty; expected a new folder; name another one.")
    with tempfile.TemporaryDirectory() as work:
        pages = Path(work, "pages")
        write_pages(pages)
        if lite:
            _link_to_lite(pages / "tutorials")
        options = ["-W", "--keep-going", "-q", "-b", "html", "-d", str(Path(work, "doctrees"))]
        if sphinx([*options, str(pages), str(folder)]):
            raise SystemExit("--site: Sphinx warned; the lines above say of what.")
        if lite:
            _build_lite(Path(work), folder / "lite")
    if compiler_is_there():
        write_page(folder)
    (folder / ".buildinfo").unlink(missing_ok=True)
    shutil.rmtree(folder / "_sources", ignore_errors=True)  # empty
    (folder / ".nojekyll").touch()  # Pages leaves out folders that begin with _ without it
    if found := list(faults(folder)):
        raise SystemExit("\n".join(["--site: the pages were built, and are not right:", *found]))


def write_pages(pages: Path) -> None:
    """Write all sources of the site to a new folder."""
    keep = shutil.ignore_patterns("*.py", "site", "__pycache__", ".ipynb_checkpoints")
    shutil.copytree(TUTORIALS, pages / "tutorials", ignore=keep)
    shutil.copytree(TUTORIALS / "solutions", pages / "tutorials" / "solutions", dirs_exist_ok=True)
    shutil.copytree(ROOT / "cfc_ref", pages / "included" / "cfc_ref", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(SITE / "conf.py", pages)
    _write(pages / "index.md", linked((SITE / "index.md").read_text(encoding="utf-8")))
    static = pages / "_static"
    static.mkdir()
    shutil.copy(SITE / "site.css", static)
    shutil.copy(mathjax(), static)
    (static / "moving_bound.gif").write_bytes(moving_bound())
    for name, (title, heading) in SECTIONS.items():
        _write(pages / f"{name}.md", f"# {title}\n\n{_moved(section(heading), '')}")
    _write(pages / "changelog.md", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    _write(pages / "cite.md", citing())
    _tutorials(pages / "tutorials")
    _code(pages)
    _reference(pages / "api")


def _link_to_lite(folder: Path) -> None:
    """Write a link under the title of each notebook to where it runs in the browser."""
    for path in folder.glob("*.ipynb"):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        title, *rest = "".join(notebook["cells"][0]["source"]).split("\n")
        target = f"../lite/lab/index.html?path={path.name}"
        link = f'<a class="run" href="{target}">Run this page in the browser</a>'
        if path.stem in COMPILED:
            link = (
                "*This page times compiled kernels and processes, which a browser does not have: run it with Jupyter.*"
            )
        notebook["cells"][0]["source"] = "\n".join([title, "", link, "", *rest])
        _write(path, json.dumps(notebook, ensure_ascii=False))


INSTALL = """\
# In the browser only: the package, and what it computes with. Compiled kernels and processes are not available there.
import piplite

await piplite.install(["numpy", "scipy", "matplotlib", "tqdm"])
await piplite.install("cfc-ref", deps=False)"""


def _build_lite(work: Path, folder: Path) -> None:
    """Build JupyterLite with the notebooks, each of which installs the wheel first, and the wheel."""
    source, contents = work / "source", work / "contents"
    hidden = shutil.ignore_patterns("__pycache__", "*.egg-info", "site", ".ipynb_checkpoints")
    for name in ("cfc_ref", "tutorials"):
        shutil.copytree(ROOT / name, source / name, ignore=hidden)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    _run("-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(work / "wheel"), str(source))
    (wheel,) = (work / "wheel").glob("*.whl")
    for name in ("results", "solutions"):
        shutil.copytree(TUTORIALS / name, contents / name, ignore=shutil.ignore_patterns("*.md", "__pycache__"))
    for path in TUTORIALS.glob("[0-9][0-9]_*.ipynb"):
        if path.stem in COMPILED:
            continue
        notebook = json.loads(path.read_text(encoding="utf-8"))
        first = next(k for k, cell in enumerate(notebook["cells"]) if cell["cell_type"] == "code")
        cell = {"cell_type": "code", "id": "install", "metadata": {}, "execution_count": None, "outputs": []}
        notebook["cells"].insert(first, {**cell, "source": INSTALL})
        _write(contents / path.name, json.dumps(notebook, ensure_ascii=False, indent=1))
    command = ["-m", "jupyterlite_core", "build", "--lite-dir", str(work), "--contents", str(contents)]
    _run(*command, "--output-dir", str(folder), "--piplite-wheels", str(wheel), "--no-sourcemaps")


def _run(*words: str) -> None:
    """Run a Python command; where it fails, its output and SystemExit."""
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"--site: {' '.join(words[:3])} failed:\n{done.stdout}{done.stderr}")


def mathjax() -> Path:
    """Return MathJax as one file, out of the package that carries it."""
    for file in metadata.files("sphinx-mathjax-offline") or ():
        if file.name == MATHJAX:
            return Path(str(file.locate()))
    raise SystemExit("--site: the installed sphinx-mathjax-offline lacks MathJax; install cfc-ref[docs] again.")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def section(heading: str) -> str:
    """Return what the README says under a heading, up to the next one of its rank; doctests become code."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rank = heading.partition(" ")[0]
    found = re.search(rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{len(rank)}}} |\Z)", text, re.MULTILINE | re.DOTALL)
    if found is None:
        raise SystemExit(f"--site: the README has no heading {heading!r}; change SECTIONS in tutorials/site.")
    text = re.sub(r"^```python\n(?=>>>)", "```pycon\n", found[1], flags=re.MULTILINE).replace("\n### ", "\n## ")
    alone = "np." in text and "import numpy" not in text  # an earlier section of the README imports it
    return text.replace("```pycon\n", "```pycon\n>>> import numpy as np\n", 1) if alone else text


def _moved(text: str, up: str) -> str:
    """Return text of the README with its links to tutorials seen from a page of the site."""
    text = text.replace("](tutorials/README.md)", f"]({up}tutorials/index.md)")
    return text.replace("](tutorials/results/README.md)", f"]({up}tutorials/results/index.md)")


def _tutorials(folder: Path) -> None:
    """Turn both README pages into index pages with a table of contents, and drop the links into the sources."""
    notebooks = "\n".join(path.stem for path in sorted(folder.glob("[0-9][0-9]_*.ipynb")))
    for index, entries in (
        (folder, notebooks),
        (
            folder / "results",
            "\n".join(sorted(p.stem for p in (folder / "results").glob("*.md") if p.stem != "README")),
        ),
    ):
        text = (index / "README.md").read_text(encoding="utf-8").replace("results/README.md", "results/index.md")
        _write(index / "index.md", f"{text}\n```{{toctree}}\n:hidden:\n:maxdepth: 1\n\n{entries}\n```")
        (index / "README.md").unlink()
    for path in folder.glob("*.ipynb"):
        _write(path, path.read_text(encoding="utf-8").replace("(results/README.md", "(results/index.md"))
    for path in folder.rglob("*.md"):
        text = path.read_text(encoding="utf-8").replace("](../../cfc_ref/", "](../cfc_ref/")
        _write(
            path, re.sub(r"\[`([\w.]+)`\]\(\.\./cfc_ref/[\w/]+\.py\)", lambda m: f"[`{m[1]}`](#{label(m[1])})", text)
        )


def label(dotted: str) -> str:
    """Return the target of a function's code."""
    return "code-" + re.sub(r"[._]+", "-", dotted).strip("-").lower()


def _code(pages: Path) -> None:
    """Write a page per module of the equation map, with the code of each function that is an equation."""
    rows = re.findall(r"\[`([\w.]+)`\]\(\.\./cfc_ref/([\w/]+\.py)\)", (TUTORIALS / "equations.md").read_text("utf-8"))
    for file in sorted({file for _, file in rows}):
        module = file.removesuffix(".py").replace("/", ".")
        lines = [f"# `{module}`\n"]
        for dotted in sorted({dotted for dotted, of in rows if of == file}):
            name = dotted.removeprefix(f"{module}.")
            lines += [f"({label(dotted)})=\n\n## `{name}`\n", f"```{{literalinclude}} /included/cfc_ref/{file}"]
            lines += [f":pyobject: {name}", ":language: python", "```\n"]
        _write(pages / "code" / f"{module}.md", "\n".join(lines))
    entries = "\n".join(sorted(path.stem for path in (pages / "code").glob("*.md")))
    intro = (
        "The functions that the [equation map](../tutorials/equations.md) names, by module, as they are in the package."
    )
    _write(pages / "code" / "index.md", f"# The code of the equations\n\n{intro}\n\n```{{toctree}}\n{entries}\n```")


def _reference(folder: Path) -> None:
    """Write the reference of the public names."""
    placed = {name for _, names in GROUPS.values() for name in names}
    groups = {page: (title, list(names)) for page, (title, names) in GROUPS.items()}
    groups["more"][1].extend(name for name in cfc_ref.__all__ if name not in placed and name != "__version__")
    for page, (title, names) in groups.items():
        lines = [title, "=" * len(title), ""]
        for name in names:
            found = getattr(cfc_ref, name)
            if inspect.ismodule(found):
                lines += [inspect.cleandoc(found.__doc__ or ""), ""]
                of = [(f"{name}.{inner}", getattr(found, inner)) for inner in found.__all__]
            else:
                of = [(name, found)]
            for dotted, thing in of:
                lines += _entry(dotted, thing)
        _write(folder / f"{page}.rst", "\n".join(lines))
    entries = textwrap.indent("\n".join(groups), "   ")
    intro = (
        "Everything here is importable from ``cfc_ref`` itself. Each entry has its equation, its shapes and an example."
    )
    _write(folder / "index.rst", f"Reference\n=========\n\n{intro}\n\n.. toctree::\n   :maxdepth: 2\n\n{entries}")


def _entry(dotted: str, thing: object) -> list[str]:
    """Return the directive of one public name, under a target of its own."""
    kind = "autoclass" if inspect.isclass(thing) else "autofunction" if callable(thing) else "autodata"
    members = ["   :members:", "   :inherited-members: tuple, BaseException"] if kind == "autoclass" else []
    target = "api-" + label(dotted).removeprefix("code-") + "-class" * inspect.isclass(thing)
    return [f".. _{target}:", "", f".. {kind}:: cfc_ref.{dotted}", *members, ""]


def citing() -> str:
    """Return the page on citing, made from CITATION.cff."""
    import yaml

    cff = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    lines = ["# How to cite", "", f"{cff['message']}", "", "```bibtex"]
    lines += [
        f"@software{{cfc_ref, title = {{{cff['title']}: {cff['abstract']}}},",
        f"  version = {{{cff['version']}}}}}",
        "",
    ]
    for work in cff["references"]:
        kind = "article" if work["type"] == "article" else "inproceedings"
        authors = " and ".join(f"{one['family-names']}, {one['given-names']}" for one in work["authors"])
        fields = {"title": work["title"], "author": authors, "year": work["year"], "journal": work.get("journal")}
        fields |= {"booktitle": work.get("conference", {}).get("name"), "volume": work.get("volume")}
        fields |= {"pages": f"{work['start']}--{work['end']}" if "start" in work else None, "doi": work.get("doi")}
        fields |= {"note": next((one["value"] for one in work.get("identifiers", ())), None)}
        key = f"{work['authors'][0]['family-names'].lower()}{work['year']}"
        body = ",\n".join(f"  {name} = {{{value}}}" for name, value in fields.items() if value)
        lines += [f"@{kind}{{{key},\n{body}}}", ""]
    return "\n".join([*lines[:-1], "```"])


class _Page(HTMLParser):
    """The links and targets of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.targets: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take down what an element links to, loads and is called."""
        found = dict(attrs)
        self.targets |= {value for key in ("id", "name") if (value := found.get(key))}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"] or "")
        elif (tag in ("script", "img", "iframe") and found.get("src")) or (tag == "link" and found.get("href")):
            self.loaded.append(found.get("src") or found.get("href") or "")


def faults(folder: Path) -> Iterator[str]:
    """Yield what is wrong with built pages: broken links, what is loaded from elsewhere, paths of a machine."""
    pages = {}
    for path in sorted(path for path in folder.rglob("*.html") if "lite" not in path.relative_to(folder).parts):
        text = path.read_text(encoding="utf-8")
        if found := MACHINE.search(text):
            yield f"{path.relative_to(folder)}: a path of a machine: {found[0]}"
        pages[path.resolve()] = _Page()
        pages[path.resolve()].feed(text)
    for path, page in pages.items():
        here = path.relative_to(folder.resolve())
        for link in [*page.links, *page.loaded]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.loaded and parts.scheme != "data":
                    yield f"{here}: loads {link}"
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if not target.exists():
                yield f"{here}: no page {link}"
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].targets:
                yield f"{here}: no target {link}"
