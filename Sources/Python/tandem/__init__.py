"""Batches of video from a running ``tandem serve``, for a training loop of your own.

>>> import tandem
>>> for batch in tandem.Stream("tcp://127.0.0.1:5555", batch=64):
...     frames = batch["frames"]           # uint8 [64, frames, height, width, 3]

Arrays are numpy's; ``torch.from_numpy`` takes them as they are.
"""

from .protocol import Plan, Replacement, TandemError
from .stream import Batch, Stream

__all__ = ["Batch", "Plan", "Replacement", "Stream", "TandemError"]
