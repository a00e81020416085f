// Toasts leave after six seconds, but not while somebody points at them or is inside; refusals stay until they are closed.
const region = document.getElementById("toasts");
const LASTS = 6000;

function start(toast) {
  if (toast.dataset.toast === "stays") return;
  let timer = setTimeout(() => toast.remove(), LASTS);
  const stay = () => clearTimeout(timer);
  const go = () => (timer = setTimeout(() => toast.remove(), LASTS / 2));
  toast.addEventListener("pointerenter", stay);
  toast.addEventListener("focusin", stay);
  toast.addEventListener("pointerleave", go);
  toast.addEventListener("focusout", go);
}

function say(text) {
  if ([...region.querySelectorAll(".is-bad")].some((toast) => toast.textContent.includes(text))) return;
  const toast = document.getElementById("toast-bad").content.firstElementChild.cloneNode(true);
  toast.querySelector(".grow").textContent = text;
  region.append(toast);
}

const REFUSALS = {
  403: "That is not yours to do. Nothing was changed.",
  404: "It is not here any more, or not for you to see. Nothing was changed.",
  503: "The house can not keep anything just now. What you wrote is kept here; try again in a moment.",
  429: "That was too often in a short time. Wait a minute; nothing was lost.",
};

if (region) {
  region.querySelectorAll(".toast").forEach(start);
  new MutationObserver((changes) => {
    for (const { addedNodes } of changes) for (const node of addedNodes) if (node.matches?.(".toast")) start(node);
    while (region.children.length > 3) region.firstElementChild.remove();
  }).observe(region, { childList: true });
  region.addEventListener("click", (event) => event.target.closest("[data-close]")?.closest(".toast").remove());
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) event.target.closest?.(".toast")?.remove();
  });
  document.addEventListener("hub:say", (event) => say(event.detail));
  // A piece that refreshes itself in the background fails silently: the live line tells it already.
  const loud = (event) => event.detail.requestConfig?.triggeringEvent?.type !== "changed";
  document.addEventListener("htmx:sendError", (event) => loud(event) && say("The house can not be reached. What you wrote is kept here; try again when the line is back."));
  document.addEventListener("htmx:timeout", (event) => loud(event) && say("No answer came in time. What you wrote is kept here; look whether it arrived before you try again."));
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr: { status }, target, requestConfig } = event.detail;
    const saidThere = status === 404 && target?.id === "talk" && requestConfig.verb === "get";
    if (loud(event) && !saidThere) say(REFUSALS[status] ?? "Something broke on our side. What you wrote is kept here; it has been noted for the admins.");
  });
}
