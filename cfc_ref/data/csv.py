"""The name that :mod:`cfc_ref.tables.csv` had."""

import importlib
import sys

sys.modules[__name__] = importlib.import_module("cfc_ref.tables.csv")
