"""`clipasso doctor`."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import Annotated

import typer

from clipasso.cli.console import tell


def command(
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON instead.")] = False,
) -> int:
    """Look whether everything is there that a sketch needs, and works: what to put in a bug report.

    Tells versions, processor and memory, devices, where weights are, whether the rasteriser's
    kernels compile and agree with the reference, which folders can be written to, and whether the
    model hub answers. The exit status is 1 if something does not work.

    Examples:

      clipasso doctor

      clipasso doctor --json > report.json
    """
    from clipasso.pipeline.checkup import check_up

    levels: Counter[str] = Counter()
    found = []
    for finding in check_up():
        levels[finding.level] += 1
        found.append(asdict(finding))
        if not as_json:
            tell(f"{finding.level:4}  {finding.topic}: {finding.text}")
    if as_json:
        tell(json.dumps({"ok": not levels["fail"], "findings": found}))
    elif levels["fail"]:
        tell(f"{levels['fail']} of {levels.total()} checks failed")
    return 1 if levels["fail"] else 0
