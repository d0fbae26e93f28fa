// Whole journeys, by keyboard alone, against a running server.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { api, connectClient, open, settled, skip, skipWithoutTraffic, traffic, violations } from './support.mjs';

const kCrowd = 5000;
const focusedText = (page) => page.evaluate(() => document.activeElement?.textContent ?? '');

describe('by keyboard', { skip }, () => {
  test('g and a letter go to each screen', async () => {
    const { page, close } = await open('overview');
    await settled(page);
    for (const [key, name] of [['c', 'Connections'], ['x', 'Closed'], ['l', 'Latency'], ['r', 'Routes'], ['h', 'HTTP/2'], ['e', 'Reactors'], ['s', 'Server'], ['o', 'Overview']]) {
      await page.keyboard.press('g');
      await page.keyboard.press(key);
      await page.waitForFunction((want) => document.title.startsWith(want), name);
      assert.equal((await page.locator('.rail [aria-current="page"] .name').textContent())?.trim(), name);
    }
    await close();
  });

  test('single letters can be turned off; the palette still opens', async () => {
    const { page, close } = await open('overview');
    await settled(page);
    await page.keyboard.press('?');
    await page.getByLabel('single-letter keys').uncheck();
    await page.keyboard.press('Escape');
    await page.keyboard.press('g');
    await page.keyboard.press('c');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Query or command' }).waitFor();
    assert.match(await page.title(), /^Overview/);
    await close();
  });

  test('without single letters rows are selected and sorted all the same', async () => {
    const { page, close } = await open('connections');
    await settled(page);
    await page.keyboard.press('?');
    await page.getByLabel('single-letter keys').uncheck();
    await page.keyboard.press('Escape');
    await page.locator('.grid-row input').first().waitFor();
    await page.keyboard.press('x');
    assert.equal(await page.locator('.grid-row[aria-selected="true"]').count(), 0);
    await page.keyboard.press('Space');
    await page.locator('.grid-row[aria-selected="true"]').waitFor();
    await page.getByRole('grid').focus();
    await page.keyboard.press('Tab');
    assert.match(await focusedText(page), /^id/);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => /sort=peer/.test(location.hash));
    await close();
  });

  test('the palette finds a screen, gives the focus back, and t changes the theme', async () => {
    const { page, close } = await open('overview');
    await settled(page);
    await page.keyboard.press('Control+k');
    await page.keyboard.type('react');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.title.startsWith('Reactors'));
    await page.keyboard.press('t');
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
    await close();
  });

  test('completion takes a field and a value with Tab', async () => {
    const { page, close } = await open('connections');
    await settled(page);
    await page.keyboard.press('/');
    await page.keyboard.type('stat');
    await page.keyboard.press('Tab');
    await page.keyboard.type('clos');
    await page.keyboard.press('Tab');
    assert.equal(await page.locator('.query input').inputValue(), 'state:closing ');
    await close();
  });

  test('keys that come faster than frames lose nothing to a completion', async () => {
    const { page, close } = await open('connections');
    await settled(page);
    await page.keyboard.press('/');
    // No frame is drawn while this runs: the keys of a quick hand on a slow machine.
    const [text, caret] = await page.evaluate(() => {
      const input = document.activeElement;
      const type = (letters) => {
        for (const letter of letters) {
          input.setRangeText(letter, input.selectionStart, input.selectionEnd, 'end');
          input.dispatchEvent(new InputEvent('input', { bubbles: true, data: letter, inputType: 'insertText' }));
        }
      };
      const tab = () => input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Tab', bubbles: true, cancelable: true }));
      type('stat');
      tab();
      type('clos');
      tab();
      type('x');
      return [input.value, input.selectionStart];
    });
    assert.deepEqual([text, caret], ['state:closing x', 15]);
    await close();
  });

  test('keys that come faster than frames reach what the ones before them opened', async () => {
    const { page, close } = await open('overview');
    await settled(page);
    const seen = await page.evaluate(async () => {
      // Within one task there is no frame, no timer and no event but these; the page may only do what it does at once.
      const rest = async () => { for (let i = 0; i < 50; i += 1) await null; };
      const press = async (key, more = {}) => {
        document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more }));
        await rest();
      };
      const type = async (text) => {
        const field = document.activeElement;
        field.setRangeText(text, field.selectionStart, field.selectionEnd, 'end');
        field.dispatchEvent(new InputEvent('input', { bubbles: true, data: text, inputType: 'insertText' }));
        await rest();
      };
      const focused = () => document.activeElement.getAttribute('aria-label');
      const told = [];
      await press('k', { ctrlKey: true });
      told.push(focused());
      await type('react');
      await press('Enter');
      told.push(document.title, location.hash);
      await press('g');
      await press('c');
      await press('/');
      told.push(focused());
      await type('state:idle');
      await press('Enter');
      told.push(document.title, location.hash, document.activeElement.value);
      return told;
    });
    assert.deepEqual(seen, ['Query or command', 'Reactors · Equinox', '#/reactors', 'Query over connections', 'Connections · Equinox', '#/connections?query=state%3Aidle', 'state:idle']);
    await close();
  });

  test('pausing holds the figures still', async () => {
    const { page, close } = await open('overview');
    await settled(page);
    const figures = () => page.evaluate(() => [...document.querySelectorAll('.identity, .playhead, .tiles, .mix .bars, .mix .quiet')].map((part) => part.innerText).join('\n'));
    const playhead = page.locator('.playhead span');
    const moving = await playhead.innerText();
    await page.waitForFunction((old) => document.querySelector('.playhead span')?.textContent !== old, moving);
    await page.keyboard.press('p');
    await page.locator('.link-state.paused').waitFor();
    const held = await figures();
    const from = (await api('status')).now_at;
    for (let now = from; now < from + 3; now = (await api('status')).now_at) await page.waitForTimeout(200);
    assert.equal(await figures(), held);
    const stood = await playhead.innerText();
    await page.keyboard.press('p');
    await page.locator('.link-state:not(.paused)').waitFor();
    await page.waitForFunction((old) => document.querySelector('.playhead span')?.textContent !== old, stood);
    assert.notEqual(await figures(), held);
    await close();
  });

  test('a click into the heatmap and the arrow keys choose exactly the cell they name', async () => {
    const { page, close } = await open('latency');
    await settled(page);
    const map = page.locator('.heatmap');
    const box = await map.boundingBox();
    await page.mouse.click(box.x + box.width * 0.5, box.y + box.height * 0.5);
    const before = await page.locator('.cell-panel .panel-head .sub').innerText();
    await map.focus();
    await page.keyboard.press('ArrowUp');
    await page.waitForFunction((old) => document.querySelector('.cell-panel .panel-head .sub')?.textContent !== old, before);
    await page.keyboard.press('ArrowDown');
    await page.waitForFunction((old) => document.querySelector('.cell-panel .panel-head .sub')?.textContent === old, before);
    await close();
  });
});

describe('with traffic', { skip: skipWithoutTraffic }, () => {
  test('a connection is found, opened, closed with a preview, and explained', async () => {
    const client = await connectClient();
    client.get('/');
    const { page, close } = await open('connections', { params: `query=${encodeURIComponent(`peer:${client.address}`)}` });
    await settled(page);
    for (let turn = 0; turn < 20 && (await page.locator('.grid-row').count()) === 0; turn += 1) {
      await page.keyboard.press('r');
      await page.waitForTimeout(200);
    }
    assert.equal(await page.getByRole('grid').getAttribute('aria-rowcount'), '2');
    await page.keyboard.press('Enter');
    await page.getByRole('complementary').getByText('Next deadline').waitFor();
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press('x');
    await page.keyboard.press('c');
    await page.getByRole('heading', { name: 'Close 1 connection?' }).waitFor();
    assert.deepEqual(await violations(page), []);
    await page.getByRole('button', { name: 'Close 1', exact: true }).click();
    await client.ended;
    await page.locator('.grid-row.ended').waitFor();
    assert.match(await page.locator('.grid-row.ended').innerText(), /closed/);
    await page.locator('.drawer .sentence').waitFor();
    assert.match(await page.locator('.drawer').innerText(), /admin_close/);
    const same = new URLSearchParams((await page.getByRole('link', { name: 'Same client' }).getAttribute('href')).split('?')[1]);
    assert.equal(same.get('query'), `client:${client.address.replace(/:\d+$/, '')}`);
    const why = await api(`closed?query=${encodeURIComponent(`peer:${client.address}`)}`);
    assert.equal(why.rows[0].reason, 'admin_close');
    await close();
  });

  test('one slow reader is found among 5,000 connections, closed, and its end explained', async () => {
    const crowd = [];
    while (crowd.length < kCrowd) {
      const some = await Promise.all(Array.from({ length: 100 }, () => connectClient()));
      for (const client of some) client.get('/hello');
      crowd.push(...some);
    }
    const slow = await connectClient();
    slow.socket.pause();
    slow.get('/32m.bin');
    const { page, close } = await open('connections');
    await settled(page);
    await page.waitForFunction((least) => Number(document.querySelector('[role=grid]')?.getAttribute('aria-rowcount')) > least, kCrowd);
    await page.getByRole('button', { name: 'Slow readers' }).click();
    // What was asked for is a moment: r asks again until the server's buffers are full.
    for (let turn = 0; turn < 50 && (await page.locator('.grid-row').count()) !== 1; turn += 1) {
      await page.keyboard.press('r');
      await page.waitForTimeout(200);
    }
    assert.match(await page.locator('.grid-row').first().innerText(), new RegExp(slow.address));
    await page.keyboard.press('x');
    await page.keyboard.press('c');
    await page.getByRole('button', { name: 'Close 1', exact: true }).click();
    await page.locator('.grid-row.ended').waitFor();
    const why = await api(`closed?query=${encodeURIComponent(`peer:${slow.address}`)}`);
    assert.equal(why.rows[0].reason, 'admin_close');
    assert.match(why.rows[0].sentence, /local/);
    assert.equal((await api('connections?limit=1')).total >= kCrowd, true, 'nobody else was closed');
    for (const client of [...crowd, slow]) client.socket.destroy();
    await close();
  });

  test('the connection that holds most memory stands first in its saved view', async () => {
    const client = await connectClient();
    client.socket.write(`POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n${'b'.repeat(2_500_000)}`);
    const { page, close } = await open('connections');
    await settled(page);
    await page.getByRole('button', { name: 'Most memory' }).click();
    await page.waitForFunction(() => /sort=memory/.test(location.hash));
    const first = page.locator('.grid-row').first();
    // What was asked for is a moment: r asks again until the body has come.
    for (let turn = 0; turn < 50 && !(await first.innerText()).includes(client.address); turn += 1) {
      await page.keyboard.press('r');
      await page.waitForTimeout(200);
    }
    assert.match(await first.innerText(), new RegExp(`${client.address}[^]*MiB`));
    assert.equal(await page.getByRole('columnheader', { name: 'memory' }).getAttribute('aria-sort'), 'descending');
    assert.equal(await page.getByRole('button', { name: 'Most memory' }).getAttribute('aria-pressed'), 'true');
    // Its row follows the traffic without being asked for again.
    client.socket.write('b'.repeat(500_000));
    await page.waitForFunction((address) => ![...document.querySelectorAll('.grid-row')].some((row) => row.innerText.includes(address) && row.innerText.includes('MiB')), client.address);
    client.socket.destroy();
    await close();
  });

  test('closing several needs the count typed', async () => {
    const clients = await Promise.all([connectClient(), connectClient(), connectClient()]);
    const first = clients.map((client) => client.port).sort();
    for (const client of clients) client.get('/');
    const { page, close } = await open('connections');
    await settled(page);
    await page.keyboard.press('r');
    await page.waitForFunction((n) => document.querySelectorAll('.grid-row input').length >= n, clients.length);
    await page.keyboard.press('x');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('Shift+X');
    await page.keyboard.press('c');
    await page.getByRole('heading', { name: 'Close 3 connections?' }).waitFor();
    const submit = page.getByRole('button', { name: 'Close 3', exact: true });
    assert.equal(await submit.isDisabled(), true);
    await page.getByLabel('Type 3').fill('2');
    assert.equal(await submit.isDisabled(), true);
    await page.getByLabel('Type 3').fill('3');
    assert.equal(await submit.isDisabled(), false);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    for (const client of clients) client.socket.destroy();
    assert.equal(first.length, 3);
    await close();
  });

  test('a heatmap cell opens its requests, a request its connection', async () => {
    for (let n = 0; n < 20; n += 1) await (await fetch(traffic)).arrayBuffer();
    const { page, close } = await open('latency');
    await settled(page);
    await page.locator('.heat-panel').getByRole('button', { name: 'table', exact: true }).click();
    const cell = page.locator('.cell-buttons button').first();
    await cell.waitFor();
    await cell.click();
    await page.locator('.cell-panel .conn-link').first().waitFor();
    assert.match(await page.locator('.waterfall').innerText(), /head.*body.*queue.*handler.*write/s);
    await page.locator('.cell-panel .conn-link').first().click();
    const drawer = page.getByRole('complementary');
    await drawer.getByText(/Next deadline|No deadline|Ended by/).first().waitFor();
    assert.equal(await drawer.getByText('Nothing is known').count(), 0);
    await close();
  });

  test('the drawer closes what it shows, whatever screen it lies over', async () => {
    const client = await connectClient();
    client.get('/hello');
    let rows = [];
    for (let turn = 0; turn < 50 && rows.length === 0; turn += 1) {
      ({ rows } = await api(`connections?query=${encodeURIComponent(`peer:${client.address} requests>0`)}`));
    }
    const { page, close } = await open('latency', { params: `id=${encodeURIComponent(rows[0].id)}` });
    await settled(page);
    await page.getByRole('complementary').getByText('Next deadline').waitFor();
    await page.keyboard.press('d');
    await page.getByRole('heading', { name: 'Drain 1 connection?' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('c');
    await page.getByRole('button', { name: 'Close 1', exact: true }).click();
    await client.ended;
    await page.locator('.drawer .sentence').waitFor();
    await page.keyboard.press('c');
    assert.equal(await page.getByRole('dialog').count(), 0, 'it is closed already');
    await close();
  });

  test('focus goes into the close dialog and comes back', async () => {
    const client = await connectClient();
    // Who has asked for something may be idle for a minute; who has not is closed much sooner than a slow machine opens a page.
    client.get('/hello');
    const { page, close } = await open('connections', { params: `query=${encodeURIComponent(`peer:${client.address}`)}` });
    await settled(page);
    for (let turn = 0; turn < 20 && (await page.locator('.grid-row').count()) === 0; turn += 1) {
      await page.keyboard.press('r');
      await page.waitForTimeout(200);
    }
    const button = page.getByRole('button', { name: /Close all of these/ });
    await button.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    assert.equal(await page.evaluate(() => document.querySelector('dialog')?.contains(document.activeElement)), true);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.match(await focusedText(page), /Close all of these/);
    client.socket.destroy();
    await close();
  });
});
