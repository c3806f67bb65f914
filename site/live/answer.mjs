// An answer typed into the page, checked by the same Python as in the notebook. Nothing is loaded before the first check.
import { CannotStart, startPython } from "./runtime.mjs";
import { fill, make } from "./words.mjs";

const STAGES = ["manifest", "runtime", "packages"];
const words = JSON.parse(document.getElementById("cs-answer-words").textContent);

/** Text with the names in backticks as code. */
function said(text) {
  return text.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));
}

function why(error) {
  const { word, values } = error instanceof CannotStart ? error : { word: "failed_python", values: { text: String(error) } };
  return fill(words.cannot_check, { why: fill(words[word], values) });
}

function serve(form) {
  const status = form.querySelector(".cs-answer-said");
  const input = form.querySelector("input, select");
  const say = (verdict, text) => {
    form.dataset.verdict = verdict;
    status.replaceChildren(...said(text));
  };
  const report = (stage) => {
    say("loading", fill(words.loading, { step: STAGES.indexOf(stage) + 1, steps: STAGES.length, what: words[`loading_${stage}`] }));
  };
  let busy = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy || !input.value.trim()) return;
    busy = true;
    try {
      const python = await startPython(report);
      say("loading", words.checking);
      const { answer } = await python.check(form.dataset.exercise, input.value);
      say(answer.ok ? answer.verdict : "failed", answer.ok ? answer.message : answer.error);
    } catch (error) {
      say("failed", why(error));
    }
    busy = false;
  });
}

document.querySelectorAll("form.cs-answer").forEach(serve);
