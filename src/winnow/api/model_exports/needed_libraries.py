"""Which libraries, in which versions, something of Winnow's needs: seen by running it, pinned as installed here."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterable
from pathlib import Path

_IMPORT = re.compile(r"^ *(?:import|from) ([A-Za-z0-9_]+)", re.MULTILINE)
_NAME = re.compile(r"^[A-Za-z0-9._-]+")
_EXTRA = re.compile(r"""extra\s*==\s*['"]([^'"]+)['"]""")
UNUSED = frozenset(("openvino-telemetry", "watchfiles"))
"""What libraries ask for and Winnow keeps from being used: a telemetry client, and what restarts servers under work."""


def pinned(modules: Iterable[str], package: Path) -> list[str]:
    """Lines for requirements.txt: every library that a program needs, as it is installed here, sorted.

    Args:
        modules: what the program has imported (`sys.modules`).
        package: the folder of the sources that it ran.

    Returns:
        `name==version` of each library that it has imported and that the sources name, and of all that those need. What
        a library uses merely because it is installed here (scikit-learn finds pandas, say) is left out.
    """
    owners = importlib.metadata.packages_distributions()
    named = {name for file in package.rglob("*.py") for name in _IMPORT.findall(file.read_text(encoding="utf-8"))}
    imported = {module.partition(".")[0] for module in modules}
    roots = {canonical(owner) for top in named & imported for owner in owners.get(top, ())}
    needed = _closure(roots) - UNUSED
    return sorted(f"{name}=={importlib.metadata.version(name)}" for name in needed if name != "winnow")


def canonical(name: str) -> str:
    """A distribution's name as it is compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _closure(names: Iterable[str]) -> set[str]:
    """These distributions, and all installed ones that they need, extras that were asked for included."""
    found: set[str] = set()
    waiting = [(name, "") for name in names]
    seen: set[tuple[str, str]] = set()
    while waiting:
        name, extra = one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        try:
            required = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:  # meant for another system or Python
            continue
        found.add(name)
        waiting += [need for line in required for need in _needs(line, extra)]
    return found


def _needs(line: str, extra: str) -> list[tuple[str, str]]:
    """(name, extra) pairs that a line such as "uvicorn[standard]>=0.50; extra == 'web'" asks for."""
    wanted, _, marker = line.partition(";")
    of_extra = _EXTRA.search(marker)
    name = _NAME.match(wanted.strip())
    if name is None or (of_extra is not None and of_extra[1] != extra):
        return []
    extras = re.search(r"\[([^\]]*)\]", wanted)
    named = [one.strip() for one in extras[1].split(",")] if extras else []
    return [(canonical(name[0]), one) for one in ("", *named)]
