"""Cached kernels never outlive a change of any kernel, and the package works where numba is missing."""

import shutil
import subprocess
import sys

import pytest

from bscstudy.multilevel.compiled import HAVE_NUMBA
from bscstudy.workflow import PACKAGE

CALL = "from {name}.outer import outer; print(outer(2.0))"


def run(folder, code, **environment):
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.skipif(not HAVE_NUMBA, reason="numba is not installed")
def test_a_changed_kernel_is_compiled_again_wherever_it_is_used(tmp_path):
    package = tmp_path / "kernels"
    package.mkdir()
    (package / "__init__.py").write_text("")
    shutil.copy(PACKAGE / "multilevel" / "compiled.py", package)
    header = "from kernels.compiled import kernel\n"
    inner = header + "@kernel\ndef inner(x):\n    return x + {}\n"
    (package / "inner.py").write_text(inner.format("1.0"))
    (package / "outer.py").write_text(header + "from kernels.inner import inner\n@kernel\ndef outer(x):\n    return 10.0 * inner(x)\n")
    environment = {"PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    code = CALL.format(name="kernels")
    assert run(tmp_path, code, **environment) == "30.0"
    assert run(tmp_path, code, **environment) == "30.0"
    (package / "inner.py").write_text(inner.format("2.0"))
    assert run(tmp_path, code, **environment) == "40.0"


def test_without_numba_the_numpy_path_gives_the_same_numbers(repository, tmp_path):
    """The import of numba is made to fail in a process of its own."""
    blocked = tmp_path / "numba"
    blocked.mkdir()
    (blocked / "__init__.py").write_text("raise ImportError('not here')")
    code = (
        "import pandas as pd; from bscstudy.multilevel import fit_mixed_model; from bscstudy.multilevel.compiled import HAVE_NUMBA;"
        "frame = pd.read_csv('tests/reference/data/mixed/sim3u.csv');"
        "fit = fit_mixed_model('y ~ wave * arm + role + (1 | center/pid)', frame);"
        "print(HAVE_NUMBA, round(-2 * fit.log_likelihood, 6), round(fit.tests('kenward_roger').df[2], 5))"
    )
    found = run(repository, code, PYTHONPATH=f"{tmp_path}:{PACKAGE.parent}")
    assert found == "False 539.410678 5.86704"
