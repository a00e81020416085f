// What can not be undone asks once more: a button with `data-confirm="Question? Consequence."` acts after a second yes.
let agreed; // the button whose form goes through now

function dialogFor(button) {
  const [question, consequence] = button.dataset.confirm.split(/(?<=\?)\s+/, 2);
  const dialog = document.createElement("dialog");
  dialog.className = "dialog";
  dialog.setAttribute("aria-labelledby", "confirm-title");
  dialog.innerHTML = `<form method="dialog"><h2 id="confirm-title"></h2><p class="say"></p>
    <footer><button class="btn quiet" value="">Cancel</button><button class="btn danger" value="yes"></button></footer></form>`;
  dialog.querySelector("h2").textContent = question;
  dialog.querySelector("p").textContent = consequence ?? "";
  dialog.querySelector("[value=yes]").textContent = button.textContent.trim();
  return dialog;
}

function ask(button) {
  const dialog = dialogFor(button);
  document.body.append(dialog);
  dialog.addEventListener("close", () => {
    const yes = dialog.returnValue === "yes";
    dialog.remove();
    if (!yes) return button.focus();
    agreed = button;
    button.form.requestSubmit(button);
    agreed = undefined;
  });
  dialog.showModal();
}

// In the capturing phase, so that no other listener acts before the answer.
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button?.dataset.confirm || button === agreed) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  ask(button);
}, true);
