"""Workers of the version before write into today's tables until they have ended."""

from __future__ import annotations

import pytest
from django.db import connection

from runs.models import Artifact
from tests.builders import make_run

LATER = {"crc64nvme"}
"""Columns that the version before does not know."""


@pytest.mark.django_db
def test_files_are_recorded_without_the_columns_that_came_later() -> None:
    run = make_run()
    values = {
        str(field.column): field.get_prep_value(field.get_default())
        for field in Artifact._meta.concrete_fields
        if not field.primary_key and field.name not in LATER
    }
    values |= {"run_id": run.pk, "name": "download/a.csv", "size": 1}
    names = ", ".join(values)
    marks = ", ".join(["%s"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO runs_artifact ({names}) VALUES ({marks})",  # noqa: S608
            list(values.values()),
        )
    assert Artifact.objects.get(run=run).checksum == ""
