# SPDX-License-Identifier: Apache-2.0

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [
        ("responders", "0005_cannot"),
    ]

    operations = [
        migrations.AddField(
            model_name="placementseat",
            name="to_tell",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="placementseat",
            name="by_hand",
            field=models.CharField(
                blank=True,
                choices=[("NO_PHONE", "No Phone"), ("NO_CODE", "No Code"), ("NOT_SENT", "Not Sent")],
                default="",
                max_length=8,
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="placementseat",
            name="told_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="placementseat",
            name="told_by",
            field=models.UUIDField(null=True),
        ),
        migrations.AddIndex(
            model_name="placementseat",
            index=models.Index(
                condition=Q(("to_tell", True)), fields=["incident", "id"], name="placementseat_to_tell"
            ),
        ),
        migrations.AddIndex(
            model_name="placementseat",
            index=models.Index(
                condition=Q(("to_tell", True)), fields=["responder"], name="placementseat_untold"
            ),
        ),
        migrations.AddIndex(
            model_name="placementseat",
            index=models.Index(
                condition=Q(("told_at__isnull", False)), fields=["plan"], name="placementseat_told"
            ),
        ),
        migrations.AddIndex(
            model_name="gridassignment",
            index=models.Index(
                condition=Q(("accepted_at__isnull", False)), fields=["plan"], name="gridassignment_accepted"
            ),
        ),
    ]
