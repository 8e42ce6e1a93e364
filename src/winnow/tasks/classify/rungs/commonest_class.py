"""Always the commonest class. No picture is looked at: what any method must beat."""

from winnow.tasks.classify.head_rung import HeadRung
from winnow.tasks.heads.prior import Prior
from winnow.tasks.looks import PIXELS

RUNG = HeadRung("commonest-class", "always the commonest class", PIXELS, Prior())
