"""The rungs of a task's ladder by their names: what a person reads where a plan tells names alone."""

from __future__ import annotations

from winnow.data.manifest import Task


def rung_titles(task: Task) -> dict[str, str]:
    """What each rung that a climb tries unasked is called, {name: title}, cheapest first.

    Raises:
        UserError: an installed package's rung cannot be loaded, or has the name of another.
    """
    # The ladders bring scikit-learn, which takes seconds; who only asks for a name of this room needs none of it.
    from winnow.tasks.classify.rungs import all_rungs as rungs_of_classes
    from winnow.tasks.multilabel.rungs import all_rungs as rungs_of_several_classes

    found = rungs_of_classes() if task == "classify" else rungs_of_several_classes()
    return {rung.name: rung.title for rung in found}
