# SPDX-License-Identifier: Apache-2.0

from django.db import migrations, models

import muster.base.ids


class Migration(migrations.Migration):
    dependencies = [
        ("requests", "0002_pictures"),
    ]

    operations = [
        migrations.CreateModel(
            name="CareCall",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=muster.base.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("incident", models.UUIDField()),
                ("sub_district", models.BigIntegerField()),
                ("grid", models.BigIntegerField(null=True)),
                ("person", models.UUIDField()),
                ("at", models.DateTimeField()),
                ("by", models.UUIDField(null=True)),
                (
                    "result",
                    models.CharField(
                        choices=[
                            ("WELL", "Well"),
                            ("HELP", "Help"),
                            ("NO_ANSWER", "No Answer"),
                            ("VISIT", "Visit"),
                        ],
                        max_length=10,
                    ),
                ),
                ("request", models.UUIDField(null=True)),
            ],
            options={
                "indexes": [models.Index(fields=["incident", "person", "at"], name="care_call_of_person")],
            },
        ),
    ]
