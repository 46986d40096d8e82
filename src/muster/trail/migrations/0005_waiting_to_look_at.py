# SPDX-License-Identifier: Apache-2.0
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("trail", "0004_facts_found_by_id_and_moment")]

    operations = [
        migrations.AddIndex(
            model_name="waiting",
            index=models.Index(
                fields=["verdict", "since"],
                name="waiting_to_look_at",
                condition=Q(resolved_at__isnull=True),
            ),
        ),
    ]
