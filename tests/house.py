"""Count the house: ``python -m tests.house [FOLDER]`` prints what tests/test_house.py limits."""

import ast
import json
import re
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
MOST_ARGUMENTS = 12
MOST_CODE = {"function": 45, "file": 330}  # lines without docstrings and comments; 40 and 300 are the aim


def sources(root=ROOT):
    """Return the package's modules, path within it -> text."""
    package = root / "cfc_ref"
    return {path.relative_to(package).as_posix(): path.read_text("utf-8") for path in sorted(package.rglob("*.py"))}


def docstring_lines(tree):
    """Return the numbers of the lines that the docstrings of a module take."""
    found = (node.body[0] for node in ast.walk(tree) if isinstance(node, DOCUMENTED) and ast.get_docstring(node))
    return {line for node in found for line in range(node.lineno, node.end_lineno + 1)}


def long_code(file, text, tree):
    """Yield a file and its functions that have more lines of code than the house allows."""
    documented = docstring_lines(tree)
    lines = [line.strip() for line in text.splitlines()]
    code = [bool(line) and line[0] != "#" and k not in documented for k, line in enumerate(lines, start=1)]
    if sum(code) > MOST_CODE["file"]:
        yield f"{file} ({sum(code)})"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            count = sum(code[node.body[0].lineno - 1 : node.end_lineno])
            if count > MOST_CODE["function"]:
                yield f"{file}: {node.name} ({count})"


def many_arguments(tree):
    """Yield (name, count) of functions with more positional arguments than the house allows."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            count = len(node.args.posonlyargs) + len(node.args.args)
            if count > MOST_ARGUMENTS:
                yield node.name, count


def repeated(names):
    return sorted(name for name, count in Counter(names).items() if count > 1)


def module_of(file):
    return "cfc_ref." + file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported_modules(tree, modules):
    """Yield the package's modules that a module imports: at its top, in functions, and for types only."""
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            prefixes = [".".join(parts[:k]) for k in range(len(parts), 1, -1)]
            yield from [prefix for prefix in prefixes if prefix in modules][:1]


def circles(graph):
    """Return the sets of modules that import each other, directly or through others (Tarjan's components)."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            k = stack.index(node)
            component, stack[k:] = stack[k:], []
            if len(component) > 1:
                found.append(sorted(component))

    for node in graph:
        if node not in index:
            visit(node)
    return sorted(found)


def deep_imports(root=ROOT):
    """Yield (notebook, line) of every import from inside a room."""
    for path in sorted((root / "tutorials").glob("[0-9][0-9]_*.ipynb")):
        for cell in json.loads(path.read_text("utf-8"))["cells"]:
            if cell["cell_type"] == "code":
                for line in re.findall(
                    r"^\s*(?:from|import) cfc_ref\.\w+\.\S+.*", "".join(cell["source"]), re.MULTILINE
                ):
                    yield path.name, line.strip()


def figures(root=ROOT):
    """Return every figure by name."""
    texts = sources(root)
    trees = {file: ast.parse(text) for file, text in texts.items()}
    lines = sum(text.count("\n") for text in texts.values())
    documented = sum(len(docstring_lines(tree)) for tree in trees.values())
    modules = {module_of(file) for file in texts}
    graph = {module_of(f): set(imported_modules(tree, modules)) - {module_of(f)} for f, tree in trees.items()}
    # kernels/X is the twin of cells/X, cells/ltc is built like cells/cfc, and data/ holds old names
    apart = {f.replace("cells/ltc/", "cells/cfc/") for f in texts if not f.startswith(("kernels/", "data/"))}
    names = [f.rpartition("/")[2] for f in apart if not f.endswith("__init__.py")]
    return {
        "lines of the README": (root / "README.md").read_text("utf-8").count("\n"),
        "lines of the package": lines,
        "of these docstrings, %": round(100 * documented / lines, 1),
        "classes defined twice": repeated(
            node.name
            for tree in trees.values()
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        ),
        "file names used twice, twins and old names apart": repeated(names),
        f"functions with more than {MOST_ARGUMENTS} positional arguments": [
            f"{file}: {name} ({count})" for file, tree in trees.items() for name, count in many_arguments(tree)
        ],
        "files and functions that are too long": [
            long for file, tree in trees.items() for long in long_code(file, texts[file], tree)
        ],
        "circles of imports, type-only ones included": circles(graph),
        "deep imports in notebooks": [f"{name}: {line}" for name, line in deep_imports(root)],
    }


def main(root):
    for name, value in figures(root).items():
        shown = f"{len(value)}  {'; '.join(map(str, value))}" if isinstance(value, list) else value
        print(f"{name}: {shown}")  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT)
