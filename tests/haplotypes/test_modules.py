"""Which compiled code decides under which name compiled code is kept."""

from __future__ import annotations

import ast
from pathlib import Path

from benchmarks import haplotypes

FOLDER = Path(haplotypes.__file__).parent
PACKAGE = "benchmarks.haplotypes."


def compiled_in(module: Path) -> set[str]:
    """Functions with an `njit` decorator."""
    return {
        node.name
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.FunctionDef)
        and any("njit" in ast.unparse(mark) for mark in node.decorator_list)
    }


def test_modules_whose_compiled_functions_others_call_are_all_named() -> None:
    """Else a change of theirs would go on running as it was compiled into others."""
    called: set[str] = set()
    for module in FOLDER.rglob("*.py"):
        if not compiled_in(module):
            continue
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                source = node.module.removeprefix(PACKAGE)
                path = FOLDER / f"{source.replace('.', '/')}.py"
                taken = {alias.name for alias in node.names}
                if path.is_file() and taken & compiled_in(path):
                    called.add(source)
    assert called <= set(haplotypes.CALLED_BY_OTHERS)
