// Clocks in words keep going: “due in 12 min”, “18 min overdue”, “3 min ago”. The same rounding as the server's `span`.
const MINUTE = 60, HOUR = 3600, DAY = 86_400;

function span(seconds) {
  if (seconds < 90 * MINUTE) return `${Math.max(1, Math.floor(seconds / MINUTE))} min`;
  if (seconds < DAY) return `${Math.round(seconds / HOUR)} h`;
  const days = Math.floor(seconds / DAY);
  const hours = Math.floor((seconds % DAY) / HOUR);
  return hours && days < 3 ? `${days} d ${hours} h` : `${days} d`;
}

function due(seconds) {
  if (seconds <= 0) return { text: `${span(-seconds)} overdue`, late: true };
  return { text: `due in ${span(seconds)}`, soon: seconds < HOUR };
}

function ago(seconds) {
  return { text: -seconds < MINUTE ? "now" : `${span(-seconds)} ago` };
}

function tick() {
  const now = Date.now();
  for (const time of document.querySelectorAll('time[data-clock="due"], time[data-clock="ago"]')) {
    const seconds = (new Date(time.dateTime) - now) / 1000;
    const { text, soon = false, late = false } = time.dataset.clock === "due" ? due(seconds) : ago(seconds);
    if (time.textContent !== text) time.textContent = text;
    time.classList.toggle("soon", soon);
    time.classList.toggle("late", late);
  }
}

setInterval(() => document.hidden || tick(), 15_000);
document.addEventListener("visibilitychange", () => document.hidden || tick());
