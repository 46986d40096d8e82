# SPDX-License-Identifier: Apache-2.0
"""A grant that was given with a tracking code remembers the request from whose page it was given."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("requests", "0004_team_help"),
    ]

    operations = [
        migrations.AddField(
            model_name="caregrant",
            name="origin",
            field=models.UUIDField(null=True),
        ),
    ]
