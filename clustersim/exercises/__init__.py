"""The exercises of the book, one module a chapter: ``chNN.EXERCISES``, in the order of the notebook.

A chapter's module says what is asked and computes what is expected; ``clustersim.checks`` finds it by the exercise's id.
"""
