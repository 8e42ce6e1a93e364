"""Is it true what the books say? One file a study (README.md). Needs the extra 'deep'."""
