"""Failures, their detection and the theory of living with them.

``theory`` and ``counting`` hold closed forms, ``laws`` and ``faults`` random processes, ``causes`` what breaks,
``detection`` who notices when, ``dcgm`` and ``planner`` the diagnostics, ``runbook`` what an Xid asks for, ``fieldtrace``
a public fault trace. The training run that all of this happens to is ``clustersim.training``.
"""
