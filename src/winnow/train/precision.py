"""In which numbers a network computes: single precision, or bfloat16 and channels last where this machine gains."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class Precision:
    """The numbers of forward and backward passes; weights and optimisers always keep single precision.

    Never fp16: on processors it is slow and overflows; bf16 has the range of fp32 and needs no loss scaling.
    """

    is_bf16: bool = False
    """Matrix products and convolutions in bfloat16 (torch's autocast)."""
    is_channels_last: bool = False
    """Pictures and filters lie in memory with their channels innermost."""

    @property
    def memory_format(self) -> torch.memory_format:
        """Torch's word for the layout."""
        return torch.channels_last if self.is_channels_last else torch.contiguous_format

    def autocast(self, device: torch.device) -> AbstractContextManager[object]:
        """The context in which losses are computed."""
        return torch.autocast(device.type, dtype=torch.bfloat16) if self.is_bf16 else nullcontext()
