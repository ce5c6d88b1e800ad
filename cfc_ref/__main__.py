"""``python -m cfc_ref`` is ``cfc-ref``."""

import sys

from cfc_ref.cli.main import main

sys.exit(main())
