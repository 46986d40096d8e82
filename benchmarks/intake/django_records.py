# SPDX-License-Identifier: Apache-2.0
"""The control: the same record through plain Django, its ORM and one row per request; what a project begins
with. `benchmarks.intake.django_peer` serves it; the database is named by PEER_DATABASE_URL.
"""

import json
import os
import uuid
from typing import Any

import django
from django.conf import settings
from django.db import models
from django.http import HttpRequest, JsonResponse

from muster.config.environment import django_database

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": django_database(os.environ["PEER_DATABASE_URL"])},
    ROOT_URLCONF=__name__,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    USE_TZ=True,
)
django.setup()


class Record(models.Model):
    id = models.UUIDField(primary_key=True)
    device = models.UUIDField()
    seq = models.BigIntegerField()
    kind = models.CharField(max_length=32)
    occurred_at = models.DateTimeField()
    subject = models.UUIDField()
    body = models.JSONField()

    class Meta:
        app_label = "peer"


def take(request: HttpRequest) -> JsonResponse:
    batch = json.loads(request.body)
    for fact in batch["facts"]:
        # Not the sender's id: the generator repeats its requests, and each is to be a row.
        Record.objects.create(
            id=uuid.uuid4(),
            device=uuid.UUID(batch["device"]),
            seq=fact["seq"],
            kind=fact["kind"],
            occurred_at=fact["occurred_at"],
            subject=uuid.UUID(fact["subject"]["dwelling"]),
            body=fact["body"],
        )
    return JsonResponse({"taken": len(batch["facts"])})


def _urls() -> list[Any]:
    from django.urls import path

    return [path("v1/batches", take), path("readyz", lambda _request: JsonResponse({"status": "ok"}))]


urlpatterns = _urls()


def application() -> Any:
    from django.core.wsgi import get_wsgi_application

    return get_wsgi_application()
