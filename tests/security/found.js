// What the sanitised document holds that it must not; asked of the page around it.
() => {
  const root = document.querySelector("iframe.html").contentDocument;
  const tags = "script,svg,math,iframe,frame,object,embed,form,input,button,textarea,base,meta,link,template,style,video,audio,source,portal";
  const ours = ["q", "quote", "deceit"];
  const attributes = [...root.querySelectorAll("body, body *")].flatMap((one) => [...one.attributes].filter(({ name, value }) => {
    if (/^(on.*|srcset|ping|background|poster|action|formaction|xlink.*|cite|is|name|id|class)$/.test(name)) return !ours.includes(value);
    return /^(href|src)$/.test(name) && /^[\s\0-\x20]*(javascript|vbscript|data:text)/i.test(value);
  }).map(({ name, value }) => `${one.tagName} ${name}=${value}`));
  return [...[...root.body.querySelectorAll(tags)].map((one) => one.outerHTML), ...attributes];
}
