// A secret that is shown once: the field selects itself whole, and a button copies it.
for (const field of document.querySelectorAll("[data-copy]")) {
  field.addEventListener("focus", () => field.select());
  if (!navigator.clipboard) continue; // only over https or on the machine itself
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn", textContent: "Copy" });
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(field.value);
    button.textContent = "Copied";
  });
  document.querySelector("[data-copy-foot]")?.prepend(button);
}
