"""`creditbus run identity`: the local identity provider, for the demo and for trying OpenID Connect out."""

from typing import Annotated

import typer


def identity(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1 端口.")] = 8099,
    portal: Annotated[str, typer.Option(help="URL of the portal 门户地址.")] = "http://localhost:8080",
) -> None:
    """Serve a local identity provider in which everybody may be anybody, on this machine only 演示用身份提供方."""
    import uvicorn

    from deploy.local.identity import PEOPLE, PROGRAMS, Identity

    issuer, back = f"http://localhost:{port}", f"{portal}/login/oidc/return"
    provider = Identity(issuer=issuer, redirects=frozenset({back}))
    typer.echo(f"identity 身份提供方: {issuer}")
    typer.echo(f"portal 门户: CREDITBUS_OIDC_ISSUER={issuer} CREDITBUS_OIDC_REDIRECT_URL={back}")
    typer.echo(f"people 人员: {', '.join(PEOPLE)}; programs 程序: {', '.join(PROGRAMS)}")
    uvicorn.run(provider.app(), host="127.0.0.1", port=port, log_config=None, access_log=False)
