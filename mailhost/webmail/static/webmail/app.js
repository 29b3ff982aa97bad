// What htmx does not do by itself: panes, notices, menus, live updates.
// Events are listened to on the document: what is swapped in needs no setting up.
import { $, $$, notice, post, say } from "./dom.js";
import { startKeys } from "./keys.js";
import { startLive } from "./live.js";
import { startPresence } from "./presence.js";
import { fitFrames } from "./frames.js";
import { clearPicked, refreshMarks } from "./picking.js";
import "./carrying.js";
import "./focus.js";
import "./moving.js";
import "./suggesting.js";
import "./palette.js";
import { startRich } from "./signatures.js";
import { startWriting, toFragment } from "./writing.js";

const app = () => $(".app");

export function show(pane) {
  if (pane === "search") {
    show("list");
    $("#q")?.focus();
    return;
  }
  app().dataset.pane = pane;
  document.dispatchEvent(new CustomEvent("mailpane", { detail: { pane } }));
  for (const button of $$("[data-show]")) {
    button.setAttribute("aria-pressed", String(button.dataset.show === pane));
  }
}

document.addEventListener("htmx:configRequest", (event) => {
  // A list that is asked for again comes down to where it was.
  if (event.detail.elt.id !== "rows") return;
  event.detail.parameters.shown = $$(".row").length;
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "reader") {
    show($("#reader .blank") ? "list" : "reader");
    if ($("#reader .write")) startWriting();
    else if (event.detail.requestConfig?.triggeringEvent?.type === "click") $("#reader").focus();
    toNewest();
  }
  if ($("[data-rich]")) startRich(toFragment);
  if (event.detail.target.id === "list") {
    // A letter that is being written stays where it is.
    if (!$("#reader .write")) $("#reader").replaceChildren($("#nobody").content.cloneNode(true));
    show("list");
    $("#list").focus();
  }
  if (event.detail.target.id === "preview") event.detail.target.showModal();
  fitFrames();
  refreshMarks();
});

function titleOfList() {
  document.title = `${$("#list h1").textContent} · ${$(".brand h1").textContent}`;
}

// A long conversation opens where it is unread, or at its end.
function toNewest() {
  const found = $("#reader .letter.unread[open]") ?? $$("#reader .letter[open]").at(-1);
  if (found && $$("#reader .letter").length > 1) found.scrollIntoView({ block: "start" });
}

document.addEventListener("htmx:responseError", (event) => {
  const request = event.detail.xhr;
  const plain = request.getResponseHeader("Content-Type")?.startsWith("text/plain");
  if (request.status === 404) notice(say("gone"));
  else notice(plain ? request.responseText : say("failed"));
});
document.addEventListener("htmx:sendError", () => notice(say("offline")));
document.addEventListener("htmx:beforeSwap", (event) => {
  // After the session has ended the answer is the login page: go there as a whole.
  if (event.detail.xhr.responseURL.includes("/login/")) {
    event.detail.shouldSwap = false;
    location.reload();
  }
});

document.addEventListener("mailnotice", (event) => {
  const { text, value, undo, unsend } = event.detail;
  notice(text ?? value, undo ? `/undo/${undo}/` : unsend && `/unsend/${unsend}/`);
});
document.addEventListener("mailopen", (event) => htmx.ajax("GET", event.detail.url, { target: "#reader", swap: "innerHTML" }));
document.addEventListener("mailgone", (event) => {
  const gone = event.detail.m ?? [];
  for (const m of gone) document.getElementById(`row${m}`)?.remove();
  const open = $("#reader .conversation")?.dataset.m;
  if (gone.includes(open)) {
    $("#reader").replaceChildren();
    show("list");
  }
  if (!$("#reader .conversation")) {
    titleOfList();
    const here = $("#folders [aria-current]");
    if (here) history.replaceState(null, "", here.href);
  }
  refreshMarks();
});
document.addEventListener("mailacted", (event) => {
  if (event.detail.action === "unread") {
    $("#reader").replaceChildren();
    show("list");
  }
  const star = event.target.closest?.(".conversation") && $(".conversation .bar .star");
  if (star && event.detail.action.endsWith("flag")) {
    star.setAttribute("aria-pressed", String(event.detail.action === "flag"));
    star.value = event.detail.action === "flag" ? "unflag" : "flag";
  }
  for (const menu of $$("details.menu[open]")) menu.open = false;
  clearPicked();
});

document.addEventListener("click", (event) => {
  const shower = event.target.closest("[data-show]");
  if (shower) show(shower.dataset.show);
  const back = event.target.closest("[data-back]");
  if (back && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    show("list");
    titleOfList();
    history.pushState(null, "", $("#folders [aria-current]")?.href ?? back.href);
  }
  for (const menu of $$("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("click", (event) => {
  const asks = event.target.closest("[data-confirm]");
  if (asks && !confirm(asks.dataset.confirm)) {
    event.preventDefault();
    event.stopPropagation();
  }
}, true);
window.addEventListener("popstate", (event) => {
  if (!event.state?.htmx && !location.hash) location.reload();
});

document.addEventListener("change", (event) => {
  const { target } = event;
  if (target.dataset.submit && target.value) {
    // A click: htmx asks which button was pressed last.
    $(`button[value=${target.dataset.submit}]`, target.form).click();
    target.value = "";
  }
  if (target.dataset.label !== undefined && target.value) {
    const [action, word] = target.value.split(" ");
    $("input[name=label]", target.form).value = word;
    $(`button[value=${action}]`, target.form).click();
    target.value = "";
  }
});
document.addEventListener("toggle", (event) => {
  // A menu at a letter's end opens to where there is more room.
  const menu = event.target;
  if (menu.matches?.(".answers .menu[open]")) {
    const { top, bottom } = $(".scroll", menu.closest(".conversation")).getBoundingClientRect();
    const here = menu.getBoundingClientRect();
    menu.classList.toggle("up", here.top - top > bottom - here.bottom);
  }
  // Frames are measured when they can be seen.
  if (event.target.matches?.(".letter[open]")) fitFrames();
}, true);

show(app().dataset.pane);
fitFrames();
refreshMarks();
toNewest();
startWriting();
startRich(toFragment);
startKeys({ show, refreshMarks });
startLive(app().dataset.live);
// Who never chose a time zone gets that of the browser.
const { zone } = document.body.dataset;
if (zone) {
  await post(zone, { zone: Intl.DateTimeFormat().resolvedOptions().timeZone });
  delete document.body.dataset.zone;
}
startPresence(app().dataset.worker);
