// The page is printed once its frames have their height.
import { fitFrames } from "./frames.js";

for (const quote of document.querySelectorAll("details")) quote.open = true;
fitFrames();
const frames = [...document.querySelectorAll("iframe")];
await Promise.all(frames.map((frame) => frame.contentDocument?.readyState === "complete" || new Promise((done) => frame.addEventListener("load", done))));
print();
