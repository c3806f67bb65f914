"""Pages that the checks of live figures use."""
FIRST = "book/index.html"
WHY = "book/01-why-orchestrate.html"
BACKFILL = "book/05-backfill.html"
