"""Compiled kernels: numba where it is installed, plain Python where it is not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

try:
    import numba

    HAVE_NUMBA = True
except ImportError:
    numba = None
    HAVE_NUMBA = False

_REORDER_SUMS = {"contract", "reassoc", "nsz", "arcp"}


def kernel(function: Callable | None = None, *, fast: bool = False) -> Callable:
    """Compile a numeric function to machine code, kept in a cache on disk.

    Parameters
    ----------
    function : callable
        Takes and returns numbers and C-contiguous float64 or int64 arrays only.
    fast : bool
        Let the compiler reorder sums (vector instructions); infinite and missing values keep their meaning.

    Returns
    -------
    callable
        The function itself where numba is missing.
    """

    def compiled(body: Callable) -> Callable:
        if numba is None:
            return body
        options = {"nogil": True, "error_model": "numpy", "fastmath": _REORDER_SUMS if fast else False, "no_cfunc_wrapper": True}
        dispatcher = numba.njit(cache=True, **options)(body)
        _tie_to_all_kernels(dispatcher)
        return dispatcher

    return compiled(function) if function is not None else compiled


def _tie_to_all_kernels(dispatcher: object) -> None:
    """Make a cached kernel count as old when any kernel of the package changed.

    numba looks at the kernel's own file only, so that code taken in from another file would stay in the cache in its old form.
    """
    dispatcher._cache._cache_file._source_stamp = kernels_digest()


@cache
def kernels_digest() -> str:
    """Return a digest of every file of this package that defines kernels."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        content = path.read_bytes()
        if b"compiled import kernel" in content:
            digest.update(path.name.encode() + b"\0" + content)
    return digest.hexdigest()
