// Rows are dragged to a folder, and on phones swiped: right archives, left deletes.
import { $, $$, post, say } from "./dom.js";

const FAR = 90; // pixels after which a swipe counts
const threads = () => ($("#bulk input[name=threads]") ? { threads: "1" } : {});

function fields(action, more, rows) {
  return [["action", action], ...Object.entries({ ...threads(), ...more }), ...rows.map((m) => ["m", m])];
}

// Of a picked row all that are picked go along.
function carried(row) {
  const picked = $$(".row.picked").map((one) => one.dataset.m);
  return picked.includes(row.dataset.m) ? picked : [row.dataset.m];
}

let dragged = [];
document.addEventListener("dragstart", (event) => {
  const row = event.target.closest?.(".row");
  if (!row) return;
  dragged = carried(row);
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", row.querySelector(".subject").textContent);
  const ghost = $("#ghost");
  ghost.textContent = say("selected", { number: dragged.length });
  event.dataTransfer.setDragImage(ghost, 12, 12);
  document.body.classList.add("dragging");
});
document.addEventListener("dragend", () => {
  dragged = [];
  document.body.classList.remove("dragging");
  for (const one of $$("#folders .over")) one.classList.remove("over");
});
document.addEventListener("dragover", (event) => {
  const folder = dragged.length && event.target.closest?.("#folders [data-folder]");
  for (const one of $$("#folders .over")) if (one !== folder) one.classList.remove("over");
  if (!folder) return;
  event.preventDefault();
  folder.classList.add("over");
});
document.addEventListener("drop", (event) => {
  const folder = dragged.length && event.target.closest?.("#folders [data-folder]");
  if (!folder) return;
  event.preventDefault();
  post($("#bulk").getAttribute("action"), fields("move", { to: folder.dataset.folder }, dragged));
});

let swipe = null;
document.addEventListener("pointerdown", (event) => {
  const row = event.pointerType === "touch" && event.target.closest?.(".row");
  swipe = row ? { row, x: event.clientX, y: event.clientY, by: 0, is: false } : null;
});
document.addEventListener("pointermove", (event) => {
  if (!swipe) return;
  const by = event.clientX - swipe.x;
  if (!swipe.is) {
    if (Math.abs(event.clientY - swipe.y) > 12) swipe = null;
    else if (Math.abs(by) > 14) swipe.is = true;
    if (!swipe?.is) return;
  }
  swipe.by = by;
  swipe.row.dataset.swipe = by > 0 ? "archive" : "delete";
  swipe.row.classList.toggle("far", Math.abs(by) > FAR);
  swipe.row.style.setProperty("--by", `${by}px`);
});
function ended(event) {
  const done = swipe;
  swipe = null;
  if (!done?.is) return;
  const { row, by } = done;
  delete row.dataset.swipe;
  row.classList.remove("far");
  row.style.removeProperty("--by");
  if (event.type === "pointercancel" || Math.abs(by) <= FAR) return;
  post($("#bulk").getAttribute("action"), fields(by > 0 ? "archive" : "delete", {}, [row.dataset.m]));
  // The finger's end is no click.
  document.addEventListener("click", (one) => { one.preventDefault(); one.stopPropagation(); }, { capture: true, once: true });
  setTimeout(() => document.body.click(), 50);
}
document.addEventListener("pointerup", ended);
document.addEventListener("pointercancel", ended);
