// The conversation beside the list: closing it, phones, and what happens when it is no longer ours to see.
const talk = () => document.getElementById("talk");
const narrow = matchMedia("(max-width: 56.24em)");

function settle() {
  talk().classList.toggle("is-single", !talk().querySelector("[data-open]"));
  if (narrow.matches) talk().querySelector("h1")?.focus({ preventScroll: true });
}

function show(template) {
  talk().replaceChildren(document.getElementById(template).content.cloneNode(true));
  talk().classList.add("is-single");
}

document.addEventListener("htmx:afterSettle", (event) => event.detail.target?.id === "talk" && settle());

// Back to the list without loading it again; the address follows.
document.addEventListener("click", (event) => {
  const back = event.target.closest("a[data-back]");
  const choose = document.getElementById("talk-choose");
  if (!back || !choose || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  show("talk-choose");
  history.pushState({ htmx: true }, "", back.href);
  document.dispatchEvent(new CustomEvent("hub:closed"));
});

// What may be drawn anew: not the composer while something is written in it, not a dialog that is open.
function pieces() {
  const parts = ["#talk-bar", "#strip", "#ask", "#side-in"];
  const composer = document.getElementById("composer");
  const written = [...(composer?.querySelectorAll("textarea") ?? [])].some((area) => area.value.trim());
  // One rests on the locked box after sending: it holds no text, and has to open again once the reply is out.
  const inside = composer?.contains(document.activeElement) && !document.activeElement.matches("[data-rests]");
  if (composer && !written && !inside) parts.push("#composer");
  if (!talk().querySelector("dialog[open]")) parts.push("#dialogs");
  if (talk().querySelector("details.drop[open]")) parts.splice(parts.indexOf("#talk-bar"), 1);
  if (talk().querySelector("#path.is-open")) parts.splice(parts.indexOf("#strip"), 1);
  return parts.join(",");
}

// Decided when the answer is there: somebody may have begun to write while it was on its way.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { elt } = event.detail.requestConfig ?? {};
  if (elt?.id === "talk-again") elt.setAttribute("hx-select-oob", pieces());
});

// A refresh must not pull the button away from under a request that it started: it waits, or gives way.
document.addEventListener("htmx:beforeRequest", (event) => {
  const again = document.getElementById("talk-again");
  if (!again) return;
  if (event.detail.elt !== again) {
    if (event.detail.requestConfig.verb === "post") window.htmx.trigger(again, "htmx:abort");
  } else if (talk().querySelector("form.htmx-request, button.htmx-request")) {
    event.preventDefault();
    setTimeout(() => again.isConnected && again.dispatchEvent(new CustomEvent("changed")), 400);
  }
});

document.addEventListener("htmx:responseError", (event) => {
  const { requestConfig, xhr, elt, target } = event.detail;
  const asked = requestConfig.verb === "get" && (elt.id === "talk-again" || target?.id === "talk");
  if (asked && xhr.status === 404) show("talk-gone");
});

// Drafts are this person's: they leave with them.
document.addEventListener("submit", (event) => {
  if (!event.target.matches('[action$="/sign-out/"]')) return;
  for (const key of Object.keys(localStorage)) if (key.startsWith("draft:")) localStorage.removeItem(key);
});
