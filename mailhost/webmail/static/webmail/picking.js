// The selection of a list: single rows, a range with Shift, all that match.
import { $, $$ } from "./dom.js";

const boxes = () => $$("#rows input[name=m]");
let last = null;

export function refreshMarks() {
  const open = $("#reader .conversation")?.dataset.m;
  for (const row of $$(".row")) row.classList.toggle("open", row.dataset.m === open);
  const all = $("#all");
  if (!all) return;
  const found = boxes();
  const picked = found.filter((box) => box.checked).length;
  for (const box of found) box.closest(".row").classList.toggle("picked", box.checked);
  $("#bulk").classList.toggle("picking", picked > 0);
  all.checked = picked > 0 && picked === found.length;
  all.indeterminate = picked > 0 && picked < found.length;
  const match = $(".match");
  if (match) match.hidden = !all.checked;
  if (!all.checked) everything(false);
}

function everything(on) {
  $("#everything").value = on ? "1" : "";
  const match = $(".match");
  if (!match) return;
  $("[data-page]", match).hidden = $("[data-everything]", match).hidden = on;
  $("[data-all]", match).hidden = !on;
}

export function clearPicked() {
  for (const box of boxes()) box.checked = false;
  everything(false);
  refreshMarks();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-everything]")) everything(true);
  const box = event.target.closest("#rows input[name=m]");
  if (!box) return;
  const found = boxes();
  if (event.shiftKey && last) {
    const [from, to] = [found.indexOf(last), found.indexOf(box)].sort((a, b) => a - b);
    if (from >= 0) for (const one of found.slice(from, to + 1)) one.checked = box.checked;
  }
  last = box;
  refreshMarks();
});

document.addEventListener("change", (event) => {
  if (event.target.id !== "all") return;
  for (const box of boxes()) box.checked = event.target.checked;
  refreshMarks();
});

// A list that is swapped keeps what is ticked.
let remembered = new Set();
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id !== "rows") return;
  remembered = new Set(boxes().filter((one) => one.checked).map((one) => one.value));
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "rows") return;
  for (const box of boxes()) box.checked = remembered.has(box.value);
});
