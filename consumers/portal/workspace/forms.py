"""What people typed into a form, as texts; files are left out."""

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from exchange.http.problems import RefusedError

_FIELDS = 200


async def read_typed(request: Request) -> dict[str, str]:
    """The text fields of a form.

    Raises:
        RefusedError: 400 `bad_form`: it cannot be read, or has too many fields.
    """
    try:
        form = await request.form(max_files=1, max_fields=_FIELDS)
    except (HTTPException, ClientDisconnect) as error:
        raise RefusedError(
            400, "表单无法读取 the form cannot be read", code="bad_form", remedy="send it again"
        ) from error
    await form.close()
    return {name: value for name, value in form.items() if isinstance(value, str)}
