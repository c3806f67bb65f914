"""The same thing in several systems, side by side: the directives ``{in-real-systems}`` and ``{system}``.

::

    ::::{in-real-systems}
    :::{system} Slurm
    `squeue --start` shows the plan.
    :::
    :::{system} Kubernetes
    `kubectl describe pod` shows the reason.
    :::
    ::::

In HTML they are tabs made of radio buttons and a style sheet: they work without a script, the arrow keys move between them,
and a screen reader says which of how many is chosen. On paper, and in other formats, all stand below one another.
"""
from __future__ import annotations

from html import escape
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from clustersim.messages import _


class systems(nodes.container):
    """A set of tabs; its children are of class :class:`system`."""


class system(nodes.container):
    """One tab; its first child is its name."""


class InRealSystems(SphinxDirective):
    has_content = True

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        box = systems("", number=self.env.new_serialno("systems"), about=_("In real systems"))
        box.source, box.line = self.get_source_info()
        self.state.nested_parse(self.content, self.content_offset, box)
        if not box.children or not all(isinstance(node, system) for node in box.children):
            raise self.error("in-real-systems holds one `{system} NAME` directive for each system and nothing else")
        return [box]


class System(SphinxDirective):
    has_content = True
    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        self.assert_has_content()
        name = nodes.rubric(self.arguments[0], self.arguments[0])
        name.source, name.line = self.get_source_info()
        tab = system("", name)
        self.state.nested_parse(self.content, self.content_offset, tab)
        return [tab]


def visit_systems(self: Any, node: systems) -> None:
    self.body.append(f'<div class="cs-systems" role="radiogroup" aria-label="{escape(node["about"])}">\n')


def visit_system(self: Any, node: system) -> None:
    box, at = node.parent, node.parent.index(node)
    name, key = node.children[0], f"cs-systems-{box['number']}"
    checked = " checked" if at == 0 else ""
    words = escape(name.astext())
    self.body.append(f'<input type="radio" name="{key}" id="{key}-{at}"{checked}><label for="{key}-{at}">{words}</label>\n'
                     f'<div class="cs-system"><p class="cs-system-name">{words}</p>\n')
    node.remove(name)


def depart_html(self: Any, _node: nodes.Element) -> None:
    self.body.append("</div>\n")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_node(systems, html=(visit_systems, depart_html))
    app.add_node(system, html=(visit_system, depart_html))
    app.add_directive("in-real-systems", InRealSystems)
    app.add_directive("system", System)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
