"""From a question to the bytes that a worker is sent, once it is sure that the model takes what was given."""

from __future__ import annotations

from winnow.serve.frames import pack_tensors
from winnow.serve.questions import Question, Tensors, UnansweredError
from winnow.serve.refusals import BAD_TENSORS, status_of
from winnow.serve.served import Served, Tensor


def payload_of(question: Question) -> bytes:
    """What the worker is sent.

    Raises:
        UnansweredError: 422 bad-tensors: the model does not take what was given.
    """
    served, what = question.served, question.what
    if isinstance(what, bytes):
        if served.kind != "pictures":
            raise _bad(f"{served.full_name} takes no pictures but tensors: {_words(served.inputs)}.")
        return what
    if served.kind != "tensors":
        raise _bad(f"{served.full_name} takes picture files, no tensors.")
    _check(served, what)
    return pack_tensors(what)


def _check(served: Served, tensors: Tensors) -> None:
    wanted = {one.name: one for one in served.inputs}
    if tensors.keys() != wanted.keys():
        given = ", ".join(sorted(tensors)) or "none"
        raise _bad(f"{served.full_name} takes the tensors {_words(served.inputs)}; given: {given}.")
    for name, array in tensors.items():
        one = wanted[name]
        dtype = "str" if array.dtype.kind == "U" else array.dtype.name
        is_shape = len(array.shape) == len(one.shape) and all(
            fixed in (None, length) for length, fixed in zip(array.shape, one.shape, strict=True)
        )
        if dtype != one.dtype or not is_shape:
            raise _bad(f"{served.full_name} takes {_words([one])}; given: {name} {dtype} {list(array.shape)}.")


def _words(tensors: tuple[Tensor, ...] | list[Tensor]) -> str:
    return ", ".join(
        f"{one.name} {one.dtype} [{', '.join('any' if length is None else str(length) for length in one.shape)}]"
        for one in tensors
    )


def _bad(sentence: str) -> UnansweredError:
    return UnansweredError(status_of(BAD_TENSORS), BAD_TENSORS, sentence)
