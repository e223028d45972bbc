import sys

from dsreview.cli import main

sys.exit(main())
