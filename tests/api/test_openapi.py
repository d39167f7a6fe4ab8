from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from django.urls import URLPattern
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from runs.api import openapi, urls
from runs.api.routing import PARAMETER
from runs.models import Run, StageName, Status
from tests.api.conftest import Api
from tests.builders import make_run, make_sample


@cache
def described() -> dict[str, Any]:
    return openapi.document(urls.ROUTES)


def validator(answer: str) -> Draft202012Validator:
    resource = DRAFT202012.create_resource(described())
    registry: Registry[Any] = Registry().with_resource("urn:api", resource)
    schema = {"$ref": f"urn:api#/components/schemas/{answer}"}
    return Draft202012Validator(schema, registry=registry)


def test_the_document_is_valid() -> None:
    OpenAPIV31SpecValidator(json.loads(json.dumps(described()))).validate()


def test_every_address_is_described() -> None:
    patterns = [each for each in urls.urlpatterns if isinstance(each, URLPattern)]
    routed = {
        "/" + PARAMETER.sub(r"{\g<name>}", str(each.pattern))
        for each in patterns
        if each.name
    }
    assert routed == set(described()["paths"])


CONTRACT = """
POST upload/aws · POST upload/runs · GET download/status/{sample_id}
GET download/logs/{sample_id} · POST download/cleanup · GET runs · POST runs
GET runs/{run_id} · POST runs/{run_id}/cancel · POST runs/{run_id}/retry
POST runs/{run_id}/benchmarking · GET runs/{run_id}/logs · GET runs/{run_id}/logs.txt
GET runs/{run_id}/artifacts/{name} · GET runs/{run_id}/metrics
GET metrics/small-variants · GET metrics/structural-variants · GET metrics/qc
GET samples · GET references · GET engines · GET openapi.json
"""


@pytest.mark.parametrize("line", re.findall(r"(?:GET|POST) \S+", CONTRACT))
def test_what_automation_relies_on_stays(line: str) -> None:
    method, _space, path = line.partition(" ")
    assert method.lower() in described()["paths"][f"/{path}"]


def operations() -> Iterator[tuple[str, str, Any]]:
    for path, item in described()["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield path, method, operation


def test_names_of_operations_are_unique() -> None:
    names = [operation["operationId"] for _p, _m, operation in operations()]
    assert len(names) == len(set(names))


def test_everybody_may_read_it(anonymous: Api) -> None:
    answer = anonymous.ask("GET", "openapi.json")
    assert answer.status_code == 200
    assert answer.json() == json.loads(json.dumps(described()))


def test_it_is_not_written(operates: Api) -> None:
    assert operates.ask("POST", "openapi.json").status_code == 405


def test_bad_input(anonymous: Api) -> None:
    assert anonymous.ask("GET", "openapi.json?format=yaml").status_code == 400


@pytest.fixture
def run(db: None) -> Run:
    run = make_run(StageName.DOWNLOAD, status=Status.RUNNING, rate=1.5, bytes_total=9)
    run.artifacts.create(name="a", role="input", stage="csv", path="a", size=1)
    make_run(sample=make_sample("other", individual=""))
    return run


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("runs", "RunPage"),
        ("runs/{run}", "RunDetail"),
        ("runs/{run}/logs", "LogAnswer"),
        ("runs/{run}/metrics", "RunMetrics"),
        ("download/status/{sample}", "RunAnswer"),
        ("download/logs/{sample}", "LogAnswer"),
        ("metrics/small-variants", "MetricPage"),
        ("samples", "SamplePage"),
        ("references", "ReferencesAnswer"),
        ("runs?limit=0", "Error"),
    ],
)
def test_answers_have_the_shape_that_is_described(
    looks: Api, run: Run, path: str, answer: str
) -> None:
    given = looks.ask("GET", path.format(run=run.uuid, sample=run.sample.name)).json()
    validator(answer).validate(given)


def test_a_wrong_shape_is_found(run: Run) -> None:
    assert not validator("RunPage").is_valid({"items": [{"run": 1}], "next": None})


def test_started_runs_have_the_shape_that_is_described(operates: Api) -> None:
    run = make_run(status=Status.ERROR)
    answer = operates.ask("POST", f"runs/{run.uuid}/retry")
    validator("RunStarted").validate(answer.json())
