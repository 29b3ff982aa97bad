// What a program built on imapflow does; argument: options as JSON. Prints JSON.
const { createRequire } = require("node:module");
const fs = require("node:fs");

const options = JSON.parse(process.argv[2]);
const { ImapFlow } = createRequire(options.modules + "/")("imapflow");

async function open() {
  const client = new ImapFlow({
    host: "localhost",
    port: options.port,
    secure: options.secure,
    doSTARTTLS: options.starttls,
    disableCompression: !options.compress,
    qresync: true,
    auth: { user: options.user, pass: options.password },
    tls: { ca: fs.readFileSync(options.ca) },
    logger: false,
  });
  await client.connect();
  return client;
}

async function all(found) {
  const items = [];
  for await (const item of found) items.push(item);
  return items;
}

async function main() {
  const told = {};
  const client = await open();
  told.folders = (await client.list()).map((folder) => folder.path);
  await client.mailboxCreate("Grüße/日本");
  for (const file of options.letters) {
    await client.append("INBOX", fs.readFileSync(file), ["\\Seen"]);
  }
  await client.mailboxOpen("INBOX");
  told.letters = (await all(client.fetch("1:*", { uid: true, source: true, envelope: true,
    bodyStructure: true, flags: true, internalDate: true, size: true }))).map((m) => [
    m.uid, m.source.toString("latin1"), m.envelope.subject, m.size, m.bodyStructure.type,
    [...m.flags].filter((flag) => flag !== "\\Recent")]);
  told.found = await client.search({ subject: "dots" }, { uid: true });
  const part = await client.download("2", "1", { uid: true });
  const chunks = await all(part.content);
  told.part = Buffer.concat(chunks).toString("utf8");
  const before = client.mailbox.highestModseq;
  await client.messageFlagsAdd("2", ["\\Flagged", "$Label1"], { uid: true });
  told.changed = (await all(client.fetch("1:*", { uid: true, flags: true },
    { changedSince: before }))).map((m) => m.uid);
  told.copied = [...(await client.messageCopy("1", "Grüße/日本", { uid: true })).uidMap];
  told.moved = [...(await client.messageMove("1", "Grüße/日本", { uid: true })).uidMap];
  told.status = await client.status("Grüße/日本", { messages: true, unseen: true });

  const heard = new Promise((resolve) => client.once("exists", resolve));
  const other = await open();
  const idling = client.idle();
  await other.append("INBOX", fs.readFileSync(options.letters[0]));
  told.exists = (await heard).count;
  await client.noop();
  await idling;
  const gone = new Promise((resolve) => client.once("expunge", resolve));
  await other.mailboxOpen("INBOX");
  await other.messageDelete("2", { uid: true });
  await client.noop();
  const last = await gone;
  told.gone = last.uid || last.seq;
  told.compressed = Boolean(client._inflate);
  await other.logout();
  await client.logout();
  console.log(JSON.stringify(told));
}

main().catch((error) => {
  console.error(error, error.response, error.responseText);
  process.exit(1);
});
