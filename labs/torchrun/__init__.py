"""Lab L3: a training of real processes under torchrun, killed at times drawn from a rate.

One direction: ``settings`` and ``schedule`` say what will happen, ``run`` lets it happen and records it (``events``,
``guard``, ``processes``), ``account`` says where the time went, ``predict`` what was to be expected, ``report`` tells it.
``worker`` and ``checkpoint`` are the training itself, in processes of their own.
"""
