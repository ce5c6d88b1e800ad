"""The trainable arrays of a layer by name: a dict whose arrays can be written to, but not replaced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np

from cfc_ref import checks
from cfc_ref.arrays import Array

__all__ = ["Parameters"]


class Parameters(dict[str, Any]):
    """Live arrays by name. Assigning to a name checks the numbers and writes them into its array; names are fixed."""

    def __init__(self, arrays: dict[str, Array], check: Callable[[str, str, Any], Array]) -> None:
        super().__init__(arrays)
        self._check = check

    def __setitem__(self, key: str, value: Any) -> None:
        self.update({key: value})

    def update(self, *others: Any, **named: Any) -> None:
        """Write several arrays in place; all are checked first."""
        given = dict(*others, **named)
        for key in given:
            if key not in self:
                checks.refuse("parameters", f"the key {key!r}", "a key of this layer", f"use one of {', '.join(self)}")
        # `parameters[key] += 1` has written already, and may be halfway through an optimiser's step
        new = {key: value for key, value in given.items() if value is not self[key]}
        taken = {key: self._check(f"parameters[{key!r}]", key, value) for key, value in new.items()}
        for key, array in taken.items():
            self[key][...] = array

    def __ior__(self, other: Any) -> Parameters:  # type: ignore[override,misc]
        self.update(other)
        return self

    def _fixed(self, *_: Any, **__: Any) -> NoReturn:
        do = "write to its array in place, parameters[key][...] = 0, or copy first: dict(parameters)"
        checks.refuse("parameters", "a change of its keys", "the keys of this layer", do, TypeError)

    __delitem__ = pop = popitem = clear = setdefault = _fixed

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle as a plain dict."""
        return dict, ({key: np.array(array) for key, array in self.items()},)
