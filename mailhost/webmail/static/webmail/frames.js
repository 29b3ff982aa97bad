// Frames with a message's HTML grow to what is in them; no script runs inside.
function fit(frame) {
  const root = frame.contentDocument?.documentElement;
  if (!root || frame.contentDocument.URL === "about:blank") return;
  frame.style.height = "0";
  frame.style.height = `${Math.min(root.scrollHeight + 2, 20000)}px`;
  if (root.dataset.remote !== undefined) {
    const bar = frame.closest(".inside")?.querySelector(".remote");
    if (bar) bar.hidden = false;
  }
}

export function fitFrames() {
  for (const frame of document.querySelectorAll("iframe.html")) {
    if (frame.dataset.fitted) continue;
    frame.dataset.fitted = "yes";
    const loaded = () => {
      fit(frame);
      // Folded quotes.
      frame.contentDocument?.addEventListener("toggle", () => fit(frame), true);
      for (const picture of frame.contentDocument?.images ?? []) {
        picture.addEventListener("load", () => fit(frame));
      }
    };
    frame.addEventListener("load", loaded);
    if (frame.contentDocument?.readyState === "complete") loaded();
    new ResizeObserver(([entry]) => {
      const width = Math.round(entry.contentRect.width);
      if (frame.dataset.width !== String(width)) {
        frame.dataset.width = String(width);
        fit(frame);
      }
    }).observe(frame);
  }
}
