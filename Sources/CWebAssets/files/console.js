// Keeps a page fresh: takes the same page again when the node says that something changed, and puts the new panels in the place of the old.
// Everything stands on the page without it.

const page = document.getElementById("page");
const isLive = page?.hasAttribute("data-revision");

/** Between two refreshes, however much changes (ms). */
const pause = 1000;
/** Ages and figures change without a change of the registry: so often is the page taken anyway. */
const patience = 10_000;
/** A picture older than this is called old. */
const oldAge = 30_000;
/** Until a request is given up. */
const timeout = 8000;

let taken = performance.now();
let asked = -Infinity;
let failures = 0;
let isAsking = false;
/** Something changed while the page was being asked for. */
let isBehind = false;
/** The planned refresh, and when it is due. */
let plan = null;
let feed = null;

/** Shows or hides a notice; it says itself what it says. */
function notice(id, isShown) {
  document.getElementById(id).hidden = !isShown;
}

function duration(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 60) return `${seconds}\u00a0s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}\u00a0min`;
  return `${Math.floor(seconds / 3600)}\u00a0h`;
}

function showAge() {
  const age = performance.now() - taken;
  const element = document.getElementById("age");
  const text = element.dataset.text.replace("{age}", duration(age));
  if (element.textContent !== text) element.textContent = text;
  notice("lost", failures > 0 || !navigator.onLine);
  notice("old", failures === 0 && navigator.onLine && age > oldAge);
}

/** Takes over the panels of `next`; false if it is another page than this one, which must be loaded whole. */
function replacePanels(next) {
  const newPage = next.getElementById("page");
  const ids = (from) => [...from.querySelectorAll("[data-panel]")].map((panel) => panel.id).join(" ");
  if (newPage?.dataset.build !== page.dataset.build || ids(next) !== ids(document)) return false;
  for (const panel of document.querySelectorAll("[data-panel]")) {
    const fresh = next.getElementById(panel.id);
    if (panel.className !== fresh.className) panel.className = fresh.className;
    if (panel.hidden !== fresh.hidden) panel.hidden = fresh.hidden;
    if (panel.innerHTML === fresh.innerHTML) continue;
    const focused = panel.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    const open = [...panel.querySelectorAll("details[open]")].map((details) => details.id);
    panel.replaceChildren(...fresh.childNodes);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (focused !== null) panel.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }
  document.title = next.title;
  page.dataset.revision = newPage.dataset.revision;
  return true;
}

async function refresh() {
  if (isAsking) {
    isBehind = true;
    return;
  }
  isAsking = true;
  isBehind = false;
  asked = performance.now();
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(timeout) });
    // A node that is busy or stopping is as good as away; any other refusal is a page of its own.
    if (answer.status >= 500) throw new Error(`status ${answer.status}`);
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!answer.ok || !replacePanels(next)) return location.reload();
    taken = performance.now();
    failures = 0;
    listen();
  } catch {
    failures += 1;
  } finally {
    isAsking = false;
  }
  showAge();
  schedule(failures > 0 ? Math.min(pause * 2 ** failures, patience) : isBehind ? 0 : patience);
}

/** Refreshes after `delay`, or sooner if that was planned; nobody looks at a hidden page, so it rests. */
function schedule(delay) {
  if (document.hidden) return;
  const due = Math.max(performance.now() + delay, asked + pause);
  if (plan !== null && plan.due <= due) return;
  if (plan !== null) clearTimeout(plan.id);
  plan = { due, id: setTimeout(() => { plan = null; refresh(); }, due - performance.now()) };
}

/** Waits for changes. `wait` tells the node that this will take long. */
function listen() {
  if (document.hidden || (feed !== null && feed.readyState !== EventSource.CLOSED)) return;
  feed = new EventSource(`/api/v1/changes?since=${page.dataset.revision}&wait=10m`);
  for (const kind of ["registered", "updated", "health", "expired", "removed"]) feed.addEventListener(kind, () => schedule(0));
  // It connects again by itself, or is begun anew after the next refresh; that one also finds out whether the node is there.
  feed.onerror = () => schedule(0);
}

function rest() {
  feed?.close();
  feed = null;
  if (plan !== null) clearTimeout(plan.id);
  plan = null;
}

if (isLive) {
  document.addEventListener("visibilitychange", () => (document.hidden ? rest() : refresh()));
  addEventListener("offline", showAge);
  addEventListener("online", () => schedule(0));
  addEventListener("pagehide", rest);
  addEventListener("pageshow", (event) => { if (event.persisted) refresh(); });
  setInterval(showAge, 1000);
  showAge();
  listen();
  schedule(patience);
}
