from __future__ import annotations

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("runs", "0003_runs_by_pipeline"),
    ]

    operations = [
        migrations.AddField(
            model_name="run",
            name="retries",
            field=models.PositiveIntegerField(
                default=0,
                help_text="After faults that may pass, since a person last started "
                "the run.",
                verbose_name="tried again by itself",
            ),
        ),
        migrations.AlterField(
            model_name="run",
            name="queued_at",
            field=models.DateTimeField(
                default=django.utils.timezone.now,
                help_text="In the future while the run waits for a fault to pass.",
                verbose_name="queued",
            ),
        ),
    ]
