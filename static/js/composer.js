// Writing: a counter by the network's own rule, a preview, and a draft that stays until the house has confirmed it.
const person = document.documentElement.dataset.person ?? "";

// How long a text is --------------------------------------------------------------------------------------------
const LINK = /https?:\/\/\S+/g;
const graphemes = (text) => [...new Intl.Segmenter().segment(text)].length;
const characters = (text) => [...text].length;
const bytes = (text) => new TextEncoder().encode(text).length;
const EMOJI = /\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|\u20E3/u;
const light = (code) => code <= 4351 || (code >= 8192 && code <= 8205) || (code >= 8208 && code <= 8223) || (code >= 8242 && code <= 8247);

function onX(text) {
  const links = text.match(LINK)?.length ?? 0;
  const rest = [...new Intl.Segmenter().segment(text.replace(LINK, ""))];
  return links * 23 + rest.reduce((sum, { segment }) => sum + (characters(segment) === 1 && light(segment.codePointAt(0)) ? 1 : 2), 0);
}

function onMastodon(text) {
  const links = text.match(LINK)?.length ?? 0;
  return links * 23 + graphemes(text.replace(LINK, "").replace(/(@\w+)@[\w.-]+/g, "$1"));
}

// Emojis are as many as they have bytes.
function onThreads(text) {
  const segments = [...new Intl.Segmenter().segment(text)];
  return segments.reduce((sum, { segment }) => sum + (EMOJI.test(segment) ? bytes(segment) : characters(segment)), 0);
}

// The names of connectors.contract.Count: the house counts by the same rules before anything leaves.
const COUNTS = { characters, x: onX, mastodon: onMastodon, graphemes, threads: onThreads };

function count(area) {
  const ring = area.form.querySelector("[data-counter]");
  if (!ring) return;
  const longest = Number(area.dataset.longest);
  const room = longest - (COUNTS[area.dataset.counts] ?? characters)(area.value);
  const left = area.dataset.bytes && Number(area.dataset.bytes) < bytes(area.value) ? Math.min(room, Number(area.dataset.bytes) - bytes(area.value)) : room;
  ring.querySelector("[data-left]").textContent = String(left).replace("-", "−");
  ring.querySelector("circle + circle").setAttribute("stroke-dasharray", `${Math.min(100, ((longest - left) / longest) * 100)} 100`);
  ring.classList.toggle("is-near", left >= 0 && left < 20);
  ring.classList.toggle("is-over", left < 0);
  for (const button of area.form.querySelectorAll("button:not([type])")) button.disabled = left < 0;
}

function preview(area) {
  const shown = area.form.querySelector("[data-preview]");
  if (!shown) return;
  shown.textContent = area.value || shown.dataset.empty;
  shown.classList.toggle("ink3", !area.value);
}

// The draft -----------------------------------------------------------------------------------------------------
const keyOf = (form) => `draft:${person}:${form.closest("[data-composer]").dataset.composer}:${form.dataset.text}`;

function keep(area) {
  try {
    if (area.value.trim()) localStorage.setItem(keyOf(area.form), area.value);
    else localStorage.removeItem(keyOf(area.form));
  } catch {
    return;
  }
  const line = area.closest("[data-composer]").querySelector("[data-draft-state]");
  line.textContent = area.value.trim() ? "Draft kept in this browser" : "";
}

function stayIn(mode) {
  const radio = mode && document.getElementById(mode);
  if (radio) radio.checked = true;
}

function begin(form) {
  const area = form.querySelector("textarea");
  if (!area.value) area.value = localStorage.getItem(keyOf(form)) ?? "";
  draw(area);
  if (area.value && form.dataset.text === "note" && !document.querySelector("#reply-text")?.value) {
    document.getElementById("mode-note").checked = true;
  }
}

function draw(area) {
  count(area);
  preview(area);
}

document.addEventListener("input", (event) => {
  const area = event.target.closest("[data-composer] form[data-text] textarea");
  if (!area) return;
  draw(area);
  keep(area);
});

// Sent and taken: the draft has done its work. A refusal or a lost line leaves it where it is.
document.addEventListener("htmx:beforeSwap", (event) => {
  const form = event.detail.requestConfig?.elt;
  if (form?.matches?.("form[data-text]") && event.detail.xhr.status < 300) localStorage.removeItem(keyOf(form));
});

document.addEventListener("keydown", (event) => {
  const area = event.target.closest?.("[data-composer] textarea");
  if (event.key === "Escape" && event.target.matches?.("[data-rests]")) event.target.blur();
  if (!area) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    area.form.requestSubmit(area.form.querySelector(".btn.primary"));
  } else if (event.key === "Escape") {
    area.blur();
  }
});

document.addEventListener("click", (event) => {
  const source = event.target.closest("[data-draft-from]");
  const area = document.getElementById("reply-text");
  if (source && area) {
    area.value = document.getElementById(source.dataset.draftFrom).querySelector(".text").textContent;
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  }
  if (event.target.closest("[data-newer-read]")) accept(event.target.closest("form"));
});

// Something newer came while one writes: it counts as seen when one says so, or when nothing is written yet. -----------
function accept(form) {
  form.seen.value = document.getElementById("thread").dataset.seen;
  form.querySelector("[data-newer]").hidden = true;
  form.querySelector("textarea").focus();
}

function compare() {
  const form = document.getElementById("reply-form");
  const seen = document.getElementById("thread")?.dataset.seen;
  if (!form || !seen || form.seen.value === seen) return;
  if (form.querySelector("textarea").value.trim()) form.querySelector("[data-newer]").hidden = false;
  else form.seen.value = seen;
}

let mode = ""; // what was being written, when the composer is drawn anew
document.addEventListener("change", (event) => event.target.name === "mode" && (mode = event.target.id));

function start() {
  document.querySelectorAll("[data-composer] form[data-text]").forEach(begin);
  stayIn(mode);
}

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id === "talk") mode = "";
  if (event.detail.target?.id === "talk" || event.target.id === "composer") start();
  if (event.detail.requestConfig?.elt?.id === "talk-again") compare();
});
start();
