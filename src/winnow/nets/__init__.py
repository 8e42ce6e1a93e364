"""Which networks are there? One file an architecture, one registry (see this folder's README)."""

from winnow.machine import keep_quiet

keep_quiet()  # timm brings the hub's client, which reads its switches when it is imported
