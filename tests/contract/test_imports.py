"""Who may import whom: the domain stands alone, and everything else looks one way, from the core outwards."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAY_IMPORT = {
    "exchange.domain": {"exchange.domain"},
    "exchange": {"exchange"},
    "producers": {"exchange", "producers"},
    "consumers": {"exchange", "consumers"},
    "deploy": {"exchange", "producers", "consumers", "deploy"},
}
"""Part of the project to the parts that it may import."""
OWN = {"exchange", "producers", "consumers", "deploy", "tests", "docs"}


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: a relative import"
            yield node.lineno, node.module or ""
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def is_within(module: str, parts: set[str]) -> bool:
    return any(module == part or module.startswith(f"{part}.") for part in parts)


def strays(folder: Path, part: str, allowed: set[str]) -> list[str]:
    """Imports of a part's files that look the wrong way."""
    found = []
    for path in sorted(folder.rglob("*.py")):
        is_domain = folder / "domain" in path.parents and part == "exchange"
        for line, module in imported(path):
            root = module.partition(".")[0]
            wrong = root in OWN and not is_within(module, allowed)
            foreign = part == "exchange.domain" and root not in OWN and root not in sys.stdlib_module_names
            if not is_domain and (wrong or foreign):
                found.append(f"{path.relative_to(ROOT)}:{line} imports {module}")
    return found


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_imports_look_one_way(part: str) -> None:
    folder = ROOT.joinpath(*part.split("."))
    assert list(folder.rglob("*.py")), f"nothing in {folder}"
    allowed = MAY_IMPORT[part]
    if part == "exchange.domain":  # `from exchange.domain import bodies` names the package itself too
        assert not [one for one in strays(folder, part, allowed) if not one.endswith(" exchange.domain")]
    else:
        assert not strays(folder, part, allowed)


def test_only_the_portal_itself_imports_the_portal() -> None:
    folder = ROOT / "consumers"
    found = [
        f"{path.relative_to(ROOT)}:{line} {module}"
        for path in folder.rglob("*.py")
        if folder / "portal" not in path.parents
        for line, module in imported(path)
        if is_within(module, {"consumers.portal"})
    ]
    assert not found, "what others need too stands beside it"


def test_a_wrong_import_is_found(tmp_path: Path) -> None:
    folder = ROOT / "deploy"
    assert strays(folder, "consumers", MAY_IMPORT["consumers"]), "deploy looks at itself, which consumers may not"


def test_the_domain_knows_no_clock_and_no_chance() -> None:
    wrong = {"time", "random", "secrets", "uuid", "os", "socket", "logging", "threading"}
    domain = ROOT / "exchange" / "domain"
    found = [
        f"{path.name}:{line} {module}"
        for path in domain.glob("*.py")
        for line, module in imported(path)
        if module in wrong
    ]
    assert not found, "time and ids come in as arguments"
