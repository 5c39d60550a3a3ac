// Fetches the page again when the office has committed something. Nothing else on the pages needs a script.
"use strict";
(() => {
  const POLL_MS = 1000;
  const AGE_MS = 30000; // "4 min ago" grows older without a change
  const root = document.documentElement;
  const live = document.getElementById("live");
  let seen = root.dataset.changes;
  let drawn = Date.now();

  const say = (word, state) => {
    if (live) { live.textContent = word; live.dataset.state = state; }
  };
  // Typing and choosing must not be lost to a refresh.
  const busy = () => {
    const main = document.getElementById("main");
    if (!main) return false;
    const typed = [...main.querySelectorAll("input[type=text]")].some((e) => e.value !== e.defaultValue);
    const chosen = [...main.querySelectorAll("option")].some((e) => e.selected !== e.defaultSelected);
    return typed || chosen || !!main.querySelector("input:focus, select:focus");
  };
  const refresh = async () => {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (answer.redirected || !answer.ok) { location.reload(); return; }
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (busy()) return;
    for (const id of ["nav", "main"]) {
      const from = fresh.getElementById(id), to = document.getElementById(id);
      if (from && to && from.innerHTML !== to.innerHTML) to.replaceWith(document.importNode(from, true));
    }
    seen = fresh.documentElement.dataset.changes;
    drawn = Date.now();
  };
  const tick = async () => {
    try {
      const answer = await fetch("/changes?since=" + encodeURIComponent(seen), { credentials: "same-origin" });
      if (answer.status === 401) { location.reload(); return; }
      const said = await answer.json();
      if ((said.changed || Date.now() - drawn > AGE_MS) && !busy()) await refresh();
      say("● live", "on");
    } catch {
      say("✕ office not reachable", "off");
    }
    setTimeout(tick, POLL_MS);
  };
  setTimeout(tick, POLL_MS);
})();
