// A term of the glossary under the pointer, in focus or touched: its explanation beside it. The words are in the page.
// The pointer may go into the explanation; Escape closes it. A first tap explains, a second one follows the link.

const box = document.querySelector(".cs-terms");
const QUIET_MS = 150; // the pointer may cross the gap between term and explanation
const GAP = 8; // px

const tip = document.createElement("div");
tip.className = "cs-tip";
tip.popover = "manual";
tip.setAttribute("role", "tooltip");
document.querySelector("main").append(tip);

let shown = null; // the link whose explanation is open
let timer = 0;
let touched = false;

function put(link) {
  const at = [...link.getClientRects()].at(0);
  const { width, height } = tip.getBoundingClientRect();
  const left = Math.max(GAP, Math.min(at.left, document.documentElement.clientWidth - width - GAP));
  const below = at.bottom + GAP;
  const fits = below + height <= innerHeight || at.top < height + GAP;
  tip.style.left = `${left}px`;
  tip.style.top = `${fits ? below : at.top - GAP - height}px`;
}

function open(link) {
  clearTimeout(timer);
  if (shown === link) return;
  shown = link;
  tip.textContent = document.getElementById(link.getAttribute("aria-describedby")).textContent;
  if (touched) {
    const hint = document.createElement("small");
    hint.textContent = box.dataset.again;
    tip.append(hint);
  }
  if (!tip.matches(":popover-open")) tip.showPopover();
  put(link);
}

function close() {
  clearTimeout(timer);
  shown = null;
  if (tip.matches(":popover-open")) tip.hidePopover();
}

const later = () => { clearTimeout(timer); timer = setTimeout(close, QUIET_MS); };
const term = (event) => event.target.closest?.("a.cs-term[aria-describedby]");

document.addEventListener("pointerdown", (event) => {
  touched = event.pointerType === "touch";
  if (shown && !term(event) && !tip.contains(event.target)) close();
});
document.addEventListener("pointerover", (event) => {
  if (event.pointerType === "touch") return;
  const link = term(event);
  if (link) open(link);
  else if (shown && tip.contains(event.target)) clearTimeout(timer);
  else if (shown && document.activeElement !== shown) later();
});
document.addEventListener("focusin", (event) => {
  const link = term(event);
  if (link && !touched) open(link);
  else if (shown && !link) close();
});
document.addEventListener("focusout", (event) => { if (term(event)) later(); });
document.addEventListener("keydown", (event) => {
  touched = false;
  if (event.key === "Escape") close();
});
document.addEventListener("click", (event) => {
  const link = term(event);
  if (!link || !touched || shown === link) return;
  event.preventDefault();
  open(link);
});
addEventListener("scroll", () => { if (shown) put(shown); }, { passive: true });
addEventListener("resize", close);
