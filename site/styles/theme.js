// Runs before the page is drawn: light or dark, as the reader chose or as the system says. Also marks that scripts run.
{
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = (mode) => {
    root.dataset.mode = mode;
    root.dataset.theme = mode === "auto" ? (dark.matches ? "dark" : "light") : mode;
  };
  let stored = null;
  try { stored = localStorage.getItem("mode"); } catch { /* a private window keeps no choice */ }
  apply(["light", "dark"].includes(stored) ? stored : "auto");
  dark.addEventListener("change", () => apply(root.dataset.mode));
  root.classList.add("js");
  window.bookTheme = apply;
}
