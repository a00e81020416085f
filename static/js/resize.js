// Regions take the width one gives them, by dragging the edge or with the arrow keys on it, and keep it on this machine.
const LIMITS = { list: [320, 520], context: [256, 360] };

for (const edge of document.querySelectorAll("[data-resize]")) edge.hidden = false;

function give(edge, width) {
  const region = edge.dataset.resize;
  const [least, most] = LIMITS[region];
  const kept = `${Math.round(Math.min(most, Math.max(least, width)))}px`;
  document.documentElement.style.setProperty(`--own-${region}`, kept);
  edge.setAttribute("aria-valuenow", parseInt(kept, 10));
  try {
    localStorage.setItem(`width:${region}`, kept);
  } catch {
    // It then holds for this page alone.
  }
}

const sign = (edge) => (edge.dataset.resize === "context" ? -1 : 1) * (getComputedStyle(edge).direction === "rtl" ? -1 : 1);

document.addEventListener("pointerdown", (event) => {
  const edge = event.target.closest("[data-resize]");
  if (!edge) return;
  const start = event.clientX;
  const width = edge.parentElement.getBoundingClientRect().width;
  edge.setPointerCapture(event.pointerId);
  edge.classList.add("is-moving");
  const move = ({ clientX }) => give(edge, width + (clientX - start) * sign(edge));
  edge.addEventListener("pointermove", move);
  edge.addEventListener("lostpointercapture", () => {
    edge.removeEventListener("pointermove", move);
    edge.classList.remove("is-moving");
  }, { once: true });
});

document.addEventListener("keydown", (event) => {
  const edge = event.target.closest?.("[data-resize]");
  const step = { ArrowLeft: -16, ArrowRight: 16 }[event.key];
  if (!edge || !step) return;
  event.preventDefault();
  give(edge, edge.parentElement.getBoundingClientRect().width + step * sign(edge));
});
