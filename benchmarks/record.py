"""What all benchmarks share: medians of ratios, and the committed file they end up in."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def ratio(above: Sequence[float], below: Sequence[float]) -> dict[str, float]:
    """Median, least and greatest of the ratios above[i] / below[i], one for each round."""
    ratios = [one / other for one, other in zip(above, below, strict=True)]
    found = {"median": statistics.median(ratios), "least": min(ratios), "greatest": max(ratios)}
    return {name: round(value, 3) for name, value in found.items()}


def write(name: str, content: dict[str, Any], packages: Sequence[str]) -> Path:
    """Write results/NAME.json with the versions of `packages`, and return its path."""
    versions = {package: metadata.version(package) for package in packages}
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps({**content, "versions": versions}, indent=1) + "\n")
    return path
