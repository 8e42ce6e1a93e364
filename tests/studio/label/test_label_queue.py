"""What a visitor did on the label page is kept until it is stored, whatever the studio does meanwhile."""

from __future__ import annotations

import pytest

from ..scripts import Scripts

# The browser around the queue: what is kept in it, and a studio whose answers are the next of `answers`. Pauses are
# written down and end at once, unless `holds`.
BROWSER = """
let answers = [], pauses = [], holds = false;
const box = globalThis.localStorage = Object.create({
  getItem(key) { return this[key] ?? null; },
  setItem(key, value) { this[key] = value; },
  removeItem(key) { delete this[key]; },
});
const respond = (status, body) => ({
  status, ok: status < 400, json: async () => JSON.parse(body === undefined ? "a page" : JSON.stringify(body)),
});
globalThis.fetch = async () => {
  const next = answers.shift();
  if (!next) throw new TypeError("no network");
  return respond(...next);
};
const later = globalThis.setTimeout;
globalThis.setTimeout = (go, pause) => { pauses.push(pause); if (!holds) later(go, 0); };
const said = [];
const listener = {
  told: (item, answer) => said.push(["told", item.body.edits, answer.version]),
  refused: (item, sentence) => said.push(["refused", sentence]),
  waiting: (n, why) => said.push(["waiting", n, why.kind, why.sentence]),
};
const begin = () => new label.ActionQueue("/label-data/d", "me", listener);
const settled = () => new Promise((resolve) => later(resolve, 5));
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Scripts:
    return Scripts(tmp_path_factory.mktemp("queue"), {"label": "label/queue.js"})


def test_a_stored_action_is_kept_no_longer(script: Scripts) -> None:
    said, kept = script.run(
        """answers = [[200, {version: 2}]];
        const queue = begin(); queue.push("act", {edits: "e"}); await queue.idle();
        return [said, Object.keys(box).length];""",
        before=BROWSER,
    )
    assert said == [["told", "e", 2]]
    assert kept == 0


def test_actions_of_an_earlier_visit_are_sent_in_their_order(script: Scripts) -> None:
    said = script.run(
        """holds = true;
        const first = begin(); first.push("act", {edits: 1}); first.push("act", {edits: 2});
        await settled(); first.stop();
        said.length = 0; answers = [[200, {version: 2}], [200, {version: 3}]];
        await begin().idle(); return said;""",
        before=BROWSER,
    )
    assert said == [["told", 1, 2], ["told", 2, 3]]


def test_a_failure_inside_the_studio_is_said_and_tried_again_more_and_more_slowly(script: Scripts) -> None:
    said, pauses, kept = script.run(
        """answers = [...Array(9).fill([500]), [200, {version: 2}]];
        const queue = begin(); queue.push("act", {edits: "e"});
        const kept = Object.keys(box).length; await queue.idle(); return [said, pauses, kept];""",
        before=BROWSER,
    )
    assert kept == 1
    assert said[0][:3] == ["waiting", 1, "failed"]
    assert "terminal" in said[0][3]
    assert said[-1] == ["told", "e", 2]
    assert pauses == [500, 1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000]


def test_the_studios_own_sentence_is_said_where_it_has_one(script: Scripts) -> None:
    said = script.run(
        """answers = [[503, {error: "The disk is full: free some space."}], [200, {version: 2}]];
        const queue = begin(); queue.push("act", {edits: "e"}); await queue.idle(); return said;""",
        before=BROWSER,
    )
    assert said[0] == ["waiting", 1, "failed", "The disk is full: free some space."]


@pytest.mark.parametrize(("answer", "kind"), [("null", "silent"), ("[401]", "signed out")])
def test_a_studio_that_is_away_is_asked_every_few_seconds(script: Scripts, answer: str, kind: str) -> None:
    said, pauses = script.run(
        f"""answers = [...Array(6).fill({answer}), [200, {{version: 2}}]];
        const queue = begin(); queue.push("act", {{edits: "e"}}); await queue.idle(); return [said, pauses];""",
        before=BROWSER,
    )
    assert said[0][:3] == ["waiting", 1, kind]
    assert said[-1] == ["told", "e", 2]
    assert max(pauses) == 4000


def test_nobody_has_to_wait_for_the_next_try(script: Scripts) -> None:
    said = script.run(
        """holds = true; answers = [[500], [200, {version: 2}]];
        const queue = begin(); queue.push("act", {edits: "e"}); await settled();
        queue.retry(); await queue.idle(); return said;""",
        before=BROWSER,
    )
    assert [one[0] for one in said] == ["waiting", "told"]


def test_an_action_that_never_succeeds_can_be_given_up_for_those_behind_it(script: Scripts) -> None:
    said, kept = script.run(
        """holds = true; answers = [[500], [200, {version: 2}]];
        const queue = begin(); queue.push("act", {edits: 1}); queue.push("act", {edits: 2}); await settled();
        queue.giveUp(); await queue.idle(); return [said, Object.keys(box).length];""",
        before=BROWSER,
    )
    assert [one[0] for one in said] == ["waiting", "refused", "told"]
    assert said[-1] == ["told", 2, 2]
    assert kept == 0


def test_what_the_studio_refuses_is_not_sent_again(script: Scripts) -> None:
    said = script.run(
        """answers = [[409, {error: "No class is called so."}]];
        const queue = begin(); queue.push("act", {edits: "e"}); await queue.idle(); return said;""",
        before=BROWSER,
    )
    assert said == [["refused", "No class is called so."]]
