"""`python -m deploy.bill [--check]`: writes the bill of materials (CycloneDX 1.6), or says whether it is true to the locks.

It is the same for the same locks, so that a change of it is a change of what the bus is made of.
"""

import json
import sys
import tomllib
import uuid
from importlib.metadata import version

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from deploy.bill.parts import LICENCES, ROOT, Part, read_parts, unlicensed

BILL = ROOT / "deploy" / "bill" / "creditbus.cdx.json"


def write_bill(parts: list[Part]) -> str:
    """The bill as text."""
    components = [_component(one) for one in parts]
    whole = Component(
        name="creditbus", version=version("creditbus"), type=ComponentType.APPLICATION, bom_ref="creditbus"
    )
    bom = Bom(components=components)
    bom.metadata.component = whole
    bom.register_dependency(whole, components)  # which of them needs which is the resolvers' business
    told = json.loads(JsonV1Dot6(bom).output_as_string())
    told["metadata"].pop("timestamp")  # of when it was made: it says nothing of what is in it
    content = json.dumps(told["components"], sort_keys=True)
    told["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, content)}"
    return json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> int:
    """Write or check; what is wrong is said on standard error."""
    parts = read_parts()
    wrong = unlicensed(parts, tomllib.loads(LICENCES.read_text("utf-8"))["allowed"])
    for one in wrong:
        sys.stderr.write(f"error[licence]: {one} - allow it in {LICENCES.name} with the reason, or do without\n")
    text = write_bill(parts)
    if "--check" in sys.argv[1:]:
        if not BILL.is_file() or BILL.read_text("utf-8") != text:
            sys.stderr.write(f"error[bill]: {BILL.name} is not true to the locks - run `python -m deploy.bill`\n")
            return 1
    else:
        BILL.write_text(text, "utf-8")
    sys.stdout.write(f"{BILL.name}: {len(parts)} parts, every one with checksum and licence\n" if not wrong else "")
    return int(bool(wrong))


def _component(one: Part) -> Component:
    group, _, artifact = one.name.rpartition(":")
    purl = PackageURL(one.kind, group or None, artifact, one.version)
    licences = [LicenseFactory().make_from_string(one.licence)] if one.licence else []
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=one.sha256)] if one.sha256 else []
    return Component(
        name=artifact, group=group or None, version=one.version, type=ComponentType.LIBRARY, purl=purl, bom_ref=str(purl),
        licenses=licences, hashes=hashes,
    )  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
