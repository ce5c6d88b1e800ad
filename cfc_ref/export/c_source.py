"""Pieces of C source: names, numbers, arrays, and the weights of a header, which its end writes out."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from cfc_ref import checks
from cfc_ref.arrays import Array
from cfc_ref.cells.dense import Dense

__all__ = ["BYTES", "ConstantArrays", "Source", "Wires", "fill", "identifier", "number", "section"]

_KEYWORDS = """
    auto break case char const continue default do double else enum extern float for goto if inline int long register
    restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
    and and_eq alignas alignof asm bitand bitor bool catch class compl concept const_cast consteval constexpr constinit
    co_await co_return co_yield decltype delete dynamic_cast explicit export false friend mutable namespace new noexcept
    not not_eq nullptr operator or or_eq private protected public reinterpret_cast requires static_assert static_cast
    template this thread_local throw true try typeid typename using virtual wchar_t xor xor_eq
"""
_HEADERS = """
    assert complex ctype errno fenv inttypes iso646 limits locale math setjmp signal stdalign stdarg stdatomic stdbool
    stddef stdint stdio stdlib stdnoreturn string tgmath threads time uchar wchar wctype
"""
_LONGEST = 63  # letters that C99 distinguishes
BYTES = {"float": 4, "double": 8, "int": 4, "short": 2, "unsigned short": 2, "signed char": 1, "unsigned char": 1}
_SECTION = "/* ----- {} ----- */\n"


def identifier(name: str, value: Any) -> str:
    """Return a name that C and C++ take, and no library reserves."""
    expected, do = "an identifier of C such as 'network'", "use letters, digits and _, a letter first"
    if not isinstance(value, str):
        checks.refuse(name, repr(value), expected, do, TypeError)
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", value, re.ASCII) or "__" in value:
        checks.refuse(name, repr(value), expected, do)
    if len(value) > _LONGEST:
        checks.refuse(name, f"{len(value)} letters", f"at most {_LONGEST}, as in C99", "choose a shorter name")
    if value in _KEYWORDS.split():
        checks.refuse(name, f"{value!r}, a keyword of C or C++", expected, f"name it for example '{value}_network'")
    if value.lower() in _HEADERS.split():
        got = f"{value!r}, whose file {value}.h would hide a header of C"
        checks.refuse(name, got, expected, f"name it for example '{value}_network'")
    return value


def fill(template: str, **values: object) -> str:
    """Return a template without its indentation, each ``<word>`` replaced; a word alone on its line may be lines."""
    text = textwrap.dedent(template).strip("\n").rstrip() + "\n"
    for word, value in values.items():
        lines = str(value).rstrip("\n")
        for indent in re.findall(rf"^( *)<{word}>$", text, re.MULTILINE):
            text = text.replace(f"{indent}<{word}>\n", textwrap.indent(lines, indent) + "\n" * bool(lines), 1)
        text = text.replace(f"<{word}>", lines)
    return text


def number(value: Any) -> str:
    """Return the shortest constant that C reads as the same float."""
    return f"{np.float32(value)!s}f"


class Wires(NamedTuple):
    """Synapses of a wiring: a name for their lists, and which there are, shape (post, pre)."""

    name: str
    there: npt.NDArray[np.bool_]


@dataclass
class ConstantArrays:
    """The constant arrays of a header: a struct of pointers near its top, the numbers at its end."""

    arrays: dict[str, tuple[str, Array]] = field(default_factory=dict)  # name → C type, numbers

    def add(self, name: str, values: Any, kind: str = "float") -> str:
        """Add an array, and return its name in C expressions."""
        self.arrays[name] = kind, np.asarray(values)
        return f"w->{name}"

    @property
    def size(self) -> int:
        """Their bytes."""
        return sum(BYTES[kind] * array.size for kind, array in self.arrays.values())

    def struct(self) -> str:
        """Return the struct of pointers, with each array's shape."""
        members = "".join(
            f"    const {kind} *{name}; /* {''.join(f'[{n}]' for n in array.shape)} */\n"
            for name, (kind, array) in self.arrays.items()
        )
        return f"typedef struct {{\n{members}}} NAME_weights;\n"

    def definitions(self) -> str:
        """Return the arrays with their numbers, and the struct that points to them."""
        texts = [self._definition(name, kind, array) for name, (kind, array) in self.arrays.items()]
        pointers = textwrap.fill(", ".join(f"NAME_{name}" for name in self.arrays), 110)
        return (
            "\n".join(texts)
            + f"\nstatic const NAME_weights NAME_all_weights = {{\n{textwrap.indent(pointers, '    ')}\n}};\n\n"
            + "static inline const NAME_weights *NAME_get_weights(void)\n{\n    return &NAME_all_weights;\n}\n"
        )

    @staticmethod
    def _definition(name: str, kind: str, array: Array) -> str:
        write = {"float": number, "double": lambda value: repr(float(value))}.get(kind, str)
        rows = array.reshape(-1, array.shape[-1]) if array.size else np.zeros((1, 1), array.dtype)
        lines = [textwrap.fill(", ".join(map(write, row.tolist() if kind != "float" else row)), 112) for row in rows]
        numbers = textwrap.indent(",\n".join(lines), "    ")
        return f"static const {kind} NAME_{name}[{max(array.size, 1)}] NAME_ALIGNED = {{\n{numbers}\n}};\n"


@dataclass
class Source:
    """A header under construction."""

    weights: ConstantArrays = field(default_factory=ConstantArrays)
    functions: list[str] = field(default_factory=list)  # each after those that it calls
    calls: set[str] = field(default_factory=set)  # names of mathematical functions
    multiply_adds: int = 0  # of a time step
    exponentials: int = 0  # of a time step; a hyperbolic tangent or an error function is one too
    stack: int = 0  # bytes of the functions' arrays
    state: int = 0  # bytes

    def room(self, sizes: Mapping[str, int], kind: str = "float") -> str:
        """Return the declaration of a function's arrays."""
        self.stack += BYTES[kind] * sum(sizes.values())
        return f"{kind} {', '.join(f'{name}[{size}]' for name, size in sizes.items())};\n" if sizes else ""

    def call(self, function: str, times: int = 0) -> str:
        """Return the name of a mathematical function, called so many times in a step."""
        self.calls.add(function)
        self.exponentials += times if function not in ("relu", "linear", "abs") else 0
        return f"NAME_{function}"

    def add(self, template: str, **values: object) -> None:
        """Add a function."""
        self.functions.append(fill(template, **values))

    def linear(
        self,
        name: str,
        params: Dense,
        ends: tuple[str, str],
        wires: Wires | None = None,
        *,
        b: str = "",
        times: int = 1,
    ) -> str:
        """Return the statement z = W u + b, made so many times in a step; `ends` are u and z."""
        u, z = ends
        wires = None if wires is None or wires.there.all() else wires
        W = self.weights.add(f"{name}_W", params.W if wires is None else params.W[wires.there])
        b = b or self.weights.add(f"{name}_b", params.b)
        self.multiply_adds += times * self.weights.arrays[f"{name}_W"][1].size
        self.calls.add("affine" if wires is None else "affine_wired")
        if wires is None:
            rows, columns = params.W.shape
            return f"NAME_affine({W}, {b}, {u}, {z}, {rows}, {columns});\n"
        source, end = self.lists(wires)
        return f"NAME_affine_wired({W}, {b}, {source}, {end}, {u}, {z}, {len(wires.there)});\n"

    def lists(self, wires: Wires) -> tuple[str, str]:
        """Add where each synapse comes from, sorted by the neurons that they reach, and where those of each end."""
        post, pre = np.nonzero(wires.there)
        ends = np.searchsorted(post, np.arange(len(wires.there)), side="right")
        source = self.weights.add(f"{wires.name}_from", pre, "unsigned short")
        return source, self.weights.add(f"{wires.name}_end", ends, "int")


def section(title: str) -> str:
    """Return the line over a part of the header."""
    return _SECTION.format(title)
