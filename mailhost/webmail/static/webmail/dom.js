// What all modules use.
export const $ = (selector, root = document) => root.querySelector(selector);
export const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// What is said to people; the page has it in their language. mailhost/webmail/texts.py
const texts = JSON.parse($("#texts")?.textContent ?? "{}");
export const say = (name, holes = {}) => texts[name].replace(/\{(\w+)\}/g, (_, hole) => holes[hole] ?? "");

// POST fields as a form would; what the answer says in HX-Trigger happens here too.
export async function post(url, fields) {
  const headers = { ...JSON.parse(document.body.getAttribute("hx-headers")), "HX-Request": "true" };
  const body = new URLSearchParams(fields);
  const response = await fetch(url, { method: "POST", headers, body, redirect: "manual" }).catch(() => null);
  if (!response?.ok) {
    notice(response?.headers.get("Content-Type")?.startsWith("text/plain") ? await response.text() : say("failed"));
    return;
  }
  const told = JSON.parse(response.headers.get("HX-Trigger") ?? "{}");
  for (const [name, detail] of Object.entries(told)) {
    document.body.dispatchEvent(new CustomEvent(name, { bubbles: true, detail: typeof detail === "object" ? detail : { value: detail } }));
  }
}

// `undo` is where it is taken back, by POST.
export function notice(text, undo) {
  const box = $("#notices");
  const line = document.createElement("p");
  line.append(text);
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = say("undo");
    button.addEventListener("click", () => {
      line.remove();
      post(undo, {});
    });
    line.append(button);
  }
  box.replaceChildren(line);
  // It stays while somebody is at it.
  const over = () => {
    if (line.matches(":hover, :focus-within")) setTimeout(over, 1000);
    else line.remove();
  };
  setTimeout(over, undo ? 10000 : 5000);
}
