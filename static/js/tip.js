// Escape takes away what is said about a figure, until the pointer or the focus moves on.
const off = (gone) => document.documentElement.classList.toggle("tips-off", gone);
document.addEventListener("keydown", (event) => event.key === "Escape" && document.querySelector(".defined:is(:hover, :focus-within)") && off(true));
document.addEventListener("focusin", () => off(false));
document.addEventListener("pointerover", (event) => event.target.closest?.(".defined") || off(false));
