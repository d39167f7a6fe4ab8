"""Where a store keeps the files of a sample: a template of the key, read both ways.

The template is a key in which `{prefix}`, `{sample_id}`, `{id}` and `{file}` stand for
what varies, `{prefix}/{sample_id}/vcf/dragen/{id}/varcaller/{file}` for a DRAGEN
server on Emedgene. A placeholder other than the prefix never spans a `/`.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import dataclass

from runs.transfers.base import RemoteFile, TransferError

DEFAULT_LAYOUT = "{prefix}/{sample_id}/vcf/dragen/{id}/varcaller/{file}"
PLACEHOLDERS = {"prefix", "sample_id", "id", "file"}
SAMPLE_ID = re.compile(r"\A[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")


def is_sample_id(text: str) -> bool:
    """Whether a folder's name can be a sample's, in a store and in the database."""
    return bool(SAMPLE_ID.match(text)) and ".." not in text


def check_sample_id(sample_id: str) -> str:
    """Raises TransferError for what cannot be one folder of a store."""
    if not is_sample_id(sample_id):
        raise TransferError(
            f"{sample_id!r} is not a sample id: up to 100 letters, digits, dots, "
            "hyphens and underscores are allowed, the first a letter or digit."
        )
    return sample_id


@dataclass(frozen=True, slots=True)
class Segment:
    """One folder level of a layout, `run_{id}`."""

    text: str

    def fill(self, values: Mapping[str, str]) -> str | None:
        """The name of the folder, or None while one of its parts is unknown."""
        names = [name for _, name, _, _ in string.Formatter().parse(self.text) if name]
        if any(name not in values for name in names):
            return None
        return self.text.format_map(dict(values))

    def read(self, name: str, values: Mapping[str, str]) -> dict[str, str] | None:
        """The values in a folder's name, with those known; None where it differs."""
        pattern, seen = "", set()
        for literal, field, _, _ in string.Formatter().parse(self.text):
            pattern += re.escape(literal)
            if field and field in values:
                pattern += re.escape(values[field])
            elif field and field in seen:
                pattern += f"(?P={field})"
            elif field:
                seen.add(field)
                pattern += f"(?P<{field}>[^/]+?)"
        match = re.fullmatch(pattern, name)
        return {**values, **match.groupdict()} if match else None


@dataclass(frozen=True, slots=True)
class Layout:
    """A checked template, without its `{prefix}` and `{file}`."""

    folders: tuple[Segment, ...]
    file: Segment

    @classmethod
    def parse(cls, template: str) -> Layout:
        faults = layout_faults(template)
        if faults:
            raise TransferError(
                f"The layout {template!r} of the S3 settings is not valid: "
                f"{'; '.join(faults)}. The default is {DEFAULT_LAYOUT}."
            )
        body = template.removeprefix("{prefix}").strip("/")
        *folders, file = (Segment(text) for text in body.split("/"))
        return cls(tuple(folders), file)


def layout_faults(template: str) -> list[str]:
    """What is wrong with a template; empty when nothing is."""
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as fault:
        return [str(fault)]
    names = [name for _, name, _, _ in parsed if name is not None]
    faults = [f"{{{name}}} is unknown" for name in names if name not in PLACEHOLDERS]
    if "sample_id" not in names:
        faults.append("{sample_id} is missing")
    if template.rsplit("/", 1)[-1].count("{file}") != 1 or names.count("file") != 1:
        faults.append("{file} must stand once, in the last part")
    if "prefix" in names and not template.startswith("{prefix}/"):
        faults.append("{prefix} must stand at the beginning, as a folder")
    return faults


@dataclass(frozen=True, slots=True)
class SampleFolder:
    """One set of files of a sample; `id` tells several of them apart (or is empty)."""

    sample_id: str
    id: str
    address: str
    files: tuple[RemoteFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size or 0 for file in self.files)
