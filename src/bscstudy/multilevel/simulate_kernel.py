"""Compiled: responses from a linear predictor, random effects and noise, many draws side by side."""

from __future__ import annotations

from bscstudy.multilevel.compiled import kernel


@kernel
def scale_noise(mean, spread, noise):
    """noise (n, B) becomes mean (n,) + spread (n,) * noise, in place."""
    for i in range(noise.shape[0]):
        for b in range(noise.shape[1]):
            noise[i, b] = mean[i] + spread[i] * noise[i, b]


@kernel
def add_effects(codes, values, effects, response):
    """Add values (n,) times the effect (J, B) of each row's level (n,) to response (n, B), in place."""
    for i in range(response.shape[0]):
        level, value = codes[i], values[i]
        for b in range(response.shape[1]):
            response[i, b] += value * effects[level, b]
