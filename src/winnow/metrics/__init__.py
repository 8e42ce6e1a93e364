"""How good is it, and how sure are we? Scores, intervals, curves, calibration; numbers only, no drawing."""
