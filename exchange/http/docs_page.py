"""An application's own documentation, from its host alone: /docs made of /openapi.json."""

from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse

_PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px/1.6 sans-serif;max-width:60em;margin:2em auto}}code{{background:#eee}}</style>
<h1>{title}</h1><p>{about}</p><p><a href="/openapi.json">openapi.json</a></p>{routes}</html>"""


def add_docs(app: FastAPI) -> None:
    """Serve /docs."""

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(_page_of(app.openapi()))


def _page_of(openapi: dict[str, Any]) -> str:
    routes = []
    for path, methods in openapi["paths"].items():
        for method, one in methods.items():
            rows = "".join(
                f"<li><code>{escape(given['name'])}</code> {escape(given.get('description', ''))}</li>"
                for given in one.get("parameters", ())
            )
            head = f"<h2><code>{method.upper()} {escape(path)}</code></h2><h3>{escape(one['summary'])}</h3>"
            routes.append(f"{head}<p>{escape(one['description'])}</p><ul>{rows}</ul>")
    title, about = escape(openapi["info"]["title"]), escape(openapi["info"]["description"])
    return _PAGE.format(title=title, about=about, routes="".join(routes))
