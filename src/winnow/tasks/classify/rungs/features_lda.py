"""Features + shrunk LDA. One shared covariance, shrunk by a closed form: no setting to choose, quick to refit."""

from winnow.tasks.classify.head_rung import HeadRung
from winnow.tasks.heads.lda import ShrunkLda
from winnow.tasks.looks import BACKBONE

RUNG = HeadRung("features-lda", "features + shrunk LDA", BACKBONE, ShrunkLda())
