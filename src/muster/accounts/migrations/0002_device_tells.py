# SPDX-License-Identifier: Apache-2.0
"""What a phone says of itself when it pulls: the last number it gave, when it read, when it was told to forget."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.AddField("device", "told_seq", models.BigIntegerField(default=0)),
        migrations.AddField("device", "pulled_at", models.DateTimeField(null=True)),
        migrations.AddField("device", "wiped_at", models.DateTimeField(null=True)),
    ]
