"""The site is built without a warning, and what is wrong with a page is seen."""

import json
import re
import shutil
import subprocess
import sys

import pytest
from build import COMPILED, FOLDER

pytest.importorskip("sphinx")
pytest.importorskip("myst_nb")
sys.path.insert(0, str(FOLDER / "site"))

import assemble

import cfc_ref

GOOD = '<img src="a.png"><a href="b.html#here">b</a><a href="https://x.org/home/me">x</a>'
FAULTS = {
    '<a href="c.html">c</a>': "a.html: no page c.html",
    '<a href="b.html#there">b</a>': "a.html: no target b.html#there",
    '<a href="#there">b</a>': "a.html: no target #there",
    '<img src="b.png">': "a.html: no page b.png",
    '<script src="https://x.org/x.js"></script>': "a.html: loads https://x.org/x.js",
    '<link href="//x.org/x.css">': "a.html: loads //x.org/x.css",
    "<p>made in /home/me/site</p>": "a.html: a path of a machine: /home/m",
}


@pytest.mark.parametrize("bad", FAULTS)
def test_what_is_wrong_with_a_page_is_seen(tmp_path, bad):
    (tmp_path / "a.png").touch()
    (tmp_path / "b.html").write_text('<p id="here">')
    (tmp_path / "a.html").write_text(GOOD)
    assert list(assemble.faults(tmp_path)) == []
    (tmp_path / "a.html").write_text(GOOD + bad)
    assert list(assemble.faults(tmp_path)) == [FAULTS[bad]]


def test_a_folder_with_something_in_it_is_refused(tmp_path):
    (tmp_path / "mine").touch()
    with pytest.raises(SystemExit, match="not empty"):
        assemble.build(tmp_path)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site once, as a user does; a warning, a broken link or a path of a machine is an exit status."""
    folder = tmp_path_factory.mktemp("site") / "site"
    command = [sys.executable, str(FOLDER / "build.py"), "--site", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, f"{folder}/index.html\n"), done.stderr
    return folder


def links(page):
    """Return the pages that a page links to, relative to the site, with their targets."""
    found = re.findall(r'href="([^"]+)"', page.read_text(encoding="utf-8"))
    return {(page.parent / link.partition("#")[0]).resolve(): link for link in found if "://" not in link}


SOUGHT = {  # what a newcomer looks for -> words on the page where it is
    "Eq. 4's code": ("code/cells.cfc.modes.html", "Eq. (4)"),
    "Lemma 1's bound": ("api/bounds.html", "cfc_ref.bounds.lemma1"),
    "how to load ncps weights": ("run.html", "from_ncps"),
    "how to train on a CSV": ("own_data.html", "cfc-ref"),
    "what verify says": ("verify.html", "S14"),
    "how to cite": ("cite.html", "10.1038/s42256-022-00556-7"),
}


@pytest.mark.parametrize("sought", SOUGHT)
def test_a_newcomer_finds_it_with_one_click(site, sought):
    page, words = SOUGHT[sought]
    assert (site / page).resolve() in links(site / "index.html")
    assert words in re.sub(r"<[^>]+>", "", (site / page).read_text(encoding="utf-8"))


def test_every_tutorial_and_every_public_name_has_its_place(site):
    for path in FOLDER.glob("[0-9][0-9]_*.ipynb"):
        assert (site / "tutorials" / f"{path.stem}.html").is_file()
    text = "".join(path.read_text(encoding="utf-8") for path in (site / "api").glob("*.html"))
    for name in set(cfc_ref.__all__) - {"__version__"}:
        module = f"cfc_ref.{name}" == cfc_ref._PUBLIC[name]
        assert f'id="cfc_ref.{name}{"." if module else chr(34)}' in text, name


def test_the_browser_gets_the_notebooks_and_the_wheel(tmp_path):
    pytest.importorskip("jupyterlite_core")
    pytest.importorskip("jupyterlite_pyodide_kernel")
    assemble._build_lite(tmp_path, tmp_path / "lite")
    names = {path.name for path in FOLDER.glob("[0-9][0-9]_*.ipynb") if path.stem not in COMPILED}
    files = tmp_path / "lite" / "files"
    assert {path.name for path in files.iterdir()} == names | {"results", "solutions"}
    for name in names:
        made, stored = (json.loads((folder / name).read_text(encoding="utf-8")) for folder in (files, FOLDER))
        added = [cell for cell in made["cells"] if cell not in stored["cells"]]
        assert [cell["source"] for cell in added] == [assemble.INSTALL]
        assert [cell for cell in made["cells"] if cell in stored["cells"]] == stored["cells"]
    wheels = json.loads((tmp_path / "lite" / "pypi" / "all.json").read_text(encoding="utf-8"))
    (release,) = wheels["cfc-ref"]["releases"][cfc_ref.__version__]
    assert (tmp_path / "lite" / "pypi" / release["filename"]).is_file()
    assert (tmp_path / "lite" / "lab" / "index.html").is_file()


def test_a_network_runs_on_a_page_where_it_can_be_compiled(site):
    page, there = site / "eeg_network.html", all(map(shutil.which, ("clang", "wasm-ld")))
    assert page.is_file() == (page.resolve() in links(site / "index.html")) == there
    assert "NETWORK" not in (site / "index.html").read_text(encoding="utf-8")


def test_formulas_and_search_need_no_network(site):
    assert (site / "_static" / assemble.MATHJAX).stat().st_size > 1e6
    assert (site / "searchindex.js").is_file()
