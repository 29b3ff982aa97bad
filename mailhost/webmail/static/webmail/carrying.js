// A file is sent in pieces, each again until it came; messages are saved by a plain form.
import { $, notice } from "./dom.js";

const headers = () => JSON.parse(document.body.getAttribute("hx-headers"));
const AGAIN = 3000; // milliseconds until a piece that was lost is sent again

async function ask(url, body, more = {}) {
  return fetch(url, { method: "POST", headers: { ...headers(), ...more }, body, redirect: "manual" });
}

// Tells whether there is an answer worth going on with; what was refused is told.
async function refused(response, form) {
  if (response.ok) return false;
  const plain = response.headers.get("Content-Type")?.startsWith("text/plain");
  notice(plain ? await response.text() : form.dataset.failed);
  return true;
}

async function send(form, file, stopped) {
  const fields = new URLSearchParams({ account: form.elements.account.value, folder: form.elements.folder.value, name: file.name, size: file.size });
  const begun = await ask(form.dataset.bring, fields).catch(() => null);
  if (!begun) return notice(form.dataset.lost);
  if (await refused(begun, form)) return undefined;
  const { number } = await begun.json();
  const place = `${form.dataset.place}${number}/`;
  const most = Number(form.dataset.piece);
  let at = 0;
  while (at < file.size && !stopped()) {
    const piece = file.slice(at, at + most);
    const response = await ask(`${place}piece/?at=${at}`, piece, { "Content-Type": "application/octet-stream" }).catch(() => null);
    if (response && (response.ok || (response.status === 409 && response.headers.get("Content-Type")?.includes("json")))) {
      const told = await response.json();
      if (told.state !== "uploading") return undefined;
      at = told.received;
      show(form, at / file.size);
    } else if (response && response.status < 500) {
      await refused(response, form);
      return undefined;
    } else {
      $(".sending [role=status]", form).textContent = form.dataset.lost;
      await new Promise((resolve) => setTimeout(resolve, AGAIN));
    }
  }
  const done = await ask(`${place}${stopped() ? "cancel" : "end"}/`, "").catch(() => null);
  if (done && !(await refused(done, form))) {
    $("#transfers").innerHTML = await done.text();
    htmx.process($("#transfers"));
  }
  return undefined;
}

function show(form, part) {
  $("progress", form).value = part;
  $(".sending [role=status]", form).textContent = `${form.dataset.sending}: ${Math.floor(part * 100)} %`;
}

document.addEventListener("submit", async (event) => {
  const form = event.target.closest?.("[data-bring]");
  if (!form) return;
  event.preventDefault();
  const [file] = form.elements.file.files;
  if (!file || form.dataset.busy) return;
  let stop = false;
  const line = $(".sending", form);
  const button = $("[data-stop]", form);
  form.dataset.busy = "yes";
  button.onclick = () => { stop = true; };
  line.hidden = false;
  show(form, 0);
  // Leaving the page would lose what was not sent yet.
  const stay = (leaving) => leaving.preventDefault();
  addEventListener("beforeunload", stay);
  await send(form, file, () => stop);
  removeEventListener("beforeunload", stay);
  line.hidden = true;
  delete form.dataset.busy;
  form.elements.file.value = "";
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-export]");
  const from = button?.closest("form");
  if (!from) return;
  const form = document.createElement("form");
  form.method = "post";
  form.action = button.dataset.export;
  form.hidden = true;
  for (const [name, value] of new FormData(from)) {
    if (typeof value !== "string" || name === "action") continue;
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name, value });
    form.append(field);
  }
  document.body.append(form);
  form.submit();
  form.remove();
});

// A form that was taken in begins anew: a note is not sent twice.
document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful && event.target.matches?.("[data-reset]")) event.target.reset();
});
