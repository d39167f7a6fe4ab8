"""The index of `run` alone goes.

It cost every line that is written, and PostgreSQL took it for reads after a cursor of a
run younger than its statistics: all lines of the run instead of the next few.
"""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

NAME = "runs_logentry_run_id_159ae519"


class Migration(migrations.Migration):
    dependencies = [
        ("runs", "0004_faults_that_pass"),
    ]

    operations = [
        # By itself Django would copy the whole table on SQLite.
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    f"DROP INDEX IF EXISTS {NAME}",
                    f"CREATE INDEX {NAME} ON runs_logentry (run_id)",
                ),
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="logentry",
                    name="run",
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="log_entries",
                        to="runs.run",
                    ),
                ),
            ],
        ),
    ]
