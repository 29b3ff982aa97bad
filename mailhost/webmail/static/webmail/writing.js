// Writing: the editor, drafts that save themselves, files, people, reminders.
import { $, $$, notice, say } from "./dom.js";
import { belowQuote, Signatures, insertTemplate } from "./signatures.js";

const AFTER = 4000; // milliseconds of quiet until a draft is saved
const KEPT = new Set(["A", "B", "BLOCKQUOTE", "BR", "CODE", "DIV", "EM", "FONT", "H1", "H2", "H3", "I", "IMG", "LI", "OL", "P", "PRE", "S", "SPAN", "STRONG", "SUB", "SUP", "TABLE", "TBODY", "TD", "TH", "TR", "U", "UL"]);

// What is pasted is read in a document of its own, where nothing is fetched or run; the
// server cleans what is sent once more.
export function toFragment(html) {
  const inert = document.implementation.createHTMLDocument("");
  inert.body.innerHTML = html;
  for (const one of [...inert.body.querySelectorAll("*")]) {
    if (/^(SCRIPT|STYLE|TEMPLATE|TITLE|SVG|MATH|IFRAME|OBJECT|NOSCRIPT)$/i.test(one.tagName)) one.remove();
    else if (!KEPT.has(one.tagName)) one.replaceWith(...one.childNodes);
    else for (const { name, value } of [...one.attributes]) {
      const fine = (name === "href" && /^(https?|mailto):/i.test(value)) || (name === "src" && /^(data:image\/(png|gif|jpeg|webp);|\/inline\/)/i.test(value)) || name === "alt";
      if (!fine) one.removeAttribute(name);
    }
  }
  const fragment = document.createDocumentFragment();
  fragment.append(...[...inert.body.childNodes].map((one) => document.importNode(one, true)));
  return fragment;
}

class Writing {
  constructor(form) {
    this.form = form;
    this.editor = null;
    this.due = null;
    this.saving = Promise.resolve();
    this.signatures = new Signatures(this);
    form.addEventListener("input", () => this.changed());
    if (!$("[name=plain]", form).value) this.rich();
    $("[data-plain]", form).addEventListener("click", () => this.toPlain());
    $(".format", form).addEventListener("click", (event) => {
      const action = event.target.closest("[data-format]")?.dataset.format;
      if (action && this.editor) {
        if (["bold", "italic", "underline"].includes(action)) {
          const tag = { bold: "B", italic: "I", underline: "U" }[action];
          this.editor[this.editor.hasFormat(tag) ? `remove${action[0].toUpperCase()}${action.slice(1)}` : action]();
        } else this.editor[action]();
        this.editor.focus();
      }
    });
    this.focus();
  }

  async rich() {
    const { Squire, default: other } = await import(this.form.dataset.editor);
    const root = $(".editor", this.form);
    const text = $("#id_text", this.form);
    if (!root.isConnected) return;
    this.editor = new (Squire ?? other)(root, { sanitizeToDOMFragment: toFragment });
    const html = $("[name=html]", this.form).value || text.value.split("\n").map((line) => `<div>${line.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`) || "<br>"}</div>`).join("");
    this.editor.setHTML(html);
    $(".format", this.form).hidden = root.hidden = false;
    text.hidden = true;
    this.editor.addEventListener("input", () => this.changed());
    this.editor.addEventListener("pasteImage", (event) => {
      for (const item of event.detail.clipboardData.items) {
        const file = item.getAsFile();
        if (file?.type.startsWith("image/")) this.picture(file);
      }
    });
    this.form.dataset.ready = "yes";
    this.focus();
  }

  picture(file) {
    const reader = new FileReader();
    reader.addEventListener("load", () => this.editor.insertImage(reader.result, { alt: file.name }));
    reader.readAsDataURL(file);
  }

  toPlain() {
    $("#id_text", this.form).value = $(".editor", this.form).innerText;
    $("[name=plain]", this.form).value = "1";
    $("[name=html]", this.form).value = "";
    this.editor.destroy();
    this.editor = null;
    $(".format", this.form).hidden = $(".editor", this.form).hidden = true;
    $("#id_text", this.form).hidden = false;
    $("#id_text", this.form).focus();
  }

  focus() {
    const to = $("#id_to", this.form);
    if (!to.value) to.focus({ preventScroll: true });
    else if (this.editor) {
      this.editor.moveCursorToStart();
      this.editor.focus();
      if ($("[data-below]", this.form)) belowQuote(this.editor, $(".editor", this.form));
    } else {
      $("#id_text", this.form).focus({ preventScroll: true });
      const text = $("#id_text", this.form);
      const end = text.value.lastIndexOf("\n-- \n");
      const at = $("[data-below]", this.form) ? (end < 0 ? text.value.length : end) : 0;
      text.setSelectionRange(at, at);
    }
  }

  // The form's own field holds what the editor has.
  collect() {
    if (this.editor) $("[name=html]", this.form).value = this.editor.getHTML();
  }

  changed() {
    clearTimeout(this.due);
    this.due = setTimeout(() => this.save(), AFTER);
  }

  // One save at a time: each puts the next draft in the place of the last.
  save(progress) {
    clearTimeout(this.due);
    this.saving = this.saving.then(() => this.put(progress)).catch(() => {});
    return this.saving;
  }

  put(progress) {
    if (!this.form.isConnected || this.form.dataset.sent) return undefined;
    this.collect();
    const fields = new FormData(this.form);
    fields.set("action", "draft");
    fields.set("auto", "1");
    if (!progress) fields.delete("attached");
    return new Promise((done) => {
      const request = new XMLHttpRequest();
      request.open("POST", this.form.getAttribute("action"));
      if (progress) request.upload.addEventListener("progress", (event) => progress(event.loaded / event.total));
      request.addEventListener("loadend", () => {
        this.saved(request, Boolean(progress));
        done();
      });
      request.send(fields);
    });
  }

  saved(request, withFiles) {
    const draft = request.getResponseHeader("X-Draft");
    if (request.status !== 200 || !draft || !this.form.isConnected) {
      if (withFiles) notice(request.status === 409 ? request.responseText : say("file"));
      return;
    }
    $("[name=draft]", this.form).value = draft;
    $(".saved", this.form).textContent = say("saved");
    // Files are now parts of the draft. Our own template, escaped there.
    const waits = $("[name=attached]", this.form)?.files.length && !withFiles;
    if (!waits) $(".attach", this.form).innerHTML = request.responseText;
  }

  upload() {
    const bar = $("progress", this.form);
    bar.hidden = false;
    return this.save((part) => (bar.value = part));
  }

  // What is written here, without what it quotes; plain text has a signature behind.
  ownWords() {
    const subject = $("#id_subject", this.form).value;
    if (!this.editor) {
      const lines = $("#id_text", this.form).value.split(/^-- $/m)[0].split("\n");
      return [subject, ...lines.filter((line) => !line.startsWith(">"))].join("\n");
    }
    const copy = $(".editor", this.form).cloneNode(true);
    for (const one of $$("blockquote", copy)) one.remove();
    return `${subject}\n${copy.textContent}`;
  }

  // Asks before a letter leaves without what it speaks of.
  forgot() {
    const own = this.ownWords();
    const has = $("[name=kept]:checked", this.form) || $("[name=attached]", this.form).files.length;
    return new RegExp(say("attachment"), "i").test(own) && !has && !confirm(say("forgot"));
  }
}

let current = null;
export function startWriting() {
  const form = $("#reader .write");
  if (form && current?.form !== form) current = new Writing(form);
}

document.addEventListener("click", (event) => {
  if (event.target.closest(".write button[value=send]") && current?.forgot()) {
    event.preventDefault();
    event.stopPropagation();
  }
}, true);
document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.elt !== current?.form) return;
  clearTimeout(current.due);
  current.collect();
  event.detail.formData.set("html", $("[name=html]", current.form).value);
});
document.addEventListener("click", (event) => {
  const chosen = event.target.closest(".write [data-template]");
  if (chosen && current) insertTemplate(current, chosen.dataset.template);
});
document.addEventListener("change", (event) => {
  if (event.target.name === "attached" && event.target.files.length) current?.upload();
});
document.addEventListener("dragover", (event) => {
  if (event.dataTransfer.types.includes("Files") && event.target.closest?.(".write")) {
    event.preventDefault();
    current?.form.classList.add("over");
  }
});
document.addEventListener("dragleave", (event) => {
  if (event.target === current?.form) current.form.classList.remove("over");
});
document.addEventListener("drop", (event) => {
  const form = event.target.closest?.(".write");
  if (!form || !event.dataTransfer.files.length) return;
  event.preventDefault();
  form.classList.remove("over");
  $("[name=attached]", form).files = event.dataTransfer.files;
  current?.upload();
});

// People: what stands after the last comma is looked up.
let asked = 0;
let waits = null;
function list(field) {
  let found = field.parentElement.querySelector(".persons");
  if (!found) {
    found = document.createElement("div");
    found.className = "persons";
    found.setAttribute("role", "listbox");
    field.parentElement.append(found);
  }
  return found;
}
async function ask(field) {
  const number = (asked += 1);
  const begun = field.value.split(",").at(-1).trim();
  const answer = begun && (await fetch(`${field.form.dataset.people}?q=${encodeURIComponent(begun)}`).catch(() => null));
  if (number !== asked) return;
  // Our own template, escaped there.
  list(field).innerHTML = answer?.ok ? await answer.text() : "";
}
function choose(field, option) {
  const before = field.value.split(",").slice(0, -1);
  field.value = `${[...before.map((one) => one.trim()), option.dataset.address].join(", ")}, `;
  list(field).replaceChildren();
  field.focus();
}
document.addEventListener("input", (event) => {
  if (event.target.dataset.people === undefined || event.target.tagName !== "INPUT") return;
  clearTimeout(waits);
  waits = setTimeout(() => ask(event.target), 120);
});
document.addEventListener("focusout", (event) => {
  const found = event.target.parentElement?.querySelector(".persons");
  if (found) setTimeout(() => found.replaceChildren(), 150);
});
document.addEventListener("mousedown", (event) => {
  const option = event.target.closest(".persons [role=option]");
  if (!option) return;
  event.preventDefault();
  choose($("input", option.closest(".field")), option);
});
document.addEventListener("keydown", (event) => {
  const found = event.target.dataset?.people !== undefined && event.target.parentElement.querySelector(".persons");
  if (!found?.children?.length) return;
  const options = [...found.children];
  const here = options.findIndex((one) => one.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const next = (here + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length;
    options.forEach((one, n) => one.setAttribute("aria-selected", String(n === next)));
  } else if (event.key === "Enter" || event.key === "Tab") choose(event.target, options[Math.max(0, here)]);
  else if (event.key === "Escape") found.replaceChildren();
  else return;
  event.preventDefault();
  event.stopPropagation();
}, true);
