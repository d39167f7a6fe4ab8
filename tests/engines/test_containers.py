from __future__ import annotations

import os
from pathlib import Path

from benchmarks.engines.containers import prepare


def test_a_program_stays_as_it_is() -> None:
    command = prepare(("/opt/hap.py", "-v"), [Path("/data/x")], memory=5)
    assert command.argv == ("/opt/hap.py", "-v")
    assert not command.contained
    assert command.after_kill == ()


def test_docker_gets_name_folders_user_memory_and_environment(tmp_path: Path) -> None:
    template = ("docker", "run", "--rm", "image:1", "hap.py")
    files = [tmp_path / "a.vcf", tmp_path / "b.vcf"]
    command = prepare(template, files, memory=1000, env={"RTG_MEM": "1m"})
    name = command.argv[3]
    assert command.argv == (
        *("docker", "run", "--name", name, "-v", f"{tmp_path}:{tmp_path}"),
        *("--user", f"{os.getuid()}:{os.getgid()}", "--memory", "1000"),
        *("-e", "RTG_MEM=1m", "--rm", "image:1", "hap.py"),
    )
    assert command.after_kill == ("docker", "kill", name)
    assert prepare(template).argv[3] != name


def test_what_the_template_says_is_not_said_twice() -> None:
    template = ("podman", "run", "-u", "0", "--memory", "9g", "--name", "n", "image")
    command = prepare(template, memory=1000)
    assert command.argv == template
    assert command.after_kill == ()


def test_apptainer_binds_folders(tmp_path: Path) -> None:
    command = prepare(
        ("/usr/bin/apptainer", "exec", "h.sif", "hap.py"),
        [tmp_path],
        env={"TMPDIR": "/t"},
    )
    assert command.argv == (
        *("/usr/bin/apptainer", "exec", "-B", f"{tmp_path}:{tmp_path}"),
        *("--env", "TMPDIR=/t", "h.sif", "hap.py"),
    )
