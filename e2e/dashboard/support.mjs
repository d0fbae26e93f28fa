// What the dashboard's browser tests share. The server under test is named by EQUINOX_ADMIN_URL (its dashboard or admin address) and
// EQUINOX_URL (its traffic); a test that lacks one of them, or the browser, is skipped by name.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { after, afterEach, before } from 'node:test';

const require = createRequire(new URL('../../admin-ui/web/package.json', import.meta.url));

const kBrowsers = [process.env.EQUINOX_CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const kFlags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

export const kScreens = ['overview', 'connections', 'closed', 'latency', 'routes', 'http2', 'reactors', 'server'];
/** How long a condition may take to come true. A machine that does other things beside is slow, not wrong. */
export const kPatience = 60_000;
/** The narrowest is that of a page of 1280 px at 400 % (WCAG 2.2, 1.4.10). */
export const kWidths = [320, 390, 1024, 1440, 2560];

const executable = kBrowsers.find((path) => path && existsSync(path));
export const dashboard = process.env.EQUINOX_ADMIN_URL ? new URL('/admin/', process.env.EQUINOX_ADMIN_URL).href : null;
export const traffic = process.env.EQUINOX_URL ? new URL(process.env.EQUINOX_URL) : null;

function missing() {
  if (!dashboard) return 'EQUINOX_ADMIN_URL is not set';
  if (!executable) return 'no chromium';
  if (!existsSync(new URL('../../admin-ui/web/node_modules/playwright-core', import.meta.url))) return 'no playwright-core (npm ci in admin-ui/web)';
  return false;
}
export const skip = missing();
export const skipWithoutTraffic = skip || (traffic ? false : 'EQUINOX_URL is not set');

let browser = null;
before(async () => {
  if (skip) return;
  const { chromium } = require('playwright-core');
  browser = await chromium.launch({ executablePath: executable, args: kFlags });
});
// A test that fails does not reach its own close(); a page left open holds one of the server's places for viewers, and the tests after
// it would fail for want of one.
afterEach(async () => {
  for (const context of browser?.contexts() ?? []) await end(context);
});
after(async () => browser?.close());

/** A request that a handler is still answering has nobody left to answer to: that is no failure. */
async function end(context) {
  for (const page of context.pages()) await page.unrouteAll({ behavior: 'ignoreErrors' });
  await context.close();
}

/** A page of the dashboard that notes everything a browser complains about. `routes`: [glob, handler] pairs in place before it loads;
 * `held`, `ends`: see heldStreams. */
export async function open(screen, { width = 1440, height = 900, theme = 'light', routes = [], params = '', context: more = {}, held = null, ends = [] } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: theme, bypassCSP: false, ...more });
  context.setDefaultTimeout(kPatience);
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) complaints.push(`console: ${message.text()}`);
  });
  const origin = new URL(dashboard).origin;
  page.on('request', (request) => {
    if (!request.url().startsWith(origin)) complaints.push(`left its origin: ${request.url()}`);
  });
  if (held) await heldStreams(page, held, ends);
  for (const [pattern, handler] of routes) await page.route(pattern, handler);
  await page.goto(`${dashboard}#/${screen}${params ? `?${params}` : ''}`);
  return { page, complaints, close: () => end(context) };
}

/** Waits until the screen that the address names shows data: the stream is live, the screen is the new one, no skeleton is left. */
export async function settled(page) {
  await page.locator('.link-state.live').waitFor();
  await page.waitForFunction(() => {
    const screen = /^#\/(\w+)/.exec(location.hash)?.[1];
    return document.querySelector(`.main.at-${screen}`) !== null && document.querySelectorAll('.main .skeleton').length === 0;
  });
}

/** What is wider than the place it has. */
export function overhang(page) {
  return page.evaluate(() => {
    const main = document.querySelector('.main');
    const clipped = [...document.querySelectorAll('.main .panel, .drawer section')].filter((panel) => panel.scrollWidth > panel.clientWidth + 1 && getComputedStyle(panel).overflowX === 'visible');
    return { page: document.documentElement.scrollWidth - innerWidth, main: main.scrollWidth - main.clientWidth, panels: clipped.map((panel) => panel.getAttribute('aria-label') ?? panel.className) };
  });
}

/** Violations axe finds, as readable lines. */
export async function violations(page, { without = [] } = {}) {
  const { default: AxeBuilder } = require('@axe-core/playwright');
  const result = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']).disableRules(without).analyze();
  return result.violations.map((violation) => `${violation.id}: ${violation.help} — ${violation.nodes.slice(0, 3).map((node) => `${node.target.join(' ')} (${node.failureSummary?.split('\n')[1]?.trim() ?? ''})`).join('; ')}`);
}

/** Event streams that say one text each, in turn, and stay open with a comment a second, unless `ends` says how soon they end
 * (milliseconds; null: they stay open, and silent); null as a text is a refusal.
 * A route can only answer with a whole body, so this stands in for fetch inside the page. */
export async function heldStreams(page, texts, ends = []) {
  await page.addInitScript(({ texts: all, ends: times }) => {
    const real = window.fetch;
    let turn = 0;
    window.fetch = (input, init) => {
      if (!String(input?.url ?? input).includes('/api/v1/events?')) return real(input, init);
      const at = Math.min(turn, all.length - 1);
      turn += 1;
      if (all[at] === null) return Promise.reject(new TypeError('refused'));
      const body = new ReadableStream({
        start(controller) {
          const say = (text) => controller.enqueue(new TextEncoder().encode(text));
          say(all[at]);
          const talk = times[at] === null ? 0 : setInterval(() => say(': still here\n\n'), 1000);
          const stop = (how) => { clearInterval(talk); how(); };
          if (typeof times[at] === 'number') setTimeout(() => stop(() => controller.close()), times[at]);
          init?.signal?.addEventListener('abort', () => stop(() => controller.error(init.signal.reason)));
        },
      });
      return Promise.resolve(new Response(body, { headers: { 'Content-Type': 'text/event-stream' } }));
    };
  }, { texts, ends });
}

/** One server-sent event as text. */
export const event = (name, data, id = 1) => `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

export async function api(path, init) {
  const response = await fetch(new URL(`api/v1/${path}`, dashboard), init);
  return response.json();
}

/** A client connection and the address by which the server's lists name it. */
export async function connectClient() {
  const socket = net.connect(Number(traffic.port || 80), traffic.hostname);
  socket.on('error', () => undefined);
  await new Promise((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  const ended = new Promise((resolve) => socket.once('close', resolve));
  socket.resume();
  return { socket, port: socket.localPort, address: `${socket.localAddress}:${socket.localPort}`, ended, get: (target = '/') => socket.write(`GET ${target} HTTP/1.1\r\nHost: ${traffic.host}\r\n\r\n`) };
}
