// The first script of a live figure: a classic one, so that it also runs where modules do not (a page opened from a file)
// and can then say why nothing can be started.
(() => {
  const elements = document.querySelectorAll("live-experiment");
  if (!elements.length) return;
  import(new URL("live.mjs", document.currentScript.src).href).catch(() => {
    for (const element of elements) {
      const { words } = JSON.parse(element.querySelector("script[type='application/json']").textContent);
      const why = location.protocol === "file:" ? words.failed_file : words.failed_fetch.replace("{name}", "live.mjs");
      const message = document.createElement("p");
      message.className = "lv-message";
      message.textContent = words.failed.replace("{why}", why);
      element.querySelector(".lv-bar").replaceChildren(message);
    }
  });
})();
