"""A process of risk classes that sends itself SIGKILL at a chosen step: `risk_main.py STEP COUNT` (the COUNT-th time)."""

from consumers.risk.run import build
from deploy.outbound import Publishers
from exchange.settings import Settings
from tests.faults.dying import run, signal_at_step


def main() -> None:
    settings = Settings()
    with Publishers(settings) as publishers:
        run(build(settings, publishers, on_step=signal_at_step())[0])


if __name__ == "__main__":
    main()
