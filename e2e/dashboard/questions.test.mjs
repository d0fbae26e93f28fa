// What a newcomer asks, answered by the dashboard about a server with traffic: who is there, why did it go, who landed in this cell,
// where did the time go, which timer ends it.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import http2 from 'node:http2';
import { describe, test } from 'node:test';
import { api, connectClient, kPatience, open, overhang, settled, skipWithoutTraffic, traffic, violations } from './support.mjs';

const kTick = 100;
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Asks until the answer will do; the last one is in the message when it never does. */
async function until(what, ask, will) {
  let answer;
  for (const end = Date.now() + kPatience; Date.now() < end; ) {
    answer = await ask();
    if (will(answer)) return answer;
    await pause(kTick);
  }
  throw new Error(`still waiting for ${what}; last seen ${JSON.stringify(answer).slice(0, 600)}`);
}

/** A port may have been somebody else's before; an id is one connection's for ever. */
async function idOf(client) {
  const { rows } = await until('a request of it', () => api(`connections?query=${encodeURIComponent(`peer:${client.address} requests>0`)}`), ({ total }) => total === 1);
  return rows[0].id;
}

async function endAndFind(client, id) {
  client.socket.end();
  await client.ended;
  await until('its record', () => api(`closed?query=${encodeURIComponent(`id:${id}`)}`), ({ total }) => total === 1);
}

/** With the mouse: the first painted cell from the right that the tip says to hold somebody; it opens its requests, and one of these its
 * connection. */
async function clickOnTheMap(page, measure) {
  const map = page.locator('.heat-panel .heatmap');
  const { x, y, width, height } = await map.boundingBox();
  const tip = page.locator('.heat-panel .tip');
  const kWays = 12;
  for (let right = 45; right < width - 60; right += width / 80) {
    for (let way = 0.5; way < kWays * 2; way += 1) {
      const at = { x: width - right, y: (height * way) / (kWays * 2) };
      await page.mouse.move(x + at.x, y + at.y);
      if (!/: [1-9][\d,. ]* requests/.test(await tip.innerText())) continue;
      await map.click({ position: at });
      const link = page.locator('.cell-panel .conn-link').first();
      await link.waitFor();
      const id = (await link.innerText()).trim();
      await link.click();
      await page.getByRole('complementary').getByText(id).first().waitFor();
      await page.keyboard.press('Escape');
      return;
    }
  }
  assert.fail(`${measure}: nothing on the map`);
}

describe('what a newcomer asks', { skip: skipWithoutTraffic }, () => {
  test('by keys alone: who is this, select, sort, and why did it go away', async () => {
    const kQuery = 'state:idle method:GET requests:1 -protocol:h2c';
    const clients = await Promise.all(Array.from({ length: 4 }, () => connectClient()));
    for (const client of clients) client.get('/hello');
    const { page, complaints, close } = await open('overview');
    await settled(page);
    await page.keyboard.press('g');
    await page.keyboard.press('c');
    await settled(page);
    await page.keyboard.press('/');
    await page.keyboard.type(kQuery);
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    const rows = () => page.locator('.grid-row').count();
    await until('four idle rows', async () => { await page.keyboard.press('r'); return rows(); }, (count) => count === clients.length);

    const grid = page.getByRole('grid');
    const active = () => grid.getAttribute('aria-activedescendant');
    const first = await active();
    await page.keyboard.press('j');
    assert.notEqual(await until('another row', active, (id) => id !== first), first);
    await page.keyboard.press('k');
    await until('the first row again', active, (id) => id === first);
    await page.keyboard.press('Shift+S');
    await page.locator('[role=columnheader][aria-sort=descending]').getByText('id').waitFor();
    await page.keyboard.press('s');
    await until('another order', () => page.evaluate(() => location.hash), (hash) => /sort=peer/.test(hash) && /order=desc/.test(hash));
    assert.equal(await page.locator('[role=columnheader][aria-sort=descending]').count(), 1);
    // The head turns with the key, the rows with the answer: what is seen in between is the old order, which may happen to be the next one.
    const seen = () => page.locator('.grid-row').evaluateAll((found) => found.map((row) => row.id.replace(/^row-/, '')).join());
    const inOrder = async (order) => (await api(`connections?query=${encodeURIComponent(kQuery)}&sort=peer&order=${order}`)).rows.map(({ id }) => id).join();
    const descending = await inOrder('desc');
    await until('the rows by peer', seen, (ids) => ids === descending);
    await page.keyboard.press('Shift+S');
    await page.locator('[role=columnheader][aria-sort=ascending]').waitFor();
    const ascending = await inOrder('asc');
    assert.notEqual(ascending, descending);
    await until('the rows the other way round', seen, (ids) => ids === ascending);
    await page.keyboard.press('Home');
    await page.keyboard.press('x');
    await page.keyboard.press('End');
    await page.keyboard.press('Shift+X');
    await page.locator('.toolbar').getByText(`${clients.length} selected`).waitFor();
    await page.keyboard.press('d');
    await page.getByRole('heading', { name: `Drain ${clients.length} connections?` }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('Enter');
    await page.getByRole('complementary').getByText('Next deadline').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('complementary').waitFor({ state: 'detached' });

    const id = await idOf(clients[0]);
    await endAndFind(clients[0], id);
    await page.keyboard.press('g');
    await page.keyboard.press('x');
    await settled(page);
    await page.keyboard.press('/');
    await page.keyboard.type(`id:${id}`);
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await page.locator('.closed-list').getByText('1 record, newest first').waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    const record = page.locator('.closed-record');
    await record.waitFor();
    assert.match(await record.innerText(), /client_fin_idle/);
    assert.match(await record.locator('.sentence').innerText(), /client/i);
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press('Enter');
    await record.waitFor({ state: 'detached' });
    assert.deepEqual(complaints, []);
    for (const client of clients) client.socket.destroy();
    await close();
  });

  test('the log lines of a connection stand in its drawer, while it lives and when a mistake has ended it, and in the list', async () => {
    const setLevel = (level) => api('log-level', { method: 'PUT', body: JSON.stringify({ level }), headers: { 'Content-Type': 'application/json', 'X-Equinox-Action': '1' } });
    const client = await connectClient();
    client.get('/hello');
    const id = await idOf(client);
    const { page, complaints, close } = await open('connections', { params: `id=${id}` });
    await settled(page);
    const section = page.locator('.drawer section').filter({ has: page.getByRole('heading', { name: /^Log lines/ }) });
    await section.getByText(/None is about this connection/).waitFor();
    assert.deepEqual(await violations(page), []);
    try {
      await setLevel('debug'); // at info a client's mistake has no line
      client.socket.write(`GET /hello?token=hidden HTTP/1.1\r\nHost: ${traffic.host}\r\nno colon\r\n\r\n`);
      await client.ended;
      await page.locator('.drawer .sentence').waitFor();
      const line = section.getByRole('row').filter({ hasText: 'connection closed' });
      await line.waitFor();
      assert.match(await line.innerText(), new RegExp(`debug\\s+connection\\s+connection closed .*peer=${client.address.replaceAll('.', '\\.')} .*reason=parse_error_h1`));
      assert.match(await section.getByRole('heading').innerText(), /1 line, newest last/);
      assert.deepEqual(await violations(page), []);
      assert.equal((await overhang(page)).panels.length, 0);
      const told = await api(`connection/${id}`);
      assert.equal(told.log.length, 1);
      assert.equal(told.log_from_at, null);
      // The same lines stand under the record where it is unfolded in the list.
      await page.goto(page.url().replace(/#.*/, `#/closed?query=id:${id}`));
      await page.locator('.closed-list tbody tr').filter({ hasText: id }).getByRole('button').click();
      await page.locator('.closed-list .log').getByRole('row').filter({ hasText: 'connection closed' }).waitFor();
      assert.deepEqual(await violations(page), []);
      assert.equal((await overhang(page)).panels.length, 0);
    } finally {
      await setLevel('info');
    }
    assert.deepEqual(complaints, []);
    await close();
  });

  test('a reason is a filter, and the reason of a row opens its explanation', async () => {
    const client = await connectClient();
    client.get('/hello');
    const id = await idOf(client);
    await endAndFind(client, id);
    const { page, close } = await open('closed');
    await settled(page);
    const reason = page.locator('.reasons').getByRole('button', { name: 'client_fin_idle' });
    await reason.waitFor();
    await reason.click();
    await page.waitForFunction(() => location.hash.includes('client_fin_idle'));
    const row = page.locator('.closed-list tbody tr').filter({ hasText: id });
    await row.waitFor();
    assert.equal(await page.locator('.closed-list tbody tr').filter({ hasNotText: 'client_fin_idle' }).count(), 0);
    await row.getByRole('button').click();
    await page.locator('.closed-record .sentence').waitFor();
    await close();
  });

  test('every non-empty cell of each map opens real requests and their connection', async () => {
    for (const measure of ['duration', 'first_byte', 'queue', 'handler']) {
      const { page, close } = await open('latency', { params: `measure=${measure}` });
      await settled(page);
      await page.keyboard.press('p');
      await page.locator('.link-state.paused').waitFor();
      await clickOnTheMap(page, measure);
      await page.locator('.heat-panel').getByRole('button', { name: 'table', exact: true }).click();
      const cells = page.locator('.cell-buttons button');
      await cells.first().waitFor();
      const count = await cells.count();
      const heading = () => page.evaluate(() => document.querySelector('.cell-panel .panel-head .sub')?.textContent ?? '');
      for (let i = 0; i < count; i += 1) {
        const before = await heading();
        await cells.nth(i).click();
        if (i > 0) await page.waitForFunction((old) => document.querySelector('.cell-panel .panel-head .sub')?.textContent !== old, before);
        await page.locator('.cell-panel .conn-link').first().waitFor().catch(async () => assert.fail(`${measure}: cell ${i} of ${count}, ${await cells.nth(i).textContent()}: ${await page.locator('.cell-panel').innerText()}`));
      }
      assert.equal(count > (measure === 'queue' ? 0 : 3), true, `${measure}: ${count} cells`);
      await close();
    }
  });

  test('a slow upload is told from a slow handler: its time is in the body, and the phases add up', async () => {
    const { limits } = await api('status');
    const client = await connectClient();
    const target = `/echo/slow-${client.port}`;
    client.socket.write(`POST ${target} HTTP/1.1\r\nHost: ${traffic.host}\r\nContent-Length: 10\r\n\r\nhalf-`);
    await until('its body', () => api(`connections?query=${encodeURIComponent(`peer:${client.address} state:reading_body`)}`), ({ total }) => total === 1);
    await pause(limits.slow_request_seconds * 1000 + 100);
    client.socket.write('other');
    const { rows } = await until('the slow log', () => api('requests/slow?limit=100'), (answer) => answer.rows.some((row) => row.target === target));
    const request = rows.find((row) => row.target === target);
    const sum = Object.values(request.phases).reduce((a, b) => a + b, 0);
    assert.equal(Math.abs(sum - request.total_seconds) <= 1e-6, true, `${sum} of ${request.total_seconds}`);
    const { page, close } = await open('latency');
    await settled(page);
    const row = page.locator('.slow tbody tr').filter({ hasText: request.connection });
    await row.waitFor();
    assert.match(await row.innerText(), /body \d/);
    assert.match(await row.getByRole('img').getAttribute('aria-label'), /body/);
    await row.getByRole('link', { name: request.connection }).click();
    const drawer = page.getByRole('complementary');
    const last = drawer.locator('.requests tbody tr').filter({ hasText: target });
    await last.waitFor();
    assert.match(await last.innerText(), /body \d/);
    client.socket.destroy();
    await close();
  });

  test('an HTTP/2 connection shows its windows and how many streams it had at once', async () => {
    const { listeners } = await api('status');
    const port = listeners.find(({ name }) => name === 'https').address.split(':').pop();
    const session = http2.connect(`https://${traffic.hostname}:${port}`, { rejectUnauthorized: false });
    await new Promise((resolve, reject) => session.once('connect', resolve).once('error', reject));
    const ask = () => new Promise((resolve) => {
      const stream = session.request({ ':path': '/1k.bin' });
      stream.on('close', resolve).resume();
    });
    const address = `${session.socket.localAddress}:${session.socket.localPort}`;
    const { rows: [row] } = await until('the connection', () => api(`connections?query=${encodeURIComponent(`peer:${address} protocol:h2`)}`), ({ total }) => total === 1);
    const detail = await until('a peak', async () => { await Promise.all([ask(), ask(), ask()]); return api(`connection/${row.id}`); }, ({ http2: facts }) => facts?.peak === 3);
    assert.equal(detail.http2.receive_window_bytes > 0 && detail.http2.send_window_bytes > 0, true, JSON.stringify(detail.http2));
    const { page, close } = await open('connections', { params: `id=${row.id}` });
    await settled(page);
    const streams = page.locator('.drawer section').filter({ hasText: 'HTTP/2 streams' });
    await streams.getByText('peak 3').waitFor();
    assert.doesNotMatch(await streams.innerText(), /shut/);
    assert.deepEqual(await violations(page), []);
    session.destroy();
    await close();
  });

  test('the slider counts whom another idle timeout would close, and the link lists exactly those', async () => {
    const kSeconds = 3;
    const clients = await Promise.all(Array.from({ length: 5 }, () => connectClient()));
    for (const client of clients) client.get('/hello');
    const query = `unused>=${kSeconds}s`;
    const { total } = await until('five that wait', () => api(`connections?query=${encodeURIComponent(query)}`), (answer) => answer.total >= clients.length);
    const { page, close } = await open('overview');
    await settled(page);
    const slider = page.getByRole('slider');
    await slider.focus();
    await page.keyboard.press('Home');
    for (let n = 1; n < kSeconds; n += 1) await page.keyboard.press('ArrowRight');
    const said = () => page.locator('.what-if output').innerText();
    await until('the count', said, (text) => text.replace(/\s+/g, ' ') === `${kSeconds}.0 s would close ${total} now`);
    assert.match(await slider.getAttribute('aria-valuetext'), new RegExp(`^3\\.0 s: ${total} would close now$`));
    await page.locator('.what-if a').click();
    await page.waitForFunction(() => document.title.startsWith('Connections'));
    await settled(page);
    await page.waitForFunction((rows) => document.querySelector('[role=grid]')?.getAttribute('aria-rowcount') === rows, String(total + 1));
    const text = await page.locator('.grid').innerText();
    for (const client of clients) assert.equal(text.includes(client.address), true, client.address);
    for (const client of clients) client.socket.destroy();
    await close();
  });

  test('what the slider says is what a reload with that timeout does', { skip: process.env.EQUINOX_CONFIG && process.env.EQUINOX_PID ? false : 'EQUINOX_CONFIG and EQUINOX_PID are not set' }, async () => {
    const kSeconds = 4;
    const before = readFileSync(process.env.EQUINOX_CONFIG, 'utf8');
    const reload = async (text, idle) => {
      writeFileSync(process.env.EQUINOX_CONFIG, text);
      process.kill(Number(process.env.EQUINOX_PID), 'SIGHUP');
      await until('the reload', () => api('status'), ({ limits }) => limits.idle_timeout_seconds === idle);
    };
    const { limits: { idle_timeout_seconds: configured } } = await api('status');
    const crowd = async (size) => {
      const clients = await Promise.all(Array.from({ length: size }, () => connectClient()));
      for (const client of clients) client.get('/hello');
      for (const client of clients) client.id = await idOf(client);
      return clients;
    };
    const old = await crowd(12);
    await until('their time', () => api(`connections?query=${encodeURIComponent(`unused>=${kSeconds}s`)}`), ({ total }) => total >= old.length);
    const { page, close } = await open('overview');
    await settled(page);
    const young = await crowd(6);
    const slider = page.getByRole('slider');
    await slider.focus();
    await page.keyboard.press('Home');
    for (let n = 1; n < kSeconds; n += 1) await page.keyboard.press('ArrowRight');
    const said = async () => Number(/would close (\d+) now/.exec((await page.locator('.what-if output').innerText()).replace(/\s+/g, ' '))?.[1]);
    const count = await until('the number', said, (number) => number >= old.length);
    const predicted = await api(`connections?limit=500&query=${encodeURIComponent(`unused>=${kSeconds}s`)}`);
    assert.equal(count, predicted.total);
    const config = JSON.parse(before);
    config.timeouts = { ...config.timeouts, idle: `${kSeconds}s` };
    try {
      await reload(JSON.stringify(config), kSeconds);
      const ended = async () => (await api('closed?limit=500&query=reason:keep_alive_timeout')).rows.filter(({ timer_seconds: seconds }) => seconds === kSeconds).map(({ id }) => id);
      const closed = await until('their end', ended, (ids) => ids.length >= count);
      assert.deepEqual(closed.sort(), predicted.rows.map(({ id }) => id).sort());
      assert.equal(old.every(({ id }) => closed.includes(id)), true);
      assert.equal(young.some(({ id }) => closed.includes(id)), false);
    } finally {
      await reload(before, configured);
    }
    for (const client of [...old, ...young]) client.socket.destroy();
    await close();
  });
});
