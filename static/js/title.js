// The tab tells what waits: a count in the title, and a dot on its sign while something came that nobody looked at yet.
const sign = document.querySelector('link[rel="icon"]');
const calm = sign?.href;

function dot(on) {
  if (sign?.dataset.unread) sign.href = on ? sign.dataset.unread : calm;
}

document.addEventListener("hub:unseen", () => dot(true));
document.addEventListener("visibilitychange", () => document.hidden || dot(false));
// A piece that knows the count says so: data-title-count="3".
document.addEventListener("hub:count", (event) => {
  const bare = document.title.replace(/^\(\d+\) /, "");
  document.title = event.detail > 0 ? `(${event.detail}) ${bare}` : bare;
});
