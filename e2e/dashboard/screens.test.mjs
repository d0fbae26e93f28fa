// Every screen, in both themes and at four widths: accessible, quiet in the console, without sideways scrolling.
import assert from 'node:assert/strict';
import http from 'node:http';
import { describe, test } from 'node:test';
import { api, connectClient, dashboard, kScreens, kWidths, open, overhang, settled, skip, skipWithoutTraffic, violations } from './support.mjs';

/** The pictures of a screen, each with its words and the choices between chart and table around it. */
function chartsOf(page) {
  return page.evaluate(() => [...document.querySelectorAll('.main canvas, .main .time-chart')].filter((one) => !one.matches('.time-chart canvas')).map((one) => {
    const named = one.closest('[aria-label]');
    // The lines of the tiles have theirs at the head of the page.
    const around = one.closest('.tiles') ? document.querySelector('.answer') : one.closest('.panel');
    return { words: named?.getAttribute('aria-label') ?? '', toggles: [...(around?.querySelectorAll('[role="group"][aria-label$=": show as"]') ?? [])].map((group) => group.getAttribute('aria-label')) };
  }));
}

function tableForm(table) {
  return table.evaluate((element) => ({
    caption: (element.caption?.textContent ?? '').length > 10,
    heads: [...element.querySelectorAll('thead th')].every((one) => one.scope === 'col') && [...element.querySelectorAll('tbody tr')].every((row) => row.cells[0]?.scope === 'row'),
    rows: element.querySelectorAll('tbody tr').length > 0,
  }));
}

describe('every screen', { skip }, () => {
  for (const theme of ['light', 'dark']) {
    for (const screen of kScreens) {
      test(`${screen}, ${theme}: axe finds nothing and the console stays quiet`, async () => {
        const { page, complaints, close } = await open(screen, { theme });
        await settled(page);
        assert.deepEqual(await violations(page), []);
        assert.deepEqual(complaints, []);
        await close();
      });
    }
  }

  for (const width of kWidths) {
    test(`nothing sticks out sideways at ${width} px`, async () => {
      const { page, close } = await open('overview', { width });
      for (const screen of kScreens) {
        await page.goto(`${dashboard}#/${screen}`);
        await settled(page);
        const wide = await overhang(page);
        assert.deepEqual(wide, { page: 0, main: 0, panels: [] }, screen);
      }
      await close();
    });
  }

  test('nor do the longest addresses, targets and server names', { skip: skipWithoutTraffic }, async () => {
    const gone = await connectClient();
    gone.get('/hello');
    gone.socket.end();
    await gone.ended;
    const long = { address: '[2001:db8:1234:5678:9abc:def0:1234:5678]:65535', peer: '[2001:db8:1234:5678:9abc:def0:1234:5678]:65535', client: '[2001:db8:1234:5678:9abc:def0:1234:5678]', target: `/${'segment/'.repeat(14)}`, sni: `${'label.'.repeat(10)}example.net`, detail: 'something that takes a whole line to say '.repeat(3), requests: 123_456_789, sent_bytes: 123_456_789_012 };
    const widened = (value) => (Array.isArray(value) ? value.map(widened) : value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([name, one]) => [name, name in long && (one === null || typeof one !== 'object') ? long[name] : widened(one)])) : value);
    const widen = ['**/api/v1/**', async (route) => {
      if (route.request().url().includes('/events')) return route.continue();
      const response = await route.fetch();
      return route.fulfill({ response, body: (response.headers()['content-type'] ?? '').includes('json') ? JSON.stringify(widened(await response.json())) : await response.body() });
    }];
    for (const width of [320, 390, 768, 1024]) {
      const { page, close } = await open('overview', { width, routes: [widen] });
      for (const screen of kScreens) {
        await page.goto(`${dashboard}#/${screen}`);
        await settled(page);
        assert.deepEqual(await overhang(page), { page: 0, main: 0, panels: [] }, `${screen} at ${width} px`);
        if (screen !== 'connections' && screen !== 'closed') continue;
        await page.locator(screen === 'closed' ? '.closed-list tbody button' : '.grid-row').first().click();
        await page.locator(screen === 'closed' ? '.closed-record' : '.drawer-body section').first().waitFor();
        assert.deepEqual(await overhang(page), { page: 0, main: 0, panels: [] }, `${screen} at ${width} px, opened`);
      }
      await close();
    }
  });

  test('of a long instance name the end gives way, and no figure beside it', async () => {
    const status = await api('status');
    const instance = 'equinox-edge-eu-central-1-production-7c9f4d8b5-x2x9q';
    for (const width of [1440, 1200, 1024, 390]) {
      const { page, close } = await open('overview', { width, routes: [['**/api/v1/status', (route) => route.fulfill({ json: { ...status, instance, started_at: status.now_at - 534_000 } })]] });
      await settled(page);
      const identity = page.locator('.identity');
      await identity.getByText(instance).waitFor();
      const cut = await identity.evaluate((box) => [...box.children].filter((one) => one.getBoundingClientRect().right > box.getBoundingClientRect().right + 0.5 || (!one.title && one.scrollWidth > one.clientWidth)).map((one) => one.textContent));
      assert.deepEqual(cut, [], `${width} px`);
      assert.equal(await identity.locator('b').evaluate((one) => getComputedStyle(one).textOverflow), 'ellipsis');
      await close();
    }
  });

  test('a port of the configuration is never broken', async () => {
    for (const width of [1440, 1024, 768, 390]) {
      const { page, close } = await open('server', { width });
      await settled(page);
      const broken = await page.locator('.config-table td').evaluateAll((cells) => cells.filter((cell) => {
        const port = /\d+$/.exec(/:\d+$/.exec(cell.textContent)?.[0] ?? '')?.[0];
        if (!port) return false;
        const last = cell.ownerDocument.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
        let text = null;
        while (last.nextNode()) text = last.currentNode;
        const range = cell.ownerDocument.createRange();
        range.setStart(text, Math.max(0, text.length - port.length));
        range.setEnd(text, text.length);
        return range.getClientRects().length > 1;
      }).map((cell) => cell.textContent));
      assert.deepEqual(broken, [], `${width} px`);
      await close();
    }
  });

  test('however close together changes come, their marks stay apart', async () => {
    const status = await api('status');
    // From one a second to one a minute, so that some are as far apart as marks can be before they become one.
    const changes = Array.from({ length: 40 }, (_, i) => ({ id: `mark-${i}`, at: Date.now() / 1000 - 5 - i - i * i * 0.5, kind: ['stall', 'reload', 'evictions', 'abuse'][i % 4], text: `Change ${i}`, severity: 'warn' }));
    for (const width of [390, 1440]) {
      const { page, close } = await open('overview', { width, routes: [['**/api/v1/status', (route) => route.fulfill({ json: { ...status, changes } })]] });
      await settled(page);
      await page.waitForFunction(() => document.querySelectorAll('.horizon .event').length > 5);
      assert.deepEqual(await violations(page), [], `${width} px`);
      await close();
    }
  });

  test('the drawer, the windows and the tables of the charts pass axe too', async () => {
    const { page, close } = await open('connections');
    await settled(page);
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Help' }).waitFor();
    assert.deepEqual(await violations(page), [], 'help');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog', { name: 'Query or command' }).waitFor();
    assert.deepEqual(await violations(page), [], 'palette');
    await page.keyboard.press('Escape');
    await page.goto(`${dashboard}#/latency`);
    await settled(page);
    for (const button of await page.getByRole('button', { name: 'table', exact: true }).all()) await button.click();
    assert.deepEqual(await violations(page), [], 'tables');
    await close();
  });

  for (const theme of ['light', 'dark']) {
    test(`every chart has its words and, reached by keyboard, its table; ${theme}`, async () => {
      const { page, complaints, close } = await open('overview', { theme });
      const seen = new Set();
      for (const screen of kScreens) {
        await page.goto(`${dashboard}#/${screen}`);
        await settled(page);
        const charts = await chartsOf(page);
        assert.deepEqual(charts.filter(({ words }) => words.length < 10), [], `${screen}: a picture without words`);
        assert.deepEqual(charts.filter(({ toggles }) => toggles.length === 0), [], `${screen}: a picture without a table`);
        for (const name of new Set(charts.flatMap(({ toggles }) => toggles))) {
          seen.add(name);
          const button = page.locator(`[role="group"][aria-label="${name}"]`).getByRole('button', { name: 'table', exact: true });
          await button.focus();
          await page.keyboard.press('Enter');
          const table = page.getByRole('region', { name: name.replace(/: show as$/, ', table') }).getByRole('table');
          await table.waitFor();
          assert.deepEqual(await tableForm(table), { caption: true, heads: true, rows: true }, `${screen}, ${name}`);
        }
        assert.deepEqual(await chartsOf(page), [], `${screen}: pictures left`);
        assert.deepEqual(await violations(page), [], `${screen}, as tables`);
        assert.deepEqual(await overhang(page), { page: 0, main: 0, panels: [] }, `${screen}, as tables`);
      }
      // Reasons have a picture only once something has closed.
      const always = [...seen].map((name) => name.replace(/: show as$/, '').replace(/ in the next \d+ s$/, '')).filter((name) => name !== 'Reasons').sort();
      assert.deepEqual(always, ['Closes over time', 'Deadlines', 'Every connection, by reactor', 'Loop health', 'Reactors', 'Requests by duration', 'Streams over time', 'The last 15 minutes', 'Where the time goes']);
      assert.deepEqual(complaints, []);
      await close();
    });
  }

  test('the band above every screen has its table too', async () => {
    const { page, close } = await open('routes');
    await settled(page);
    assert.match(await page.locator('.horizon-canvas').getAttribute('aria-label'), /between .* and .*; \d+ events?\./);
    await page.locator('.horizon-table').focus();
    await page.keyboard.press('Enter');
    const window = page.getByRole('dialog', { name: 'The last 15 minutes' });
    assert.deepEqual(await tableForm(window.getByRole('table')), { caption: true, heads: true, rows: true });
    assert.deepEqual(await violations(page), []);
    // Two events of one row lie one below the other: each must be a target of its own.
    const heights = await window.locator('a.line').evaluateAll((links) => links.map((link) => link.getBoundingClientRect().height));
    assert.ok(heights.length > 0 && heights.every((height) => height >= 24), `${heights}`);
    await page.keyboard.press('Escape');
    await window.waitFor({ state: 'detached' });
    await close();
  });

  test('forced colours and reduced motion leave every screen usable', async () => {
    const { page, complaints, close } = await open('overview', { context: { forcedColors: 'active', reducedMotion: 'reduce' } });
    for (const screen of kScreens) {
      await page.goto(`${dashboard}#/${screen}`);
      await settled(page);
      assert.deepEqual(await violations(page, { without: ['color-contrast'] }), [], screen);
    }
    assert.deepEqual(complaints, []);
    await close();
  });

  test('everything the browser loads is at most 100 KB, as the server sends it', async () => {
    const loaded = new Set();
    const { page, close } = await open('overview');
    page.on('request', (request) => loaded.add(request.url()));
    await page.reload();
    await settled(page);
    await close();
    const files = [...loaded].map((url) => url.split('#')[0]).filter((url) => !url.includes('/api/'));
    assert.equal(files.some((url) => url.endsWith('.js')) && files.some((url) => url.endsWith('.css')), true, files.join(' '));
    // Counted below fetch, which would unpack what it gets.
    const sizes = await Promise.all(files.map((url) => new Promise((resolve, reject) => {
      http.get(url, { headers: { 'Accept-Encoding': 'gzip' } }, (response) => {
        let bytes = 0;
        response.on('data', (data) => (bytes += data.length));
        response.on('end', () => resolve(bytes));
      }).on('error', reject);
    })));
    const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
    assert.equal(total > 10_000 && total <= 100_000, true, `${total} bytes: ${files.map((url, i) => `${url} ${sizes[i]}`).join(', ')}`);
  });

  test('the page is served under a policy without inline script or style', async () => {
    const response = await fetch(dashboard);
    const policy = response.headers.get('content-security-policy') ?? '';
    assert.match(policy, /script-src 'self'/);
    assert.match(policy, /style-src 'self'/);
    assert.doesNotMatch(policy, /unsafe/);
    const html = await response.text();
    assert.doesNotMatch(html, /<style|style=|<script(?![^>]*src=)|https?:\/\//);
  });
});
