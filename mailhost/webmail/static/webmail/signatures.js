// Signatures that follow the sender, templates, and signatures that are written.
import { $, $$, notice, say } from "./dom.js";

const plain = (text) => text.replace(/\s+/g, " ").trim();
const known = () => JSON.parse($("#senders")?.textContent || "{}");

// Where an answer is written that stands below what it answers.
export function belowQuote(editor, root) {
  const next = $$(":scope > blockquote", root).at(-1)?.nextElementSibling;
  if (!next) return;
  const range = document.createRange();
  range.setStart(next, 0);
  range.collapse(true);
  editor.setSelection(range);
}

export class Signatures {
  constructor(writing) {
    this.writing = writing;
    const chosen = $("#id_sender", writing.form);
    this.sender = chosen?.value;
    chosen?.addEventListener("change", () => this.change(chosen.value));
  }

  change(sender) {
    const old = known()[this.sender] ?? { html: "", text: "" };
    const next = known()[sender] ?? { html: "", text: "" };
    this.sender = sender;
    if (this.writing.editor) this.inHtml(old, next);
    else this.inText(old, next);
    this.writing.changed();
  }

  inText(old, next) {
    const box = $("#id_text", this.writing.form);
    const before = old.text && `-- \n${old.text}`;
    const after = next.text && `-- \n${next.text}`;
    if (before && box.value.includes(before)) box.value = box.value.replace(before, () => after);
    else if (after) {
      const at = Math.max(0, box.value.search(/^>/m));
      box.value = at ? box.value : `${box.value}\n\n${after}\n`;
    }
  }

  // The signature is the innermost block that has its words and no others.
  inHtml(old, next) {
    const { editor, form } = this.writing;
    const wanted = plain(`-- ${old.text}`);
    const root = $(".editor", form);
    const found = old.text && $$("div", root).reverse().find((one) => plain(one.innerText) === wanted);
    const made = document.createElement("div");
    if (next.text) {
      const rule = document.createElement("div");
      rule.append("-- ");
      made.append(rule, editor._config?.sanitizeToDOMFragment?.(next.html, editor) ?? document.createTextNode(next.text));
    } else made.append(document.createElement("br"));
    editor.saveUndoState?.();
    if (found) found.replaceWith(made);
    else if (next.text && !old.text) {
      const quote = $(":scope > blockquote", root);
      if (quote) (quote.previousElementSibling ?? quote).before(made);
      else root.append(made);
    }
  }
}

export async function insertTemplate(writing, url) {
  const answer = await fetch(url).catch(() => null);
  if (!answer?.ok) {
    notice(say("failed"));
    return;
  }
  const { subject, html, text } = await answer.json();
  const { form, editor } = writing;
  const line = $("#id_subject", form);
  if (!line.value) line.value = subject;
  if (editor) {
    editor.focus();
    editor.insertHTML(html || text.split("\n").map((one) => `<div>${one.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`) || "<br>"}</div>`).join(""));
  } else {
    const box = $("#id_text", form);
    box.setRangeText(text, box.selectionStart, box.selectionEnd, "end");
    box.focus();
  }
  for (const menu of $$("details.menu[open]", form)) menu.open = false;
  writing.changed();
}

// A text area that holds HTML becomes an editor; the area has what is sent.
export async function startRich(toFragment) {
  for (const area of $$("textarea[data-rich]:not([data-started])")) {
    area.dataset.started = "yes";
    const { Squire, default: other } = await import(area.dataset.rich);
    if (!area.isConnected) return;
    const box = document.createElement("div");
    box.className = "editor small";
    box.setAttribute("role", "textbox");
    box.setAttribute("aria-multiline", "true");
    box.setAttribute("aria-label", area.labels[0]?.textContent ?? "");
    area.after(box);
    const editor = new (Squire ?? other)(box, { sanitizeToDOMFragment: toFragment });
    editor.setHTML(area.value);
    editor.addEventListener("input", () => (area.value = editor.getHTML()));
    editor.addEventListener("pasteImage", (event) => {
      for (const item of event.detail.clipboardData.items) {
        const file = item.getAsFile();
        if (!file?.type.startsWith("image/")) continue;
        const reader = new FileReader();
        reader.addEventListener("load", () => editor.insertImage(reader.result, { alt: "" }));
        reader.readAsDataURL(file);
      }
    });
    area.hidden = true;
  }
}
