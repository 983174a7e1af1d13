"""Multilevel models that are right with few groups: linear, generalized and ordinal, with small-sample inference.

``fit_mixed_model(formula, data)`` fits; what it returns is a ``MixedModelResult``. Both are loaded on first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bscstudy.multilevel.fit import fit_mixed_model
    from bscstudy.multilevel.result import MixedModelResult

__all__ = ["MixedModelResult", "fit_mixed_model"]


def __getattr__(name: str) -> object:
    """Load a public name on first use (PEP 562)."""
    if name == "fit_mixed_model":
        from bscstudy.multilevel.fit import fit_mixed_model

        return fit_mixed_model
    if name == "MixedModelResult":
        from bscstudy.multilevel.result import MixedModelResult

        return MixedModelResult
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
