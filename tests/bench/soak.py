"""The soak among the benches: see `tests.faults.soak`, whose options it takes."""

from tests.faults.soak import main

if __name__ == "__main__":
    main()
