// The rows of a condition are moved by their grip: dragged, or taken with Space and moved with the arrow keys; Alt and an arrow
// move the row one is in. Every move is made by the server, which knows what a condition may be; here it is only asked for.
const tree = () => document.getElementById("tree");
const form = document.getElementById("rule-form");
const rowOf = (element) => element.closest?.("[data-row]");
let taken = ""; // the row that the arrow keys move
let focus = ""; // where the focus was before the tree was drawn anew

function ask(change) {
  focus = document.activeElement?.id ?? "";
  window.htmx.ajax("POST", location.href, { source: form, values: { change }, target: "#tree", select: "#tree", swap: "outerHTML" });
}

function hold(key) {
  taken = key;
  for (const grip of document.querySelectorAll("#tree .grip")) {
    const held = grip.id === `grip-${key}`;
    grip.setAttribute("aria-pressed", held);
    rowOf(grip).classList.toggle("is-taken", held);
  }
}

document.addEventListener("keydown", (event) => {
  const row = rowOf(event.target);
  if (!row?.dataset.inside || !tree()?.contains(row)) return;
  const step = { ArrowUp: "up", ArrowDown: "down" }[event.key];
  const onGrip = event.target.matches(".grip");
  if (step && (event.altKey || (onGrip && taken === row.dataset.row))) {
    event.preventDefault();
    ask(`${step} ${row.dataset.row}`);
  } else if (onGrip && (event.key === " " || event.key === "Enter")) {
    event.preventDefault();
    hold(taken === row.dataset.row ? "" : row.dataset.row);
  } else if (event.key === "Escape" && taken) {
    hold("");
  }
});
document.addEventListener("focusout", (event) => {
  if (taken && event.target.id === `grip-${taken}` && event.relatedTarget) hold("");
});

// What the server did is told, what is counted is counted anew, and the focus goes where the work goes on.
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target?.id !== "tree") return;
  const { told, at } = tree().dataset;
  document.getElementById("moved").textContent = told;
  document.getElementById("count")?.dispatchEvent(new CustomEvent("recount"));
  if (taken) hold(taken);
  if (!tree().contains(document.activeElement)) settle(at);
});

function settle(at) {
  const wanted = document.getElementById(focus) ?? document.getElementById(`grip-${at}`) ?? document.getElementById(`question-${at}`);
  wanted?.focus();
  focus = "";
}

// What somebody fills in while the answer is on its way is newer than the answer: it is put back into the new rows.
const fields = () => [...tree().querySelectorAll("input[id]:not([type=hidden]), select[id], textarea[id]")];
const state = (field) => (field.type === "checkbox" ? field.checked : field.value);
let asked = new Map();
let newer = [];

document.addEventListener("htmx:beforeSend", (event) => {
  if (event.detail.target?.id === "tree") asked = new Map(fields().map((each) => [each.id, state(each)]));
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target?.id !== "tree") return;
  focus = document.activeElement?.id || focus;
  newer = fields().filter((each) => !each.matches(".chip-in") && asked.has(each.id) && asked.get(each.id) !== state(each));
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target?.id !== "tree") return;
  for (const old of newer) {
    const field = document.getElementById(old.id);
    if (field?.type === "checkbox") field.checked = old.checked;
    else if (field) field.value = old.value;
  }
  newer = [];
}, true);

// Dragging -----------------------------------------------------------------------------------------------------------
let drag = null;

document.addEventListener("pointerdown", (event) => {
  const grip = event.target.closest?.("#tree .grip");
  if (!grip || event.button) return;
  event.preventDefault();
  grip.focus();
  grip.setPointerCapture(event.pointerId);
  drag = { row: rowOf(grip), line: Object.assign(document.createElement("div"), { className: "drop-line" }), place: null };
  grip.addEventListener("pointermove", over);
  grip.addEventListener("pointerup", drop, { once: true });
  grip.addEventListener("pointercancel", cancel, { once: true });
});

// Between which rows the pointer is: in the innermost group under it, before the first row whose middle lies below it.
function over(event) {
  drag.row.classList.add("is-taken");
  const under = document.elementFromPoint(event.clientX, event.clientY);
  const kids = under?.closest("#tree .kids") ?? under?.closest("#tree .node")?.querySelector(":scope > .kids");
  if (!kids || drag.row.contains(kids)) return;
  const rows = [...kids.children].filter((each) => each.matches("[data-row]") && each !== drag.row);
  const next = rows.find((each) => event.clientY < each.getBoundingClientRect().top + each.offsetHeight / 2);
  kids.insertBefore(drag.line, next ?? kids.querySelector(":scope > .adds"));
  drag.place = [kids.closest("[data-row]").dataset.row, next?.dataset.row ?? ""];
}

function end(event) {
  event.target.removeEventListener("pointermove", over);
  drag.row.classList.remove("is-taken");
  drag.line.remove();
  const { row, place } = drag;
  drag = null;
  return [row, place];
}

function cancel(event) {
  end(event);
}

function drop(event) {
  const [row, place] = end(event);
  if (place) ask(`move ${row.dataset.row} ${place.join(" ")}`.trim());
}
