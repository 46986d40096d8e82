# SPDX-License-Identifier: Apache-2.0
"""Lists at the desk: templates, uploads with their preview, writing, taking back, reports; and lists taken
out.
"""

from __future__ import annotations

import io
import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import File, Form, Query, Router, Schema
from ninja.files import UploadedFile

from muster.api.auth import AUTH, allow, operation
from muster.api.import_shapes import batch_json, batch_line
from muster.base.clock import now
from muster.base.errors import Refusal
from muster.flows.import_jobs import ask_commit, ask_undo, check_upload
from muster.register.exporting.filters import Filters
from muster.register.exporting.writing import Export, write_export
from muster.register.import_models import ImportBatch
from muster.register.importing.batches import (
    Choices,
    batch_with_id,
    columns_of,
    job_of,
    kept_rows,
    open_batch,
    setting_for,
)
from muster.register.importing.kinds import kind_named
from muster.register.importing.limits import LIMITS
from muster.register.importing.operators import EXPORT, IMPORT, Operator, operator_by_policy
from muster.register.importing.reports import write_report
from muster.register.importing.templates import template_bytes

router = Router(tags=["lists"], auth=AUTH)
TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
}


class UploadIn(Schema):
    kind: str
    update: bool = False
    create_doors: bool = False
    incident: uuid.UUID | None = None


class ExportQuery(Schema):
    area: int | None = None
    grid: int | None = None
    building: uuid.UUID | None = None
    q: str = ""
    need: str = ""
    hxl: bool = False


def _operator(request: HttpRequest, name: str) -> Operator:
    who, _ = allow(request, name)
    return operator_by_policy(who.user, name, at=who.at, language=who.language)


@router.get("/imports", operation_id="imports_list")
@operation("register.import")
def list_imports(request: HttpRequest) -> dict[str, Any]:
    who = _operator(request, IMPORT)
    rows = ImportBatch.objects.order_by("-made_at").defer("summary")[:200]
    seen = [b for b in rows if b.made_by == who.id or who.may_see(b.paths, b.grids)]
    return {"items": [batch_line(b, who.language) for b in seen], "next": None, "count": len(seen)}


@router.post("/imports", operation_id="imports_upload")
@operation("register.import")
def upload(request: HttpRequest, body: Form[UploadIn], file: File[UploadedFile]) -> dict[str, Any]:
    """Take a file in and check it; a large one is checked by the worker while the desk watches its
    progress.
    """
    who = _operator(request, IMPORT)
    if (file.size or 0) > LIMITS.file_bytes:
        raise Refusal("import_file_too_big", mib=LIMITS.file_bytes >> 20)
    raw = file.read()
    choices = Choices(body.update, body.create_doors, body.incident)
    batch = open_batch(body.kind, raw, file_name=file.name or "", operator=who, choices=choices, at=now())
    check_upload(batch, raw, now=now)
    return {"id": batch.id, "state": batch.state}


@router.get("/imports/template/{kind}.{form}", operation_id="imports_template")
@operation("register.import")
def read_template(request: HttpRequest, kind: str, form: str) -> HttpResponse:
    who = _operator(request, IMPORT)
    raw = template_bytes(kind, form, setting=setting_for(None, at=now()), lang=who.language)
    return _file(raw, f"{kind}-template.{form}", form)


@router.get("/imports/{uuid:batch}", operation_id="imports_read")
@operation("register.import")
def read_import(request: HttpRequest, batch: uuid.UUID) -> dict[str, Any]:
    who = _operator(request, IMPORT)
    return batch_json(batch_with_id(batch, operator=who), who)


@router.post("/imports/{uuid:batch}/commit", operation_id="imports_commit")
@operation("register.import")
def commit(request: HttpRequest, batch: uuid.UUID) -> dict[str, Any]:
    who = _operator(request, IMPORT)
    return batch_json(ask_commit(batch_with_id(batch, operator=who), now=now), who)


@router.post("/imports/{uuid:batch}/undo", operation_id="imports_undo")
@operation("register.import")
def undo(request: HttpRequest, batch: uuid.UUID) -> dict[str, Any]:
    who = _operator(request, IMPORT)
    return batch_json(ask_undo(batch_with_id(batch, operator=who), by=who.id, now=now), who)


@router.get("/imports/{uuid:batch}/report.xlsx", operation_id="imports_report")
@operation("register.import")
def report(request: HttpRequest, batch: uuid.UUID) -> HttpResponse:
    who = _operator(request, IMPORT)
    known = batch_with_id(batch, operator=who)
    if not known.columns:
        raise Refusal("import_not_ready")
    out = io.BytesIO()
    write_report(
        out,
        kept_rows(known),
        form=kind_named(known.kind).form,
        columns=columns_of(known),
        setting=job_of(known, at=now()).setting,
        lang=who.language,
    )
    return _file(out.getvalue(), f"{known.kind}-report.xlsx", "xlsx")


@router.get("/exports/{kind}.{form}", operation_id="exports_read")
@operation("register.export")
def read_export(request: HttpRequest, kind: str, form: str, query: Query[ExportQuery]) -> HttpResponse:
    who, at = _operator(request, EXPORT), now()
    filters = Filters(query.area, query.grid, query.building, query.q, query.need)
    export = Export(kind, who, setting_for(None, at=at), who.language, filters, query.hxl)
    out = io.BytesIO()
    write_export(export, form, out, at=at)
    return _file(out.getvalue(), f"{kind}.{form}", form)


def _file(raw: bytes, name: str, form: str) -> HttpResponse:
    answer = HttpResponse(raw, content_type=TYPES[form])
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["Cache-Control"] = "no-store"
    return answer
