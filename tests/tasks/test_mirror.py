"""Pictures are mirrored only where that makes no other thing of them."""

from __future__ import annotations

from winnow.tasks.mirror import may_be_mirrored


def test_animals_may_be_mirrored():
    assert may_be_mirrored(["cats", "dogs"], is_grey=False)


def test_writing_and_sides_may_not():
    assert not may_be_mirrored(["b", "d"], is_grey=False)
    assert not may_be_mirrored(["10", "11"], is_grey=False)
    assert not may_be_mirrored(["turn left", "turn right"], is_grey=False)


def test_nor_may_what_has_no_colours():
    assert not may_be_mirrored(["cats", "dogs"], is_grey=True)
