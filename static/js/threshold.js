// While a threshold is moved, its line tells what it would do to the last corrections. Nothing is kept before “Keep”.
const held = (dial) => dial.dataset.held.split(" ").filter(Boolean).map((each) => [parseFloat(each), each.endsWith("+")]);

for (const dial of document.querySelectorAll(".dial[data-held]")) {
  const slide = dial.querySelector("input[type=range]");
  const rows = held(dial);
  const begun = slide.value;
  slide.addEventListener("input", () => {
    const placed = rows.filter(([sure]) => sure * 100 >= slide.value);
    const right = placed.filter(([, holds]) => holds).length;
    dial.querySelector("[data-at]").textContent = `${slide.value}\u202f%`;
    if (rows.length) {
      dial.querySelector("[data-told]").textContent =
        `Of ${rows.length} guessed, ${placed.length} would be placed, ${right} of them right.`;
    }
    dial.querySelector("[data-keep]")?.classList.toggle("primary", slide.value !== begun);
  });
}
