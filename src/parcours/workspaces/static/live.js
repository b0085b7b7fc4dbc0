// Follows what comes in: one line of figures, a pulse on the map, and the page again once there is something new.
"use strict";
(() => {
  const REST_MS = 5000, PULSE_MS = 1400, AGAIN_MS = 10000;
  const [strip, line, asOf, said, button] = ["strip", "line", "as-of", "said", "pause"].map(name => document.getElementById(`live-${name}`));
  let stream = null, paused = false, busy = false, fetchedAt = 0, wanted = strip.dataset.mark, timer = 0;

  // What finds an element again in the page made anew: its id, else its place under the nearest one that has an id.
  const keyOf = element => {
    if (element.id) return () => document.getElementById(element.id);
    const { id } = element.closest("[id]"), href = element.getAttribute("href");
    const kind = element.localName + (href ? `[href="${CSS.escape(href)}"]` : "");
    const place = [...document.getElementById(id).querySelectorAll(kind)].indexOf(element);
    return () => document.getElementById(id)?.querySelectorAll(kind)[place];
  };
  function swap(fresh) {
    const main = document.querySelector("main"), title = main.querySelector("h1")?.textContent;
    const open = [...main.querySelectorAll("details[open]")].map(keyOf);
    const moved = [...main.querySelectorAll(".scroll")].filter(box => box.scrollLeft).map(box => [keyOf(box), box.scrollLeft]);
    const focused = main.contains(document.activeElement) ? keyOf(document.activeElement) : () => null;
    main.replaceChildren(...fresh.querySelector("main").childNodes);
    for (const find of open) find()?.setAttribute("open", "");
    for (const [find, left] of moved) find()?.scrollTo({ left, behavior: "instant" });
    focused()?.focus({ preventScroll: true });
    document.title = fresh.title;
    asOf.textContent = fresh.getElementById("live-as-of").textContent;
    strip.dataset.mark = fresh.getElementById("live-strip").dataset.mark;
    // Read out only when the page's one sentence says something else.
    const now = main.querySelector("h1")?.textContent;
    if (now !== title) said.textContent = now;
  }
  async function refresh() {
    busy = true;
    try {
      const answer = await fetch(location.href.split("#")[0], { cache: "no-cache" });
      if (answer.redirected) return location.reload(); // The session is over: to where somebody signs in.
      const fresh = answer.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null;
      if (stream && fresh?.getElementById("live-strip") && getSelection().type !== "Range") swap(fresh);
    } catch { /* The server is away: the stream asks again. */ }
    [busy, fetchedAt] = [false, Date.now()], look();
  }
  function look() {
    clearTimeout(timer);
    if (!stream || busy || wanted === strip.dataset.mark) return;
    timer = setTimeout(refresh, Math.max(0, fetchedAt + REST_MS - Date.now()));
  }
  function hear({ data }) {
    const told = JSON.parse(data);
    line.textContent = told.line;
    wanted = strip.dataset.watch ? `${told.published}.${told.sources_changed}` : told.published;
    look();
    for (const link of document.querySelectorAll(".map-figure a, .by-stage a")) {
      const [, id] = link.getAttribute("href").split("/touchpoint/");
      if (!id || !told.touchpoints[decodeURIComponent(id)]) continue;
      link.classList.add("pulse");
      setTimeout(() => link.classList.remove("pulse"), PULSE_MS);
    }
  }
  function show(on) { strip.querySelector(".live-name").hidden = line.hidden = !on; }
  function rest() { stream?.close(); stream = null; clearTimeout(timer); show(false); }
  function listen() {
    if (stream || paused || document.hidden) return;
    stream = new EventSource(strip.dataset.stream);
    stream.onmessage = event => { show(true); hear(event); };
    stream.onerror = () => {
      show(false);
      // Refused, as when too many listen already: a browser does not ask again by itself.
      if (stream.readyState === EventSource.CLOSED) { rest(); setTimeout(listen, AGAIN_MS * (1 + Math.random())); }
    };
  }
  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    [button.textContent, button.dataset.other] = [button.dataset.other, button.textContent];
    if (paused) rest(); else listen();
  });
  document.addEventListener("visibilitychange", () => document.hidden ? rest() : listen());
  for (const [name, act] of [["pagehide", rest], ["pageshow", listen]]) addEventListener(name, act);
})();
