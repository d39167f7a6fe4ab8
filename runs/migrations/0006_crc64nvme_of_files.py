from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("runs", "0005_one_index_of_log_lines"),
    ]

    operations = [
        migrations.AddField(
            model_name="artifact",
            name="crc64nvme",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="In base64, as S3 shows it.",
                max_length=12,
                verbose_name="CRC64NVME",
            ),
        ),
    ]
