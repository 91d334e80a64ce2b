"""Secrets from files: each secret setting may be given as the path of a file instead, `CREDITBUS_..._FILE`, as mounted secrets are."""

import os
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsError

LARGEST_BYTES = 64 * 2**10


def is_secret(field: FieldInfo) -> bool:
    """Whether a setting is never shown."""
    return field.annotation is SecretStr


class SecretFiles(PydanticBaseSettingsSource):
    """Reads `<prefix><NAME>_FILE` for every secret of a class of settings.

    Args:
        settings: the class.
        prefix: of its variables.
    """

    def __init__(self, settings: type[BaseSettings], prefix: str) -> None:
        super().__init__(settings)
        self._prefix = prefix

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The text of the file that a setting is in, without the line's end; None where none is named.

        Raises:
            SettingsError: the file cannot be read, or the secret is given twice; neither repeats it.
        """
        variable = f"{self._prefix}{field_name.upper()}"
        path = os.environ.get(f"{variable}_FILE", "") if is_secret(field) else ""
        if not path:
            return None, field_name, False
        if os.environ.get(variable):
            raise SettingsError(f"{variable} and {variable}_FILE are both set: leave one of them out")
        try:
            with Path(path).open("rb") as file:
                text = file.read(LARGEST_BYTES).decode().rstrip("\r\n")
        except OSError as error:
            raise SettingsError(f"{variable}_FILE={path}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise SettingsError(f"{variable}_FILE={path}: is not text") from error
        if not text:
            raise SettingsError(f"{variable}_FILE={path}: is empty")
        return text, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Every secret that is in a file, by name."""
        found = ((name, self.get_field_value(field, name)[0]) for name, field in self.settings_cls.model_fields.items())
        return {name: text for name, text in found if text is not None}
