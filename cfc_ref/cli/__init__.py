import os
from importlib.util import find_spec

# The kernels have threads of their own; those of NumPy's BLAS, for whom it does not do the work, get in their way. It
# reads this when NumPy is first imported.
if find_spec("numba"):
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
