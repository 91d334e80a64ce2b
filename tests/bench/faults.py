"""The fault campaign among the benches: see `tests.faults.campaign`, whose options it takes."""

from tests.faults.campaign.__main__ import main

if __name__ == "__main__":
    main()
