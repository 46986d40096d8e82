# SPDX-License-Identifier: Apache-2.0
"""Who looked lately: the budget of reveals asks this at every reveal."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("trail", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="disclosure",
            index=models.Index(fields=["actor", "at"], name="disclosure_of_actor"),
        ),
    ]
