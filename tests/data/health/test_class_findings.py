"""How pictures spread over classes: few, rare, none, and names that may be one."""

from __future__ import annotations

from dataclasses import replace

from winnow.data.edits import MergeClasses, RemoveLabels
from winnow.data.health.classes import find_few_pictures, find_imbalance, find_similar_names, find_unlabelled
from winnow.data.health.files import find_personal_metadata, find_unreadable
from winnow.data.sources.source import Refused

from .made import example, only, sources, subject


def classes(**counts: int):
    return subject([example(f"{name}/{i}", name) for name, count in counts.items() for i in range(count)])


def test_a_class_of_four_pictures_has_too_few():
    finding = only(find_few_pictures(classes(cat=40, dog=40, newt=4)))
    assert finding.code == "W_FEW_IMAGES"
    assert "'newt'" in finding.sentence
    assert len(finding.fixes[0].edits[0].pictures) == 4


def test_of_several_labels_only_the_rare_one_goes():
    street = [example(f"street/{i}", "car") for i in range(40)] + [example(f"park/{i}", "tree") for i in range(40)]
    both = replace(example("both/0"), labels=("car", "newt"))
    finding = only(find_few_pictures(subject([*street, both])))
    assert finding.fixes[0].edits == (RemoveLabels(("both/0",), ("newt",)),)


def test_a_class_of_a_dozen_has_rough_figures():
    finding = only(find_few_pictures(classes(cat=40, dog=12)))
    assert (finding.kind, finding.severity) == ("small-classes", "good to know")


def test_ten_times_as_many_is_imbalance_and_a_hundred_times_is_worth_a_look():
    assert not list(find_imbalance(classes(cat=99, dog=10)))
    ten = only(find_imbalance(classes(cat=100, dog=10)))
    assert ten.severity == "good to know"
    assert "10 times" in ten.sentence
    assert "91 %" in ten.sentence  # 100 of 110
    assert only(find_imbalance(classes(cat=1000, dog=10))).severity == "worth a look"


def test_pictures_without_a_label_are_counted():
    finding = only(find_unlabelled(subject([example("a"), example("b", None)])))
    assert finding.count == 1
    assert finding.fixes[0].edits[0].pictures == ("b",)


def test_a_picture_of_no_class_is_labelled():
    assert not list(find_unlabelled(subject([example("a", labels=())])))


def test_two_spellings_are_merged_into_the_commoner_one():
    finding = only(find_similar_names(classes(cat=2, Cat=5, dog=9)))
    assert finding.fixes[0].edits == (MergeClasses(["cat"], "Cat"),)
    assert "'Cat' (5) and 'cat' (2)" in finding.sentence


def test_what_the_import_left_out_is_listed_with_its_reasons():
    refused = [Refused("x.jpg", "E_EMPTY", "The file is empty."), Refused("y.jpg", "E_EMPTY", "The file is empty.")]
    finding = only(find_unreadable(subject([example("a")], refused=refused)))
    assert "2 E_EMPTY" in finding.sentence
    assert finding.examples[0].said == "The file is empty. (E_EMPTY)"


def test_a_file_that_says_where_it_was_taken_is_told_of():
    given = subject([example("a"), example("home")], looks={1: {"has_gps": 1.0}})
    finding = only(find_personal_metadata(given))
    assert finding.code == "W_GPS"
    assert sources(finding) == ["home"]
