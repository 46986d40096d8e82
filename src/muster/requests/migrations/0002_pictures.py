# SPDX-License-Identifier: Apache-2.0

import django.db.models.deletion
from django.db import migrations, models

import muster.base.ids


class Migration(migrations.Migration):
    dependencies = [
        ("requests", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="Picture",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=muster.base.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("incident", models.UUIDField()),
                ("at", models.DateTimeField()),
                ("by", models.UUIDField(null=True)),
                ("by_resident", models.BooleanField(default=False)),
                ("sha256", models.CharField(max_length=64)),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pictures",
                        to="requests.request",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("request", "sha256"), name="picture_once_per_request")
                ],
            },
        ),
    ]
