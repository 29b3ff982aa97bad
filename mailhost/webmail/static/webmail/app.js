// What htmx does not do by itself: panes, notices, selection, live updates.
// Events are listened to on the document: what is swapped in needs no setting up.
import { startKeys } from "./keys.js";
import { startLive } from "./live.js";
import { fitFrames } from "./frames.js";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const app = () => $(".app");

export function show(pane) {
  if (pane === "search") {
    show("list");
    $("#q")?.focus();
    return;
  }
  app().dataset.pane = pane;
  for (const button of $$("[data-show]")) {
    button.setAttribute("aria-pressed", String(button.dataset.show === pane));
  }
}

export function notice(text) {
  const line = document.createElement("p");
  line.textContent = text;
  $("#notices").append(line);
  setTimeout(() => line.remove(), 5000);
}

// The row of the message that is open, and the selection.
export function refreshMarks() {
  const open = $("#reader .letter")?.dataset.where;
  for (const row of $$(".row")) {
    row.classList.toggle("open", row.dataset.where === open);
  }
  const picked = $$("#rows input[name=uid]:checked").length;
  $("#bulk")?.classList.toggle("picking", picked > 0);
  const all = $("#all");
  if (all) {
    const most = $$("#rows input[name=uid]").length;
    all.checked = picked > 0 && picked === most;
    all.indeterminate = picked > 0 && picked < most;
  }
}

let remembered = new Set();

document.addEventListener("htmx:configRequest", (event) => {
  // A list that is asked for again comes down to where it was.
  if (event.detail.elt.id === "rows") {
    const uids = $$(".row").map((row) => Number(row.dataset.uid));
    if (uids.length) event.detail.parameters.down_to = Math.min(...uids);
  }
});

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id === "rows") {
    remembered = new Set($$("#rows input[name=uid]:checked").map((one) => one.value));
  }
});

document.addEventListener("htmx:afterSwap", (event) => {
  const id = event.detail.target.id;
  if (id === "rows") {
    for (const box of $$("#rows input[name=uid]")) box.checked = remembered.has(box.value);
  }
  if (id === "reader") {
    show($("#reader .blank") ? "list" : "reader");
    const field = $("#reader .write");
    if (field) startWriting(field);
    else if (event.detail.requestConfig?.triggeringEvent?.type === "click") $("#reader").focus();
    fitFrames();
  }
  refreshMarks();
});

function startWriting(form) {
  const to = $("#id_to", form);
  const text = $("#id_text", form);
  if (to.value) {
    text.focus({ preventScroll: true });
    text.setSelectionRange(0, 0);
  } else {
    to.focus({ preventScroll: true });
  }
}

document.addEventListener("htmx:responseError", (event) => {
  const request = event.detail.xhr;
  const plain = request.getResponseHeader("Content-Type")?.startsWith("text/plain");
  if (request.status === 404) notice(document.body.dataset.gone || "Not found.");
  else notice(plain ? request.responseText : "Something went wrong.");
});
document.addEventListener("htmx:sendError", () => notice("No connection."));
document.addEventListener("htmx:beforeSwap", (event) => {
  // After the session has ended the answer is the login page: go there as a whole.
  if (event.detail.xhr.responseURL.includes("/login/")) {
    event.detail.shouldSwap = false;
    location.reload();
  }
});

document.addEventListener("mailnotice", (event) => notice(event.detail.value));
document.addEventListener("mailgone", (event) => {
  const uids = event.detail.uids ?? [];
  for (const uid of uids) $(`.row[data-uid="${uid}"]`)?.remove();
  const open = $("#reader .letter")?.dataset.where?.split(".")[2];
  if (uids.map(String).includes(open)) {
    $("#reader").replaceChildren();
    show("list");
  }
  if (!$("#reader .letter")) {
    const here = $("#folders [aria-current]");
    if (here) history.replaceState(null, "", here.href);
  }
  refreshMarks();
});
document.addEventListener("mailacted", () => {
  for (const box of $$("#rows input:checked, #all")) box.checked = false;
  refreshMarks();
});

document.addEventListener("click", (event) => {
  const shower = event.target.closest("[data-show]");
  if (shower) show(shower.dataset.show);
  const back = event.target.closest("[data-back]");
  if (back && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    show("list");
    history.pushState(null, "", $("#folders [aria-current]")?.href ?? back.href);
  }
});
window.addEventListener("popstate", (event) => {
  if (!event.state?.htmx) location.reload();
});

document.addEventListener("change", (event) => {
  const { target } = event;
  if (target.id === "all") {
    for (const box of $$("#rows input[name=uid]:enabled")) box.checked = target.checked;
  }
  if (target.matches("#all, #rows input")) refreshMarks();
  if (target.dataset.submit && target.value) {
    target.form.requestSubmit($(`button[value=${target.dataset.submit}]`, target.form));
    target.value = "";
  }
  if (target.type === "file") {
    const names = [...target.files].map((file) => {
      const chip = document.createElement("span");
      chip.className = "chip";
      chip.textContent = file.name;
      return chip;
    });
    $("#picked").replaceChildren(...names);
  }
});

show(app().dataset.pane);
fitFrames();
refreshMarks();
const writing = $("#reader .write");
if (writing) startWriting(writing);
startKeys({ show, refreshMarks });
startLive(app().dataset.live);
