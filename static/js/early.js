// Before the first paint: say that scripts run, and give the regions the widths that this person gave them.
(() => {
  const root = document.documentElement;
  root.classList.add("scripts");
  try {
    for (const region of ["list", "context"]) {
      const width = localStorage.getItem(`width:${region}`);
      if (/^\d{3}px$/.test(width)) root.style.setProperty(`--own-${region}`, width);
    }
  } catch {
    // Storage may be closed to us; the widths of the design stand.
  }
})();
