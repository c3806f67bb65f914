"""The door for Jupyter: figures as Vega-Lite, and a panel of controls for every experiment.

A figure is sent as ``application/vnd.vegalite.v5+json`` with a text summary, and as SVG where ``vl_convert`` is
installed (for front ends that draw no Vega-Lite, such as Colab); never as HTML, which JupyterLab would prefer. A panel
shows its controls as widgets and then the same figures, which it redraws in place (``display_id``). Where ``ipywidgets``
is missing, or on a page without a kernel, the figures, the summary and the table of the first setting remain.
"""
from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import cache
from html import escape
from importlib import import_module, util
from typing import Any

from clustersim.errors import ClusterSimError
from clustersim.experiments import experiment
from clustersim.experiments.base import Choice, Control, Experiment, Figure, Outcome, Slider, Table, Toggle, Value
from clustersim.figures import MIME, PALETTE, gantt_spec, gpu_bars, inlined, letters, node_bars
from clustersim.hostlist import compress
from clustersim.messages import _
from clustersim.trace import Trace
from clustersim.units import HOUR, MINUTE, clock_time, human_duration

DEBOUNCE_S = 0.15  # seconds of rest before a moved control is answered
VL_VERSION = "5.21"

Bundle = dict[str, Any]


def figure_bundle(figure: Figure) -> Bundle:
    """The MIME bundle of one figure: Vega-Lite, text, and SVG where it can be made."""
    title = {"text": figure.title, "anchor": "start", "fontSize": 14, "offset": 12, "color": PALETTE["ink"]}
    # Paper of its own: JupyterLab's dark theme would put the dark letters on a dark ground.
    spec = inlined({**figure.spec, "background": PALETTE["paper"], "title": title, "description": figure.alt}, figure.data)
    bundle: Bundle = {MIME: spec, "text/plain": f"{figure.title}\n{figure.alt}"}
    svg = _svg_maker()
    if svg is not None:
        bundle["image/svg+xml"] = _labelled(svg(spec), figure.alt)
    return bundle


def table_html(table: Table) -> str:
    """The table as HTML that a screen reader can walk: caption, column heads, row heads."""
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in table.columns)
    body = "".join(
        "<tr>" + "".join(f'<th scope="row">{escape(cell)}</th>' if i == 0 else f"<td>{escape(cell)}</td>"
                         for i, cell in enumerate(row)) + "</tr>" for row in table.rows)
    return f"<table><caption>{escape(table.caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def table_text(table: Table) -> str:
    """The table as aligned plain text, the caption above it."""
    rows = [table.columns, *table.rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(table.columns))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([table.caption, *lines])


def table_bundle(table: Table) -> Bundle:
    return {"text/plain": table_text(table), "text/html": table_html(table)}


def text_bundle(text: str) -> Bundle:
    return {"text/plain": text, "text/html": f"<p>{escape(text)}</p>"}


def show(what: Outcome | Figure | Table | Trace) -> None:
    """Display one figure or table; of an outcome its figures, summary and table; of a trace its timeline and table."""
    display = _display()
    bundles: list[Bundle]
    if isinstance(what, Figure):
        bundles = [figure_bundle(what)]
    elif isinstance(what, Table):
        bundles = [table_bundle(what)]
    elif isinstance(what, Trace):
        bundles = [figure_bundle(timeline(what)), table_bundle(job_table(what))]
    else:
        bundles = [*map(figure_bundle, what.figures), text_bundle(what.summary), table_bundle(what.table)]
    for bundle in bundles:
        display(bundle, raw=True)


def timeline(trace: Trace) -> Figure:
    """Who held which node (or GPU, where nodes have any) when; in minutes up to two hours, in hours beyond."""
    unit, name = (MINUTE, "min") if trace.until <= 2 * HOUR else (HOUR, "h")
    numbers = letters(job.id for job in trace.jobs)
    gpus = any(node.gpus for node in trace.nodes)
    rows = [f"{node.name} GPU {gpu}" for node in trace.nodes for gpu in range(node.gpus)]
    rows = rows if gpus else [node.name for node in trace.nodes]
    bars = gpu_bars(trace, numbers, unit) if gpus else node_bars(trace, numbers, unit)
    lines = [_("{job} on {nodes} from {start} to {end}").format(
        job=job.id, nodes=compress(run.nodes), start=clock_time(run.start), end=_instant(run.end))
        for job in trace.jobs for run in job.runs]
    title = _("Who holds which {thing} when ({policy})").format(thing=_("GPU") if gpus else _("node"), policy=trace.policy)
    return Figure("timeline", title, "; ".join(lines) + ".", gantt_spec(_("GPU") if gpus else _("node"), rows, unit=name),
                  {"bars": bars, "deaths": [], "marks": []})


def job_table(trace: Trace) -> Table:
    """What each job asked for and what it got."""
    columns = (_("job"), _("submitted"), _("nodes"), _("time limit"), _("ran for"), _("start"), _("waited"), _("end"))
    rows = tuple((job.id, clock_time(job.submit), str(job.nodes), _limit(job.limit), _length(job.start, job.end),
                  _instant(job.start), _length(job.submit, job.start), _instant(job.end)) for job in trace.jobs)
    return Table(_("Every job of the run ({policy})").format(policy=trace.policy), columns, rows)


def _instant(time: int | None) -> str:
    return _("never") if time is None else clock_time(time)


def _limit(seconds: int | None) -> str:
    return _("none") if seconds is None else human_duration(seconds)


def _length(begin: int | None, end: int | None) -> str:
    return "" if begin is None or end is None else human_duration(end - begin)


def panel(experiment_id: str, **settings: Any) -> Panel:
    """Controls and figures of an experiment, beginning at ``settings`` (its defaults where not given).

    Put it last in a cell, or call ``display`` on it. An unknown name or impossible value raises InputError.
    """
    which = experiment(experiment_id)
    return Panel(which, which.settings(settings))


class Panel:
    """One experiment on display. ``settings`` is where the controls stand, ``outcome`` what is shown.

    Moving a control starts a short wait; only the newest setting is computed, and an answer that is no longer the
    newest is dropped. ``update`` redraws at once and is what a test or a script calls.
    """

    def __init__(self, which: Experiment, settings: Mapping[str, Value]) -> None:
        self.experiment = which
        self.settings = dict(settings)
        self.outcome = which.run(self.settings)
        self.drawn = 0
        self._first = dict(settings)
        self._turn = 0
        self._handles: list[Any] = []
        self._widgets = _Controls(which, self.settings, self._moved, self.reset) if _has_widgets() else None
        self._say(self.outcome.summary)

    def set(self, **values: Any) -> None:
        """Move controls from code, as a reader's hand would, and redraw at once."""
        self.settings = self.experiment.settings({**self.settings, **values})
        if self._widgets is not None:
            self._widgets.move(self.settings)
        self.update()

    def reset(self) -> None:
        """Put every control back to where the panel began, and redraw at once."""
        self.set(**self._first)

    def update(self) -> None:
        """Run the experiment at the present settings and redraw."""
        self._turn += 1
        self._answer(self._turn)

    def _moved(self, name: str, value: Value) -> None:
        if self.settings.get(name) == value:
            return
        self.settings[name] = value
        self._turn += 1
        turn = self._turn
        self._say(_("Computing …"))
        try:
            asyncio.get_running_loop().call_later(DEBOUNCE_S, self._answer, turn)
        except RuntimeError:  # no event loop (a plain interpreter): answer at once
            self._answer(turn)

    def _answer(self, turn: int) -> None:
        if turn != self._turn:
            return
        try:
            outcome = self.experiment(**self.settings)
        except ClusterSimError as error:
            self._say(str(error))
            return
        except Exception as error:  # in a widget's callback an exception would only reach a hidden log
            self._say(_("This setting could not be computed ({kind}: {text}); the figures show the one before.").format(
                kind=type(error).__name__, text=error))
            return
        if turn == self._turn:
            self._draw(outcome)

    def _draw(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.drawn += 1
        bundles = [*(figure_bundle(figure) for figure in outcome.figures), table_bundle(outcome.table)]
        if self._widgets is None:
            bundles.insert(0, text_bundle(outcome.summary))
        for handle, bundle in zip(self._handles, bundles, strict=False):
            handle.update(bundle, raw=True)
        self._say(outcome.summary)

    def _say(self, text: str) -> None:
        if self._widgets is not None:
            self._widgets.say(text)

    def _ipython_display_(self) -> None:
        display = _display()
        display(self.bundle(), raw=True)
        bundles = [*(figure_bundle(figure) for figure in self.outcome.figures), table_bundle(self.outcome.table)]
        if self._widgets is None:
            bundles.insert(0, text_bundle(self.outcome.summary))
        self._handles = [display(bundle, raw=True, display_id=True) for bundle in bundles]

    def bundle(self) -> Bundle:
        """The panel's own MIME bundle: the widget view, and what stands in its place where no kernel runs."""
        settings = ", ".join(f"{_(c.label)}: {_shown(c, self.settings[c.name])}" for c in self.experiment.controls)
        lines = [_(self.experiment.title), settings, _note(self._widgets is not None)]
        bundle: Bundle = {"text/plain": "\n".join(lines), "text/html": "".join(f"<p>{escape(line)}</p>" for line in lines)}
        return bundle if self._widgets is None else {**self._widgets.view(), **bundle}

    @property
    def widgets(self) -> dict[str, Any]:
        """The control widgets by name, for scripts; empty where ``ipywidgets`` is missing."""
        return self._widgets.by_name if self._widgets is not None else {}


class _Controls:
    """The widgets of a panel: one a control, Reset, and the line that says what the figures show."""

    def __init__(self, which: Experiment, settings: Mapping[str, Value], moved: Callable[[str, Value], None],
                 reset: Callable[[], None]) -> None:
        import ipywidgets

        self._moving = False
        self._moved = moved
        self.by_name: dict[str, Any] = {}
        rows = []
        for control in which.controls:
            holder, row = _row(ipywidgets, control, settings[control.name])
            self.by_name[control.name] = holder
            holder.observe(lambda change, name=control.name: self._change(name, change["new"]), names="value")
            rows.append(row)
        button = ipywidgets.Button(description=_("Reset"), tooltip=_("Put every control back to where it began"))
        button.on_click(lambda _button: reset())
        self._status = ipywidgets.HTML()
        title = ipywidgets.HTML(f"<strong>{escape(_(which.title))}</strong>")
        self.box = ipywidgets.VBox([title, *rows, button, self._status])

    def _change(self, name: str, value: Value) -> None:
        if not self._moving:
            self._moved(name, value)

    def move(self, settings: Mapping[str, Value]) -> None:
        self._moving = True
        try:
            for name, value in settings.items():
                self.by_name[name].value = value
        finally:
            self._moving = False

    def say(self, text: str) -> None:
        self._status.value = f'<div role="status">{escape(text)}</div>'

    def view(self) -> Bundle:
        bundle: Bundle = dict(self.box._repr_mimebundle_())
        return {key: value for key, value in bundle.items() if key.endswith("widget-view+json")}


def _row(ipywidgets: Any, control: Control, value: Value) -> tuple[Any, Any]:
    """The widget that holds the value, and the row with all that belongs to it.

    A number is a native input with a real label, and beside it a slider for the pointer: the slider's own handle has no
    name that a screen reader could say (ipywidgets 8.1).
    """
    label = _(control.label)
    unit = _(control.unit) if isinstance(control, Slider) else ""
    help_text = _(control.help) if control.help else ""
    common: dict[str, Any] = {"description": label, "tooltip": help_text or label, "style": {"description_width": "15em"}}
    parts: list[Any]
    if isinstance(control, Slider):
        holder, slider = _number(ipywidgets, control, value, common)
        parts = [holder, ipywidgets.Label(unit), slider] if unit else [holder, slider]
    elif isinstance(control, Choice):
        options = [(_(text), key) for key, text in control.options]
        holder = ipywidgets.Dropdown(options=options, value=value, layout=ipywidgets.Layout(width="32em"), **common)
        parts = [holder]
    else:
        holder = ipywidgets.Checkbox(value=value, description=label, tooltip=help_text or label, indent=False)
        parts = [holder]
    row = ipywidgets.HBox(parts, layout=ipywidgets.Layout(flex_flow="row wrap"))
    if not help_text:
        return holder, row
    return holder, ipywidgets.VBox([row, ipywidgets.HTML(f"<small>{escape(help_text)}</small>")])


def _number(ipywidgets: Any, control: Slider, value: Value, common: Mapping[str, Any]) -> tuple[Any, Any]:
    whole = all(float(x).is_integer() for x in (control.low, control.step))
    kind: Callable[[float], float] = int if whole else float
    box, slide = ("BoundedIntText", "IntSlider") if whole else ("BoundedFloatText", "FloatSlider")
    limits = {"min": kind(control.low), "max": kind(control.high), "step": kind(control.step), "value": kind(float(value))}
    holder = getattr(ipywidgets, box)(**limits, **common, layout=ipywidgets.Layout(width="23em"))
    slider = getattr(ipywidgets, slide)(**limits, readout=False, layout=ipywidgets.Layout(width="18em"))
    ipywidgets.link((holder, "value"), (slider, "value"))
    return holder, slider


def _shown(control: Control, value: Value) -> str:
    if isinstance(control, Toggle):
        return _("yes") if value else _("no")
    if isinstance(control, Choice):
        return _(dict(control.options)[str(value)])
    return f"{value:g} {_(control.unit)}".strip() if control.unit else f"{value:g}"


def _note(live: bool) -> str:
    if live:
        return _("The controls work where a kernel runs, for instance in JupyterLab. What you see here is the first setting; "
                 "the chapter shows the same figure with controls that work in the page.")
    return _("The controls need the package ipywidgets: run  pip install ipywidgets  and start the kernel again. "
             "Until then this shows one setting; panel(...) takes others as arguments.")


def _labelled(svg: str, alt: str) -> str:
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(alt)}" ', 1)


@cache
def _svg_maker() -> Callable[[Mapping[str, Any]], str] | None:
    if util.find_spec("vl_convert") is None:
        return None
    convert = import_module("vl_convert").vegalite_to_svg

    def make(spec: Mapping[str, Any]) -> str:
        return str(convert(spec, vl_version=VL_VERSION, allowed_base_urls=[]))

    return make


def _has_widgets() -> bool:
    return util.find_spec("ipywidgets") is not None


def _display() -> Callable[..., Any]:
    from IPython.display import display

    found: Callable[..., Any] = display
    return found
