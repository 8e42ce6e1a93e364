"""HTML by construction."""

from __future__ import annotations

import json

from winnow.report.markup import data_block, joined, tag


def test_text_is_escaped_and_elements_are_not():
    assert tag("p", "1 < 2", tag("b", '"&"')) == "<p>1 &lt; 2<b>&quot;&amp;&quot;</b></p>"


def test_attributes_are_escaped_and_named_as_in_html():
    assert (
        tag("td", class_="a", data_cell='"x', hidden=True, title=None)
        == '<td class="a" data-cell="&quot;x" hidden></td>'
    )


def test_nothing_is_joined_for_none():
    assert joined(("a", None, "b"), "<") == "a&lt;b"


def test_data_comes_out_of_the_page_as_it_went_in():
    value = {"</script><!--": ["&", "a\\b", "é"]}
    block = data_block("x", value)
    body = block.removeprefix('<script type="application/json" id="x">').removesuffix("</script>")
    assert "<" not in body
    assert json.loads(body) == value
