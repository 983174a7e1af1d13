"""requirements.lock, environment.yml and pyproject.toml say the same, and none names a place to fetch from."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bscstudy.configuration_page import configuration_page
from bscstudy.environment import conda_environment, locked_versions


@pytest.fixture(scope="module")
def lock(repository):
    return (repository / "requirements.lock").read_text(encoding="utf-8")


def test_environment_is_made_from_the_lock(repository, lock):
    assert (repository / "environment.yml").read_text(encoding="utf-8") == conda_environment(lock)


def test_every_direct_dependency_is_locked_within_its_range(repository, lock):
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    locked = {canonicalize_name(name): version for name, version, _ in locked_versions(lock)}
    wanted = [Requirement(text) for text in project["project"]["dependencies"] + project["dependency-groups"]["dev"]]
    assert len(wanted) >= 19
    outside = [str(r) for r in wanted if locked.get(canonicalize_name(r.name)) not in r.specifier]
    assert not outside


def test_lock_is_hashed_and_holds_no_address(lock):
    assert not re.search(r"file://|https?:|--index|--extra-index|--find-links|-e ", lock)
    pins = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)[1:]
    assert len(pins) == len(locked_versions(lock)) > 80
    assert all("--hash=sha256:" in pin for pin in pins)


def test_configuration_page_is_made_from_the_schemas(repository):
    assert (repository / "docs/configuration.md").read_text(encoding="utf-8") == configuration_page(), (
        "run python -m bscstudy.configuration_page"
    )


def test_every_key_of_every_schema_is_described():
    from bscstudy.config import SCHEMAS, read_yaml

    def undescribed(schema, where):
        for name, part in schema.get("properties", {}).items():
            described = "description" in part or "column" in where and name in ("column", "columns")
            yield from [] if described else [f"{where}.{name}"]
            yield from undescribed(part, f"{where}.{name}")
        for inner in (schema.get("items"), schema.get("additionalProperties"), *schema.get("oneOf", [])):
            if isinstance(inner, dict):
                assert inner.get("type") != "object" or "properties" not in inner or inner.get("additionalProperties") is False, where
                yield from undescribed(inner, where)

    found = [u for path in sorted(SCHEMAS.glob("*.yaml")) for u in undescribed(read_yaml(path), path.stem)]
    assert not [f for f in found if not f.endswith((".case", ".item"))]
