"""Closing a door without shutting it on anybody: nobody new comes in, and all who stand in it are still let in.

A socket that is closed while connections wait to be accepted resets them, and their requests with them. So first a
filter is put on it that drops every packet: who connects now tries again a second later, finds the door shut, and has
lost nothing, or finds the next server behind it. Linux only; elsewhere the moment between is short, but it is there.

Source: socket(7), SO_ATTACH_FILTER; the Linux kernel's Documentation/networking/filter.rst.
"""

from __future__ import annotations

import ctypes
import socket
import struct
import sys
from contextlib import suppress

_SO_ATTACH_FILTER = 26
_RETURN_CONSTANT = 0x06
_LET_THROUGH_BYTES = 0


def take_no_more(listening: socket.socket) -> None:
    """Let no new connection come to a listening socket; those that wait there can still be accepted."""
    if sys.platform != "linux":
        return
    instruction = ctypes.create_string_buffer(struct.pack("=HBBI", _RETURN_CONSTANT, 0, 0, _LET_THROUGH_BYTES))
    program = struct.pack("@HP", 1, ctypes.addressof(instruction))
    with suppress(OSError):  # a kernel that has no such filters
        listening.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
