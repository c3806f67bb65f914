"""Labs: the book's exercises on real programs, on the reader's own machine first.

Each lab is a subpackage and a subcommand of ``labs``; ``labs/README.md`` shows the ladder. Importing this package or a
lab loads nothing but the standard library and ``clustersim``; what a lab needs beyond that is asked for when it runs.
"""
