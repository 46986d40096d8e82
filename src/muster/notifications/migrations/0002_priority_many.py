# SPDX-License-Identifier: Apache-2.0

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="message",
            name="priority",
            field=models.SmallIntegerField(
                choices=[(0, "LIFE"), (1, "URGENT"), (2, "NORMAL"), (3, "MANY")], default=2
            ),
        ),
    ]
