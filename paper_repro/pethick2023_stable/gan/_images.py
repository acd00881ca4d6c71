"""The residual networks that play for images, after Miyato et al. (2018), at any power of two."""

from __future__ import annotations

import math
from typing import Any

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm


def _convolution(inputs: int, outputs: int, width: int, gain: float) -> nn.Conv2d:
    layer = nn.Conv2d(inputs, outputs, width, padding=width // 2)
    nn.init.xavier_uniform_(layer.weight, gain)
    return layer


class Up(nn.Module):
    """A residual block of the generator; height and width double."""

    def __init__(self, width: int) -> None:
        super().__init__()
        # the statistics are those of the batch always: averages of them would lag behind
        # parameters that are interpolated
        self.residual = nn.Sequential(
            nn.BatchNorm2d(width, track_running_stats=False),
            nn.ReLU(),
            nn.Upsample(scale_factor=2),
            _convolution(width, width, 3, math.sqrt(2)),
            nn.BatchNorm2d(width, track_running_stats=False),
            nn.ReLU(),
            _convolution(width, width, 3, math.sqrt(2)),
        )
        self.short = nn.Sequential(nn.Upsample(scale_factor=2), _convolution(width, width, 1, 1))

    def forward(self, x: Any) -> Any:
        """(n, width, h, w) to (n, width, 2h, 2w)."""
        return self.residual(x) + self.short(x)


class Down(nn.Module):
    """A residual block of the discriminator, its convolutions of spectral norm one."""

    def __init__(self, inputs: int, width: int, *, halve: bool, first: bool = False) -> None:
        super().__init__()
        pool: list[nn.Module] = [nn.AvgPool2d(2)] if halve else []
        self.residual = nn.Sequential(
            *([] if first else [nn.ReLU()]),
            spectral_norm(_convolution(inputs, width, 3, math.sqrt(2))),
            nn.ReLU(),
            spectral_norm(_convolution(width, width, 3, math.sqrt(2))),
            *pool,
        )
        bends = halve or inputs != width
        short = [spectral_norm(_convolution(inputs, width, 1, 1))] if bends else []
        self.short = nn.Sequential(*(pool + short if first else short + pool))

    def forward(self, x: Any) -> Any:
        """(n, inputs, h, w) to (n, width, h/2, w/2), or with the size kept."""
        return self.residual(x) + self.short(x)


class Generator(nn.Module):
    """Noise (n, latent) to images (n, channels, size, size) in [−1, 1]."""

    def __init__(self, size: int, channels: int, *, width: int, latent: int) -> None:
        super().__init__()
        self.width = width
        self.first = nn.Linear(latent, 16 * width)
        self.blocks = nn.Sequential(*[Up(width) for _ in range(round(math.log2(size / 4)))])
        self.last = nn.Sequential(
            nn.BatchNorm2d(width, track_running_stats=False),
            nn.ReLU(),
            _convolution(width, channels, 3, 1),
            nn.Tanh(),
        )

    def forward(self, noise: Any) -> Any:
        """Images of noise."""
        return self.last(self.blocks(self.first(noise).view(-1, self.width, 4, 4)))


class Discriminator(nn.Module):
    """Images to a number each, large for what it takes for data."""

    def __init__(self, size: int, channels: int, *, width: int) -> None:
        super().__init__()
        halving = max(round(math.log2(size / 16)), 0)  # after the first block, down to 8 × 8
        plain = 2 if size > 8 else 1
        self.blocks = nn.Sequential(
            Down(channels, width, halve=True, first=True),
            *[Down(width, width, halve=True) for _ in range(halving)],
            *[Down(width, width, halve=False) for _ in range(plain)],
            nn.ReLU(),
        )
        self.last = spectral_norm(nn.Linear(width, 1))

    def forward(self, images: Any) -> Any:
        """Images (n, channels, size, size) to (n, 1)."""
        return self.last(self.blocks(images).sum(dim=(2, 3)))
