// Ctrl+K: what the page offers now, by name. Every command is a control of the page.
import { $, $$ } from "./dom.js";

let found = [];
let at = 0;

const nameOf = (one) => (one.dataset.command || one.getAttribute("title") || one.textContent).replace(/\s+/g, " ").trim();
// A button beside a field wants the field first.
const shown = (one) => !one.disabled && !one.closest("[hidden], dialog, .line");

// What is meant by a key, then menus that are closed, then places; each name once.
function commands() {
  const reader = $("#reader .conversation, #reader .write") ? $$("#reader [data-key], #reader .tools button[name=action]") : [];
  const picked = $("#bulk.picking") ? $$("#bulk .tools button[name=action]") : [];
  const sheets = reader.length || picked.length ? $$(reader.length ? "#reader .tools .sheet button[name=action]" : "#bulk .tools .sheet button[name=action]") : [];
  const places = $$("#folders a, .side .foot a, .side .compose, .side [data-key]");
  const go = $("#palette").dataset.goto;
  const seen = new Set();
  return [...picked, ...reader, ...sheets, ...places].filter(shown).map((one) => {
    const name = nameOf(one).replace(/ \((.)\)$/, "");
    const key = one.dataset.key ?? "";
    return { one, key, name: one.closest("#folders") ? `${go} ${$(".name", one).textContent}` : name };
  }).filter(({ name, one }) => name && !one.classList.contains("hidden") && !seen.has(name) && seen.add(name));
}

function fits(name, words) {
  const folded = name.toLocaleLowerCase();
  return words.every((word) => folded.includes(word));
}

function draw() {
  const words = $("#command").value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  found = commands().filter(({ name }) => fits(name, words)).slice(0, 12);
  at = Math.min(at, Math.max(0, found.length - 1));
  $("#commands").replaceChildren(...found.map(({ name, key }, n) => {
    const line = document.createElement("li");
    line.id = `command${n}`;
    line.setAttribute("role", "option");
    line.setAttribute("aria-selected", String(n === at));
    line.append(name);
    if (key) {
      const letter = document.createElement("kbd");
      letter.append(key);
      line.append(letter);
    }
    return line;
  }));
  $("#command").setAttribute("aria-activedescendant", found.length ? `command${at}` : "");
  $("#palette [role=status]").textContent = found.length ? "" : $("#palette").dataset.none;
}

function run(n) {
  const chosen = found[n];
  $("#palette").close();
  if (!chosen) return;
  if (chosen.one.tagName === "SUMMARY") openMenu(chosen.one);
  else chosen.one.click();
}

// A menu that a key opens has the focus on its first entry.
export function openMenu(summary) {
  summary.parentElement.open = true;
  $("button, a, input", summary.nextElementSibling)?.focus();
}

export function openPalette() {
  if ($("dialog[open]")) return;
  $("#command").value = "";
  at = 0;
  draw();
  $("#palette").showModal();
  $("#command").focus();
}

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.shiftKey) {
    // In the editor Ctrl+K is the editor's.
    if (event.target.closest?.("[contenteditable]")) return;
    event.preventDefault();
    openPalette();
  }
  if (event.target.id !== "command") return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    at = (at + (event.key === "ArrowDown" ? 1 : -1) + found.length) % (found.length || 1);
    draw();
  } else if (event.key === "Enter") run(at);
  else return;
  event.preventDefault();
});
document.addEventListener("input", (event) => {
  if (event.target.id !== "command") return;
  at = 0;
  draw();
});
document.addEventListener("click", (event) => {
  const line = event.target.closest("#commands li");
  if (line) run([...line.parentElement.children].indexOf(line));
  else if (event.target.id === "palette") event.target.close();
  else if (event.target.closest("[data-palette]")) openPalette();
});
