"""Where everything a user has made is kept: database, pictures, dataset versions, climbs, models, openings.

See `README.md` in this folder for what lies where and what happens when the power fails.
"""
