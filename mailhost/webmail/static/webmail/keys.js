// A small set of keys; none while somebody types.
import { openMenu } from "./palette.js";

const $ = (selector) => document.querySelector(selector);

function step(by) {
  const rows = [...document.querySelectorAll(".row")];
  if (!rows.length) return;
  const here = rows.findIndex((row) => row.classList.contains("open") || row.contains(document.activeElement));
  const next = rows[Math.max(0, Math.min(rows.length - 1, here + by))];
  next.scrollIntoView({ block: "nearest" });
  next.querySelector(":scope > a").click();
}

function pick(refreshMarks) {
  const row = document.activeElement?.closest?.(".row") ?? $(".row.open");
  const box = row?.querySelector("input[name=m]");
  if (box) box.checked = !box.checked;
  refreshMarks();
}

export function startKeys({ show, refreshMarks }) {
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.dataset?.enters !== undefined) {
      // The form's first button is another one.
      event.preventDefault();
      event.target.parentElement.querySelector("button").click();
      return;
    }
    const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select, dialog, [contenteditable]");
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      $("#reader [data-send]")?.click();
      return;
    }
    if (event.key === "Escape" && !$("dialog[open]")) {
      if (typing) event.target.blur();
      else show("list");
      return;
    }
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key;
    if (key === "j") step(1);
    else if (key === "k") step(-1);
    else if (key === "x") pick(refreshMarks);
    else if (key === "/") $("#q")?.focus();
    else if (key === "?") $("#keys").showModal();
    else {
      // What is picked goes first. The newest letter of a conversation is answered.
      const picked = $("#bulk.picking") && [...document.querySelectorAll("#bulk .tools [data-key]")].find((one) => one.dataset.key === key);
      const found = picked || [...document.querySelectorAll("[data-key]")].filter((one) => !one.closest("#bulk")).reverse().find((one) => one.dataset.key === key);
      if (!found) return;
      if (found.tagName === "SUMMARY") openMenu(found);
      else found.click();
    }
    event.preventDefault();
  });
}
