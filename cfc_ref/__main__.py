"""``python -m cfc_ref`` is ``cfc-ref``."""

import sys

from cfc_ref.cli.command import main

sys.exit(main())
