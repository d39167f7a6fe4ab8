"""A tool's command as the settings give it: a program, or a container that holds it.

    docker run --rm jmcdani20/hap.py:v0.3.12 /opt/hap.py/bin/hap.py
    apptainer exec /srv/hap.py.sif /opt/hap.py/bin/hap.py

Docker and Podman get a name, so that the container can be killed (it does not end
with the client that started it), the user's own id, so that the results are theirs,
and the memory limit. All get the folders of the files that the tool is given.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

DAEMONS = ("docker", "podman")
IN_PLACE = ("apptainer", "singularity")


@dataclass(frozen=True, slots=True)
class Command:
    """An argument list to put a tool's arguments after, and how to kill it for good."""

    argv: tuple[str, ...]
    after_kill: tuple[str, ...] = ()
    contained: bool = False


def prepare(
    template: tuple[str, ...],
    paths: Iterable[Path] = (),
    *,
    memory: int | None = None,
    env: dict[str, str] | None = None,
) -> Command:
    """The command for one call; `paths` have to be seen by the tool under their names.

    A program that is no container runtime stays as it is.
    """
    runtime = Path(template[0]).name if template else ""
    folders = sorted({str(_folder(path)) for path in paths})
    if runtime in DAEMONS and "run" in template:
        return _daemon(template, folders, memory, env or {})
    if runtime in IN_PLACE and "exec" in template:
        binds = [part for folder in folders for part in ("-B", f"{folder}:{folder}")]
        for name, value in (env or {}).items():
            binds += ["--env", f"{name}={value}"]
        return Command(_inserted(template, "exec", binds), contained=True)
    return Command(template)


def _daemon(
    template: tuple[str, ...],
    folders: list[str],
    memory: int | None,
    env: dict[str, str],
) -> Command:
    name = f"vcbench-{uuid.uuid4().hex[:12]}"
    options = ["--name", name] if "--name" not in template else []
    options += [part for folder in folders for part in ("-v", f"{folder}:{folder}")]
    if not {"--user", "-u"} & set(template):
        options += ["--user", f"{os.getuid()}:{os.getgid()}"]
    if memory is not None and not {"--memory", "-m"} & set(template):
        options += ["--memory", str(memory)]
    for variable, value in env.items():
        options += ["-e", f"{variable}={value}"]
    kill = (template[0], "kill", name) if "--name" in options else ()
    return Command(_inserted(template, "run", options), kill, contained=True)


def _inserted(
    template: tuple[str, ...], after: str, options: list[str]
) -> tuple[str, ...]:
    place = template.index(after) + 1
    return (*template[:place], *options, *template[place:])


def _folder(path: Path) -> Path:
    """The folder of a file, or the folder itself; links followed as the tool would."""
    full = path.absolute()
    return full if full.is_dir() else full.parent
