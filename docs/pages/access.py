"""docs/access.md: who may do what, and who sees which field; the text around it and the tables from the code."""

from exchange.catalogue import Catalogue, load_catalogue
from exchange.catalogue_resources import Resource
from exchange.domain.access import MATRIX, SEE_PERSONS, Role
from exchange.domain.projection import FieldClass
from exchange.paths import SCHEMAS

INTRODUCTION = """\
# Access 访问控制

Generated from `exchange/domain/access.py` and `schemas/catalogue/` by `docs/generate.py`. Do not edit.

## Signing in 登录
People sign in with a local account, or at an OpenID Connect provider where `CREDITBUS_OIDC_ISSUER` is set (authorization code with PKCE; the
claims of `CREDITBUS_OIDC_ROLE_CLAIM` and `CREDITBUS_OIDC_DEPARTMENT_CLAIM` say who they are). Programs show an API key or a bearer token of that
provider and are officers of their department.

```sh
creditbus accounts add li --role officer --department gd.fin   # asks for the password; or reads it from standard input
creditbus accounts list
creditbus accounts password li                                  # another password; sessions end
creditbus accounts disable li                                   # at once; sessions end
creditbus run identity                                          # a provider for trying it out, on this machine only; prints the portal's settings
creditbus access list --subject org:91440300PDY00001X3 --since 2026-05-20
```

The administrator does the same in the portal, at `/accounts`: add, role and department, reset, disable and enable, unlock; last sign-in. The
bus makes the passwords there, and shows each once.

Passwords have 12 to 128 characters and are kept as Argon2id. Repeated failures make an account wait, and an address after ten times as many,
each time twice as long, an hour at most. Sessions end by idleness (`CREDITBUS_SESSION_IDLE_MINUTES`), by age
(`CREDITBUS_SESSION_HOURS`), at sign-out, and when the account's password or state changes. Cookies are `__Host-`, `Secure`, `HttpOnly` and
`SameSite=Lax`; `CREDITBUS_PORTAL_PLAIN_HTTP=true` takes the first two away, for http on this machine. Every form carries a token.

## The access log 访问日志
Each request marked "logged" below, by whoever has signed in, is written to Redis before it is answered: who, role, department, act, subject,
matter, time and request id. If it cannot be written, the answer is 503. The portal moves entries to the topic `credit.access`, and removes
them from Redis once Kafka has them; if it dies in between, an entry comes twice with the same id. It is as durable as Redis is until then:
run Redis with its append-only file. `creditbus access list` reads both, and so does `/access-log` of the portal: the auditor searches by account,
subject and day and takes a CSV file along; that he did is in the log too. `creditbus_access_log_waiting_entries` is what is still in Redis.

## Persons 自然人
Natural persons are shown to {see_persons} only, under a pseudonym of the audience's own: two departments cannot join what they know. The public
sees neither persons nor their names. Of a citizen ID that somebody typed in, a page repeats nothing. How many
different persons an account may look up in an hour, one by one or by file, is limited (`CREDITBUS_PERSON_LOOKUPS_PER_HOUR`); more is
refused and logged, and a file with too many is refused whole.

## Who may do what 授权矩阵
✓ may; **own**: for his own department alone. The auditor reads every department and changes nothing.

"""
_ROLES = {
    Role.PUBLIC: "公众 public",
    Role.OFFICER: "经办人 officer",
    Role.AUDITOR: "审计员 auditor",
    Role.OPERATOR: "运维 operator",
    Role.ADMINISTRATOR: "管理员 administrator",
}
_SHARING = {"unconditional": "every department", "conditional": "readers below", "none": "the provider alone"}


def page() -> str:
    """The page's text."""
    see_persons = " and ".join(f"{role}s" for role in Role if role in SEE_PERSONS)
    catalogue = load_catalogue(SCHEMAS)
    return (
        INTRODUCTION.format(see_persons=see_persons)
        + _matrix()
        + "\n## Who sees which record 资源\nThe providing department and the auditor see every record and field.\n\n"
        + "".join(_resources(catalogue))
        + "\n## Who sees which field 信息项\n"
        "Within a record that one may see: **open** fields by everybody, **shared** by departments, **provider** by the provider and the auditor.\n\n"
        + "".join(_fields(catalogue))
    )


def _matrix() -> str:
    rows = [f"| act | | {' | '.join(_ROLES.values())} | logged |", "|---|---" + "|---" * len(_ROLES) + "|---|"]
    for act, one in MATRIX.items():
        cells = [("own" if one.own and role is Role.OFFICER else "✓") if role in one.roles else "" for role in _ROLES]
        rows.append(f"| `{act}` | {one.name_zh} {one.name_en} | {' | '.join(cells)} | {'✓' if one.logged else ''} |")
    return "\n".join(rows) + "\n"


def _resources(catalogue: Catalogue) -> list[str]:
    rows = ["| resource | departments | public |\n|---|---|---|\n"]
    for one in catalogue.resources:
        public = {"open": "yes", "closed": "no"}.get(one.opening, one.opening_condition)
        rows.append(f"| {one.name_zh} `{one.record_type}` | {_readers(one)} | {public} |\n")
    return rows


def _readers(one: Resource) -> str:
    if one.sharing != "conditional":
        return _SHARING[one.sharing]
    return f"{one.sharing_condition}: {', '.join(f'`{slug}`' for slug in sorted(one.readers or ()))}"


def _fields(catalogue: Catalogue) -> list[str]:
    rows = ["| resource | " + " | ".join(FieldClass) + " |\n|---" + "|---" * len(FieldClass) + "|\n"]
    for record_type, fields in sorted(catalogue.fields.items()):
        cells = [", ".join(f"`{name}`" for name, one in fields.items() if one is each) for each in FieldClass]
        rows.append(f"| `{record_type}` | {' | '.join(cells)} |\n")
    return rows
