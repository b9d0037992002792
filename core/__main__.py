"""``python -m core COMMAND``: SegmentLab without a browser; see `core.commands`."""

import sys

from core.commands import main

if __name__ == "__main__":
    sys.exit(main())
