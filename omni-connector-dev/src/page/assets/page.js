// Improves the page, which also works without scripts: updates parts with `data-live`, adds keyboard shortcuts for panes and
// buttons, and shows a source as soon as it is selected.
"use strict";

// Live parts. After a change event, reloads the same URL and replaces only parts that differ.
let stream, again = false, busy = false;

const isEdited = (part) =>
  part.contains(document.activeElement) && document.activeElement.matches("input, textarea, select");

function replace(part, fresh) {
  if (part.innerHTML === fresh.innerHTML || isEdited(part)) return;
  const active = document.activeElement;
  const path = part.contains(active) ? pathTo(part, active) : null;
  const open = [...part.querySelectorAll("details")].map((one) => [summary(one), one.open]);
  const log = part.matches("[data-follow]") ? part.querySelector("pre") : null;
  const isAtEnd = !log || log.scrollHeight - log.scrollTop - log.clientHeight < 20;
  part.replaceChildren(...fresh.childNodes);
  for (const one of part.querySelectorAll("details")) {
    const before = open.find(([name]) => name === summary(one));
    if (before) one.open = before[1];
  }
  if (path) follow(part, path)?.focus({ preventScroll: true });
  if (part.matches("[data-follow]") && isAtEnd) toEnd(part);
}

const summary = (details) => details.querySelector("summary")?.textContent;

function pathTo(part, element) {
  const path = [];
  for (let at = element; at !== part; at = at.parentElement) path.unshift([...at.parentElement.children].indexOf(at));
  return path;
}

const follow = (part, path) => path.reduce((at, index) => at?.children[index], part);

function toEnd(part) {
  const log = part.querySelector("pre");
  if (log) log.scrollTop = log.scrollHeight;
}

async function refresh() {
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (answer.ok) {
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of document.querySelectorAll("[data-live]")) {
        const other = part.id && fresh.getElementById(part.id);
        if (other) replace(part, other);
      }
      // The server opens the log when the connector ended.
      const log = fresh.querySelector("details.log");
      if (log?.open) document.querySelector("details.log").open = true;
    }
  } catch {
    offline();
  }
  busy = false;
  if (again) {
    again = false;
    setTimeout(refresh, 250);
  }
}

function offline() {
  const state = document.getElementById("state");
  state.textContent = "The manager does not answer; is `cargo omni dev` still running?";
}

function listen() {
  // A browser allows few connections to one host, and people open many tabs.
  if (document.hidden) {
    stream?.close();
    stream = undefined;
  } else if (!stream) {
    stream = new EventSource("/dev/events");
    stream.addEventListener("change", refresh);
    stream.addEventListener("error", offline);
    stream.addEventListener("open", refresh);
  }
}
document.addEventListener("visibilitychange", listen);
if (document.querySelector("[data-live]")) listen();
addEventListener("pagehide", () => stream?.close());
addEventListener("pageshow", (event) => {
  if (event.persisted) {
    stream = undefined;
    listen();
  }
});

// Elapsed times.
setInterval(() => {
  if (!document.hidden && document.querySelector(".light.busy")) refresh();
}, 1000);

// Selections and confirmations.
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
});
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-confirm]");
  if (button && !confirm(button.dataset.confirm)) event.preventDefault();
});

// A value of a document shows where it stood in the item of the source.
for (const change of ["pointerover", "focusin", "pointerout", "focusout"]) {
  document.addEventListener(change, (event) => {
    const from = event.target.closest?.("a.from");
    const value = from && document.getElementById(from.hash.slice(1));
    value?.classList.toggle("lit", change === "pointerover" || change === "focusin");
  });
}

// Keys.
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "k") {
    const palette = document.getElementById("palette");
    if (!document.querySelector("dialog[open]")) palette.showModal();
    palette.querySelector('[name="go"]').select();
    event.preventDefault();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input, textarea, select")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const keys = document.getElementById("keys");
  if (keys.open) return;
  const pane = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  const button = document.querySelector(`[data-press="${CSS.escape(event.key)}"]`);
  if (pane) pane.click();
  else if (button) button.click();
  else if (event.key === "?") keys.showModal();
  else if (event.key === "/") {
    const field = document.querySelector("[data-search]");
    if (field) field.focus();
    else document.querySelector('.panes a[href^="/dev/documents"]').click();
  } else return;
  event.preventDefault();
});

for (const part of document.querySelectorAll("[data-follow]")) toEnd(part);
document.querySelector("details.log")?.addEventListener("toggle", () => toEnd(document.getElementById("log")));
