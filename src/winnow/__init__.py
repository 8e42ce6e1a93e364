"""Winnow trains models from your own examples and proves what they are worth.

>>> import winnow
>>> model = winnow.train("photos/", budget="10m")  # doctest: +SKIP
>>> model.predict(["sky.jpg"])  # doctest: +SKIP
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

from winnow.machine import keep_quiet
from winnow.version import VERSION

if TYPE_CHECKING:
    from winnow.api.classifier import Classifier
    from winnow.api.comparing import compare
    from winnow.api.dataset import Dataset
    from winnow.api.evaluation import evaluate
    from winnow.api.health import check
    from winnow.api.loading import load
    from winnow.api.model import Model, Prediction
    from winnow.api.studying import study
    from winnow.api.training import train
    from winnow.errors import UserError
    from winnow.serve.client import Client
    from winnow.serve.launch import serve

__version__ = VERSION

# Where each name at the door lives; imported when first asked for, so that `import winnow` costs nothing.
_HOME = {
    "Classifier": "winnow.api.classifier",
    "Client": "winnow.serve.client",
    "Dataset": "winnow.api.dataset",
    "Model": "winnow.api.model",
    "Prediction": "winnow.api.model",
    "UserError": "winnow.errors",
    "check": "winnow.api.health",
    "compare": "winnow.api.comparing",
    "evaluate": "winnow.api.evaluation",
    "load": "winnow.api.loading",
    "serve": "winnow.serve.launch",
    "study": "winnow.api.studying",
    "train": "winnow.api.training",
}

__all__ = [
    "Classifier",
    "Client",
    "Dataset",
    "Model",
    "Prediction",
    "UserError",
    "check",
    "compare",
    "evaluate",
    "load",
    "serve",
    "study",
    "train",
]

keep_quiet()


class _Door(ModuleType):
    """Keeps the verbs: a room of the same name (`winnow.train`) is reached by `from winnow.train.loop import ...`."""

    def __setattr__(self, name: str, value: object) -> None:
        # Importing a room binds it to its name here; the verb of that name would be gone after the first deep rung.
        if not (name in _HOME and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Door


def __getattr__(name: str) -> object:
    if name in _HOME:
        from importlib import import_module

        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'winnow' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
