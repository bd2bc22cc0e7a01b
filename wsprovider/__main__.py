"""``python -m wsprovider``, the same as the ``wsprovider`` command."""

import sys

from wsprovider.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
