"""docs/settings.md: every setting of every process."""

from pathlib import Path

from pydantic import SecretStr

from exchange.secret_files import is_secret
from exchange.settings import Settings

INTRODUCTION = """\
# Settings 设置

Generated from `exchange/settings.py` by `docs/generate.py`. Do not edit.

Every setting is an environment variable. A wrong value is refused with `error[bad_setting]`, naming the variable. A secret (marked 密) may be given as
a file instead, `CREDITBUS_..._FILE`, and is shown nowhere ([security.md](security.md)).

| variable | default | |
|---|---|---|
"""


def page() -> str:
    """The page's text."""
    rows = []
    for name, field in Settings.model_fields.items():
        secret = " 密" if is_secret(field) else ""
        rows.append(f"| `CREDITBUS_{name.upper()}`{secret} | {_shown(field.default)} | {field.description} |\n")
    return INTRODUCTION + "".join(rows)


def _shown(default: object) -> str:
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    text = default.as_posix() if isinstance(default, Path) else str(default)
    return f"`{text}`" if text else ""
