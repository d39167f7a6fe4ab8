"""Finding what belongs to a sample: individual, truth set, reference, strata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from benchmarks.catalog.entries import (
    KIND_NAMES,
    FileEntry,
    Individual,
    NoTruth,
    ReferenceEntry,
    StratificationEntry,
    Stratum,
    TruthSetAnswer,
    TruthSetEntry,
)
from benchmarks.catalog.loading import CatalogError, read

OWN = Path(__file__).parent / "giab.json"
HOLDERS = (TruthSetEntry, ReferenceEntry, StratificationEntry, Stratum)


class UnknownIndividualError(CatalogError):
    """No individual of the catalogue, or more than one, is named in a sample id."""


@dataclass(frozen=True, slots=True)
class Catalog:
    """Reference individuals and all that is published of them."""

    path: Path
    bases: tuple[str, ...]
    individuals: tuple[Individual, ...]
    truth_sets: tuple[TruthSetEntry, ...]
    no_truth: tuple[NoTruth, ...]
    references: tuple[ReferenceEntry, ...]
    all_stratifications: tuple[StratificationEntry, ...]

    def individual(self, name: str) -> Individual:
        """The individual of that id (`HG004`). Raises UnknownIndividualError."""
        for person in self.individuals:
            if person.id == name:
                return person
        raise UnknownIndividualError(
            f"The catalogue knows no individual {name}. It knows {self._known()}."
        )

    def identify(self, sample_id: str) -> Individual:
        """The individual whose name occurs in a sample's name.

        Raises UnknownIndividualError when none does, or two different ones do.
        """
        named = [
            (person, names)
            for person in self.individuals
            if (names := person.names_in(sample_id))
        ]
        if len(named) == 1:
            return named[0][0]
        if not named:
            raise UnknownIndividualError(
                f"The sample name {sample_id} names none of the known individuals "
                f"({self._known()}). Rename the sample, or give it a truth set of "
                "its own under Truth sets in the administration."
            )
        both = " and ".join(f"{names[0]} ({person.id})" for person, names in named)
        raise UnknownIndividualError(
            f"The sample name {sample_id} names several individuals: {both}. "
            "Say which one it is, or rename the sample."
        )

    def truth_set(
        self, individual: str, build: str, kind: str, version: str | None = None
    ) -> TruthSetAnswer:
        """The truth set, by default the version that the catalogue recommends."""
        fitting = [
            entry
            for entry in self.truth_sets
            if (entry.individual, entry.build, entry.kind) == (individual, build, kind)
        ]
        for entry in fitting:
            if entry.version == version or (version is None and entry.default):
                return TruthSetAnswer(entry)
        if fitting:
            return TruthSetAnswer(None, _other_versions(fitting, version))
        return TruthSetAnswer(None, self._why_none(individual, build, kind))

    def truth_set_by_key(self, key: str) -> TruthSetEntry:
        """Raises CatalogError when there is none."""
        for entry in self.truth_sets:
            if entry.key == key:
                return entry
        raise CatalogError(f"The catalogue {self.path} has no truth set {key}.")

    def reference(self, build: str, key: str | None = None) -> ReferenceEntry:
        """The reference of a build, or that of a key. Raises CatalogError."""
        for entry in self.references:
            if entry.build == build and (
                entry.key == key or (key is None and entry.default)
            ):
                return entry
        keys = [entry.key for entry in self.references if entry.build == build]
        raise CatalogError(
            f"The catalogue {self.path} has no reference {key or '(default)'} of "
            f"{build}. It has {', '.join(keys) or 'none of that build'}."
        )

    def stratifications(
        self, build: str, version: str | None = None
    ) -> StratificationEntry | None:
        """The strata of a build, or None where there are none."""
        for entry in self.all_stratifications:
            if entry.build == build and (
                entry.version == version or (version is None and entry.default)
            ):
                return entry
        return None

    def _known(self) -> str:
        return ", ".join(
            f"{person.id} = {person.coriell}" if person.coriell else person.id
            for person in self.individuals
        )

    def _why_none(self, individual: str, build: str, kind: str) -> str:
        for entry in self.no_truth:
            if (entry.individual, entry.kind) == (individual, kind):
                return entry.reason
        builds = sorted(
            {
                entry.build
                for entry in self.truth_sets
                if (entry.individual, entry.kind) == (individual, kind)
            }
        )
        elsewhere = f" It has one for {', '.join(builds)}." if builds else ""
        return (
            f"The catalogue has no truth set of {KIND_NAMES.get(kind, kind)} for "
            f"{individual} on {build}.{elsewhere}"
        )


def load(path: Path | None = None, bases: Sequence[str] = ()) -> Catalog:
    """Read a catalogue, the project's own by default. Raises CatalogError.

    `bases` take the place of all sites that the file names (a mirror, a loopback
    server); each is tried in turn.
    """
    path = path or OWN
    content = read(path)
    override = tuple(_slashed(base) for base in bases)
    sites = override or tuple(content["bases"])
    return Catalog(
        path=path,
        bases=sites,
        individuals=tuple(content["individuals"]),
        truth_sets=tuple(_sited(entry, sites) for entry in content["truth_sets"]),
        no_truth=tuple(content["no_truth"]),
        references=tuple(
            _sited(entry, override or own or sites)
            for own, entry in content["references"]
        ),
        all_stratifications=tuple(
            _sited(entry, sites) for entry in content["stratifications"]
        ),
    )


def _other_versions(fitting: list[TruthSetEntry], version: str | None) -> str:
    first = fitting[0]
    versions = ", ".join(entry.version for entry in fitting)
    return (
        f"The catalogue has no {version or 'default'} version of the "
        f"{KIND_NAMES[first.kind]} of {first.individual} on {first.build}; "
        f"it has {versions}."
    )


def _slashed(base: str) -> str:
    return base if base.endswith("/") else f"{base}/"


def _sited(value: Any, bases: tuple[str, ...]) -> Any:
    """The same entry, every file in it knowing the sites that hold it."""
    if isinstance(value, FileEntry):
        return replace(value, bases=bases)
    if isinstance(value, tuple):
        return tuple(_sited(item, bases) for item in value)
    if isinstance(value, HOLDERS):
        parts = {
            part.name: _sited(getattr(value, part.name), bases)
            for part in fields(value)
        }
        return replace(value, **parts)
    return value
