"""A copy of a bus to another that ends itself with SIGKILL at a chosen step: `repartition_main.py STEP COUNT PARTITIONS PREFIX`."""

import sys

from deploy.repartition import begin_copy
from exchange.settings import Settings
from tests.faults.dying import signal_at_step


def main() -> None:
    settings = Settings()
    begin_copy(settings, int(sys.argv[3]), sys.argv[4], on_step=signal_at_step()).copier.copy()


if __name__ == "__main__":
    main()
