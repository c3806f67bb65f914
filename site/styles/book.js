// What the page does beyond links: the colour switch, where one is on the page, and scrolling boxes for the keyboard.
const root = document.documentElement;

function colourSwitch(button) {
  const name = button.querySelector(".cs-theme-name");
  const modes = ["auto", "light", "dark"];
  const show = () => { name.textContent = name.dataset[root.dataset.mode] || name.dataset.auto; };
  show();
  button.addEventListener("click", () => {
    const next = modes[(modes.indexOf(root.dataset.mode) + 1) % modes.length];
    try { localStorage.setItem("mode", next); } catch { /* a private window: the choice lasts until the page is left */ }
    window.bookTheme(next);
    show();
  });
}

function whereAmI(toc) {
  const links = new Map();
  for (const link of toc.querySelectorAll("a[href^='#']")) {
    const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (target) links.set(target, link);
  }
  let asked = false;
  const mark = () => {
    asked = false;
    const sections = [...links.keys()];
    const atEnd = innerHeight + scrollY >= root.scrollHeight - 2;
    const begun = sections.filter((section) => section.getBoundingClientRect().top < innerHeight * 0.3);
    const here = atEnd ? sections.at(-1) : begun.at(-1);
    for (const [section, link] of links) {
      if (section === here) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  const ask = () => { if (!asked) requestAnimationFrame(mark); asked = true; };
  addEventListener("scroll", ask, { passive: true });
  addEventListener("resize", ask);
  ask();
  toc.addEventListener("click", (event) => { if (event.target.closest("a") && toc.matches(":popover-open")) toc.hidePopover(); });
}

const SCROLLERS = ["pre", ".cs-scroll", ".pst-scrollable-table-container", ".text_html", "div.math"].map((box) => `article ${box}`).join();

// A box that scrolls sideways must be reachable without a mouse.
function scrollers() {
  for (const box of document.querySelectorAll(SCROLLERS)) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else if (box.tabIndex === 0 && !box.hasAttribute("data-focus")) box.removeAttribute("tabindex");
  }
}

// Paper shows what is folded. A style sheet says so too, which older browsers do not understand.
function unfold() {
  const folded = document.querySelectorAll("article details:not([open])");
  for (const box of folded) box.open = true;
  addEventListener("afterprint", () => { for (const box of folded) box.open = false; }, { once: true });
}

const PROMPTS = ".linenos, .gp, .go"; // what is not typed: line numbers, prompts, answers

// A button that copies a block of code, without its prompts.
function copyButton(box) {
  const words = document.body.dataset;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "cs-button cs-copy";
  button.textContent = words.copy;
  button.addEventListener("click", async () => {
    const code = box.querySelector("pre").cloneNode(true);
    for (const part of code.querySelectorAll(PROMPTS)) part.remove();
    try {
      await navigator.clipboard.writeText(code.textContent.trimEnd());
      button.textContent = words.copied;
    } catch { // no clipboard on plain http, or not allowed
      getSelection().selectAllChildren(box.querySelector("pre"));
      button.textContent = words.copyByHand;
    }
    setTimeout(() => { button.textContent = words.copy; }, 2000);
  });
  box.append(button);
}

document.querySelectorAll("article div.highlight:has(> pre)").forEach(copyButton);
document.querySelectorAll(".cs-theme").forEach(colourSwitch);
document.querySelectorAll("#cs-toc").forEach(whereAmI);
scrollers();
addEventListener("resize", scrollers);
addEventListener("beforeprint", unfold);
