// The list: moving, selecting, opening, and fresh rows that do not move what one reads. Fresh rows come when the bell
// rings; rows that are here change in place, new ones wait behind “2 new” unless the list lies idle at its top.
const byId = (id) => document.getElementById(id);
const rows = () => [...(byId("rows")?.querySelectorAll(".row:not(.is-leaving)") ?? [])];
const current = () => byId("rows")?.querySelector(".row[aria-current]");
const focused = () => document.activeElement?.closest("#rows .row");
const link = (row) => row?.querySelector(".open");
let waiting = null; // a fresh list that was not shown yet
let own = false; // whether the next one follows from something done here

// Fresh rows -----------------------------------------------------------------------------------------------------
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.requestConfig?.elt?.id !== "rows" || event.detail.xhr.status !== 200) return;
  const template = document.createElement("template");
  template.innerHTML = event.detail.serverResponse;
  const fresh = [...template.content.children].filter((child) => child.tagName === "LI");
  if (isIdle()) replace(fresh);
  else blend(fresh);
  own = false;
});

function isIdle() {
  const list = byId("rows");
  if (!rows().length) return true;
  const picked = list.querySelector(".pick:checked");
  return byId("list-scroll").scrollTop < 8 && !list.matches(":hover, :focus-within") && !picked;
}

function replace(fresh) {
  const open = openConversation();
  byId("rows").replaceChildren(...fresh);
  window.htmx.process(byId("rows"));
  mark(open);
  hold(null, 0);
}

// Change what is here in place; hold what is new.
function blend(fresh) {
  const here = new Map(rows().map((row) => [row.id, row]));
  const there = new Map(fresh.filter((li) => li.matches(".row")).map((row) => [row.id, row]));
  const added = own ? 0 : [...there.keys()].filter((id) => !here.has(id)).length;
  if (own) insert(fresh, here);
  for (const [id, row] of here) if (there.has(id)) update(row, there.get(id).cloneNode(true));
  const gone = [...here.values()].filter((row) => !there.has(row.id) && !row.hasAttribute("data-later"));
  // New rows push the last ones of a full page over its edge: these are not gone.
  const full = fresh.some((li) => li.matches(".more-rows"));
  for (const row of full && added ? gone.slice(0, -added) : gone) leave(row);
  hold(added ? fresh : null, added);
}

// What one did oneself (an undo) shows at once, where it belongs.
function insert(fresh, here) {
  for (const row of fresh) {
    if (!row.matches(".row") || here.has(row.id)) continue;
    const before = document.getElementById(row.previousElementSibling?.id) ?? null;
    const copy = row.cloneNode(true);
    if (before?.closest("#rows")) before.after(copy);
    else byId("rows").querySelector(".row")?.before(copy);
    window.htmx.process(copy);
  }
}

function update(row, next) {
  if (drawn(row) === drawn(next) || row.querySelector(".htmx-request")) return;
  const held = row.contains(document.activeElement);
  next.querySelector(".pick").checked = row.querySelector(".pick").checked;
  row.replaceWith(next);
  window.htmx.process(next);
  mark(openConversation());
  if (held) link(next).focus({ preventScroll: true });
}

// A row as the server drew it: without what was put on it here.
function drawn(row) {
  const copy = row.cloneNode(true);
  copy.querySelectorAll(".quick, .places, .dot, .vh").forEach((each) => each.remove());
  for (const name of ["class", "aria-current", "data-later", "data-done"]) copy.removeAttribute(name);
  return copy.outerHTML;
}

// The row that one reads, or stands on, stays until one turns away; what one did away with oneself goes at once.
function leave(row) {
  const kept = row.hasAttribute("aria-current") || row.contains(document.activeElement);
  if (kept && !row.dataset.done) return tellGone(row);
  if (row.contains(document.activeElement)) link(neighbour(row, 1) ?? neighbour(row, -1))?.focus({ preventScroll: true });
  row.classList.add("is-leaving");
  setTimeout(() => {
    const heading = row.previousElementSibling;
    row.remove();
    if (heading?.matches(".group") && !heading.nextElementSibling?.matches(".row")) heading.remove();
  }, 180);
}

function tellGone(row) {
  row.classList.add("is-gone");
  const clock = row.querySelector(".clock");
  clock?.replaceWith(Object.assign(document.createElement("span"), { className: "clock", textContent: "left this list" }));
}

function hold(fresh, count) {
  waiting = fresh;
  const button = document.querySelector("[data-fresh]");
  if (!button) return;
  button.hidden = !fresh;
  if (fresh) button.querySelector("[data-fresh-count]").textContent = `${count} new`;
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-fresh]") || !waiting) return;
  replace(waiting);
  byId("list-scroll").scrollTop = 0;
  link(rows()[0])?.focus();
});

// Rows of a later page say so: a fresh first page does not know them.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (!event.detail.requestConfig?.elt?.closest?.(".more-rows")) return;
  event.detail.serverResponse = event.detail.serverResponse.replaceAll('<li class="row', '<li data-later class="row');
});

// What can be done on a row is put into the one that the pointer or the keyboard is on ------------------------------
function equip(row) {
  if (!row?.dataset.item || row.querySelector(".quick")) return;
  const verbs = row.dataset.verbs.split(" ");
  row.querySelector(".top").append(acts("row-acts", row.dataset.item, verbs));
  if (verbs.includes("move")) row.lastElementChild.append(acts("row-places", row.dataset.item, verbs));
  window.htmx.process(row);
}

function acts(template, item, verbs) {
  const copy = byId(template).content.cloneNode(true);
  for (const button of copy.querySelectorAll("[data-verb]")) {
    const { verb } = button.dataset;
    if (!verbs.includes(verb)) button.remove();
    const address = byId("row-acts").dataset.address.replace(/0{8}[0-]*/, item).replace("/verb/", `/${verb}/`);
    button.setAttribute("hx-post", address);
    button.setAttribute("hx-swap", "none");
    button.setAttribute("hx-target", "this");
  }
  return copy;
}

function strip(row) {
  if (!row || row.matches(":hover, :focus-within") || row.querySelector(".htmx-request")) return;
  row.querySelectorAll(".quick, .places").forEach((each) => each.remove());
}

for (const kind of ["pointerover", "focusin"]) {
  document.addEventListener(kind, (event) => {
    const row = event.target.closest?.("#rows .row");
    for (const other of document.querySelectorAll("#rows .row:has(.quick)")) if (other !== row) strip(other);
    equip(row);
  });
}

// Opening --------------------------------------------------------------------------------------------------------
const openConversation = () => document.querySelector("#talk [data-open]")?.dataset.conversation;

// A plain click opens beside the list; with a key held, or without scripts, the same link opens a page of its own.
document.addEventListener("click", (event) => {
  const opened = event.target.closest("#rows .open");
  if (!opened || event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
  event.preventDefault();
  window.htmx.ajax("GET", opened.href, { source: opened, target: "#talk", swap: "innerHTML", push: "true", event });
});

function mark(conversation) {
  for (const row of rows()) {
    const open = row.dataset.conversation === conversation;
    if (open) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
    if (open && row.classList.contains("unread")) {
      row.classList.remove("unread");
      row.querySelectorAll(":scope > .dot, .name .vh").forEach((each) => each.remove());
    }
    if (!open && row.classList.contains("is-gone") && !row.contains(document.activeElement)) leave(row);
  }
}

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id === "talk") mark(openConversation());
});
document.addEventListener("hub:closed", () => {
  const row = current();
  mark(null);
  link(row)?.focus();
});

// Keys -----------------------------------------------------------------------------------------------------------
function neighbour(row, step) {
  const all = rows();
  return row ? all[all.indexOf(row) + step] : all[0];
}

function move(step) {
  const next = neighbour(focused() ?? current(), step);
  if (!next) return step > 0 && document.querySelector("#rows .more-rows a")?.click();
  // On a phone the list is out of sight while one reads: there j and k open.
  if (!byId("list").checkVisibility()) return link(next).click();
  link(next).focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

function pick(row, on) {
  const box = row?.querySelector(".pick");
  if (box) box.checked = on ?? !box.checked;
  tellPicked();
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  o: () => link(focused() ?? rows()[0])?.click(),
  x: () => pick(focused() ?? current()),
  "Shift+j": () => (pick(focused() ?? current(), true), move(1), pick(focused(), true)),
  "Shift+k": () => (pick(focused() ?? current(), true), move(-1), pick(focused(), true)),
  Escape: () => rows().forEach((row) => pick(row, false)),
};

document.addEventListener("hub:key", (event) => {
  const act = byId("rows") && KEYS[event.detail.key];
  if (!act || (event.detail.key === "Escape" && !document.querySelector(".pick:checked"))) return;
  event.preventDefault();
  act();
});

// Several at once ------------------------------------------------------------------------------------------------
const picked = () => [...document.querySelectorAll(".pick:checked")];

function tellPicked() {
  const count = document.querySelector("[data-picked-count]");
  if (count) count.textContent = picked().length;
  for (const row of rows()) row.classList.toggle("is-picked", row.querySelector(".pick").checked);
}

document.addEventListener("change", (event) => event.target.matches(".pick") && tellPicked());
document.addEventListener("click", (event) => event.target.closest("[data-unpick]") && KEYS.Escape());

// The buttons stand outside of their form: what they say and what is picked goes in just before it is sent.
document.addEventListener("submit", (event) => {
  if (event.target.id !== "picked" || !event.submitter) return;
  const { value, dataset } = event.submitter;
  const said = [["verb", value], ["resolution", dataset.resolution], ...picked().map((box) => ["items", box.value])];
  event.target.querySelectorAll(".said").forEach((input) => input.remove());
  for (const [name, text] of said) {
    if (!text) continue;
    const input = Object.assign(document.createElement("input"), { type: "hidden", className: "said", name, value: text });
    event.target.append(input);
  }
  picked().forEach((box) => (box.closest(".row").dataset.done = "true"));
}, true);

// After a verb ---------------------------------------------------------------------------------------------------
document.addEventListener("htmx:afterRequest", (event) => {
  const { requestConfig, successful, elt } = event.detail;
  if (!byId("rows") || requestConfig?.verb !== "post" || !successful) return;
  const row = elt.closest?.(".row") ?? current();
  if (elt.id === "picked") KEYS.Escape();
  if (elt.closest?.(".row")) row.dataset.done = "true";
  const button = requestConfig.triggeringEvent?.submitter ?? elt;
  if (button.dataset?.then === "next") goOn(row, elt);
  own = true;
  byId("rows").dispatchEvent(new CustomEvent("changed"));
  if (event.detail.target?.id !== "talk") byId("talk-again")?.dispatchEvent(new CustomEvent("changed"));
});

function goOn(row, elt) {
  const next = neighbour(row, 1) ?? neighbour(row, -1);
  if (row) row.dataset.done = "true";
  if (!next) return;
  if (row.hasAttribute("aria-current") || !elt.closest(".row")) link(next).click();
  link(next).focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

// Where one was in the list ----------------------------------------------------------------------------------------
const place = () => `scroll:${byId("list-scroll")?.dataset.place}`;
addEventListener("pagehide", () => byId("list-scroll") && sessionStorage.setItem(place(), byId("list-scroll").scrollTop));
if (byId("list-scroll")) byId("list-scroll").scrollTop = Number(sessionStorage.getItem(place()) ?? 0);
