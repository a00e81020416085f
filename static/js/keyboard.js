// Single keys. An element that can be reached by a key says so with data-key ("e", "Shift+e", "g i"); what the server did
// not draw can not be done. Keys rest inside fields and dialogs, and when the person switched them off.
const ITEM_KEYS = new Set(["e", "Shift+e", "d", "!", "r", "n", "a", "i", "h", "Shift+a", "Shift+d", "t", "p", "z", "y"]);
const off = document.documentElement.dataset.shortcuts === "off";
let first = ""; // the “g” of “g i”
let firstAt = 0;
let afterOpening = null; // a key that waits for its conversation, and what was typed meanwhile
let typed = "";

function nameOf(event) {
  if (event.altKey || event.metaKey) return "";
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (event.ctrlKey) return key === "z" && !event.shiftKey ? "Ctrl+z" : "";
  const letter = key >= "a" && key <= "z" && key.length === 1;
  return event.shiftKey && letter ? `Shift+${key}` : key;
}

const rests = (target) =>
  target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], [data-rests]") ||
  document.querySelector("dialog:modal");

// What is folded away (a menu, a row's quick actions) can be reached by its key all the same.
const keyed = (scope, key) => [...scope.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].filter((each) => !each.disabled);
const inRow = (row, key) => row && keyed(row, key)[0];
// The newest of several, so that Ctrl+Z takes the last toast's undo. Rows and the bar of picked rows have their own turn.
const page = (key) => keyed(document, key).filter((each) => !each.closest(".row, .picked")).at(-1);

// Where a key acts: on what is picked; else on the row that has the focus; else on the open conversation; else on the page.
function find(key) {
  const bar = document.querySelector(".pick:checked") && keyed(document.querySelector(".picked"), key)[0];
  if (bar) return bar;
  const row = document.activeElement?.closest(".row");
  if (row && !row.hasAttribute("aria-current")) {
    const own = inRow(row, key);
    if (own || !ITEM_KEYS.has(key)) return own ?? page(key);
    return opening(row, key);
  }
  return page(key) ?? inRow(document.querySelector(".row[aria-current]"), key);
}

// The key means another conversation than the open one: open the row, then do it there.
function opening(row, key) {
  afterOpening = key;
  typed = "";
  return row.querySelector(".open");
}

const isOpening = (event) => event.detail.requestConfig?.elt?.matches?.("#rows .open");

document.addEventListener("htmx:afterSettle", (event) => {
  if (!afterOpening || !isOpening(event)) return;
  const key = afterOpening;
  afterOpening = null;
  act(page(key));
  const field = document.activeElement;
  if (!typed || !field.matches("textarea")) return;
  field.setRangeText(typed, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
});
for (const lost of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(lost, (event) => isOpening(event) && (afterOpening = null));
}

// Somebody who writes on while the conversation opens means the text, not more keys.
function wait(event) {
  event.preventDefault();
  if (event.key === "Escape") afterOpening = null;
  else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey) typed += event.key;
}

function act(element) {
  if (!element) return false;
  if (element.matches("input:not([type=checkbox], [type=radio]), textarea")) element.focus(), element.select?.();
  else element.click();
  if (element.dataset.focus) document.querySelector(element.dataset.focus)?.focus();
  return true;
}

function sequence(key) {
  const started = first && Date.now() - firstAt < 1500;
  const name = started ? `${first} ${key}` : key;
  first = "";
  if (!started && key === "g") {
    first = "g";
    firstAt = Date.now();
    return "";
  }
  return name;
}

addEventListener("keydown", (event) => {
  if (off || event.defaultPrevented || event.isComposing || rests(event.target)) return;
  if (afterOpening) return wait(event);
  const key = nameOf(event);
  const name = key && sequence(key);
  if (!name || name === "Enter" || name === " ") return;
  const wanted = new CustomEvent("hub:key", { cancelable: true, detail: { key: name } });
  document.dispatchEvent(wanted); // the list takes j, k, o and x
  if (wanted.defaultPrevented || act(find(name))) event.preventDefault();
});
