"""The shipped sample files: as the generator makes them, in the layouts they say, with the bad rows they should have."""

from pathlib import Path

import pytest

from exchange.settings import Settings
from exchange.tables import open_table
from producers.importer.job import Outcome, open_job
from producers.samples import SAMPLES, Sample
from producers.samples.generate import generate

BAD = {
    "penalties-2016.csv": {"unknown_value", "bad_date", "registration_number_check_digit"},
    "registrations.csv": {"uscc_check_digit", "unknown_value", "citizen_id_date"},
    "licences-2018.xlsx": {"code_as_number", "missing_value", "unknown_value"},
    "penalties-2018.csv": {
        "amount_unit_mismatch", "code_as_number", "bad_date", "organisation_code_check_digit", "person_id_type", "conflicting_row", "bad_csv",
    },
    "abnormal.csv": {"unknown_value"},
    "tax-list.csv": {"unknown_value", "no_identifier"},
    "wage-list.csv": {"bad_number", "bad_date"},
    "court-list.csv": {"unknown_value", "citizen_id_check_digit", "citizen_id_shape"},
    "safety-list.csv": {"unknown_value"},
    "red-list.csv": set(),
    "repairs.csv": {"missing_value"},
    "withdrawals.csv": set(),
}  # fmt: skip
"""Rules broken in each file, each by one row."""


def check(sample: Sample) -> Outcome:
    job = open_job(Settings(), sample.path, sample.department, embedded=True)
    assert job.header.layout.name == sample.layout
    return job.check(lambda _: None)


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample.name for sample in SAMPLES])
def test_samples_have_the_bad_rows_they_should(sample: Sample) -> None:
    outcome = check(sample)
    assert {finding.code for finding in outcome.findings if finding.verdict == "bad"} == BAD[sample.name]
    assert outcome.bad == len(BAD[sample.name])
    assert outcome.rows > 1


@pytest.mark.parametrize("sample", SAMPLES, ids=[sample.name for sample in SAMPLES])
def test_samples_are_as_the_generator_makes_them(
    sample: Sample, tmp_path_factory: pytest.TempPathFactory, made: Path
) -> None:
    fresh = made / sample.name
    if sample.path.suffix == ".xlsx":  # compression differs between builds of zlib
        assert list(open_table(fresh).rows()) == list(open_table(sample.path).rows())
    else:
        assert fresh.read_bytes() == sample.path.read_bytes()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("samples")
    generate(folder)
    return folder
