"""An early-warning worker that sends itself SIGKILL at a chosen step: `early_warning_main.py STEP COUNT` (the COUNT-th time)."""

from consumers.early_warning.run import build, claim, folder_of, quiet_faust
from deploy.outbound import Publishers
from exchange.metrics import EarlyWarningMetrics
from exchange.settings import Settings
from tests.faults.dying import run, signal_at_step


def main() -> None:
    quiet_faust()
    settings = Settings()
    with claim(folder_of(settings)), Publishers(settings) as publishers:
        metrics = EarlyWarningMetrics()
        run(build(settings, settings.kafka, publishers, metrics=metrics, on_step=signal_at_step())[0])


if __name__ == "__main__":
    main()
