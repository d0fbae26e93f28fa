// The states every screen must have, brought about at the edge of the page: the stream and single answers are replaced, the rest is
// the server's.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { api, connectClient, event, kScreens, open, overhang, settled, skip, skipWithoutTraffic, violations } from './support.mjs';

const kProblem = { contentType: 'application/problem+json' };

async function hello(changes = {}, session = {}) {
  const status = await api('status');
  return event('hello', { stream: 'test', boot_id: status.boot_id, instance: status.instance, started_at: status.started_at, now_at: Date.now() / 1000, interval_seconds: 1, session: { ...status.session, ...session }, ...changes });
}

/** A stream that says this and then stays silent; the test decides when it ends. */
function streams(...bodies) {
  let turn = 0;
  return ['**/api/v1/events?*', (route) => route.fulfill({ status: 200, contentType: 'text/event-stream', body: bodies[Math.min(turn++, bodies.length - 1)] })];
}

describe('states', { skip }, () => {
  test('disconnected: says how old the data is, counts down, turns actions off', async () => {
    const { page, close } = await open('connections', { routes: [streams(await hello())] });
    const banner = page.locator('.banner').filter({ has: page.getByRole('alert').getByText('Not connected') });
    await banner.waitFor();
    await banner.getByText(/Again in \d+ s/).waitFor();
    assert.equal(await page.locator('.toolbar button:has-text("Close")').first().isDisabled(), true);
    assert.deepEqual(await violations(page), []);
    await close();
  });

  test('disconnected: ages, deadlines and the header stand where the data stand, and nothing is watched', { skip: skipWithoutTraffic }, async () => {
    const client = await connectClient();
    const query = encodeURIComponent(`peer:${client.address}`);
    let row;
    while (!row) row = (await api(`connections?query=${query}`)).rows[0];
    const { id } = row;
    const { page, close } = await open('connections', { params: `query=${query}&id=${encodeURIComponent(id)}`, held: [await hello(), null], ends: [3000] });
    await page.locator('.drawer').getByRole('button', { name: 'Watching' }).waitFor();
    await page.locator(`[id="row-${id}"]`).waitFor();
    await page.locator('.banner').getByText('Not connected').waitFor();
    const shown = async () => Promise.all(['.identity', '.playhead', `[id="row-${id}"]`, '.drawer'].map((part) => page.locator(part).innerText()));
    const before = await shown();
    assert.match(before[1], /^OLD\n\d\d:\d\d:\d\d$/);
    assert.equal(await page.locator('.drawer').getByRole('button', { name: 'Watch', exact: true }).isDisabled(), true);
    assert.equal(await page.locator('.drawer .dot.on').count(), 0);
    await page.waitForTimeout(2500);
    assert.deepEqual(await shown(), before);
    assert.deepEqual(await violations(page), []);
    client.socket.destroy();
    await close();
  });

  test('a stream that stays open and says nothing is not live', async () => {
    const { page, close } = await open('overview', { held: [await hello(), null], ends: [null] });
    await page.locator('.link-state.live').waitFor();
    await page.getByRole('alert').filter({ hasText: 'Not connected' }).waitFor();
    assert.equal((await page.locator('.link-state').innerText()).includes('Live'), false);
    await close();
  });

  test('server restarted: names both boots', async () => {
    const { page, close } = await open('overview', { routes: [streams(await hello(), await hello({ boot_id: 'feedface-0001' }))] });
    await page.getByText('The server restarted').waitFor();
    assert.match(await page.locator('.banners').innerText(), /feedface/);
    await close();
  });

  test('viewer: the verbs stay in their places with the reason they are off', async () => {
    const session = { role: 'viewer', actor: 'vera', how: 'cookie' };
    const status = await api('status');
    const { page, close } = await open('connections', {
      routes: [['**/api/v1/status', (route) => route.fulfill({ json: { ...status, session } })], ['**/api/v1/session', (route) => route.fulfill({ json: session })], ['**/api/v1/events?*', async (route) => route.fulfill({ status: 200, contentType: 'text/event-stream', body: await hello({}, session) })]],
    });
    await page.locator('.banners').getByText('viewer').waitFor();
    const button = page.locator('.toolbar button:has-text("Close")').first();
    assert.equal(await button.isDisabled(), true);
    assert.equal((await page.locator('.badge').innerText()).trim(), 'viewer');
    await close();
  });

  test('draining: says so on every screen', async () => {
    const status = await api('status');
    const data = { ...status.overview, draining: true, ready: false, drain: { state: 'draining', started_at: Date.now() / 1000 - 9, connections_left: 18, estimate_seconds: 15 } };
    const { page, close } = await open('closed', { routes: [streams((await hello()) + event('overview', { full: true, data }, 2))] });
    await page.locator('.banners').getByText('Draining').waitFor();
    assert.match(await page.locator('.banners').innerText(), /18 left/);
    await close();
  });

  test('draining: the cockpit shows every figure of what holds it, at any width', async () => {
    const status = await api('status');
    const holder = (id, more) => ({ id, waiting_for: "the client's upload, the rest of a request body", target: `/${'segment/'.repeat(14)}`, route: '/*', age_seconds: 8049, left_bytes: 1_023_000_000, estimate_seconds: 3599, ...more });
    const drain = { state: 'draining', started_at: Date.now() / 1000 - 9, connections_left: 3, delay_seconds: 5, timeout_seconds: 25, requests_in_flight: 2, idle: 1, h2: 1, estimate_seconds: null, no_estimate: 'a client takes nothing', holders: [holder('1-3-54'), holder('1-4-60', { waiting_for: null, target: null }), holder('0-2-52', { target: null, route: null })] };
    const data = { ...status.overview, draining: true, ready: false, drain };
    const held = [(await hello()) + event('overview', { full: true, data }, 2)];
    for (const width of [1920, 1440, 1180, 1024, 768, 390]) {
      const { page, close } = await open('server', { width, held });
      const panel = page.getByRole('region', { name: 'Drain cockpit' });
      const table = panel.getByRole('table', { name: 'What holds the drain longest' });
      await table.getByText('1-3-54').waitFor();
      assert.deepEqual(await table.getByRole('columnheader').allInnerTexts(), ['holds it longest', 'for', 'left', 'about']);
      assert.match((await table.innerText()).replace(/\s+/g, ' '), /1-3-54 2 h 14 976 MiB 59 m 59 waits for the client's upload, .* request \/segment\//);
      const edge = await panel.evaluate((one) => one.getBoundingClientRect().right);
      assert.deepEqual(await table.locator('th, td').evaluateAll((cells, right) => cells.filter((one) => one.getBoundingClientRect().right > right || one.scrollWidth > one.clientWidth + 1).map((one) => one.textContent), edge), [], `${width} px`);
      assert.deepEqual(await overhang(page), { page: 0, main: 0, panels: [] }, `${width} px`);
      const config = await page.getByRole('region', { name: 'Effective configuration' }).boundingBox();
      const cockpit = await panel.boundingBox();
      // First where there is one column, at the head of the second where there are two.
      assert.equal(width > 1180 ? cockpit.y === config.y && cockpit.x > config.x : cockpit.y + cockpit.height <= config.y, true, `${width} px: ${JSON.stringify([cockpit, config])}`);
      await close();
    }
  });

  test('a drain is asked about with the focus on the way back, and who holds it can be looked at from there', async () => {
    const holders = Array.from({ length: 10 }, (_, i) => ({ id: `1-3-5${i}`, waiting_for: 'the client to read what is ready', target: '/32m.bin', age_seconds: 8, left_bytes: 1, estimate_seconds: null }));
    const plan = { state: 'none', connections_left: 1, requests_in_flight: 1, idle: 0, h2: 0, estimate_seconds: null, holders };
    const { page, close } = await open('server', { width: 390, routes: [['**/api/v1/drain', (route) => route.fulfill({ json: plan })]] });
    await settled(page);
    const dialog = page.getByRole('dialog', { name: 'Start a drain' });
    await page.getByRole('button', { name: 'Drain…' }).click();
    await dialog.waitFor();
    assert.match(await page.evaluate(() => document.activeElement.textContent), /^Cancel/);
    // However long the list: the question and the answers are both there to be seen.
    const inSight = (one) => one.evaluate((element) => { const { top, bottom } = element.getBoundingClientRect(); return top >= 0 && bottom <= innerHeight; });
    assert.equal(await inSight(dialog.getByRole('heading')), true);
    assert.equal(await inSight(dialog.getByRole('button', { name: 'Drain', exact: true })), true);
    assert.deepEqual(await violations(page), []);
    await dialog.getByRole('link', { name: '1-3-59' }).focus();
    const [link, actions] = [await dialog.getByRole('link', { name: '1-3-59' }).boundingBox(), await dialog.locator('.dialog-actions').boundingBox()];
    assert.equal(link.y + link.height <= actions.y, true, 'the focus is not below the answers');
    await page.keyboard.press('Enter');
    await dialog.waitFor({ state: 'detached' });
    await page.getByRole('complementary', { name: 'Connection 1-3-59' }).waitFor();
    await close();
  });

  test('on a low page with banners the list of connections keeps a height, and can be reached', async () => {
    const status = await api('status');
    const data = { ...status.overview, draining: true, ready: false, drain: { state: 'draining', started_at: Date.now() / 1000 - 9, connections_left: 18 } };
    const held = [(await hello({}, { role: 'viewer' })) + event('overview', { full: true, data }, 2) + event('degraded', { sampling: 8 }, 3)];
    for (const [width, height] of [[720, 450], [640, 400], [390, 667], [320, 256]]) {
      const { page, close } = await open('connections', { width, height, held });
      await page.locator('.grid-row').first().waitFor();
      await page.locator('.banners').getByText('Showing 1 of 8').waitFor();
      await page.getByRole('grid').evaluate((grid) => grid.scrollIntoView({ block: 'end' }));
      const seen = await page.evaluate(() => {
        const [grid, main] = ['.grid', '.main'].map((one) => document.querySelector(one).getBoundingClientRect());
        return [grid.height, Math.min(grid.bottom, main.bottom) - Math.max(grid.top, main.top), main.height];
      });
      assert.ok(seen[0] >= 120 && seen[1] >= Math.min(seen[0], seen[2]) - 1, `${width} × ${height}: ${seen}`);
      assert.deepEqual(await overhang(page), { page: 0, main: 0, panels: [] }, `${width} × ${height}`);
      await close();
    }
    const { page, close } = await open('connections', { held });
    await page.locator('.grid-row').first().waitFor();
    assert.equal(await page.locator('.main').evaluate((main) => main.scrollHeight - main.clientHeight), 0, 'nothing scrolls twice where there is room');
    await close();
  });

  test('degraded sampling is named', async () => {
    const { page, close } = await open('overview', { held: [(await hello()) + event('degraded', { sampling: 8, why: 'The server is under pressure.' }, 2)] });
    await page.getByText('Showing 1 of 8 requests').waitFor();
    assert.deepEqual(await violations(page), []);
    await close();
  });

  test('clock skew is named, and times are the server’s', async () => {
    const status = await api('status');
    const now_at = () => Date.now() / 1000 - 134;
    const { page, close } = await open('overview', { held: [await hello({ now_at: now_at() })], routes: [['**/api/v1/status', (route) => route.fulfill({ json: { ...status, now_at: now_at() } })]] });
    await page.locator('.banners').getByText(/clock is 2 m 1\d ahead of the server/).waitFor();
    const shown = await page.locator('.playhead span').innerText();
    const [hours, minutes, seconds] = shown.split(':').map(Number);
    const behind = (Date.now() / 1000 - (hours * 3600 + minutes * 60 + seconds) + 86_400) % 86_400;
    assert.equal(behind > 130 && behind < 150, true, `${shown} is ${behind} s behind`);
    assert.deepEqual(await violations(page), []);
    await close();
  });

  test('resumed after a gap: says how long it was and how much of it is known', async () => {
    const back = await hello({ missed_seconds: 2, now_at: Date.now() / 1000 + 6 });
    const { page, close } = await open('overview', { held: [await hello(), null, null, back], ends: [0] });
    await page.getByRole('alert').filter({ hasText: 'Not connected' }).waitFor();
    await page.locator('.banners').getByText(/^Back\. .* were missed; the rings filled .* of them\.$/).waitFor();
    await page.locator('.link-state.live').waitFor();
    assert.equal(await page.getByRole('alert').filter({ hasText: 'Not connected' }).count(), 0);
    await close();
  });

  test('loading: the shape of the screen is there before the data, and nothing moves when they come', { skip: skipWithoutTraffic }, async () => {
    const client = await connectClient();
    client.socket.destroy(); // so that somebody has closed: the other clients may all stay
    let release;
    const gate = new Promise((resolve) => (release = resolve));
    const { page, close } = await open('closed', { routes: [['**/api/v1/closed?*', async (route) => { await gate; return route.continue(); }]] });
    await page.locator('.closed-list .skeleton').waitFor();
    await page.locator('.reasons tbody tr').first().waitFor(); // these come on their own and have their own height
    const before = await page.locator('.closed-list').boundingBox();
    assert.deepEqual(await violations(page), []);
    release();
    await settled(page);
    const after = await page.locator('.closed-list').boundingBox();
    assert.deepEqual([after.x, after.y, after.width], [before.x, before.y, before.width]);
    await close();
  });

  test('a ring shorter than asked says how far back it reaches', async () => {
    const status = await api('status');
    const rings = { ...status.rings, closed: { ...status.rings.closed, entries: 50, capacity: 50 } };
    const { page, close } = await open('closed', {
      routes: [
        ['**/api/v1/status', (route) => route.fulfill({ json: { ...status, rings } })],
        ['**/api/v1/closed?*', async (route) => route.fulfill({ json: { ...(await api('closed?limit=50')), capacity: 50, oldest_at: Date.now() / 1000 - 60 } })],
      ],
    });
    await page.getByText(/The ring holds the last 50 closes, back to \d\d:\d\d:\d\d\./).waitFor();
    await close();
  });

  test('a stall is named while it lasts: reactor, route, request, connection and who waits', async () => {
    const stall = { id: 's-1', reactor: 1, started_at: Date.now() / 1000 - 0.3, duration_seconds: 0.3, running: true, cause: 'handler', method: 'GET', target: '/report/7', route: '/report/{id}', connection: '1-2f·3', peer: '192.0.2.9:4711', cpu_seconds: 0.001, delayed_connections: 17 };
    const { page, close } = await open('reactors', { held: [(await hello()) + event('stall', stall, 2)] });
    const culprit = page.getByRole('region', { name: 'Reactor 1 is blocked' });
    await culprit.getByRole('alert').getByText('Blocked now: reactor 1').waitFor();
    const text = await culprit.innerText();
    for (const word of ['/report/{id}', 'GET /report/7', '1-2f·3', '192.0.2.9:4711', '17 connections wait', 'waits for something outside']) assert.equal(text.includes(word), true, `${word} in ${text}`);
    assert.deepEqual(await violations(page), []);
    assert.match(await page.locator('.rail a[aria-current]').innerText(), /1 stall/);
    await culprit.getByRole('link', { name: '1-2f·3' }).click();
    await page.getByRole('complementary', { name: 'Connection 1-2f·3' }).waitFor();
    await page.goto(page.url().replace(/#.*/, '#/overview'));
    await page.locator('.answer').getByText('Reactor 1 is blocked by').waitFor();
    await close();
  });

  test('a stall of minutes fits beside the other figures of its reactor at any width', async () => {
    const reactors = await api('reactors');
    const rows = reactors.rows.map((row) => ({ ...row, connections: 12_345, cpu_ratio: 0.9999, busy_ratio: 1, last_iteration_seconds_ago: 245, stall: { duration_seconds: 245, cause: 'handler' } }));
    for (const width of [1440, 1024, 768, 390]) {
      const { page, close } = await open('reactors', { width, routes: [['**/api/v1/reactors', (route) => route.fulfill({ json: { ...reactors, rows } })]] });
      await settled(page);
      await page.getByText('blocked 4 m 05').first().waitFor();
      assert.deepEqual(await overhang(page), { page: 0, main: 0, panels: [] }, `${width} px`);
      await close();
    }
  });

  test('lists that are refused are said to be missing on every screen, and nothing is claimed without them', async () => {
    const refuse = (route) => (/\/(events|status)\b/.test(route.request().url()) ? route.continue() : route.fulfill({ status: 429, ...kProblem, body: JSON.stringify({ type: 'busy', title: 'Too many requests', status: 429, detail: 'Later.' }) }));
    const { page, complaints, close } = await open('overview', { routes: [['**/api/v1/**', refuse]] });
    for (const screen of kScreens) {
      await page.goto(page.url().replace(/#.*/, `#/${screen}`));
      await page.locator(`.main.at-${screen}`).waitFor();
      await page.locator('.banners').getByText('Part of this page is old or missing. 429 · Too many requests. Later.').waitFor();
      assert.doesNotMatch(await page.locator('.main').innerText(), /have room|No requests|Nothing closed|closes: client|healthy|None has failed/, screen);
      assert.deepEqual(await violations(page), [], screen);
    }
    assert.deepEqual(complaints, []);
    await close();
  });

  test('figures that can no longer be asked, and a list that answers no new query, are said to be old', async () => {
    let refused = false;
    const answer = (route) => (!refused || /\/(events|status)\b/.test(route.request().url()) ? route.continue() : route.fulfill({ status: 502, contentType: 'text/html', body: 'no' }));
    const { page, close } = await open('reactors', { routes: [['**/api/v1/**', answer]] });
    await settled(page);
    const banner = page.locator('.banner');
    refused = true;
    await banner.getByText(/old or missing\. 502/).waitFor();
    refused = false;
    await banner.first().waitFor({ state: 'detached' });
    await page.goto(page.url().replace(/#.*/, '#/connections'));
    await page.locator('.grid').waitFor();
    refused = true;
    await page.goto(page.url().replace(/#.*/, '#/connections?query=state:idle'));
    await banner.getByText(/The list below is an old one\. 502/).waitFor();
    refused = false;
    await page.keyboard.press('r');
    await banner.first().waitFor({ state: 'detached' });
    await close();
  });

  test('viewers full: lists go on, live updates do not', async () => {
    const { page, close } = await open('routes', { routes: [['**/api/v1/events?*', (route) => route.fulfill({ status: 503, ...kProblem, body: JSON.stringify({ type: 'viewers-full', title: 'Full', status: 503, detail: '16 of 16 viewers are connected.' }) })]] });
    await page.getByText('Every place for a live viewer is taken').waitFor();
    await page.getByRole('heading', { name: 'Routes', exact: true, level: 2 }).waitFor();
    const head = page.locator('.playhead').filter({ hasText: /^NOT LIVE\d\d:\d\d:\d\d$/ });
    await head.waitFor();
    const first = await head.innerText();
    assert.equal(first.includes('00:00:00'), false);
    await page.waitForFunction((old) => document.querySelector('.playhead').innerText !== old, first); // of the last answer
    await page.goto(page.url().replace(/#.*/, '#/connections'));
    const button = page.locator('.toolbar button:has-text("Close")').first();
    await button.getByText('not live').waitFor();
    assert.equal(await button.isDisabled(), true);
    await close();
  });

  test('rows stay under the cursor while their figures change, and Enter opens the one that is marked', async () => {
    let busy = 50;
    const row = (route, requests_per_second) => ({ route, requests: 1, requests_per_second, error_ratio: 0, in_flight: 0 });
    const { page, close } = await open('routes', { routes: [['**/api/v1/routes', (route) => route.fulfill({ json: { total: 2, rows: [row('/a', 100), row('/b', busy)] } })]] });
    const first = page.locator('table.data tbody tr').first();
    await first.getByText('/a').waitFor();
    await page.keyboard.press('j');
    await page.locator('tr.at').waitFor();
    busy = 250;
    await page.locator('table.data').getByText('250').waitFor();
    assert.match(await first.innerText(), /^\/a/);
    assert.match(await page.locator('tr.at').innerText(), /^\/a/);
    await page.keyboard.press('Escape');
    await first.getByText('/b').waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => location.hash === '#/latency?route=%2Fb');
    await close();
  });

  test('signed out: only the form is there, and it is accessible', async () => {
    const refuse = (route) => route.fulfill({ status: 401, ...kProblem, body: JSON.stringify({ type: 'unauthenticated', title: 'Sign in', status: 401 }) });
    const { page, close } = await open('overview', { routes: [['**/api/v1/**', refuse]] });
    await page.getByLabel('Token').fill('not-a-token');
    await page.getByRole('button', { name: /Sign in/ }).click();
    await page.getByText('This token is not known here').waitFor();
    assert.deepEqual(await violations(page), []);
    await close();
  });

  test('handle expired: the rows stay and r asks again', async () => {
    let expired = true;
    const { page, close } = await open('connections', {
      routes: [
        ['**/api/v1/connections/query', (route) => route.fulfill({ json: { handle: 'gone', total: 300, by_state: {}, by_protocol: {}, taken_at: Date.now() / 1000 } })],
        ['**/api/v1/connections/gone?*', (route) => {
          const offset = Number(new URL(route.request().url()).searchParams.get('offset'));
          if (expired && offset > 0) return route.fulfill({ status: 410, ...kProblem, body: JSON.stringify({ type: 'handle-expired', title: 'Gone', status: 410 }) });
          const rows = Array.from({ length: 100 }, (_, i) => ({ id: `t-${offset + i}`, peer: `192.0.2.1:${1000 + offset + i}`, listener: 'http', protocol: 'http/1.1', state: 'idle', age_seconds: 1, idle_seconds: 1, requests: 1, received_bytes: 1, sent_bytes: 1, deadline: null }));
          return route.fulfill({ json: { total: 300, rows } });
        }],
      ],
    });
    await page.locator('#row-t-0').waitFor();
    assert.equal(await page.getByRole('grid').getAttribute('aria-rowcount'), '301');
    await page.keyboard.press('End');
    await page.getByText('This list was let go').waitFor();
    expired = false;
    await page.keyboard.press('r');
    await page.getByText('This list was let go').waitFor({ state: 'detached' });
    await close();
  });

  test('a closed connection takes one line where there is room for its longest words', async () => {
    const row = (i, more = {}) => ({ id: `7-ffff-${i}`, sequence: i, peer: `198.51.100.106:${50_000 + i}`, listener: 'http', protocol: 'http/1.1', reason: 'client_reset_mid_request', family: 'client', initiator: 'client', sentence: 'Gone.', closed_at: 1e9, age_seconds: 7200, requests: 1234, received_bytes: 1, sent_bytes: 123_456_789, method: 'GET', target: '/hello', ...more });
    const six = { peer: '[2001:db8:1234:5678:9abc:def0:1234:5678]:65535', detail: 'something that takes a whole line to say '.repeat(3) };
    const routes = [['**/api/v1/closed?*', (route) => route.fulfill({ json: { total: 2, by_reason: {}, oldest_at: 1e9, capacity: 5000, rows: [row(2), row(1, six)] } })]];
    for (const width of [2560, 1440, 1024, 768, 390]) {
      const { page, close } = await open('closed', { width, routes });
      await page.locator('.closed-list tbody tr').nth(1).waitFor();
      const height = await page.locator('.closed-list tbody tr').first().evaluate((one) => one.getBoundingClientRect().height);
      assert.equal(height < 32, width > 720, `${width} px: ${height} px high`);
      assert.deepEqual(await overhang(page), { page: 0, main: 0, panels: [] }, `${width} px`);
      await close();
    }
  });

  test('of a deadline the name gives way, never the time', async () => {
    const deadlines = [['first_request', 69, 80], ['handshake', 3.3, 10], ['handshake', 69, 80], ['head', -1, 10], ['max_age', 8640, 86400]];
    const rows = deadlines.map(([kind, seconds_left, total_seconds], i) => ({ id: `t-${i}`, peer: `192.0.2.1:${1000 + i}`, listener: 'http', protocol: 'http/1.1', state: 'handshake', age_seconds: 1, idle_seconds: 1, requests: 0, received_bytes: 0, sent_bytes: 0, deadline: { kind, seconds_left, total_seconds } }));
    const routes = [
      ['**/api/v1/connections/query', (route) => route.fulfill({ json: { handle: 'all', total: rows.length, by_state: {}, by_protocol: {}, taken_at: Date.now() / 1000 } })],
      ['**/api/v1/connections/all?*', (route) => route.fulfill({ json: { total: rows.length, rows } })],
    ];
    for (const [width, params] of [[390, ''], [1440, ''], [1440, 'id=t-1']]) {
      const { page, close } = await open('connections', { width, params, routes });
      await page.locator('#row-t-4 .left').waitFor();
      const cut = await page.locator('.grid-row').evaluateAll((all) => all.map((one) => [one.querySelector('.left'), one.getBoundingClientRect()]).filter(([left, row]) => left.getBoundingClientRect().right > Math.min(row.right, left.closest('[role=gridcell]').getBoundingClientRect().right) + 0.5).map(([left]) => left.textContent));
      assert.deepEqual(cut, [], `${width} px ${params}`);
      if (width === 1440) assert.equal(await page.getByRole('columnheader', { name: 'current request' }).count(), 1);
      await close();
    }
  });

  test('a row that ends stays in its place with its reason, and its drawer becomes the record', async () => {
    const closed = { id: 't-1', sequence: 1, peer: '192.0.2.1:1', listener: 'http', protocol: 'http/1.1', reason: 'write_stall', family: 'timer', initiator: 'server', sentence: 'The client took no byte for 30 s.', closed_at: Date.now() / 1000, age_seconds: 60, requests: 2, received_bytes: 1, sent_bytes: 1, timer: 'write', timer_seconds: 30 };
    const row = { id: 't-1', peer: '192.0.2.1:1', listener: 'http', protocol: 'http/1.1', state: 'writing', age_seconds: 1, idle_seconds: 1, requests: 1, received_bytes: 1, sent_bytes: 1, deadline: null };
    const { page, close } = await open('connections', {
      params: 'id=t-1',
      routes: [
        ['**/api/v1/connections/query', (route) => route.fulfill({ json: { handle: 'one', total: 1, by_state: {}, by_protocol: {}, taken_at: Date.now() / 1000 } })],
        ['**/api/v1/connections/one?*', (route) => route.fulfill({ json: { total: 1, rows: [{ ...row, state: 'closing', closed: { reason: 'write_stall', closed_at: closed.closed_at } }] } })],
        ['**/api/v1/connection/t-1', (route) => route.fulfill({ json: { id: 't-1', live: false, taken_at: Date.now() / 1000, connection: null, closed, timeline: [], requests: [] } })],
      ],
    });
    await page.locator('#row-t-1.ended').waitFor();
    await page.getByText('The client took no byte for 30 s.').waitFor();
    assert.deepEqual(await violations(page), []);
    await close();
  });

  test('a refused action says why and changes nothing', async () => {
    const { page, close } = await open('connections', { routes: [['**/api/v1/connections/close', (route) => route.fulfill({ status: 403, ...kProblem, body: JSON.stringify({ type: 'forbidden', title: 'Refused', status: 403, detail: 'This role may not close.' }) })]] });
    await settled(page);
    await page.locator('.toolbar button:has-text("Close all")').click();
    await page.getByText('This role may not close.').waitFor();
    await page.getByText('Nothing was changed.').waitFor();
    await close();
  });

  test('an empty filter offers to clear it; a bad query names the place and the field meant', async () => {
    const { page, close } = await open('connections', { params: 'query=peer%3Anobody-at-all' });
    await settled(page);
    await page.getByText('Nothing matches').waitFor();
    await page.goto(page.url().replace(/#.*/, `#/connections?query=${encodeURIComponent('age>=0s peer:nobody-at-all')}`));
    await page.getByText(/Without peer:nobody-at-all it would be \d+\./).waitFor();
    await page.getByRole('button', { name: 'Clear all' }).click();
    await page.getByText('Nothing matches').waitFor({ state: 'detached' });
    await page.keyboard.press('/');
    await page.keyboard.type('idel>30s');
    await page.keyboard.press('Enter');
    const alert = page.getByRole('alert').filter({ hasText: 'idel' });
    await alert.waitFor();
    assert.match(await alert.innerText(), /character 1\b.*idle/s);
    await close();
  });

  test('an empty server says so and offers the first step', async () => {
    const { page, close } = await open('connections', {
      routes: [['**/api/v1/connections/query', (route) => route.fulfill({ json: { handle: 'none', total: 0, by_state: {}, by_protocol: {}, taken_at: Date.now() / 1000 } })], ['**/api/v1/connections/none?*', (route) => route.fulfill({ json: { total: 0, rows: [] } })]],
    });
    await page.getByText('No connections yet').waitFor();
    assert.match(await page.locator('.sample').innerText(), /curl -v/);
    await close();
  });
});
