# SPDX-License-Identifier: Apache-2.0
"""Plain pages: the built apps, health, the well-known file, the redirect to the intake."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.csrf import ensure_csrf_cookie

from muster.storage.keys import keystore

APPS = ("field", "desk", "command", "welcome")
mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("text/javascript", ".mjs")
mimetypes.add_type("application/wasm", ".wasm")
mimetypes.add_type("application/manifest+json", ".webmanifest")


@ensure_csrf_cookie
def app_page(request: HttpRequest, app: str, path: str = "") -> HttpResponseBase:
    """A file of a built app; every other path under it is the app's own page."""
    root = (Path(settings.APP_PAGES) / app).resolve()
    wanted = (root / path).resolve() if path else root / "index.html"
    if not wanted.is_relative_to(root):
        raise Http404
    if not wanted.is_file():
        if "." in path.rsplit("/", 1)[-1]:
            raise Http404
        wanted = root / "index.html"
    if not wanted.is_file():
        return HttpResponse(
            "Pages are not built yet: make web", status=503, content_type="text/plain; charset=utf-8"
        )
    kind = mimetypes.guess_type(wanted.name)[0] or "application/octet-stream"
    answer = FileResponse(
        wanted.open("rb"), content_type=f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
    )
    hashed = "/assets/" in f"/{path}"
    answer["Cache-Control"] = "public, max-age=31536000, immutable" if hashed else "no-cache"
    if path.endswith(("sw.js", "service-worker.js")):
        answer["Service-Worker-Allowed"] = f"/{app}/"
    return answer


def healthz(_request: HttpRequest) -> JsonResponse:
    return JsonResponse({"ok": True})


def readyz(_request: HttpRequest) -> JsonResponse:
    """Ready means: the database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Exception:  # noqa: BLE001 -- whatever is wrong with the database, we are not ready
        return JsonResponse({"ok": False}, status=503)
    return JsonResponse({"ok": True})


def well_known(_request: HttpRequest) -> JsonResponse:
    environment = settings.ENVIRONMENT
    keys = [{"kid": k.kid, "jwk": k.jwk} for k in keystore().trusted_keys()]
    return JsonResponse(
        {"v": 1, "web": environment.web_origin, "intake": environment.intake_origin, "instance_keys": keys}
    )


def to_intake(_request: HttpRequest, path: str) -> HttpResponse:
    """308 keeps method and body: the phone repeats its batch at the intake's own door."""
    answer = HttpResponse(status=308)
    answer["Location"] = f"{settings.ENVIRONMENT.intake_origin}/{path}"
    return answer
