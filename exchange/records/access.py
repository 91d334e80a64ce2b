"""What the portal writes down about who asked for what.

Mirror of `schemas/records`, where each field is documented.
"""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessEntry:
    """访问记录: One request for what is not public, written down before it was answered."""

    id: str
    asked_at: datetime
    account: str
    role: str
    department: str = ""
    act: str
    subject: str = ""
    matter: str = ""
    request_id: str = ""
