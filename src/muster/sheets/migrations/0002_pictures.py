# SPDX-License-Identifier: Apache-2.0

import django.db.models.deletion
from django.db import migrations, models

import muster.base.ids


class Migration(migrations.Migration):
    dependencies = [
        ("sheets", "0001_initial"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="sheetreturn",
            name="picture",
        ),
        migrations.AddField(
            model_name="sheetreturn",
            name="pictures",
            field=models.JSONField(default=list),
        ),
        migrations.CreateModel(
            name="SheetPicture",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=muster.base.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("incident", models.UUIDField()),
                ("sha256", models.CharField(max_length=64)),
                ("by", models.UUIDField()),
                ("by_name", models.CharField(blank=True, max_length=80)),
                ("at", models.DateTimeField()),
                (
                    "sheet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="sheets.sheet"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("sheet", "sha256"), name="sheetpicture_once")
                ],
            },
        ),
    ]
