"""The panel and the figures as a notebook gets them, first without a kernel, then in one."""
from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from clustersim import notebook
from clustersim.errors import InputError
from clustersim.exercises.recorded import recorded
from clustersim.experiments import Choice, Experiment, Figure, Outcome, Slider, Table, Toggle, experiment
from clustersim.experiments.base import Value
from clustersim.figures import MIME, gantt_spec

WIDGET = "application/vnd.jupyter.widget-view+json"


def run(settings: Mapping[str, Value]) -> Outcome:
    if settings["size"] == 13:
        raise ZeroDivisionError("thirteen")
    rows = [{"row": "n1", "job": "A", "n": 0, "start": 0, "end": settings["size"], "middle": 1, "label": "A"}]
    data: dict[str, Any] = {"bars": rows, "deaths": [], "marks": []}
    figure = Figure("one", "One bar", f"A bar of {settings['size']} h.", gantt_spec("node", ["n1"]), data)
    table = Table("Bars", ("bar", "h"), (("A & B", str(settings["size"])),))
    return Outcome(f"The bar is {settings['size']} h long.", (figure,), table)


TOY = Experiment("toy", "A toy", "", (
    Slider("size", "Length", 1, 20, 1, 5, "h", help="of the bar"), Slider("share", "Share", 0.1, 0.9, 0.1, 0.5),
    Choice("kind", "Kind", (("a", "first"), ("b", "second")), "a"), Toggle("dark", "Dark", False)), run)


class Shown(list[dict[str, Any]]):
    """Stands for IPython's display: keeps every bundle, and every later update of it."""

    def __call__(self, bundle: dict[str, Any], raw: bool, display_id: bool = False) -> Any:
        assert raw
        place = len(self)
        self.append(bundle)
        shown = self

        class Handle:
            def update(self, bundle: dict[str, Any], raw: bool) -> None:
                assert raw
                shown[place] = bundle

        return Handle() if display_id else None


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    bundles = Shown()
    monkeypatch.setattr(notebook, "_display", lambda: bundles)
    return bundles


@pytest.fixture
def panel(shown: Shown) -> notebook.Panel:
    made = notebook.Panel(TOY, TOY.defaults())
    made._ipython_display_()
    return made


def test_a_figure_is_vega_text_and_svg_and_never_html() -> None:
    for figure in experiment("backfill")(jobs=30).figures:
        bundle = notebook.figure_bundle(figure)
        assert set(bundle) == {MIME, "text/plain", "image/svg+xml"}
        assert bundle["text/plain"] == f"{figure.title}\n{figure.alt}"
        spec = bundle[MIME]
        assert json.loads(json.dumps(spec)) == spec
        assert spec["description"] == figure.alt and spec["title"]["text"] == figure.title
        assert 'role="img"' in bundle["image/svg+xml"] and "aria-label=" in bundle["image/svg+xml"]


def test_without_vl_convert_there_is_no_svg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notebook, "_svg_maker", lambda: None)
    assert set(notebook.figure_bundle(TOY().figures[0])) == {MIME, "text/plain"}


def test_a_table_has_a_caption_heads_and_nothing_unescaped() -> None:
    bundle = notebook.table_bundle(TOY().table)
    html = bundle["text/html"]
    assert "<caption>Bars</caption>" in html and '<th scope="col">bar</th>' in html and '<th scope="row">A &amp; B</th>' in html
    assert bundle["text/plain"].splitlines() == ["Bars", "bar    h", "A & B  5"]


def test_show_takes_figures_tables_outcomes_and_traces(shown: Shown) -> None:
    outcome = TOY()
    for what, kinds in ((outcome.figures[0], [MIME]), (outcome.table, ["text/html"]),
                        (outcome, [MIME, "text/html", "text/html"]), (recorded("backfill_same_jobs"), [MIME, "text/html"])):
        shown.clear()
        notebook.show(what)
        assert len(shown) == len(kinds) and all(kind in bundle for kind, bundle in zip(kinds, shown, strict=True))


def test_the_timeline_of_a_gpu_cluster_has_a_row_a_gpu() -> None:
    from clustersim.experiments import no_scheduler

    trace, _people = no_scheduler.simulate(1800, 600, 1)
    figure = notebook.timeline(trace)
    assert {row["row"] for row in figure.data["bars"]} == {f"gpu1 GPU {gpu}" for gpu in range(4)} and "C on gpu1" in figure.alt


def test_the_panel_shows_controls_then_figures_then_the_table(panel: notebook.Panel, shown: Shown) -> None:
    assert [set(bundle) for bundle in shown] == [
        {WIDGET, "text/plain", "text/html"}, {MIME, "text/plain", "image/svg+xml"}, {"text/plain", "text/html"}]
    assert "Length: 5 h, Share: 0.5, Kind: first, Dark: no" in shown[0]["text/plain"]


def test_every_control_is_labelled_in_words(panel: notebook.Panel) -> None:
    import ipywidgets

    assert [type(w).__name__ for w in panel.widgets.values()] == ["BoundedIntText", "BoundedFloatText", "Dropdown", "Checkbox"]
    assert [w.description for w in panel.widgets.values()] == ["Length", "Share", "Kind", "Dark"]
    assert panel._widgets is not None
    inside = list(everything(panel._widgets.box))
    assert any(isinstance(w, ipywidgets.Label) and w.value == "h" for w in inside), "the unit is written out"
    assert any(isinstance(w, ipywidgets.HTML) and "of the bar" in w.value for w in inside), "so is the help"
    buttons = [w for w in inside if isinstance(w, ipywidgets.Button)]
    assert [b.description for b in buttons] == ["Reset"]
    assert len([w for w in inside if isinstance(w, ipywidgets.IntSlider | ipywidgets.FloatSlider)]) == 2


def everything(widget: Any) -> Any:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from everything(child)


def test_moving_a_control_redraws_figure_summary_and_table(panel: notebook.Panel, shown: Shown) -> None:
    panel.widgets["size"].value = 7
    assert shown[1][MIME]["datasets"]["bars"][0]["end"] == 7 and "A & B  7" in shown[2]["text/plain"]
    assert status(panel) == "The bar is 7 h long." and panel.drawn == 1


def test_reset_goes_back_to_where_the_panel_began(shown: Shown) -> None:
    panel = notebook.Panel(TOY, TOY.settings({"size": 9}))
    panel._ipython_display_()
    panel.set(size=3, dark=True)
    assert panel.widgets["size"].value == 3 and status(panel) == "The bar is 3 h long."
    assert panel._widgets is not None
    next(w for w in everything(panel._widgets.box) if type(w).__name__ == "Button").click()
    assert panel.settings == TOY.settings({"size": 9}) and panel.widgets["dark"].value is False
    assert status(panel) == "The bar is 9 h long." and shown[1][MIME]["datasets"]["bars"][0]["end"] == 9


def test_a_setting_that_fails_says_so_and_keeps_the_figure(panel: notebook.Panel, shown: Shown) -> None:
    panel.widgets["size"].value = 13
    assert "ZeroDivisionError: thirteen" in status(panel) and shown[1][MIME]["datasets"]["bars"][0]["end"] == 5


def test_only_the_newest_move_is_answered(shown: Shown) -> None:
    async def burst() -> notebook.Panel:
        panel = notebook.Panel(TOY, TOY.defaults())
        panel._ipython_display_()
        for size in range(6, 12):
            panel.widgets["size"].value = size
        assert panel.drawn == 0 and status(panel) == "Computing …"
        await asyncio.sleep(notebook.DEBOUNCE_S * 3)
        return panel

    panel = asyncio.run(burst())
    assert panel.drawn == 1 and panel.outcome.summary == "The bar is 11 h long."


def test_an_answer_that_is_no_longer_the_newest_is_dropped(panel: notebook.Panel) -> None:
    stale = panel._turn
    panel.set(size=8)
    panel.settings["size"] = 2
    panel._answer(stale)
    assert panel.outcome.summary == "The bar is 8 h long." and panel.drawn == 1


def test_without_ipywidgets_the_figures_remain(monkeypatch: pytest.MonkeyPatch, shown: Shown) -> None:
    monkeypatch.setattr(notebook, "_has_widgets", lambda: False)
    panel = notebook.Panel(TOY, TOY.defaults())
    panel._ipython_display_()
    assert set(shown[0]) == {"text/plain", "text/html"} and "pip install ipywidgets" in shown[0]["text/plain"]
    assert shown[1]["text/plain"] == "The bar is 5 h long." and MIME in shown[2] and panel.widgets == {}
    panel.set(size=6)
    assert shown[1]["text/plain"] == "The bar is 6 h long." and shown[2][MIME]["datasets"]["bars"][0]["end"] == 6


def test_unknown_experiments_and_settings_are_refused() -> None:
    with pytest.raises(InputError, match="three_researchers"):
        notebook.panel("three_wise_men")
    with pytest.raises(InputError, match="jobs"):
        notebook.panel("backfill", jobs=3)


def status(panel: notebook.Panel) -> str:
    assert panel._widgets is not None
    text: str = panel._widgets._status.value
    assert text.startswith('<div role="status">')
    return text.removeprefix('<div role="status">').removesuffix("</div>")


def test_in_a_kernel_a_burst_of_moves_from_the_front_end_redraws_once() -> None:
    """What a front end sends when a slider is dragged: one message a step, faster than the figures can follow."""
    cells = ['from clustersim.notebook import panel\np = panel("backfill", jobs=40)\np',
             'print(p.widgets["jobs"].model_id)', "import asyncio\nawait asyncio.sleep(1)\nprint(p.drawn, p.settings['jobs'])"]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    client = NotebookClient(book, timeout=60, kernel_name="python3")

    async def go() -> None:
        async with client.async_setup_kernel():
            await client.async_execute_cell(book.cells[0], 0)
            await client.async_execute_cell(book.cells[1], 1)
            model = book.cells[1].outputs[0].text.strip()
            for jobs in range(50, 100, 10):
                state = {"method": "update", "state": {"value": jobs}, "buffer_paths": []}
                client.kc.shell_channel.send(client.kc.session.msg("comm_msg", {"comm_id": model, "data": state}))
            await client.async_execute_cell(book.cells[2], 2)

    asyncio.run(go())
    assert book.cells[2].outputs[0].text == "1 90\n"
    assert [set(output.data) for output in book.cells[0].outputs] == [
        {WIDGET, "text/plain", "text/html"}, {MIME, "text/plain", "image/svg+xml"}, {MIME, "text/plain", "image/svg+xml"},
        {"text/plain", "text/html"}]


def test_a_figure_has_paper_of_its_own_so_that_a_dark_theme_leaves_it_legible() -> None:
    bundle = notebook.figure_bundle(TOY().figures[0])
    assert bundle[MIME]["background"] == notebook.PALETTE["paper"]
