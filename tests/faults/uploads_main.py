"""Imports what waits in the folder of uploads, and first the file that is named; ends itself with SIGKILL at a step.

    uploads_main.py STEP COUNT [FILE]

`row` is each row as it is reported, `done` when all is on the bus and the upload does not say so yet, `over` when it does and the file
is still there.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

from consumers.portal.workspace.uploads import RowReport, Totals, Upload, Uploads
from deploy.portal_imports import FileImport, FileImporter
from deploy.portal_workspace import UPLOADS
from exchange.settings import read_settings
from tests.faults.dying import signal_at_step


class DyingImport(FileImport):
    on_step: Callable[[str], None]

    def run(self, stop: Event, on_row: Callable[[RowReport], None]) -> Totals:
        def telling(row: RowReport) -> None:
            on_row(row)
            self.on_step("row")

        totals = super().run(stop, telling)
        self.on_step("done")
        return totals


class DyingUploads(Uploads):
    on_step: Callable[[str], None]

    def _save(self, one: Upload) -> None:
        super()._save(one)
        if one.is_over:
            self.on_step("over")


def main() -> None:
    settings = read_settings()
    DyingImport.on_step = DyingUploads.on_step = staticmethod(signal_at_step())
    opened = FileImporter(settings, embedded=True)

    def open_import(file: Path, department: str) -> DyingImport:
        found = opened(file, department)
        return DyingImport(found._job)

    with DyingUploads(settings.home / UPLOADS, open_import) as uploads:
        if len(sys.argv) > 3:
            uploads.take("gd.tax", "li", Path(sys.argv[3]).name, Path(sys.argv[3]))
        parent = os.getppid()
        while not all(one.is_over for one in uploads.of("gd.tax")) and os.getppid() == parent:
            time.sleep(0.05)


if __name__ == "__main__":
    main()
