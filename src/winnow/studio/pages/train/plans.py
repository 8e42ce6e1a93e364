"""The estimate before the start: which methods, how long about, which are left out and why; and the choice of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from winnow.api.dataset import dataset_named
from winnow.api.jobs import Plan, estimate
from winnow.api.wish import Wish
from winnow.errors import BadDataError, UserError
from winnow.ladder.plan import PlannedRung
from winnow.report import words
from winnow.studio.answering import aside
from winnow.studio.fields import tick
from winnow.studio.parts import box, details, growing_table, heading, link, para, text
from winnow.workspace.workspace import Workspace

_NOTHING_FITS = "No method fits: give more time, or tick others."


@dataclass
class _Row:
    tick: ui.element
    seconds: TextElement
    why: TextElement


class PlanView:
    """What a climb would do, told anew whenever the wish changes.

    Args:
        workspace: of the dataset.
        dataset: its name.
        wish: gives what is wished for; may raise UserError.
        heard: called when other methods were chosen; it calls `refresh`.
    """

    def __init__(
        self,
        workspace: Workspace,
        dataset: str,
        wish: Callable[[], Wish],
        heard: Callable[[], Awaitable[None]],
    ) -> None:
        self._workspace, self._dataset, self._wish, self._heard = workspace, dataset, wish, heard
        self._rows: dict[str, _Row] = {}
        self._chosen: set[str] | None = None
        self._is_busy = self._is_asked_again = False
        self.refusal: UserError | None = None
        """Why no climb can start as things are; None: one can, or it is not known yet."""
        heading("What it will do", id="estimate")
        self._said = para("Estimating.", "lead", role="status")
        self._mend = box("p", "row")
        self._tried = para("")

    def show_methods(self) -> None:
        """The methods to choose from, one click deeper; here."""
        with details("Which methods, and what each costs"):
            para(
                "Untick what you do not want to wait for. What is ticked by hand is tried even if it takes long.",
                "hint",
            )
            columns = ("Method", "About", "Left out because")
            _, self._body = growing_table("Methods, from cheap to dear", columns, "methods")

    def rungs(self) -> tuple[str, ...] | None:
        """The methods that were chosen by hand; None: none were."""
        return None if self._chosen is None else tuple(sorted(self._chosen))

    async def refresh(self) -> None:
        """Estimate anew; asked while it is at that, it does so once more."""
        self._is_asked_again = True
        if self._is_busy:
            return
        self._is_busy = True
        try:
            while self._is_asked_again:
                self._is_asked_again = False
                await self._refresh()
        finally:
            self._is_busy = False

    async def _refresh(self) -> None:
        self._said.text = "Estimating."
        self._mend.clear()
        self.refusal = None
        try:
            if self._chosen is not None and not self._chosen:
                raise UserError("Tick at least one method.")
            wish = self._wish()
            plan = await aside(lambda: estimate(dataset_named(self._workspace, self._dataset), wish))
        except UserError as error:
            self._refuse(error)
            return
        if not self._is_asked_again:
            self._show(plan)

    def _refuse(self, error: UserError) -> None:
        self.refusal = error
        self._said.text, self._tried.text = str(error), ""
        if isinstance(error, BadDataError):
            with self._mend:
                link("Label its pictures", f"/label/{quote(self._dataset)}", "button")
                link("Add pictures", "/import", "button")

    def _show(self, plan: Plan) -> None:
        tried = [one for one in plan.rungs if one.skipped is None]
        self.refusal = None if tried else UserError(_NOTHING_FITS)
        self._said.text = _in_short(plan, len(tried))
        self._tried.text = f"From cheap to dear: {'; '.join(one.title for one in tried)}." if tried else ""
        for one in plan.rungs:
            self._show_rung(one, plan)
        for name, row in self._rows.items():
            if self._chosen is not None and name not in self._chosen and not row.why.text:
                row.why.text = "not ticked"

    def _show_rung(self, one: PlannedRung, plan: Plan) -> None:
        if one.rung not in self._rows:
            with self._body:
                self._rows[one.rung] = self._row(one)
        row = self._rows[one.rung]
        row.seconds.text = "–" if one.seconds is None else words.duration(one.seconds)
        row.why.text = _why(one, plan)
        if self._chosen is None:
            row.tick.props["checked"] = one.skipped is None

    def _row(self, one: PlannedRung) -> _Row:
        with box("tr"):
            with box("th", scope="row"):
                ticked = tick(one.title, is_on=one.skipped is None)
            seconds, why = text("td", "", "figure"), text("td", "")

        async def choose() -> None:
            self._chosen = {name for name, row in self._rows.items() if row.tick.props["checked"]}
            await self._heard()

        ticked.on("change", choose, args=[])
        return _Row(ticked, seconds, why)


def _in_short(plan: Plan, n_tried: int) -> str:
    if n_tried == 0:
        return _NOTHING_FITS
    left_out = len(plan.rungs) - n_tried
    said = f"{words.capital(words.count(n_tried, 'method'))}, about {words.duration(plan.total_s)} on this machine"
    if plan.budget_s is not None:
        said += f", within {words.duration(plan.budget_s)}"
    return f"{said}; {words.count(left_out, 'method is', 'methods are')} left out." if left_out else f"{said}."


def _why(one: PlannedRung, plan: Plan) -> str:
    if one.skipped is None:
        return ""
    if one.seconds is not None and plan.budget_s is None:
        return "it takes long, and no time was given: tick it, or give one"
    return one.skipped
