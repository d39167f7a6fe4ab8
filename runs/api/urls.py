"""Every address of the REST interface, in one table."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver, path

from runs.api import (
    answers,
    artifacts,
    bodies,
    catalogue,
    downloads,
    metrics,
    openapi,
    parts,
    reads,
    receive,
    runs,
    uploads,
    variants,
)
from runs.api.routing import Operation, Route, unknown
from runs.roles import OPERATE

ROUTES: list[Route] = [
    Route(
        "upload/aws",
        {
            "POST": Operation(
                uploads.import_sample,
                "Import a sample from S3.",
                {201: answers.RunStarted, 200: answers.RunStarted},
                needs=OPERATE,
                body=bodies.ImportBody,
                refusals=(409,),
            )
        },
    ),
    Route(
        "upload/runs",
        {
            "POST": Operation(
                uploads.upload_archive,
                "A run from a ZIP; parts at a time: `upload/parts`.",
                {201: answers.RunStarted},
                needs=OPERATE,
                body=bodies.ZipBody,
                media=bodies.MULTIPART,
                prepare=receive.prepare,
                undo=receive.undo,
                refusals=(413, 507),
            )
        },
    ),
    Route(
        "upload/parts",
        {
            "POST": Operation(
                parts.begin,
                "Begin the upload of a ZIP in parts.",
                {201: answers.UploadAnswer},
                needs=OPERATE,
                body=bodies.PartsBody,
                refusals=(413, 507),
            )
        },
    ),
    Route(
        "upload/parts/<text:upload_id>",
        {
            "GET": Operation(
                parts.show,
                "How much of an upload has come.",
                {200: answers.UploadAnswer},
                needs=OPERATE,
                refusals=(404,),
            ),
            "PATCH": Operation(
                parts.append,
                "Add bytes; a 409 says at which offset to go on.",
                {200: answers.UploadAnswer},
                needs=OPERATE,
                query=bodies.OffsetQuery,
                media="application/octet-stream",
                refusals=(404, 409, 507),
            ),
            "DELETE": Operation(
                parts.give_up,
                "Give an upload up.",
                {204: None},
                needs=OPERATE,
                refusals=(404,),
            ),
        },
    ),
    Route(
        "upload/parts/<text:upload_id>/complete",
        {
            "POST": Operation(
                parts.complete,
                "Make a run of the whole archive.",
                {201: answers.RunStarted},
                needs=OPERATE,
                body=bodies.CompleteBody,
                refusals=(404, 409),
            )
        },
    ),
    Route(
        "upload/prefix",
        {
            "POST": Operation(
                uploads.import_prefix,
                "Import every sample of the S3 prefix that was not imported yet.",
                {201: answers.PrefixAnswer, 200: answers.PrefixAnswer},
                needs=OPERATE,
                body=bodies.PrefixBody,
                refusals=(409, 502),
            )
        },
    ),
    Route(
        "download/status/<text:sample_id>",
        {
            "GET": Operation(
                downloads.status,
                "Where a sample's newest run stands.",
                {200: answers.RunAnswer},
                refusals=(404,),
            )
        },
    ),
    Route(
        "download/logs/<text:sample_id>",
        {
            "GET": Operation(
                downloads.logs,
                "The lines after `since` of a sample's newest run.",
                {200: answers.LogAnswer},
                query=bodies.LogQuery,
                refusals=(404,),
            )
        },
    ),
    Route(
        "download/cleanup",
        {
            "POST": Operation(
                downloads.clean_up,
                "Remove the files of a sample's newest ended run; all rows stay.",
                {200: answers.CleanUpAnswer},
                needs=OPERATE,
                body=bodies.SampleBody,
                refusals=(404, 409),
            )
        },
    ),
    Route(
        "runs",
        {
            "GET": Operation(
                runs.index,
                "Runs, newest first.",
                {200: answers.RunPage},
                query=bodies.RunFilter,
            ),
            "POST": Operation(
                runs.create,
                "Create a run from S3, a server path or URLs.",
                {201: answers.RunStarted, 200: answers.RunStarted},
                needs=OPERATE,
                body=bodies.RunBody,
                refusals=(409,),
            ),
        },
    ),
    Route(
        "runs/<uuid:run_id>",
        {
            "GET": Operation(
                runs.show,
                "A run with its stages, progress, provenance and files.",
                {200: answers.RunDetail},
                refusals=(404,),
            )
        },
    ),
    Route(
        "runs/<uuid:run_id>/cancel",
        {
            "POST": Operation(
                runs.cancel,
                "End a pending run, or ask the worker of a running one to stop.",
                {202: answers.RunStarted},
                needs=OPERATE,
                body=bodies.NoBody,
                refusals=(404, 409),
            )
        },
    ),
    Route(
        "runs/<uuid:run_id>/retry",
        {
            "POST": Operation(
                runs.retry,
                "Go on where the last attempt stopped.",
                {202: answers.RunStarted},
                needs=OPERATE,
                body=bodies.NoBody,
                refusals=(404, 409),
            )
        },
    ),
    Route(
        "runs/<uuid:run_id>/benchmarking",
        {
            "POST": Operation(
                runs.benchmarking,
                "Carry out more stages on the inputs that the run has.",
                {202: answers.RunStarted},
                needs=OPERATE,
                body=bodies.BenchmarkingBody,
                refusals=(404, 409),
            )
        },
    ),
    Route(
        "runs/<uuid:run_id>/logs",
        {
            "GET": Operation(
                downloads.run_logs,
                "The lines after `since` of a run.",
                {200: answers.LogAnswer},
                query=bodies.LogQuery,
                refusals=(404,),
            )
        },
    ),
    Route(
        "runs/<uuid:run_id>/logs.txt",
        {
            "GET": Operation(
                downloads.log_file,
                "The whole log as a file.",
                {200: "text/plain"},
                refusals=(404,),
            )
        },
    ),
    Route(
        "runs/<uuid:run_id>/artifacts/<file:name>",
        {
            "GET": Operation(
                artifacts.download,
                "A file of the run, whole or by one Range.",
                {
                    200: "application/octet-stream",
                    206: "application/octet-stream",
                    304: None,
                },
                refusals=(404, 412, 416),
            )
        },
    ),
    Route(
        "runs/<uuid:run_id>/variants",
        {
            "GET": Operation(
                variants.of_run,
                "The false positives and negatives of a run.",
                {200: answers.VariantPage},
                query=variants.VariantQuery,
                refusals=(404,),
            )
        },
    ),
    Route(
        "runs/<uuid:run_id>/reads/<text:part>",
        {
            "GET": Operation(
                reads.part_of_run,
                "The reads beneath a run's variants, whole or by one Range.",
                {
                    200: "application/octet-stream",
                    206: "application/octet-stream",
                    304: None,
                },
                refusals=(404, 412, 416),
            )
        },
    ),
    Route(
        "runs/<uuid:run_id>/metrics",
        {
            "GET": Operation(
                metrics.of_run,
                "The small- and structural-variant metrics of a run.",
                {200: answers.RunMetrics},
                refusals=(404,),
            )
        },
    ),
    Route(
        "metrics/small-variants",
        {
            "GET": Operation(
                metrics.small_variants,
                "Small-variant metrics across runs, oldest first.",
                {200: answers.MetricPage},
                query=bodies.SmallFilter,
            )
        },
    ),
    Route(
        "metrics/structural-variants",
        {
            "GET": Operation(
                metrics.structural_variants,
                "Structural-variant metrics across runs, oldest first.",
                {200: answers.MetricPage},
                query=bodies.StructuralFilter,
            )
        },
    ),
    Route(
        "metrics/qc",
        {
            "GET": Operation(
                metrics.qc,
                "QC metrics across runs, oldest first.",
                {200: answers.MetricPage},
                query=bodies.QCFilter,
            )
        },
    ),
    Route(
        "samples",
        {
            "GET": Operation(
                catalogue.samples,
                "Samples by name, each with its newest run.",
                {200: answers.SamplePage},
                query=bodies.SampleFilter,
            )
        },
    ),
    Route(
        "references",
        {
            "GET": Operation(
                catalogue.references,
                "References and truth sets, and which of them are here.",
                {200: answers.ReferencesAnswer},
                refusals=(503,),
            )
        },
    ),
    Route(
        "engines",
        {
            "GET": Operation(
                catalogue.engines,
                "Engines, which of them work here, and Truvari's presets.",
                {200: answers.EnginesAnswer},
            )
        },
    ),
]
ROUTES.append(
    Route(
        "openapi.json",
        {
            "GET": Operation(
                openapi.serving(ROUTES),
                "This description.",
                {200: dict[str, Any]},
                public=True,
            )
        },
    )
)

urlpatterns: list[URLPattern | URLResolver] = [
    *(route.pattern() for route in ROUTES),
    path("", unknown),
    path("<path:rest>", unknown),
]
