// What is seen of mail while nobody looks: counts, notifications, being offline.
import { $, say } from "./dom.js";

const SOON = 3000; // a connection that is back by then was never gone
const inboxes = () => [...document.querySelectorAll("#folders [data-inbox]")];
const unseen = () => inboxes().reduce((sum, one) => sum + Number(one.dataset.inbox), 0);

let told = -1;
async function count() {
  const now = unseen();
  if (now === told) return;
  const came = told >= 0 && now > told;
  told = now;
  navigator.setAppBadge?.(now).catch(() => {});
  title();
  await badge(now);
  if (came && document.hidden) notify();
}

function title() {
  const bare = document.title.replace(/^\(\d+\) /, "");
  const wanted = told > 0 ? `(${told}) ${bare}` : bare;
  if (document.title !== wanted) document.title = wanted;
}

// The icon of the tab, with a dot where something is unread.
async function badge(number) {
  const link = $("link[rel=icon]");
  link.dataset.unmarked ??= link.href;
  if (!number) {
    link.href = link.dataset.unmarked;
    return;
  }
  const picture = new Image(64, 64);
  picture.src = link.dataset.unmarked;
  await picture.decode().catch(() => {});
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 64 });
  const pen = canvas.getContext("2d");
  pen.drawImage(picture, 0, 0, 64, 64);
  pen.fillStyle = "#d93025";
  pen.beginPath();
  pen.arc(46, 46, 18, 0, 7);
  pen.fill();
  pen.fillStyle = "#fff";
  pen.font = "bold 24px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(number > 9 ? "9+" : String(number), 46, 47);
  link.href = canvas.toDataURL("image/png");
}

// Of what came while the page was hidden: the newest, by name and subject.
async function notify() {
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  const inbox = inboxes()[0].querySelector("a").href;
  const headers = { "HX-Request": "true", "HX-Target": "rows" };
  const answer = await fetch(`${inbox}?show=unread`, { headers }).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const row = page.querySelector(".row.unread");
  if (!row) return;
  const text = (part) => row.querySelector(part).textContent.trim();
  for (const hidden of row.querySelectorAll(".hidden")) hidden.remove();
  const shown = new Notification(text(".who"), { body: text(".subject"), tag: row.dataset.m, icon: $(".brand img").src });
  shown.addEventListener("click", () => {
    window.focus();
    location.assign(row.querySelector("a").getAttribute("href"));
  });
}

// The button in the settings: only a click may ask.
function asking() {
  const button = $("[data-notify]");
  if (!button) return;
  const state = "Notification" in window ? Notification.permission : "denied";
  button.hidden = state !== "default";
  for (const one of document.querySelectorAll("[data-notify-state]")) one.hidden = one.dataset.notifyState !== state;
}
document.addEventListener("click", async (event) => {
  if (!event.target.closest("[data-notify]")) return;
  await Notification.requestPermission();
  asking();
});

let due = null;
function offline(is) {
  clearTimeout(due);
  const bar = $("#offline");
  if (is) due = setTimeout(() => { bar.textContent = say("away"); bar.hidden = false; }, navigator.onLine ? SOON : 0);
  else { bar.hidden = true; bar.textContent = ""; }
}
document.addEventListener("maillive", (event) => offline(!event.detail.on));
window.addEventListener("offline", () => offline(true));

export function startPresence(worker) {
  count();
  asking();
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id === "folders") count();
    if (event.detail.target.id === "reader") asking();
  });
  new MutationObserver(title).observe($("title"), { childList: true });
  navigator.serviceWorker?.register(worker).catch(() => {});
}
