// Menus are <details>: one is open at a time, a click beside it or Escape closes it. data-toggle opens a side panel.
const MENUS = "details.drop[open], details.own[open]";

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(MENUS)) {
    const chosen = event.target.closest(".menu :is(a, button)");
    if (!menu.contains(event.target) || chosen) menu.open = false;
  }
  const toggle = event.target.closest("[data-toggle]");
  if (toggle) flip(toggle, event);
});

function flip(toggle, event) {
  const panel = document.getElementById(toggle.dataset.toggle);
  if (!panel) return;
  event.preventDefault();
  const opened = panel.classList.toggle("is-open");
  for (const each of document.querySelectorAll(`[data-toggle="${CSS.escape(panel.id)}"]`)) each.setAttribute("aria-expanded", opened);
  if (opened) panel.querySelector("a, button")?.focus();
  else document.querySelector(`[data-toggle="${CSS.escape(panel.id)}"]:not(.close-side, .only-dock)`)?.focus();
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector(MENUS);
  if (menu) return (menu.open = false), menu.querySelector("summary").focus();
  const panel = document.querySelector(".is-open[id]");
  if (panel && !document.querySelector("dialog:modal")) {
    panel.classList.remove("is-open");
    const toggle = document.querySelector(`[data-toggle="${CSS.escape(panel.id)}"]`);
    toggle?.setAttribute("aria-expanded", "false");
    toggle?.focus();
  }
});
