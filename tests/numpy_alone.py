"""Hides every package but NumPy: ``python tests/numpy_alone.py info model.npz`` is ``cfc-ref`` without them."""

import sys

HIDDEN = ("numba", "scipy", "matplotlib", "tqdm", "safetensors", "torch", "sklearn", "pandas", "IPython")


class Hide:
    """An import hook that finds none of them."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in HIDDEN:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def hide():
    sys.meta_path.insert(0, Hide())


if __name__ == "__main__":
    hide()
    sys.path[0] = sys.path[0].rpartition("tests")[0]  # the tree, also where it is not installed
    from cfc_ref.__main__ import main

    sys.exit(main())
