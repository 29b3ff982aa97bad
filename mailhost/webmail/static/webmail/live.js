// Hears that something changed, and lets the page ask what. Comes back by itself.
const LEAST = 1000, MOST = 60000;
const BETWEEN = 400;

export function startLive(path) {
  let wait = LEAST;
  let lost = false;
  let told = 0;
  let due = null;
  let again = null;
  // Not too often, and the last change is never left untold.
  const changed = () => {
    due ??= setTimeout(() => {
      due = null;
      told = Date.now();
      document.body.dispatchEvent(new CustomEvent("mailchanged"));
    }, Math.max(0, told + BETWEEN - Date.now()));
  };
  const open = () => {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}${path}`);
    socket.addEventListener("open", () => {
      wait = LEAST;
      document.body.dataset.connected = "yes";
      document.dispatchEvent(new CustomEvent("maillive", { detail: { on: true } }));
      if (lost) changed();
      lost = false;
    });
    socket.addEventListener("message", changed);
    socket.addEventListener("close", (event) => {
      delete document.body.dataset.connected;
      document.dispatchEvent(new CustomEvent("maillive", { detail: { on: false } }));
      lost = true;
      if (event.code === 4401) {
        location.reload();
        return;
      }
      again = setTimeout(open, wait + Math.random() * wait);
      wait = Math.min(wait * 2, MOST);
    });
  };
  // Back in the air: at once, not when it was due.
  window.addEventListener("online", () => {
    if (document.body.dataset.connected) {
      document.dispatchEvent(new CustomEvent("maillive", { detail: { on: true } }));
      changed();
    } else {
      clearTimeout(again);
      open();
    }
  });
  open();
}
