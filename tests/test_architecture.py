"""The rules of the house, read off the sources: what imports what, and where; names; docstrings."""

import ast
import graphlib
import importlib
import inspect
import json
import re
from collections import defaultdict
from pathlib import Path

import pytest

import cfc_ref
from cfc_ref import plots

ROOT = Path(cfc_ref.__file__).parent
FILES = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in ROOT.rglob("*.py")}
MODULES = {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in FILES} - {"__init__"}
PACKAGES = {m for m in MODULES if any(other.startswith(f"{m}.") for other in MODULES)}

# One direction: a unit imports from its own rank and from those below.
RANKS = [
    {"activations", "arrays", "checks", "facade", "csv_table", "csv_times", "signals", "wiring_draws", "wirings"},
    {"neuron", "cells"},
    {"bounds", "kernels"},
    {"backend"},
    {"layers", "translate"},
    {"io", "ncps", "learn", "export"},
    {"plots"},
    {"data", "datasets", "tables", "experiments", "bench", "report", "teach"},
    {"cli"},
    {"__main__"},
]
RANK = {unit: rank for rank, units in enumerate(RANKS) for unit in units}
HOMES = {  # third-party package -> the files and folders that may import it, and whether at their top
    "numba": (("kernels/",), True),
    "scipy": (("neuron/trajectory.py", "cells/adjoint.py", "report/"), False),
    "matplotlib": (("plots/", "report/", "datasets/eeg.py"), False),
}


def imports(tree, *, types=True):
    """Yield (dotted name, inside a function) of every import, lazy ones too; without `types` those that are run."""

    def walk(node, inside):
        if not types and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if isinstance(node, ast.Import):
            yield from ((alias.name, inside) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative import"
            yield from ((f"{node.module}.{alias.name}", inside) for alias in node.names)
        inside = inside or isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        for child in ast.iter_child_nodes(node):
            yield from walk(child, inside)

    yield from walk(tree, False)


def unit(file):
    return file.partition("/")[0].removesuffix(".py")


def imported_units(tree):
    """The units of cfc_ref that a file imports; a public name stands for the unit that holds it."""
    for name, _ in imports(tree):
        package, _, rest = name.partition(".")
        if package == "cfc_ref" and rest:
            first = rest.partition(".")[0]
            if first in RANK or first in MODULES:
                yield first
            elif first in cfc_ref._PUBLIC:
                yield cfc_ref._PUBLIC[first].split(".")[1]


def test_every_unit_has_a_rank():
    assert {unit(file) for file in FILES} - {"__init__"} <= set(RANK)


@pytest.mark.parametrize("file", sorted(set(FILES) - {"__init__.py"}))
def test_imports_run_in_one_direction(file):
    above = {other for other in imported_units(FILES[file]) if RANK[other] > RANK[unit(file)]}
    assert not above, f"{file} imports {above}"


def test_no_import_of_rooms_runs_in_a_circle():
    graph = defaultdict(set)
    for file, tree in FILES.items():
        if file != "__init__.py":
            graph[unit(file)].update(set(imported_units(tree)) - {unit(file)})
    graphlib.TopologicalSorter(graph).prepare()


def module_of(name):
    """The module that an import of `name` reaches, or None outside of the package; a facade's name is its module's."""
    package, _, rest = name.partition(".")
    if package != "cfc_ref" or not rest:
        return None
    if rest in MODULES:
        return rest
    parent, _, leaf = rest.rpartition(".")
    facade = importlib.import_module(f"cfc_ref.{parent}" if parent else "cfc_ref")
    public = getattr(facade, "_PUBLIC", {}).get(leaf)
    return public.removeprefix("cfc_ref.") if public else parent or None


def module_graph():
    graph = defaultdict(set)
    for file, tree in FILES.items():
        module = file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        if module != "__init__":
            graph[module] = {found for name, _ in imports(tree) if (found := module_of(name)) not in (None, module)}
    return graph


def test_no_import_of_files_runs_in_a_circle():
    graphlib.TopologicalSorter(module_graph()).prepare()


def test_figures_asked_for_by_name_are_public():
    for file, tree in FILES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "figure" and "facade" in ast.unparse(tree):
                assert ast.literal_eval(node.args[0]) in plots.__all__, file


@pytest.mark.parametrize("package", HOMES)
def test_third_party_packages_are_imported_at_home_only(package):
    homes, at_top = HOMES[package]
    for file, tree in FILES.items():
        for name, inside in imports(tree, types=False):
            if name.split(".")[0] == package:
                assert file.startswith(homes), f"{file} imports {package}"
                assert at_top or inside, f"{file} imports {package} outside of a function"


@pytest.mark.parametrize("file", [name for name in FILES if name.endswith("/__init__.py")])
def test_sub_packages_inits_hold_their_public_names_or_nothing(file):
    body = FILES[file].body
    assert not body or (len(body) == 5 and ast.unparse(body[1]).startswith("from cfc_ref.facade import ")), file
    package = importlib.import_module("cfc_ref." + file.removesuffix("/__init__.py").replace("/", "."))
    for name in getattr(package, "__all__", ()):
        assert getattr(package, name) is not None


def public_names(tree):
    """The strings of a module's __all__; a facade's are the names in its table of modules and their names."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in ("__all__", "_PUBLIC"):
            value = node.value
            if isinstance(value, ast.Call):
                return [name.value for names in value.args[0].values for name in names.elts]
            items = value.keys if isinstance(value, ast.Dict) else value.elts
            return [item.value for item in items if isinstance(item, ast.Constant)]
    return None


@pytest.mark.parametrize("file", sorted(set(FILES) - {"__init__.py"}))
def test_no_public_name_is_that_of_a_module_beside_it(file):
    folder = file.rpartition("/")[0].replace("/", ".")
    beside = {m.rpartition(".")[2] for m in MODULES if m.rpartition(".")[0] == folder}
    assert not beside & set(public_names(FILES[file]) or ())


def test_the_packages_own_names_are_modules_only_where_they_stand_for_them():
    for name, module in cfc_ref._PUBLIC.items():
        assert name not in MODULES or module == f"cfc_ref.{name}"


def test_the_table_of_public_names_is_what_type_checkers_see():
    (checked,) = [node for node in FILES["__init__.py"].body if isinstance(node, ast.If)]
    seen = {}
    for node in checked.body:
        for alias in node.names:
            assert alias.name == alias.asname
            seen[alias.name] = f"cfc_ref.{alias.name}" if node.module == "cfc_ref" else node.module
    assert seen == cfc_ref._PUBLIC
    assert sorted(cfc_ref.__all__) == sorted([*cfc_ref._PUBLIC, "__version__"]) == dir(cfc_ref)


@pytest.mark.parametrize("name", sorted(cfc_ref.__all__))
def test_every_public_name_is_there(name):
    got = getattr(cfc_ref, name)
    if inspect.isfunction(got) or inspect.isclass(got):
        assert (got.__module__, got.__name__) == (cfc_ref._PUBLIC[name], name)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"'cfc_ref' has no attribute 'nonsense'"):
        cfc_ref.nonsense  # noqa: B018


LAYERS_OWN = re.compile(r"_(params|expected|readout|equation|settings|scheme|arrays|masks|keys|step|d_step|read)")


@pytest.mark.parametrize("file", [name for name in FILES if not name.startswith("layers/")])
def test_other_rooms_use_the_public_names_of_a_layer(file):
    """What a layer keeps to itself is asked by `weights`, `expected`, `readout`, `equation` and `settings`."""
    for node in ast.walk(FILES[file]):
        if isinstance(node, ast.Attribute) and LAYERS_OWN.fullmatch(node.attr):
            assert ast.unparse(node.value) == "self", f"{file}: {ast.unparse(node)}"


# --- docstrings


def section(docstring, title):
    """The text under a heading of a docstring in NumPy's style."""
    found = re.search(rf"^{title}\n-+\n(.*?)(?=^\S[^\n]*\n-+$|\Z)", docstring + "\n", re.M | re.S)
    return found and found[1]


def documented(docstring):
    names = re.findall(r"^(\S[^:\n]*?)(?: :|$)", section(docstring, "Parameters") or "", re.M)
    return [name.strip("* ") for line in names for name in line.split(",")]


def parameters(function):
    a = function.args
    names = [arg.arg for arg in [*a.posonlyargs, *a.args, a.vararg, *a.kwonlyargs, a.kwarg] if arg]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def definitions(tree):
    """Yield (qualified name, node, signature's names) of functions, methods, and classes that have an __init__."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node, parameters(node)
        elif isinstance(node, ast.ClassDef):
            methods = [child for child in node.body if isinstance(child, ast.FunctionDef)]
            for method in methods:
                if method.name == "__init__":
                    yield node.name, node, parameters(method)
                else:
                    yield f"{node.name}.{method.name}", method, parameters(method)


@pytest.mark.parametrize("file", sorted(FILES))
def test_documented_parameters_are_those_of_the_signature(file):
    for name, node, names in definitions(FILES[file]):
        docstring = ast.get_docstring(node) or ""
        if section(docstring, "Parameters"):
            assert sorted(documented(docstring)) == sorted(names), f"{file}: {name}"


def public_functions():
    """Yield (file, name, docstring, parameters) of the functions that ``cfc_ref`` exports, public modules included."""
    rooms = cfc_ref.bounds, cfc_ref.teach, cfc_ref.translate  # public packages, with a table each
    tables = [table for module in (cfc_ref, *rooms) for table in module._PUBLIC.items()]
    for name, module in tables:
        if module in {room.__name__ for room in rooms}:
            continue
        file = module.replace(".", "/").removeprefix("cfc_ref/") + ".py"
        for found, node, names in definitions(FILES[file]):
            exported = found in (public_names(FILES[file]) or ()) if module == f"cfc_ref.{name}" else found == name
            if exported and isinstance(node, ast.FunctionDef):
                yield pytest.param(file, found, ast.get_docstring(node) or "", names, id=f"{file}:{found}")


@pytest.mark.parametrize(("file", "name", "docstring", "names"), list(public_functions()))
def test_public_functions_have_an_example_and_say_what_they_take(file, name, docstring, names):
    assert ">>>" in (section(docstring, "Examples") or ""), f"{file}: {name} has no example"
    assert not names or section(docstring, "Parameters"), f"{file}: {name} does not say what it takes"


NOTEBOOKS = sorted((ROOT.parent / "tutorials").glob("[0-9][0-9]_*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_import_public_facades_only(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    assert not re.findall(r"^\s*(?:from|import) cfc_ref\.\w+\.\S+", code, re.MULTILINE)
