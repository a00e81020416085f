// Words as chips: a field with data-chips holds words with commas between them; each is shown as a chip that can be removed,
// and data-offers names the <datalist> whose options it suggests. The field itself stays and is what is sent.
const QUOTED = /[",\n]/;

function parse(text) {
  const words = [];
  for (const [, quoted, bare] of text.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^,\n]*))\s*(?:[,\n]|$)/g)) {
    const word = (quoted?.replaceAll('""', '"') ?? bare ?? "").trim();
    if (word) words.push(word);
  }
  return words;
}

const write = (words) => words.map((word) => (QUOTED.test(word) ? `"${word.replaceAll('"', '""')}"` : word)).join(", ");

function make(tag, attributes, ...children) {
  const element = Object.assign(document.createElement(tag), attributes);
  element.append(...children);
  return element;
}

const offersOf = (field) => document.getElementById(field.dataset.offers ?? "");
const nameOf = (field, word) => [...(offersOf(field)?.options ?? [])].find((each) => each.value === word)?.textContent || word;

function valueOf(field, typed) {
  const found = [...(offersOf(field)?.options ?? [])].find((each) => each.textContent.toLowerCase() === typed.toLowerCase());
  return found?.value ?? typed;
}

function tell(field, words) {
  field.value = write(words);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function chip(field, word) {
  const name = nameOf(field, word);
  const remove = make("button", { type: "button", className: "tok-x", ariaLabel: `Remove ${name}` });
  remove.dataset.chipRemove = word;
  remove.innerHTML = '<svg class="icon" viewBox="0 0 16 16" aria-hidden="true"><path d="m4.2 4.2 7.6 7.6M11.8 4.2l-7.6 7.6" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round"/></svg>';
  return make("span", { className: "tok" }, make("bdi", { textContent: name }), remove);
}

// Of very many the first stand there, and a button shows the rest.
const FEW = 12;

function draw(field) {
  const box = field.nextElementSibling;
  box.querySelectorAll(".tok, .tok-more").forEach((each) => each.remove());
  const words = parse(field.value);
  const folded = words.length > FEW + 4 && !("whole" in box.dataset);
  box.prepend(...(folded ? words.slice(0, FEW) : words).map((word) => chip(field, word)));
  if (!folded) return;
  const more = make("button", { type: "button", className: "tok-more", textContent: `${words.length - FEW} more` });
  box.querySelector(".chip-in").before(more);
}

function unfold(box) {
  box.dataset.whole = "";
  const first = box.querySelectorAll(".tok").length;
  draw(box.previousElementSibling);
  box.querySelectorAll(".tok-x")[first]?.focus();
}

function equip(field) {
  if (field.hidden) return;
  const focused = document.activeElement === field || field.autofocus;
  const label = field.getAttribute("aria-label") ?? field.labels?.[0]?.textContent ?? "Words";
  const entry = make("input", { type: "text", id: `${field.id}-chips`, className: "chip-in", autocomplete: "off", ariaLabel: label });
  entry.placeholder = field.dataset.offers ? "Name" : "Word or phrase";
  entry.dir = "auto";
  if (field.dataset.offers) entry.setAttribute("list", field.dataset.offers);
  for (const name of ["aria-describedby", "aria-invalid"]) if (field.hasAttribute(name)) entry.setAttribute(name, field.getAttribute(name));
  field.labels?.forEach((each) => (each.htmlFor = entry.id));
  field.after(make("span", { className: "toks field small" }, entry));
  field.hidden = true;
  draw(field);
  if (focused) entry.focus();
}

// What was there before one began to type the next word; the word itself is in the field already, so that it is counted.
const settled = new WeakMap();

function take(entry) {
  const field = entry.parentElement.previousElementSibling;
  const before = settled.get(field) ?? parse(field.value);
  const words = [...new Set([...before, ...parse(entry.value).map((each) => valueOf(field, each))])];
  settled.delete(field);
  entry.value = "";
  tell(field, words);
  draw(field);
}

function drop(field, word) {
  tell(field, parse(field.value).filter((each) => each !== word));
  draw(field);
}

document.addEventListener("keydown", (event) => {
  const entry = event.target.closest?.(".chip-in");
  if (!entry || event.isComposing) return;
  const field = entry.parentElement.previousElementSibling;
  if (event.key === "Enter" || (event.key === "," && !entry.value.startsWith('"'))) {
    event.preventDefault();
    if (entry.value.trim()) take(entry);
  } else if (event.key === "Backspace" && !entry.value && field.value) {
    event.preventDefault();
    drop(field, parse(field.value).at(-1));
  }
});

// What stands there when one turns away counts.
document.addEventListener("focusout", (event) => event.target.matches?.(".chip-in") && event.target.value.trim() && take(event.target));
document.addEventListener("paste", (event) => {
  const entry = event.target.closest?.(".chip-in");
  const text = event.clipboardData?.getData("text") ?? "";
  if (!entry || !/[,\n]/.test(text)) return;
  event.preventDefault();
  entry.value += text;
  take(entry);
});
document.addEventListener("input", (event) => {
  const entry = event.target;
  if (!entry.matches?.(".chip-in")) return;
  event.stopPropagation();
  const field = entry.parentElement.previousElementSibling;
  if (offersOf(field) && event.inputType === "insertReplacementText") return take(entry);
  const kept = [...(settled.get(field) ?? parse(field.value))];
  settled.set(field, kept);
  tell(field, entry.value.trim().length > 1 ? [...kept, entry.value.trim()] : kept);
}, true);
document.addEventListener("click", (event) => {
  const remove = event.target.closest?.("[data-chip-remove]");
  const box = event.target.closest?.(".toks");
  if (!box) return;
  if (event.target.closest(".tok-more")) return unfold(box);
  if (remove) drop(box.previousElementSibling, remove.dataset.chipRemove);
  box.querySelector(".chip-in").focus();
});

const all = (scope) => scope.querySelectorAll?.("[data-chips]").forEach(equip);
all(document);
document.addEventListener("htmx:afterSwap", () => all(document));
