// Dialogs stand ready in the page; data-dialog="snooze" opens #dialog-snooze. Without scripts the same link shows it by :target.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) return open(opener, event);
  const dialog = event.target.closest("dialog");
  if (dialog && (event.target === dialog || event.target.closest("[data-close]"))) {
    event.preventDefault();
    dialog.close();
  }
});

function open(opener, event) {
  const dialog = document.getElementById(`dialog-${opener.dataset.dialog}`);
  if (!dialog) return;
  event.preventDefault();
  opener.closest("details")?.removeAttribute("open");
  fill(dialog, opener);
  if (!dialog.open) dialog.showModal();
  (dialog.querySelector("[autofocus]") ?? dialog.querySelector("input:checked, button:not([data-close])"))?.focus();
}

// One dialog serves many rows: the opener says for which address and in whose name.
function fill(dialog, opener) {
  const form = opener.dataset.action && dialog.querySelector("form[method=post]");
  if (!form) return;
  form.action = opener.dataset.action;
  form.setAttribute("hx-post", opener.dataset.action);
  window.htmx?.process(form);
}

// What can be chosen by number or letter inside an open dialog: data-choice="1".
document.addEventListener("keydown", (event) => {
  const dialog = document.querySelector("dialog:modal");
  const inText = event.target.closest("textarea, select, input:not([type=radio], [type=checkbox])");
  if (dialog && event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    dialog.querySelector("form[method=post]")?.requestSubmit();
  } else if (dialog && !inText && !event.ctrlKey && !event.altKey && !event.metaKey) {
    const choice = dialog.querySelector(`[data-choice="${CSS.escape(event.key)}"]`);
    if (choice) choice.click(), event.preventDefault();
  }
  if (event.key === " " && event.target.matches('a[role="button"]')) event.target.click(), event.preventDefault();
});

// A dialog whose form was taken is done with; a refused one stays and keeps what was typed.
document.addEventListener("htmx:afterRequest", (event) => {
  const dialog = event.target.closest?.("dialog");
  if (dialog?.open && event.detail.successful) dialog.close();
});
