// The live bell. One stream per browser, shared by its tabs: the tab that holds the lock listens and passes on what it
// hears. A bell carries no content, only names: elements that watch a name are told “changed” and fetch themselves anew.
const NAME = "social-hub-live";
const address = document.querySelector('meta[name="live"]')?.content;
const others = "BroadcastChannel" in window ? new BroadcastChannel(NAME) : null;
const pending = new Set();
const ALL = "*";
let state = "connecting";
let refreshedAt = 0;
let typedAt = 0;
let heldSince = 0;
let timer = 0;

// What is heard ------------------------------------------------------------------------------------------------
function hear(name) {
  if (name.startsWith("gone:")) return leave(name.slice(5));
  pending.add(name);
  plan();
}

// At most one refresh a second, none while somebody types (but not for ever), none while the tab is hidden.
function plan() {
  if (timer || !pending.size) return;
  heldSince ||= Date.now();
  timer = setTimeout(flush, Math.max(60, refreshedAt + 1000 - Date.now()));
}

function flush() {
  timer = 0;
  const typing = Date.now() - typedAt < 900 && Date.now() - heldSince < 6000;
  if (typing) return (timer = setTimeout(flush, 300));
  if (document.hidden) return document.dispatchEvent(new CustomEvent("hub:unseen"));
  const names = new Set(pending);
  pending.clear();
  heldSince = 0;
  refreshedAt = Date.now();
  for (const element of document.querySelectorAll("[data-watch]")) {
    if (watches(element, names)) element.dispatchEvent(new CustomEvent("changed", { detail: { names: [...names] } }));
  }
}

function watches(element, names) {
  return names.has(ALL) || element.dataset.watch.split(/\s+/).some((name) => names.has(name));
}

// A conversation that this person may not see any longer leaves the page at once.
function leave(conversation) {
  const shown = document.querySelectorAll(`[data-conversation="${CSS.escape(conversation)}"]`);
  for (const element of shown) {
    if (!element.matches("[data-open]")) element.remove();
    else element.parentElement.replaceChildren(document.getElementById("talk-gone").content.cloneNode(true));
  }
}

// The stream -----------------------------------------------------------------------------------------------------
function show(next) {
  state = next;
  const line = document.getElementById("live");
  if (!line) return;
  line.dataset.state = next;
  line.textContent = { live: "Live", lost: "Reconnecting", connecting: "Connecting" }[next];
}

function tell(message) {
  others?.postMessage(message);
  take(message);
}

function take(message) {
  if (message.state) show(message.state);
  if (message.heard) hear(message.heard);
}

function listen() {
  let wait = 1000;
  const open = () => {
    const stream = new EventSource(address);
    stream.addEventListener("open", () => {
      wait = 1000;
      tell({ state: "live", heard: ALL }); // whatever was missed meanwhile is fetched now
    });
    stream.addEventListener("changed", (event) => event.data.split(/\s+/).forEach((heard) => tell({ heard })));
    stream.addEventListener("error", () => {
      tell({ state: "lost" });
      if (stream.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      setTimeout(open, wait);
      wait = Math.min(wait * 2, 30_000);
    });
    addEventListener("pagehide", () => stream.close(), { once: true });
  };
  open();
}

function lead() {
  if (!navigator.locks) return listen();
  // Held until the tab goes; then the next tab in the line takes over.
  navigator.locks.request(NAME, () => {
    listen();
    return new Promise(() => {});
  });
}

if (address) {
  show("connecting");
  others?.addEventListener("message", ({ data }) => {
    if (data.asks) return state === "connecting" || others.postMessage({ state });
    take(data);
  });
  others?.postMessage({ asks: true });
  addEventListener("input", () => (typedAt = Date.now()), true);
  document.addEventListener("visibilitychange", () => document.hidden || plan());
  // Back from the browser's page cache: the stream was closed and much may have happened.
  addEventListener("pageshow", (event) => event.persisted && location.reload());
  lead();
}
