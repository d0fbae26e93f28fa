// What clients, files and operators write is shown as text and never becomes markup: over the wire where a client can write it, and
// in every string of every answer of the API, whatever let it in.
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import net from 'node:net';
import { describe, test } from 'node:test';
import { api, kScreens, open, settled, skip, skipWithoutTraffic, traffic } from './support.mjs';

const kMarkup = '"><img/src=x/onerror=window.owned=1><svg/onload=window.owned=1>\'';

/** Nothing ran, nothing became an element, and the browser had nothing to refuse. */
async function harmless({ page, complaints }, where) {
  const found = await page.evaluate(() => ({ owned: window.owned ?? null, elements: document.querySelectorAll('img, iframe, object, embed, [onerror], [onload], body script').length }));
  assert.deepEqual(found, { owned: null, elements: 0 }, where);
  assert.deepEqual(complaints, [], where);
}

function say(lines) {
  return new Promise((resolve) => {
    const socket = net.connect(Number(traffic.port || 80), traffic.hostname, () => socket.end(lines));
    socket.on('error', resolve);
    socket.on('close', resolve);
    socket.resume();
  });
}

async function listenerPort(name) {
  const { listeners } = await api('status');
  return Number(listeners.find((listener) => listener.name === name)?.address.split(':').pop());
}

/** One request over HTTP/2; the connection stays, so that it is seen. */
async function holdHttp2(port, servername, path) {
  const session = http2.connect(`https://${traffic.hostname}:${port}`, { rejectUnauthorized: false, servername });
  session.on('error', () => undefined);
  const stream = session.request({ ':path': path, 'user-agent': kMarkup, 'x-request-id': kMarkup, referer: kMarkup });
  stream.on('error', () => undefined);
  stream.resume();
  await new Promise((resolve) => stream.once('close', resolve));
  return session;
}

describe('hostile words of clients', { skip: skipWithoutTraffic }, () => {
  test('in method, target, fields and server name are text on every screen', async () => {
    const secure = await listenerPort('https');
    // Angle brackets in a target are refused; what is let in is as bad as it may be.
    const target = `/hello-${process.pid}-'onload=window.owned=1{}&%3Csvg%3E`;
    await say(`GET /${kMarkup} HTTP/1.1\r\nHost: ${traffic.host}\r\n\r\n`);
    await say(`<img/src=x/onerror=window.owned=1> / HTTP/1.1\r\nHost: ${traffic.host}\r\n\r\n`);
    await say(`GET'&\` / HTTP/1.1\r\nHost: ${traffic.host}\r\n\r\n`);
    await say(`GET / HTTP/1.1\r\nHost: ${kMarkup}\r\n\r\n`);
    await say(`GET ${target} HTTP/1.1\r\nHost: ${traffic.host}\r\nUser-Agent: ${kMarkup}\r\nX-Request-Id: ${kMarkup}\r\nX-Forwarded-For: ${kMarkup}\r\nTraceparent: ${kMarkup}\r\n\r\n`);
    const held = [await holdHttp2(secure, kMarkup, '/hello'), await holdHttp2(secure, 'plain.example', target)];
    try {
      // The open connections first: they last as long as an idle one may.
      for (const [query, shown] of [['sni:*onerror*', kMarkup.slice(0, 40)], [`target:/hello-${process.pid}-*`, target]]) {
        const { rows } = await api(`connections?query=${encodeURIComponent(query)}`);
        assert.equal(rows.length, 1, query);
        const opened = await open('connections', { params: `query=${encodeURIComponent(query)}&id=${rows[0].id}` });
        await settled(opened.page);
        await opened.page.locator('.drawer-body section').first().waitFor();
        const text = await opened.page.locator('.drawer').innerText();
        assert.equal(text.includes(shown), true, `${shown} as it was written in ${text}`);
        await harmless(opened, query);
        await opened.close();
      }
      for (const screen of kScreens) {
        const opened = await open(screen);
        await settled(opened.page);
        await harmless(opened, screen);
        await opened.close();
      }
    } finally {
      for (const session of held) session.destroy();
    }
  });
});

// Words of the vocabulary and identifiers choose letters, colours and addresses; all other strings are somebody's free choice.
const kFixed = /^(id|stream|boot_id|handle|state|protocol|initiator|family|reason|kind|role|how|level|configured|severity|phase|reload|type|timer|component|cause|cells|mode|result|measure|limited_by)$/;

function poisoned(value, key = '') {
  if (typeof value === 'string') return kFixed.test(key) ? value : `${value}${kMarkup}`;
  if (Array.isArray(value)) return value.map((one) => poisoned(one, key));
  if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, poisoned(one, name)]));
  return value;
}

describe('hostile words in answers', { skip }, () => {
  const poison = ['**/api/v1/**', async (route) => {
    if (route.request().url().includes('/events')) return route.continue();
    const response = await route.fetch();
    const type = response.headers()['content-type'] ?? '';
    return route.fulfill({ response, body: type.includes('json') ? JSON.stringify(poisoned(await response.json())) : await response.body() });
  }];

  test('every string of every list, of a drawer and of a record is text', async () => {
    for (const screen of kScreens) {
      const opened = await open(screen, { routes: [poison] });
      await settled(opened.page);
      await opened.page.getByText('window.owned').first().waitFor();
      await harmless(opened, screen);
      if (screen === 'connections' || screen === 'closed') {
        await opened.page.keyboard.press('j');
        await opened.page.keyboard.press('Enter');
        await opened.page.locator(screen === 'closed' ? '.closed-record' : '.drawer-body section').first().waitFor();
        await harmless(opened, `${screen}, opened`);
      }
      await opened.close();
    }
  });

  test('what a problem says is text', async () => {
    const body = JSON.stringify({ type: 'refused', title: kMarkup, status: 500, detail: kMarkup });
    const opened = await open('routes', { routes: [['**/api/v1/routes*', (route) => route.fulfill({ status: 500, contentType: 'application/problem+json', body })]] });
    await opened.page.getByText('window.owned').first().waitFor();
    await harmless(opened, 'problem');
    await opened.close();
  });

  test('an address that somebody sends is text: query, id, columns to sort by', async () => {
    const hostile = encodeURIComponent(kMarkup);
    for (const [screen, params] of [['connections', `query=${hostile}&id=${hostile}&sort=${hostile}`], ['closed', `query=reason:${hostile}`], ['latency', `route=${hostile}&protocol=${hostile}`], ['routes', `sort=${hostile}`], [hostile, '']]) {
      const opened = await open(screen, { params });
      await opened.page.locator('.link-state.live').waitFor();
      await opened.page.waitForFunction(() => document.querySelectorAll('.main .skeleton').length === 0);
      await harmless(opened, `${screen}?${params}`);
      await opened.close();
    }
  });

  test('a token is never shown, and its refusal is text', async () => {
    const refuse = (route) => route.fulfill({ status: 401, contentType: 'application/problem+json', body: JSON.stringify({ type: 'unauthenticated', title: kMarkup, status: 401, detail: kMarkup }) });
    const opened = await open('overview', { routes: [['**/api/v1/**', refuse]] });
    await opened.page.getByLabel('Token').fill(kMarkup);
    await opened.page.getByRole('button', { name: /Sign in/ }).click();
    await opened.page.getByText('This token is not known here').waitFor();
    await harmless(opened, 'sign in');
    assert.equal(await opened.page.getByLabel('Token').getAttribute('type'), 'password');
    await opened.close();
  });
});
