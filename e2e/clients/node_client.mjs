// Talks to a server as Node.js programs do and prints what it saw, one JSON object: node_client.mjs HTTP_URL HTTPS_URL
import { randomBytes } from "node:crypto";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";

const LARGE_BYTES = 32 * 1024 * 1024;
const upload = randomBytes(3 * 1024 * 1024);
const [plainUrl, tlsUrl] = process.argv.slice(2);
const seen = {};

function collect(stream) {
  return new Promise((resolve, reject) => {
    const pieces = [];
    stream.on("data", (piece) => pieces.push(piece));
    stream.on("end", () => resolve(Buffer.concat(pieces)));
    stream.on("error", reject);
  });
}

async function http2Request(session, fields, body) {
  const stream = session.request(fields, { endStream: body === undefined });
  const head = new Promise((resolve) => stream.on("response", resolve));
  const content = collect(stream);
  if (body !== undefined) stream.end(body);
  return { status: (await head)[":status"], body: await content };
}

/// A download that is given up with its first bytes: RST_STREAM(CANCEL) while DATA is on its way.
function giveUp(session) {
  return new Promise((resolve) => {
    const stream = session.request({ ":path": "/32m.bin" });
    stream.once("data", () => stream.close(http2.constants.NGHTTP2_CANCEL));
    stream.on("error", () => {});
    stream.on("close", resolve);
  });
}

async function overHttp2(name, url) {
  const session = http2.connect(url, { rejectUnauthorized: false });
  session.on("error", (error) => { seen[`${name} session`] = String(error); });
  seen[`${name} get`] = (await http2Request(session, { ":path": "/hello" })).status === 200;
  const echoed = await http2Request(session, { ":path": "/echo", ":method": "POST" }, upload);
  seen[`${name} upload`] = echoed.status === 200 && echoed.body.equals(upload);
  const mixed = await Promise.all(
    Array.from({ length: 60 }, (_, i) => http2Request(session, { ":path": i % 20 === 0 ? "/32m.bin" : "/1k.bin" })));
  seen[`${name} many`] = mixed.every(({ body }, i) => body.length === (i % 20 === 0 ? LARGE_BYTES : 1024));
  for (let i = 0; i < 20; ++i) await giveUp(session);
  await new Promise((resolve, reject) => session.ping((error) => (error ? reject(error) : resolve())));
  seen[`${name} after cancelled ones`] = (await http2Request(session, { ":path": "/hello" })).status === 200;
  await new Promise((resolve) => session.close(resolve));
}

async function overHttp1(name, url, module) {
  const agent = new module.Agent({ keepAlive: true, maxSockets: 3, rejectUnauthorized: false });
  const send = (path, options = {}, body = undefined) => new Promise((resolve, reject) => {
    const request = module.request(url + path, { agent, ...options }, (response) => {
      collect(response).then((content) => resolve({ status: response.statusCode, body: content }), reject);
    });
    request.on("error", reject);
    if (options.headers?.Expect) request.on("continue", () => request.end(body));
    else request.end(body);
  });
  const put = await send("/echo", { method: "PUT" }, upload);
  seen[`${name} upload`] = put.status === 200 && put.body.equals(upload);
  const asked = await send("/echo", { method: "POST", headers: { Expect: "100-continue", "Content-Length": upload.length } }, upload);
  seen[`${name} 100-continue`] = asked.body.equals(upload);
  const many = await Promise.all(Array.from({ length: 60 }, () => send("/1k.bin")));
  seen[`${name} keep-alive`] = many.every(({ status, body }) => status === 200 && body.length === 1024);
  agent.destroy();
}

async function byFetch() {
  const page = await fetch(`${plainUrl}/32m.bin`);
  seen["fetch"] = (await page.arrayBuffer()).byteLength === LARGE_BYTES;
  const pieces = new ReadableStream({
    start(controller) {
      for (let i = 0; i < 10; ++i) controller.enqueue(new Uint8Array(30_000));
      controller.close();
    },
  });
  const echoed = await fetch(`${plainUrl}/echo`, { method: "POST", body: pieces, duplex: "half" });
  seen["fetch streams"] = (await echoed.arrayBuffer()).byteLength === 300_000;
}

await overHttp2("h2c", plainUrl);
await overHttp2("h2", tlsUrl);
await overHttp1("http/1.1", plainUrl, http);
await overHttp1("http/1.1 over TLS", tlsUrl, https);
await byFetch();
console.log(JSON.stringify(seen));
