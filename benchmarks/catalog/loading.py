"""A catalogue file (JSON) is read and checked; all its faults are told at once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from marshmallow import (
    EXCLUDE,
    Schema,
    ValidationError,
    fields,
    post_load,
    validate,
)

from benchmarks.catalog.entries import (
    BUILDS,
    KINDS,
    FileEntry,
    Individual,
    NoTruth,
    ReferenceEntry,
    StratificationEntry,
    Stratum,
    TruthSetEntry,
)

SCHEMA_VERSION = 1
RELATIVE = validate.Regexp(
    r"(?!/)(?!.*(?:^|/)\.\.?(?:/|$))[^\s\\]+\Z",
    error="Has to be a path below the site, without '..', spaces or a leading '/'.",
)
BASE = validate.Regexp(
    r"https?://\S+/\Z", error="Has to be an http(s) address that ends with '/'."
)
BUILD = validate.OneOf(BUILDS)
KIND = validate.OneOf(KINDS)


class CatalogError(ValueError):
    """The catalogue cannot be used, or has no such entry; said in sentences."""


class _Schema(Schema):
    class Meta:
        unknown = EXCLUDE


def _hex(length: int) -> fields.String:
    return fields.String(
        allow_none=True,
        load_default=None,
        validate=validate.Regexp(
            rf"[0-9a-f]{{{length}}}\Z", error=f"Has to be {length} hex digits."
        ),
    )


class _FileSchema(_Schema):
    path = fields.String(required=True, validate=RELATIVE)
    bytes = fields.Integer(
        strict=True, allow_none=True, load_default=None, validate=validate.Range(min=0)
    )
    md5 = _hex(32)
    sha256 = _hex(64)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> FileEntry:
        return FileEntry(**data)


def _file(*, required: bool = True) -> fields.Nested:
    if required:
        return fields.Nested(_FileSchema, required=True)
    return fields.Nested(_FileSchema, allow_none=True, load_default=None)


class _IndividualSchema(_Schema):
    id = fields.String(required=True, validate=validate.Length(min=1))
    coriell = fields.String(load_default="")
    cell_line = fields.String(load_default="")
    sex = fields.String(required=True, validate=validate.OneOf(["male", "female"]))
    role = fields.String(load_default="")
    trio = fields.String(allow_none=True, load_default=None)
    pgp = fields.String(allow_none=True, load_default=None)
    reference_materials = fields.List(fields.String(), load_default=list)
    aliases = fields.List(fields.String(), load_default=list)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> Individual:
        return Individual(**_tuples(data))


class _TruthSetSchema(_Schema):
    key = fields.String(required=True)
    individual = fields.String(required=True)
    build = fields.String(required=True, validate=BUILD)
    kind = fields.String(required=True, validate=KIND)
    version = fields.String(required=True)
    title = fields.String(load_default="")
    status = fields.String(load_default="release")
    default = fields.Boolean(load_default=False)
    chr_prefix = fields.Boolean(required=True)
    vcf = _file()
    tbi = _file(required=False)
    bed = _file()
    alternate_beds = fields.List(_file(), load_default=list)
    notes = fields.List(fields.String(), load_default=list)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> TruthSetEntry:
        data["title"] = data["title"] or data["version"]
        return TruthSetEntry(**_tuples(data))


class _ReferenceSchema(_Schema):
    key = fields.String(required=True)
    build = fields.String(required=True, validate=BUILD)
    default = fields.Boolean(load_default=False)
    bases = fields.List(fields.String(validate=BASE), load_default=list)
    fasta = _file()
    compression = fields.String(
        allow_none=True, load_default=None, validate=validate.OneOf(["gzip", "bgzip"])
    )
    fai = _file(required=False)
    gzi = _file(required=False)
    use = fields.String(load_default="")


class _StratumSchema(_Schema):
    # hap.py reads a label that holds CONF as "inside the confident regions"
    label = fields.String(
        required=True,
        validate=validate.Regexp(
            r"(?!.*CONF)[^\s:\"',]+\Z",
            error="A label has no space, colon, comma or quote and no 'CONF' in it.",
        ),
    )
    bed = _file()

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> Stratum:
        return Stratum(**data)


class _StratificationSchema(_Schema):
    build = fields.String(required=True, validate=BUILD)
    version = fields.String(required=True)
    default = fields.Boolean(load_default=False)
    strata = fields.List(fields.Nested(_StratumSchema), load_default=list)
    archive = _file(required=False)
    archive_tsv = fields.String(allow_none=True, load_default=None, validate=RELATIVE)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> StratificationEntry:
        return StratificationEntry(**_tuples(data))


class _NoTruthSchema(_Schema):
    individual = fields.String(required=True)
    kind = fields.String(required=True, validate=KIND)
    reason = fields.String(required=True)

    @post_load
    def make(self, data: dict[str, Any], **_: object) -> NoTruth:
        return NoTruth(**data)


class _CatalogSchema(_Schema):
    schema = fields.Integer(required=True, validate=validate.Equal(SCHEMA_VERSION))
    title = fields.String(load_default="")
    bases = fields.List(
        fields.String(validate=BASE), required=True, validate=validate.Length(min=1)
    )
    individuals = fields.List(fields.Nested(_IndividualSchema), required=True)
    truth_sets = fields.List(fields.Nested(_TruthSetSchema), required=True)
    no_truth = fields.List(fields.Nested(_NoTruthSchema), load_default=list)
    references = fields.List(fields.Nested(_ReferenceSchema), required=True)
    stratifications = fields.List(
        fields.Nested(_StratificationSchema), load_default=list
    )


def read(path: Path) -> dict[str, Any]:
    """The checked content of a catalogue file, its lists holding entries.

    Raises CatalogError that names every fault, one a line.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CatalogError(
            f"The catalogue {path} cannot be read: {error.strerror}."
        ) from error
    except ValueError as error:
        raise CatalogError(f"The catalogue {path} is not JSON: {error}.") from error
    try:
        content: dict[str, Any] = _CatalogSchema().load(raw)
    except ValidationError as error:
        raise _faulty(path, list(_flat(error.messages_dict))) from error
    content["references"] = [_reference(entry) for entry in content["references"]]
    faults = list(_inconsistencies(content))
    if faults:
        raise _faulty(path, faults)
    return content


def _faulty(path: Path, faults: list[str]) -> CatalogError:
    lines = "\n".join(f"  {fault}" for fault in faults)
    return CatalogError(f"The catalogue {path} has {len(faults)} faults:\n{lines}")


def _flat(messages: Mapping[Any, Any], place: str = "") -> Iterator[str]:
    for key, value in messages.items():
        here = f"{place}.{key}" if place else str(key)
        if isinstance(value, Mapping):
            yield from _flat(value, here)
        else:
            yield f"{here.removesuffix('._schema')}: {' '.join(map(str, value))}"


def _tuples(data: dict[str, Any]) -> dict[str, Any]:
    return {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in data.items()
    }


def _reference(data: dict[str, Any]) -> tuple[tuple[str, ...], ReferenceEntry]:
    bases = tuple(data.pop("bases"))
    return bases, ReferenceEntry(**data)


def _inconsistencies(content: dict[str, Any]) -> Iterator[str]:
    known = {person.id for person in content["individuals"]}
    sets: list[TruthSetEntry] = content["truth_sets"]
    for kind, keys in (
        ("individuals", [person.id for person in content["individuals"]]),
        ("truth_sets", [entry.key for entry in sets]),
        ("references", [entry.key for _, entry in content["references"]]),
    ):
        for key, count in Counter(keys).items():
            if count > 1:
                yield f"{kind}: {key} is there {count} times."
    for entry in [*sets, *content["no_truth"]]:
        if entry.individual not in known:
            yield f"{entry.individual} has an entry but is not among the individuals."
    defaults = Counter(
        (entry.individual, entry.build, entry.kind) for entry in sets if entry.default
    )
    for group, count in defaults.items():
        if count > 1:
            yield f"truth_sets: {' '.join(group)} has {count} defaults instead of one."
    yield from _default_references(content)


def _default_references(content: dict[str, Any]) -> Iterator[str]:
    defaults = Counter(
        entry.build for _, entry in content["references"] if entry.default
    )
    for build in sorted({entry.build for entry in content["truth_sets"]}):
        if defaults[build] != 1:
            yield (
                f"references: {build} has {defaults[build]} default references; "
                "its truth sets need exactly one."
            )
