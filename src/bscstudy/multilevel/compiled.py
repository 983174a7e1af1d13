"""Compiled kernels: numba where it is installed, plain Python where it is not."""

from __future__ import annotations

from collections.abc import Callable

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
        return numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=_REORDER_SUMS if fast else False)(body)

    return compiled(function) if function is not None else compiled
