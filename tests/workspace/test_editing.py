"""Edits of a dataset: each makes a version, any version can be read, and nobody's edit is lost."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from winnow.data.edits import AddLabels, Edit, MergeClasses, MoveToSplit, Relabel, Remove, RenameClass, SetGroup, edited
from winnow.data.joining import join_examples
from winnow.data.manifest import Manifest
from winnow.errors import ConflictError, NotFoundError, UserError, WorkspaceError
from winnow.workspace import history
from winnow.workspace.workspace import Workspace

ManifestOf = Callable[..., Manifest]


def labels(workspace: Workspace, version: int | None = None) -> dict[str, str | None]:
    return {example.source: example.label for example in workspace.manifest("clouds", version).examples()}


def test_an_edit_makes_the_next_version_and_says_what_it_did(clouds: Workspace):
    made = clouds.edit("clouds", [Relabel({"cirrus.png": "wispy"})], who="ada")
    assert (made.number, made.parent, made.kind, made.who) == (2, 1, "relabel", "ada")
    assert made.what == "relabelled 'cirrus.png' as 'wispy'"
    assert (made.examples, made.classes, made.bytes) == (2, 2, len("cirrus") + len("stratus"))
    assert clouds.find_version("clouds") == made
    assert labels(clouds) == {"cirrus.png": "wispy", "stratus.png": "odd"}
    assert labels(clouds, 1) == {"cirrus.png": "even", "stratus.png": "odd"}


def test_an_edit_writes_no_table(clouds: Workspace):
    made = clouds.edit("clouds", [Relabel({"cirrus.png": "wispy"})])
    clouds.manifest("clouds")
    assert not made.has_snapshot
    assert [path.name for path in (clouds.folder / "datasets" / "clouds").iterdir()] == ["v00001.parquet"]


def test_several_edits_are_one_event(clouds: Workspace):
    made = clouds.edit("clouds", [RenameClass("odd", "grey"), Remove("cirrus.png")])
    assert (made.number, made.kind) == (2, "edits")
    assert made.what == "renamed 'odd' to 'grey': 1 picture; removed 'cirrus.png'"
    assert (made.examples, made.classes, made.bytes) == (1, 1, len("stratus"))


def test_every_edit_is_in_the_log_also_one_that_changes_nothing(clouds: Workspace):
    for who in ("ada", "bob", "ada"):
        clouds.edit("clouds", [Relabel({"cirrus.png": "wispy"})], who=who)
    assert [(v.number, v.kind, v.who) for v in clouds.versions("clouds")[1:]] == [
        (2, "relabel", "ada"),
        (3, "relabel", "bob"),
        (4, "relabel", "ada"),
    ]


def test_who_is_the_user_of_this_process_unless_said(clouds: Workspace, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LOGNAME", "ada")
    assert clouds.edit("clouds", [Relabel({"cirrus.png": "a"})]).who == "ada"
    assert clouds.restore("clouds", 1).who == "ada"


@pytest.mark.parametrize(
    ("edits", "error", "sentence"),
    [
        ([Relabel({"cirus.png": "a"})], NotFoundError, r"Did you mean cirrus\.png"),
        ([Relabel({"cirrus.png": "a"}), Remove("nobody")], NotFoundError, "No picture 'nobody'"),
        ([], UserError, "no edit to make"),
    ],
)
def test_an_edit_that_makes_no_sense_changes_nothing(
    clouds: Workspace, edits: list[Edit], error: type[Exception], sentence: str
):
    with pytest.raises(error, match=sentence):
        clouds.edit("clouds", edits)
    assert len(clouds.versions("clouds")) == 1
    assert clouds.edit("clouds", [Relabel({"stratus.png": "b"})]).number == 2
    assert labels(clouds) == {"cirrus.png": "even", "stratus.png": "b"}


EDITS: list[list[Edit]] = [
    [Relabel({"cirrus.png": "wispy"})],
    [SetGroup("stratus.png", "tuesday"), MoveToSplit("stratus.png", "test")],
    [MergeClasses(["odd"], "wispy")],
    [AddLabels("stratus.png", "low")],
    [Remove("cirrus.png")],
]


def test_any_version_is_what_its_edits_make_of_the_one_before(clouds: Workspace):
    expected = [clouds.manifest("clouds")]
    for edits in EDITS:
        clouds.edit("clouds", edits)
        expected.append(edited(expected[-1], edits)[0])
    for number, manifest in enumerate(expected, start=1):
        assert clouds.manifest("clouds", number).digest() == manifest.digest()
        record = clouds.find_version("clouds", number)
        assert (record.examples, record.classes) == (len(manifest), len(manifest.classes))
    assert clouds.manifest("clouds", 4).provenance["parent"] == 3
    assert clouds.manifest("clouds", 4).provenance["what"] == clouds.find_version("clouds", 4).what


def test_the_digest_is_known_once_it_is_needed_and_is_that_of_the_rows(clouds: Workspace):
    assert clouds.edit("clouds", [Relabel({"cirrus.png": "wispy"})]).digest is None
    kept = clouds.keep_version("clouds", 2)
    assert kept.digest == edited(clouds.manifest("clouds", 1), [Relabel({"cirrus.png": "wispy"})])[0].digest()
    assert kept.has_snapshot
    assert kept.path.is_file()
    assert clouds.keep_version("clouds", 2) == kept


def test_what_is_trained_on_is_kept_as_a_table(clouds: Workspace):
    clouds.edit("clouds", [Relabel({"cirrus.png": "wispy"})])
    clouds.start_climb("clouds", 2, {})
    assert clouds.find_version("clouds", 2).has_snapshot


def test_a_snapshot_shortens_the_way_and_changes_nothing(clouds: Workspace, monkeypatch: pytest.MonkeyPatch):
    for edits in EDITS:
        clouds.edit("clouds", edits)
    digests = [clouds.manifest("clouds", number).digest() for number in range(1, 7)]
    monkeypatch.setattr(history, "_CHARACTERS", 100)
    monkeypatch.setattr(history, "_CHARACTERS_PER_EXAMPLE", 0)
    clouds.manifest("clouds", 4)
    assert [version.has_snapshot for version in clouds.versions("clouds")] == [True, False, False, True, False, False]
    assert [clouds.manifest("clouds", number).digest() for number in range(1, 7)] == digests


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(path.read_bytes()[:100])])
def test_a_lost_or_half_written_snapshot_of_an_edited_version_is_made_again(
    clouds: Workspace, damage: Callable[[Path], object]
):
    clouds.edit("clouds", EDITS[0])
    kept = clouds.keep_version("clouds", 2)
    clouds.edit("clouds", EDITS[1])
    digest = clouds.manifest("clouds", 3).digest()
    damage(kept.path)
    assert clouds.manifest("clouds", 2).digest() == kept.digest
    assert clouds.manifest("clouds", 3).digest() == digest


def test_an_imported_version_cannot_be_made_again_and_says_so(clouds: Workspace):
    clouds.edit("clouds", EDITS[0])
    clouds.find_version("clouds", 1).path.write_bytes(b"damaged")
    with pytest.raises(WorkspaceError, match=r"v00001\.parquet is damaged"):
        clouds.manifest("clouds", 2)


def test_a_snapshot_that_a_kill_has_left_without_its_row_is_not_believed(clouds: Workspace, manifest_of: ManifestOf):
    manifest_of(clouds, "cumulus").write(clouds.find_version("clouds", 1).path.with_name("v00002.parquet"))
    clouds.edit("clouds", EDITS[0])
    assert labels(clouds, 2) == {"cirrus.png": "wispy", "stratus.png": "odd"}


# Going back


def test_restoring_is_a_new_version_equal_to_the_old_one(clouds: Workspace):
    clouds.edit("clouds", [Remove("cirrus.png")])
    restored = clouds.restore("clouds", 1)
    assert (restored.number, restored.parent, restored.what, restored.examples) == (3, 2, "restored version 1", 2)
    assert clouds.manifest("clouds", 3).digest() == clouds.manifest("clouds", 1).digest() == restored.digest
    assert len(clouds.manifest("clouds", 2)) == 1


def test_edits_go_on_after_going_back_and_back_again(clouds: Workspace):
    clouds.edit("clouds", [Relabel({"cirrus.png": "a"})])  # 2
    clouds.edit("clouds", [Relabel({"cirrus.png": "b"})])  # 3
    clouds.restore("clouds", 2)  # 4
    clouds.edit("clouds", [Relabel({"stratus.png": "c"})])  # 5
    clouds.restore("clouds", 1)  # 6
    clouds.restore("clouds", 5)  # 7
    clouds.edit("clouds", [RenameClass("c", "d")])  # 8
    seen = [tuple(labels(clouds, number).values()) for number in range(1, 9)]
    assert seen[3:] == [("a", "odd"), ("a", "c"), ("even", "odd"), ("a", "c"), ("a", "d")]


def test_restoring_the_newest_changes_nothing(clouds: Workspace):
    assert clouds.restore("clouds", 1).number == 1


def test_only_what_was_can_be_restored(clouds: Workspace):
    with pytest.raises(NotFoundError, match="has no version 7"):
        clouds.restore("clouds", 7)


# Edits and imports


def test_importing_the_same_files_again_undoes_no_edit(clouds: Workspace, manifest_of: ManifestOf):
    clouds.edit("clouds", [Relabel({"cirrus.png": "wispy"})])
    assert clouds.add_version("clouds", manifest_of(clouds, "cirrus", "stratus"), "imported again") == 2
    assert labels(clouds)["cirrus.png"] == "wispy"


def test_what_was_restored_on_purpose_is_replaced_by_an_import(clouds: Workspace, manifest_of: ManifestOf):
    clouds.add_version("clouds", manifest_of(clouds, "cumulus"), "imported")
    clouds.restore("clouds", 1)
    assert clouds.add_version("clouds", manifest_of(clouds, "cumulus"), "imported") == 4


def test_rows_that_are_those_of_an_edited_version_make_nothing_new(clouds: Workspace):
    clouds.edit("clouds", [Relabel({"cirrus.png": "wispy"})])
    assert clouds.add_version("clouds", clouds.manifest("clouds"), "imported") == 2


def test_edits_go_on_after_an_import_by_somebody_else(clouds: Workspace, manifest_of: ManifestOf):
    clouds.edit("clouds", [Relabel({"cirrus.png": "wispy"})])
    with Workspace.open(clouds.folder) as other:
        other.add_version("clouds", manifest_of(other, "cumulus"), "imported")
    clouds.edit("clouds", [Relabel({"cumulus.png": "puffy"})])
    assert labels(clouds) == {"cumulus.png": "puffy"}


def test_pictures_that_join_do_not_undo_what_was_done_while_they_were_read(clouds: Workspace, manifest_of: ManifestOf):
    old, new = clouds.manifest("clouds").examples(), manifest_of(clouds, "cumulus", "nimbus").examples()
    joined = Manifest.of(join_examples(old, new)[0])
    clouds.edit("clouds", [Relabel({"cirrus.png": "wispy"}), Remove("stratus.png")])
    assert clouds.join("clouds", joined, "added 2 pictures", 1) == 3
    assert labels(clouds) == {"cirrus.png": "wispy", "cumulus.png": "even", "nimbus.png": "odd"}
    assert clouds.find_version("clouds").kind == "add"
    assert clouds.join("clouds", clouds.manifest("clouds"), "added 2 pictures", 3) == 3


def test_the_pictures_that_somebody_decided_about_are_known(clouds: Workspace):
    clouds.edit("clouds", [Relabel({"cirrus.png": "wispy"})])
    clouds.edit("clouds", [RenameClass("wispy", "thin")])
    assert clouds.edited_pictures("clouds") == {"cirrus.png"}
    clouds.edit("clouds", [RenameClass("odd", "grey")])
    assert clouds.edited_pictures("clouds") == {"cirrus.png", "stratus.png"}


def test_the_pictures_that_somebody_dropped_are_known_by_name_and_content(clouds: Workspace):
    (cirrus,) = (e for e in clouds.manifest("clouds").examples() if e.source == "cirrus.png")
    assert clouds.dropped_pictures("clouds") == set()
    clouds.edit("clouds", [Remove(cirrus.content)])
    assert clouds.dropped_pictures("clouds") == {("cirrus.png", cirrus.content)}


def test_a_dataset_removed_and_made_again_is_another_one(clouds: Workspace, manifest_of: ManifestOf):
    clouds.edit("clouds", [Relabel({"cirrus.png": "wispy"})])
    with Workspace.open(clouds.folder) as other:
        other.remove_dataset("clouds")
        other.add_dataset("clouds", "")
        other.add_version("clouds", manifest_of(other, "cumulus"), "imported")
    with pytest.raises(NotFoundError):
        clouds.edit("clouds", [Relabel({"cirrus.png": "x"})])
    assert clouds.edit("clouds", [Relabel({"cumulus.png": "puffy"})]).number == 2
    assert labels(clouds) == {"cumulus.png": "puffy"}


def test_sizes_and_removal_know_edited_datasets(clouds: Workspace):
    before = clouds.dataset_bytes("clouds")
    clouds.edit("clouds", [Remove("cirrus.png")])
    assert clouds.dataset_bytes("clouds") == before
    clouds.keep_version("clouds")
    clouds.remove_dataset("clouds")
    assert list(clouds.blobs.contents()) == []


# Several writers


def test_two_edits_of_different_pictures_never_get_in_each_others_way(clouds: Workspace):
    with Workspace.open(clouds.folder) as other:
        clouds.edit("clouds", [Relabel({"cirrus.png": "a"})], expected_version=1)
        other.edit("clouds", [Relabel({"stratus.png": "b"})], expected_version=1)
    assert labels(clouds) == {"cirrus.png": "a", "stratus.png": "b"}


def test_of_two_labels_of_one_picture_the_later_holds_and_both_are_in_the_log(clouds: Workspace):
    with Workspace.open(clouds.folder) as other:
        clouds.edit("clouds", [Relabel({"cirrus.png": "a"})], who="ada")
        other.edit("clouds", [Relabel({"cirrus.png": "b"})], who="bob")
        assert labels(clouds)["cirrus.png"] == "b"
    assert [version.who for version in clouds.versions("clouds")[1:]] == ["ada", "bob"]


@pytest.mark.parametrize("theirs", [Relabel({"cirrus.png": "a"}), Remove("cirrus.png"), MergeClasses(["even"], "a")])
def test_who_asks_for_it_hears_that_somebody_changed_the_same_picture(clouds: Workspace, theirs: Edit):
    clouds.edit("clouds", [SetGroup("stratus.png", "g")])  # this process knows the rows since version 1
    with Workspace.open(clouds.folder) as other:
        other.edit("clouds", [theirs])
        for editor in (clouds, other):
            with pytest.raises(ConflictError, match=r"'cirrus\.png' after version 2; .*winnow diff clouds 2 3"):
                editor.edit("clouds", [Relabel({"cirrus.png": "b"})], expected_version=2)
    with Workspace.open(clouds.folder) as late, pytest.raises(ConflictError):
        late.edit("clouds", [Relabel({"cirrus.png": "b"})], expected_version=2)
    assert clouds.edit("clouds", [Relabel({"stratus.png": "b"})], expected_version=2).number == 4


def test_a_version_that_is_expected_must_be_there(clouds: Workspace):
    with pytest.raises(NotFoundError, match="has no version 9"):
        clouds.edit("clouds", [Relabel({"cirrus.png": "b"})], expected_version=9)


def test_threads_share_a_workspace_and_lose_nothing(clouds: Workspace, manifest_of: ManifestOf):
    names = [f"{n}" for n in range(40)]
    clouds.add_version("clouds", manifest_of(clouds, *names), "imported")
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda n: clouds.edit("clouds", [Relabel({f"{n}.png": f"label {n}"})]).number, names))
    assert sorted(made) == list(range(3, 43))
    assert labels(clouds) == {f"{n}.png": f"label {n}" for n in names}


def test_an_action_that_is_sent_twice_is_stored_once(clouds: Workspace):
    first, again = (clouds.edit("clouds", [Relabel({"cirrus.png": "wispy"})], action="ada:1") for _ in range(2))
    assert first == again
    assert clouds.find_version("clouds") == first


def test_events_tell_what_led_from_one_version_to_the_next(clouds: Workspace):
    edit = Relabel({"cirrus.png": "wispy"})
    clouds.edit("clouds", [edit], who="ada", action="ada:1")
    clouds.restore("clouds", 1)
    edited, restored = clouds.events("clouds", since=1)
    assert (edited.version.who, edited.version.action, edited.edits) == ("ada", "ada:1", (edit,))
    assert (restored.version.kind, restored.edits) == ("restore", None)


def test_rows_that_were_read_ahead_are_brought_up_to_date(clouds: Workspace):
    clouds.prepare_edits("clouds")
    with Workspace.open(clouds.folder) as other:
        other.edit("clouds", [Relabel({"stratus.png": "grey"})])
    clouds.edit("clouds", [Relabel({"cirrus.png": "wispy"})])
    assert labels(clouds) == {"cirrus.png": "wispy", "stratus.png": "grey"}
