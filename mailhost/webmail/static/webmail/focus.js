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
let before = 0;
let within = false;
document.addEventListener("htmx:beforeRequest", () => {
  const open = $$(".row").findIndex((row) => row.matches(".open, :focus-within") || row.querySelector("input:checked"));
  if (open >= 0) before = open;
});
document.addEventListener("mailgone", (event) => {
  const gone = new Set(event.detail.m ?? []);
  const rows = $$(".row");
  const first = rows.findIndex((one) => gone.has(one.dataset.m));
  // The list may have heard of it before the answer came.
  at = first < 0 ? before : first;
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
