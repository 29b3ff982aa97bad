// Where the keyboard is after something went: never nowhere.
import { $, $$ } from "./dom.js";

const lost = () => !document.activeElement || document.activeElement === document.body;
const link = (row) => row?.querySelector(":scope > a");

// From the reader back to the row that it showed.
document.addEventListener("mailpane", (event) => {
  if (event.detail.pane !== "list") return;
  if ($("#reader").contains(document.activeElement) || lost()) link($(".row.open"))?.focus();
});

// From a row that went to the one in its place.
let at = -1;
let within = false;
document.addEventListener("mailgone", (event) => {
  const gone = new Set(event.detail.m ?? []);
  const rows = $$(".row");
  at = rows.filter((row, n) => !gone.has(row.dataset.m) && n < rows.findIndex((one) => gone.has(one.dataset.m))).length;
  within = $("#reader").contains(document.activeElement) || $("#bulk").contains(document.activeElement);
}, true);
document.addEventListener("mailgone", () => setTimeout(() => {
  if (!within || !(lost() || !document.activeElement.checkVisibility())) return;
  const rows = $$(".row");
  (link(rows[Math.min(at, rows.length - 1)]) ?? $("#list")).focus();
}));

// A menu closes as it was opened: from the keyboard.
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && event.target.closest?.("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
  event.stopImmediatePropagation();
}, true);
