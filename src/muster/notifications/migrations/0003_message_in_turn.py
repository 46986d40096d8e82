# SPDX-License-Identifier: Apache-2.0

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0002_priority_many"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="message",
            name="message_due",
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("status", "QUEUED")),
                fields=["priority", "next_at", "id"],
                name="message_in_turn",
            ),
        ),
    ]
