// What a reader has read and solved, in this browser only. Where nothing can be kept (some private windows), it lasts as
// long as the page. Everything that comes from storage, a file or another page is looked at before it is believed.

const KEY = "olst-progress";
export const FORMAT = "olst-progress/1";
const PAGE = /^(book|notebooks)\/\d\d-[a-z0-9-]+$/;
const EXERCISE = /^ex-\d\d-\d{1,2}$/;
const DAY = /^\d{4}-\d\d-\d\d$/;

let memory = null; // used where storage fails

/** Whether marks outlive the page. */
export const keeps = (() => {
  try {
    localStorage.setItem(`${KEY}-try`, "1");
    localStorage.removeItem(`${KEY}-try`);
    return true;
  } catch {
    return false;
  }
})();

const empty = () => ({ format: FORMAT, pages: {}, exercises: {} });

/** The same with everything left out that is not of this form; null if it is another thing altogether. */
export function sound(data) {
  if (data?.format !== FORMAT) return null;
  const taken = (entries, name) => Object.fromEntries(Object.entries(entries ?? {})
    .filter(([key, day]) => name.test(key) && typeof day === "string" && DAY.test(day)));
  return { format: FORMAT, pages: taken(data.pages, PAGE), exercises: taken(data.exercises, EXERCISE) };
}

export function read() {
  if (!keeps) return memory ?? empty();
  try {
    return sound(JSON.parse(localStorage.getItem(KEY))) ?? empty();
  } catch {
    return empty();
  }
}

function write(data) {
  memory = data;
  try {
    localStorage.setItem(KEY, JSON.stringify(data));
  } catch { /* memory has it */ }
  dispatchEvent(new CustomEvent("progress"));
}

const today = () => {
  const now = new Date();
  return `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, "0")}-${String(now.getDate()).padStart(2, "0")}`;
};

/** Mark a page as read, or take the mark away. */
export function markPage(page, done) {
  const data = read();
  if (done) data.pages[page] ??= today();
  else delete data.pages[page];
  write(sound(data));
}

export function markSolved(exercise) {
  const data = read();
  data.exercises[exercise] ??= today();
  write(sound(data));
}

/** Take over what `other` has and this has not; how many of each. */
export function merge(other) {
  const data = read();
  const before = { pages: Object.keys(data.pages).length, exercises: Object.keys(data.exercises).length };
  const now = { format: FORMAT, pages: { ...other.pages, ...data.pages }, exercises: { ...other.exercises, ...data.exercises } };
  write(now);
  return { pages: Object.keys(now.pages).length - before.pages, exercises: Object.keys(now.exercises).length - before.exercises };
}

export function erase() {
  memory = null;
  try {
    localStorage.removeItem(KEY);
  } catch { /* nothing was kept */ }
  dispatchEvent(new CustomEvent("progress"));
}

addEventListener("storage", (event) => { if (event.key === KEY || event.key === null) dispatchEvent(new CustomEvent("progress")); });
