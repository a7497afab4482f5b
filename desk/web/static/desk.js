"use strict";
// The page works without this file. With it, changes are told by /events and the same page is fetched again, in parts.
(() => {
  const live = document.getElementById("live");
  if (!live || !window.EventSource) return;
  let timer = 0, fetching = false, again = false, heard = Date.now(), changed = new Set();

  function held(section) {
    const at = document.activeElement;
    return section.contains(at) && /^(INPUT|SELECT|TEXTAREA)$/.test(at.tagName);
  }

  function replace(old, fresh) {
    if (held(old) || old.innerHTML === fresh.innerHTML && old.className === fresh.className) return;
    const focus = old.contains(document.activeElement) ? document.activeElement.id : "";
    const open = [...old.querySelectorAll("details")].map((one) => one.open);
    old.className = fresh.className;
    old.replaceChildren(...fresh.childNodes);
    old.querySelectorAll("details").forEach((one, n) => { one.open = !!open[n]; });
    if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
  }

  function tell(fresh) {
    const names = [];
    for (const card of live.querySelectorAll("#incidents .card")) {
      if (!changed.has(card.dataset.incident)) continue;
      card.classList.add("fresh");
      names.push(["sev", "name", "spot"].map((part) => card.querySelector("." + part)?.textContent.trim()).join(", "));
    }
    if (names.length) document.getElementById("announce").textContent = live.dataset.new + " " + names.slice(0, 3).join(" ; ");
    changed = new Set();
    document.title = fresh.title;
  }

  function connected() {
    const connection = document.getElementById("connection");
    const frozen = document.getElementById("frozen");
    if (Date.now() - heard < 25000) {
      frozen?.remove();
      connection.classList.add("on");
      connection.textContent = connection.dataset.liveText;
    } else if (!frozen) {
      const bar = Object.assign(document.createElement("p"), { id: "frozen", className: "frozen" });
      bar.setAttribute("role", "alert");
      bar.textContent = live.dataset.frozen + " " + new Date(heard).toLocaleTimeString();
      document.body.append(bar);
    }
  }

  async function refresh() {
    if (fetching) { again = true; return; }
    fetching = true;
    try {
      const path = live.dataset.opened ? "/incidents/" + encodeURIComponent(live.dataset.opened) : "/";
      const answer = await fetch(path, { headers: { Accept: "text/html" } });
      if (!answer.ok && answer.status !== 404) return;
      const gone = answer.status === 404;
      const fresh = new DOMParser().parseFromString(gone ? await (await fetch("/")).text() : await answer.text(), "text/html");
      for (const section of document.querySelectorAll("[data-live]")) {
        const next = fresh.getElementById(section.id);
        if (next) replace(section, next);
      }
      live.dataset.opened = fresh.getElementById("live")?.dataset.opened || "";
      tell(fresh);
      connected();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // a network failure: the watch below shows it
    } finally {
      fetching = false;
      if (again) { again = false; soon(); }
    }
  }

  function soon() {
    clearTimeout(timer);
    timer = setTimeout(refresh, 150);
  }

  const events = new EventSource("/events?after=" + live.dataset.seq);
  events.addEventListener("open", () => { heard = Date.now(); connected(); });
  events.addEventListener("change", (event) => {
    heard = Date.now();
    const news = JSON.parse(event.data);
    news.incidents.forEach((id) => changed.add(id));
    if (news.tables.length || news.all) soon();
    connected();
  });
  events.addEventListener("beat", () => { heard = Date.now(); soon(); });
  setInterval(connected, 2000);
})();
