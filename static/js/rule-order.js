// Rules are put into order by their grip: dragged, or taken with Space and moved with the arrow keys; Alt and an arrow move the
// rule one stands on, until Alt is let go. The order is sent once, when somebody has finished, and is one new version.
let moving = null; // { item, list, next, before, by }
const items = (list) => [...list.children].filter((each) => each.dataset.uid);
const said = (text) => (document.getElementById("ordered").textContent = text);
const nameOf = (item) => item.querySelector(".open").textContent;
const placeOf = (item) => `place ${items(item.parentElement).indexOf(item) + 1} of ${items(item.parentElement).length}`;

function begin(item, by) {
  const list = item.parentElement;
  if (!list.dataset.order || moving) return;
  moving = { item, list, by, before: items(list) };
  item.classList.add("is-taken");
  item.querySelector(".grip").setAttribute("aria-pressed", "true");
  said(`${nameOf(item)} is taken, ${placeOf(item)}.`);
}

function shift(step) {
  const { item, list } = moving;
  const all = items(list);
  const beside = all[all.indexOf(item) + step];
  if (!beside) return said(`${nameOf(item)} is ${step < 0 ? "first" : "last"} already.`);
  const focused = document.activeElement;
  if (step < 0) beside.before(item);
  else beside.after(item);
  number(list);
  focused?.focus({ preventScroll: true }); // moving an element in the page takes the focus from it
  item.scrollIntoView({ block: "nearest" });
  said(`${nameOf(item)}, ${placeOf(item)}.`);
}

function number(list) {
  const first = Math.min(...moving.before.map((each) => Number(each.querySelector(".n").textContent)));
  items(list).forEach((each, place) => (each.querySelector(".n").textContent = first + place));
}

function rest() {
  const done = moving;
  moving = null;
  done.item.classList.remove("is-taken");
  done.item.querySelector(".grip").setAttribute("aria-pressed", "false");
  return done;
}

function cancel() {
  const { list, item, before } = moving;
  before.toReversed().forEach((each) => list.prepend(each));
  number(list);
  rest();
  item.querySelector(".grip").focus();
  said(`${nameOf(item)} is back at ${placeOf(item)}.`);
}

function drop() {
  const { item, list, before } = rest();
  const now = items(list);
  if (now.every((each, place) => each === before[place])) return said(`${nameOf(item)} stays at ${placeOf(item)}.`);
  said(`${nameOf(item)} is left at ${placeOf(item)}. Saving the order.`);
  send(list, item, now);
}

// A plain form, so that the page that follows tells what became of it, as after every other verb.
function send(list, item, now) {
  const form = Object.assign(document.createElement("form"), { method: "post", action: list.dataset.order, hidden: true });
  const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const values = [["csrfmiddlewaretoken", token], ["based_on", list.dataset.basedOn], ["moved", item.dataset.uid]];
  for (const [name, value] of [...values, ...now.map((each) => ["uid", each.dataset.uid])]) {
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  }
  document.body.append(form);
  try {
    sessionStorage.setItem("order:focus", item.querySelector(".grip").id);
  } catch {
    // The focus then begins at the top of the page.
  }
  form.submit();
}

document.addEventListener("keydown", (event) => {
  const item = event.target.closest?.("[data-order] > [data-uid]");
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (!item) return;
  const onGrip = event.target.matches(".grip");
  if (step && event.altKey) {
    event.preventDefault();
    begin(item, "alt");
    if (moving) shift(step);
  } else if (step && onGrip && moving) {
    event.preventDefault();
    shift(step);
  } else if (onGrip && (event.key === " " || event.key === "Enter")) {
    event.preventDefault();
    if (moving) drop();
    else begin(item, "space");
  } else if (event.key === "Escape" && moving) {
    event.stopPropagation();
    cancel();
  }
});
document.addEventListener("keyup", (event) => event.key === "Alt" && moving?.by === "alt" && (event.preventDefault(), drop()));
document.addEventListener("focusout", (event) => {
  const away = moving && moving.by !== "pointer" && event.relatedTarget && !moving.item.contains(event.relatedTarget);
  if (away) cancel();
});

// A rule that somebody holds is not drawn anew under their hand.
document.addEventListener("htmx:beforeSwap", (event) => {
  if (moving && event.detail.target?.contains(moving.item)) event.detail.shouldSwap = false;
});

// Dragging -----------------------------------------------------------------------------------------------------------
document.addEventListener("pointerdown", (event) => {
  const grip = event.target.closest?.("[data-order] > [data-uid] > .grip");
  if (!grip || event.button) return;
  event.preventDefault();
  grip.focus();
  begin(grip.parentElement, "pointer");
  if (!moving) return;
  // Not captured by the grip: what is moved in the page loses a pointer that it holds.
  document.addEventListener("pointermove", over);
  document.addEventListener("pointerup", up);
  document.addEventListener("pointercancel", up);
});

function over(event) {
  const { item, list } = moving;
  const rest = items(list).filter((each) => each !== item);
  const next = rest.find((each) => event.clientY < each.getBoundingClientRect().top + each.offsetHeight / 2);
  const beside = next ?? rest.at(-1)?.nextElementSibling;
  if (item.nextElementSibling === beside) return;
  list.insertBefore(item, beside ?? null);
  number(list);
  item.querySelector(".grip").focus({ preventScroll: true });
}

function up({ type }) {
  document.removeEventListener("pointermove", over);
  document.removeEventListener("pointerup", up);
  document.removeEventListener("pointercancel", up);
  if (!moving) return;
  if (type === "pointerup") drop();
  else cancel();
}

const left = sessionStorage.getItem("order:focus");
if (left) {
  sessionStorage.removeItem("order:focus");
  document.getElementById(left)?.focus();
}
