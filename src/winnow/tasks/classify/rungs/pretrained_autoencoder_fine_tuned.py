"""Unsupervised pre-training as in `pretrained_autoencoder.py`, and then all stages learn on with the classifier.

Source: Erhan et al., Why Does Unsupervised Pre-training Help Deep Learning?, JMLR 11, 2010.
"""

from __future__ import annotations

from winnow.tasks.classify.rungs.pretrained_autoencoder import PretrainedAutoencoder
from winnow.tasks.classify.trained_rung import TrainedRung

RUNG = TrainedRung("pretrained-autoencoder-fine-tuned", "fine-tuned autoencoder", PretrainedAutoencoder(tunes=True))
