"""Which sources a check compares a source with: what must be at hand before it can be judged. Each takes (source, config)."""

from __future__ import annotations


def no_other(source: str, config: dict) -> set[str]:
    """Return nothing: the rows of a source are judged by themselves and by the registers."""
    return set()


def of_one_file(source: str, config: dict) -> set[str]:
    """Return the sources that are read from the same file."""
    return _alike(source, config, "file")


def of_one_instrument(source: str, config: dict) -> set[str]:
    """Return the sources of the same instrument."""
    return _alike(source, config, "instrument")


def of_one_wave(source: str, config: dict) -> set[str]:
    """Return the sources that may hold another form of the same person, instrument and wave."""
    known = config.get("sources") or {}
    own = known.get(source) or {}
    if "person_id" not in (own.get("key") or []):
        return set()
    waves = {name: known[name].get("wave") for name in of_one_instrument(source, config)}
    return {name for name, wave in waves.items() if wave == own.get("wave") or not (_fixed(wave) and _fixed(own.get("wave")))}


def of_the_study(source: str, config: dict) -> set[str]:
    """Return all sources."""
    return set(config.get("sources") or {})


def _fixed(wave: object) -> bool:
    """Whether all rows of a source are of one wave that the configuration names."""
    return isinstance(wave, str)


def _alike(source: str, config: dict, setting: str) -> set[str]:
    known = config.get("sources") or {}
    value = (known.get(source) or {}).get(setting)
    return {name for name, settings in known.items() if value and settings.get(setting) == value}
