"""What requests may hold. Every fault of a request is told at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar, get_origin
from uuid import UUID

from django.core.exceptions import RequestDataTooBig, ValidationError
from django.http import HttpRequest, QueryDict, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
)
from pydantic import ValidationError as Faults
from pydantic_core import PydanticCustomError
from pydantic_core.core_schema import ValidationInfo

from benchmarks.engines.truvari import PRESETS
from runs import intake, logstore
from runs.api import errors
from runs.api.errors import ApiError
from runs.models import SAMPLE_ID
from runs.reads import Reads

Model = TypeVar("Model", bound=BaseModel)
JSON = "application/json"
MULTIPART = "multipart/form-data"


def fault(message: str) -> PydanticCustomError:
    return PydanticCustomError("fault", "{message}", {"message": message})


def sample_id(text: str) -> str:
    try:
        SAMPLE_ID(text)
    except ValidationError as error:
        raise fault(" ".join(error.messages)) from error
    return text


def preset(name: str) -> str:
    if name not in PRESETS:
        raise fault(f"There is no preset {name}. There are {', '.join(PRESETS)}.")
    return name


def alignment(text: str) -> str:
    return str(_kept(Reads.at, text).path)


def _split(value: Any) -> Any:
    """A list may come as one text with commas (in forms and query strings)."""
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        return value
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]


StageWord = Literal["happy", "stratified", "truvari", "csv"]
Stages = Annotated[list[StageWord], BeforeValidator(_split)]
SampleName = Annotated[str, AfterValidator(sample_id), Field(max_length=100)]
Word = Annotated[str, Field(max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
PresetName = Annotated[str, AfterValidator(preset)]
AlignmentPath = Annotated[str, AfterValidator(alignment)]
BuildName = Literal["GRCh37", "GRCh38", "CHM13v2.0"]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
StatusName = Literal["pending", "running", "completed", "error", "cancelled"]
LevelName = Literal["info", "success", "warning", "error", "progress"]
EngineName = Literal["builtin", "happy", "vcfeval"]


class Body(BaseModel):
    """Unknown fields are faults: a misspelt option would be ignored otherwise."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    @field_validator("*", mode="before")
    @classmethod
    def without_nul(cls, value: Any) -> Any:
        """PostgreSQL takes none in a text, and no path has one."""
        texts = value if isinstance(value, list) else [value]
        if any("\0" in text for text in texts if isinstance(text, str)):
            raise fault("A text may not hold the character NUL.")
        return value


class Options(Body):
    """How to compare; what is not given is chosen by the portal."""

    engine: EngineName | None = Field(None, description="Small-variant engine.")
    preset: PresetName | None = Field(None, description="Truvari's parameters by name.")
    build: BuildName | None = Field(None, description="Genome build of the calls.")
    truth_version: Word | None = Field(None, description="As in the catalogue.")

    def chosen(self, words: list[StageWord]) -> dict[str, Any]:
        """`Run.options`: what was given, and what the stage words mean."""
        names = ("engine", "preset", "build", "truth_version")
        given = {name: getattr(self, name) for name in names}
        return {
            **{name: value for name, value in given.items() if value is not None},
            **intake.stages_of(words)[1],
        }


class Asked(Options):
    """What every request for runs may say."""

    stages: Stages = Field(["happy", "truvari", "csv"], description="What to do.")
    auto_process: bool = Field(True, description="False: fetch only.")
    priority: Literal["high", "default", "low"] = "default"
    if_active: Literal["join", "queue"] = Field(
        "join",
        description="While the sample is being imported from the same place: take "
        "that run, or queue another behind it.",
    )


class AskedOfOne(Asked):
    """What a request for one run may say."""

    sample_id: SampleName
    reads: AlignmentPath | None = Field(
        None,
        description="A BAM or CRAM on the server, its index beside it, to be shown "
        "beneath the variants; it changes no result.",
    )

    def chosen(self, words: list[StageWord]) -> dict[str, Any]:
        shown = {"reads": self.reads} if self.reads else {}
        return {**super().chosen(words), **shown}


class ImportBody(AskedOfOne):
    """A sample of the S3 store."""

    id: Word | None = Field(None, description="One of several folders of the sample.")


class ZipBody(AskedOfOne):
    """The form fields that come with a ZIP."""


class PartsBody(Body):
    """An archive that will come in parts."""

    name: Annotated[str, Field(min_length=1, max_length=255)]
    size: Annotated[int, Field(gt=0)] = Field(description="Bytes of the archive.")
    sha256: Digest | None = None


class OffsetQuery(Body):
    offset: Annotated[int, Field(ge=0)] = Field(
        description="Where the bytes of the body belong; what is there already."
    )


class CompleteBody(ZipBody):
    sha256: Digest | None = Field(None, description="If not given at the beginning.")


class PrefixBody(Asked):
    """Every sample below the prefix of the settings that was not imported yet."""

    starting_with: str = Field("", max_length=100, description="Only samples so named.")
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1000


class RunBody(AskedOfOne):
    """A run from any source that needs no upload."""

    source: Literal["s3", "path", "url"]
    id: Word | None = Field(None, description="With source s3: one folder of several.")
    path: str | None = Field(
        None,
        description="With source path: a folder or file on the server.",
        validate_default=True,
    )
    url: Annotated[list[str], BeforeValidator(_split)] | None = Field(
        None,
        description="With source url: one address or several.",
        validate_default=True,
    )

    @field_validator("path")
    @classmethod
    def below_a_root(cls, value: str | None, info: ValidationInfo) -> str | None:
        if not _belongs(value, info, "path"):
            return None
        return str(_kept(intake.server_path, value))

    @field_validator("url")
    @classmethod
    def allowed(cls, value: list[str] | None, info: ValidationInfo) -> Any:
        if not _belongs(value, info, "url"):
            return None
        return _kept(intake.allowed_urls, value)

    @property
    def location(self) -> dict[str, Any]:
        """As `runs.intake` words it."""
        match self.source:
            case "path":
                return {"path": self.path}
            case "url":
                return {"urls": self.url}
            case _:
                return {"id": self.id} if self.id else {}


def _belongs(value: Any, info: ValidationInfo, source: str) -> bool:
    """Whether the field is given and wanted; a fault where only one is true."""
    wanted = info.data.get("source") == source
    if wanted and not value:
        raise fault(f"This field is required with source {source}.")
    if value and not wanted and "source" in info.data:
        raise fault(f"This field belongs to source {source}.")
    return wanted


def _kept(rule: Any, value: Any) -> Any:
    try:
        return rule(value)
    except ValidationError as error:
        raise fault(" ".join(error.messages)) from error


class BenchmarkingBody(Options):
    """More stages on the inputs that a run has."""

    stages: Annotated[Stages, Field(min_length=1)]


class Paged(Body):
    cursor: str | None = Field(None, description="`next` of the page before.")
    limit: Annotated[int, Field(ge=1, le=500)] = 50


class RunFilter(Paged):
    status: Annotated[list[StatusName], BeforeValidator(_split)] = []
    sample: SampleName | None = None
    individual: Word | None = None
    created_after: AwareDatetime | None = None
    created_before: AwareDatetime | None = None


class SampleFilter(Paged):
    individual: Word | None = None
    q: str | None = Field(None, description="Part of the name.")


class LogQuery(Body):
    since: Annotated[int, Field(ge=0)] = Field(0, description="The last line known.")
    limit: Annotated[int, Field(ge=1, le=logstore.PAGE_LIMIT)] = logstore.PAGE
    level: Annotated[list[LevelName], BeforeValidator(_split)] = []
    search: str = Field("", max_length=200, description="Text that lines must hold.")


class MetricFilter(Paged):
    """Rows across runs. Tables (csv, tsv) hold all of them, from the cursor on."""

    run: UUID | None = None
    sample: SampleName | None = None
    individual: Word | None = None
    created_after: AwareDatetime | None = None
    created_before: AwareDatetime | None = None
    format: Literal["json", "csv", "tsv"] = "json"

    def conditions(self) -> dict[str, Any]:
        """What is asked for, as conditions on the rows."""
        given = {
            "run__uuid": self.run,
            "run__sample__name": self.sample,
            "run__sample__individual": self.individual,
            "run__created_at__gte": self.created_after,
            "run__created_at__lt": self.created_before,
            **{name: getattr(self, name) for name in self.own()},
        }
        return {name: value for name, value in given.items() if value is not None}

    @classmethod
    def own(cls) -> list[str]:
        """The filters by a column of the table itself."""
        shared = MetricFilter.model_fields
        return [name for name in cls.model_fields if name not in shared]


class SmallFilter(MetricFilter):
    engine: EngineName | None = None
    type: str | None = Field(None, description="SNP or INDEL.")
    filter: str | None = Field(None, description="ALL, PASS or another.")
    subset: str | None = Field(None, description="A stratum; * is the whole.")
    subtype: str | None = None
    genotype: str | None = None


class StructuralFilter(MetricFilter):
    source: str | None = Field(None, description="bench or refine.")
    preset: str | None = None
    type: str | None = None
    size_class: str | None = None


class QCFilter(MetricFilter):
    metric: str | None = None
    category: str | None = None
    section: str | None = None
    scope: str | None = None
    kind: str | None = None
    file: str | None = None


class SampleBody(Body):
    sample_id: SampleName


class NoBody(Body):
    """For operations that need nothing said."""


def read(request: HttpRequest, model: type[Model], media: str = JSON) -> Model:
    """The body as `model`. Raises `ApiError` 400, 413 or 415."""
    given = request.content_type or ""
    if media == MULTIPART or given == MULTIPART:
        return check(model, _form(request, given, media, model))
    return check(model, _json(request, given))


def _json(request: HttpRequest, given: str) -> Any:
    try:
        content = request.body
    except RequestDataTooBig as error:
        raise errors.too_large("The body is too large for a JSON request.") from error
    except UnreadablePostError as error:
        raise ApiError(400, "cut_off", "The request was cut off.") from error
    if not content:
        return {}
    if given != JSON:
        raise _media_error(given, JSON)
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ApiError(400, "bad_json", f"The body is no JSON: {error}.") from error


def _form(
    request: HttpRequest, given: str, media: str, model: type[BaseModel]
) -> dict[str, Any]:
    if media != MULTIPART or given != MULTIPART:
        raise _media_error(given, media)
    try:
        return _plain(request.POST, model)
    except MultiPartParserError as error:
        raise ApiError(400, "bad_form", f"The form cannot be read: {error}") from error
    except UnreadablePostError as error:
        raise ApiError(400, "cut_off", "The upload was cut off.") from error


def _media_error(given: str, wanted: str) -> ApiError:
    return ApiError(
        415,
        "unsupported_media_type",
        f"The body is {given or 'of no stated type'}. Send {wanted}, and say so in "
        "the header Content-Type.",
        headers={"Accept": wanted},
    )


def read_query(request: HttpRequest, model: type[Model]) -> Model:
    """The query string as `model`. Raises `ApiError` 400."""
    return check(model, _plain(request.GET, model))


def _plain(values: QueryDict, model: type[BaseModel]) -> dict[str, Any]:
    """Single values, or lists for fields that take them."""
    lists = {
        name
        for name, info in model.model_fields.items()
        if get_origin(info.annotation) is list
    }
    return {
        name: values.getlist(name) if name in lists else values[name]
        for name in values
        if name != "csrfmiddlewaretoken"
    }


def check(model: type[Model], content: Any) -> Model:
    """Raises `ApiError` 400 with the faults of all fields."""
    try:
        return model.model_validate(content)
    except Faults as faults:
        raise errors.bad_input(_by_field(faults, model)) from faults


def _by_field(faults: Faults, model: type[BaseModel]) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in faults.errors(include_url=False):
        name = ".".join(map(str, each["loc"])) or "body"
        found.setdefault(name, []).append(_sentence(dict(each), model))
    return found


def _sentence(each: dict[str, Any], model: type[BaseModel]) -> str:
    match each["type"]:
        case "missing":
            return "This field is required."
        case "extra_forbidden":
            known = ", ".join(model.model_fields)
            return f"There is no such field. Those known are: {known}."
        case "fault":
            return str(each["msg"])
        case _:
            return f"{each['msg']}."
