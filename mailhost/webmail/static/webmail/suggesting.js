// Operators and values under the search box, by arrow keys or pointer.
import { $, $$ } from "./dom.js";

const box = () => $("#q");
const list = () => $("#suggestions");
let due = null;
let asked = 0;

function close() {
  clearTimeout(due);
  asked += 1;
  const shown = list();
  if (!shown) return;
  shown.hidden = true;
  box().setAttribute("aria-expanded", "false");
  box().removeAttribute("aria-activedescendant");
}

async function ask() {
  const number = (asked += 1);
  const url = `${box().form.dataset.suggest}?q=${encodeURIComponent(box().value)}`;
  const response = await fetch(url).catch(() => null);
  const text = response?.ok && !response.redirected ? await response.text() : "";
  if (number !== asked || document.activeElement !== box()) return;
  // Our own template, escaped there.
  list().innerHTML = text;
  list().hidden = !text.trim();
  box().setAttribute("aria-expanded", String(!list().hidden));
}

// What was offered for other words is not what Enter means now.
function unselect() {
  for (const one of $$("[aria-selected=true]", list())) one.setAttribute("aria-selected", "false");
  box().removeAttribute("aria-activedescendant");
}

function choose(option) {
  unselect();
  box().value = option.dataset.query;
  box().focus();
  if (option.dataset.query.endsWith(" ")) box().form.requestSubmit();
  else ask();
}

function step(by) {
  const found = $$("[role=option]", list());
  if (!found.length) return;
  const here = found.findIndex((one) => one.getAttribute("aria-selected") === "true");
  const next = found[(here + by + found.length + (here < 0 && by < 0 ? 1 : 0)) % found.length];
  for (const one of found) one.setAttribute("aria-selected", String(one === next));
  box().setAttribute("aria-activedescendant", next.id);
}

document.addEventListener("input", (event) => {
  if (event.target !== box()) return;
  unselect();
  clearTimeout(due);
  due = setTimeout(ask, 120);
});
document.addEventListener("focusin", (event) => {
  if (event.target === box()) ask();
});
document.addEventListener("focusout", (event) => {
  if (event.target === box()) setTimeout(() => list()?.contains(document.activeElement) || close(), 150);
});
document.addEventListener("mousedown", (event) => {
  if (event.target.closest("#suggestions")) event.preventDefault();
});
document.addEventListener("click", (event) => {
  const option = event.target.closest("#suggestions [role=option]");
  if (option) choose(option);
});
document.addEventListener("keydown", (event) => {
  if (event.target !== box() || list().hidden) return;
  const chosen = $("[aria-selected=true]", list());
  if (event.key === "ArrowDown" || event.key === "ArrowUp") step(event.key === "ArrowDown" ? 1 : -1);
  else if ((event.key === "Enter" || event.key === "Tab") && chosen) choose(chosen);
  else if (event.key === "Escape") close();
  else return;
  event.preventDefault();
  event.stopPropagation();
}, true);
