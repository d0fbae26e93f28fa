// What a screen says of the very thing that is looked at: the request that runs, the protocol that was chosen, who is behind a number.
import assert from 'node:assert/strict';
import net from 'node:net';
import { describe, test } from 'node:test';
import { api, kPatience, open, settled, skipWithoutTraffic, traffic } from './support.mjs';

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function until(what, ask) {
  for (const end = Date.now() + kPatience; Date.now() < end; await pause(100)) {
    const answer = await ask();
    if (answer) return answer;
  }
  throw new Error(`still waiting for ${what}`);
}

/** A client that asks for a large file and reads none of it. */
async function stuckReader() {
  const socket = net.connect({ port: Number(traffic.port), host: traffic.hostname, highWaterMark: 1024 });
  socket.on('error', () => undefined);
  socket.pause();
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(`GET /32m.bin HTTP/1.1\r\nHost: ${traffic.host}\r\n\r\n`);
  const query = encodeURIComponent(`peer:${socket.localAddress}:${socket.localPort} state:writing`);
  const { id } = await until('its row', async () => (await api(`connections?query=${query}`)).rows[0]);
  return { socket, id };
}

/** A client that takes more than a second to send its body. */
async function slowUpload() {
  const socket = net.connect(Number(traffic.port), traffic.hostname);
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(`POST /echo HTTP/1.1\r\nHost: ${traffic.host}\r\nContent-Length: 2\r\n\r\na`);
  await pause(1200);
  socket.write('b');
  await new Promise((resolve) => socket.once('data', resolve));
  socket.destroy();
}

describe('what is looked at', { skip: skipWithoutTraffic }, () => {
  test('the drawer names the request that still runs, and the grid cuts no state', async () => {
    const { socket, id } = await stuckReader();
    const { page, complaints, close } = await open('connections', { width: 1024, params: `id=${id}` });
    await settled(page);
    const drawer = page.getByRole('complementary');
    await drawer.getByText('now at GET /32m.bin').waitFor();
    await drawer.getByText('None has finished yet; one is running.').waitFor();
    socket.destroy();
    const upload = net.connect(Number(traffic.port), traffic.hostname);
    upload.write(`POST /echo HTTP/1.1\r\nHost: ${traffic.host}\r\nContent-Length: 9\r\n\r\na`);
    await page.goto(page.url().replace(/#.*/, '#/connections?query=state:reading_body'));
    const word = page.locator('.col-state .word').getByText('reading body').first();
    await until('a whole word', async () => {
      await page.keyboard.press('r');
      return (await word.count()) > 0;
    });
    const overflow = await page.locator('.col-state').first().evaluate((cell) => cell.scrollWidth - cell.clientWidth);
    assert.equal(overflow, 0);
    upload.destroy();
    assert.deepEqual(complaints, []);
    await close();
  });

  test('latency follows the protocol, and answers a route from its own quantiles', async () => {
    await slowUpload();
    await until('its record', async () => (await api('requests/slow?route=/echo')).total > 0);
    const { page, complaints, close } = await open('latency', { params: 'route=/echo&protocol=h2c' });
    await settled(page);
    await page.getByRole('heading', { level: 1, name: /^Half of the requests of \/echo take under .*over all protocols/ }).waitFor();
    await page.getByText('The map counts all routes;').waitFor();
    await page.locator('.slow').getByText('None with this route and protocol.').waitFor();
    await page.getByLabel('route').selectOption('');
    await page.getByRole('heading', { level: 1, name: /requests over h2c/i }).waitFor();
    assert.equal(await page.locator('.percentiles tr.at th').innerText(), 'h2c');
    const { histograms } = await api('series?names=duration,duration:h2c');
    const sum = (name) => histograms[name].counts.flat().reduce((a, b) => a + (b ?? 0), 0);
    const said = Number((await page.locator('.heat-panel > p.sr-only').innerText()).replaceAll(',', '').match(/^\d+/)?.[0] ?? 0);
    assert.ok(said <= sum('duration:h2c') + 100 && said < sum('duration'), `${said} of h2c, ${sum('duration:h2c')} counted, ${sum('duration')} in all`);
    assert.deepEqual(complaints, []);
    await close();
  });

  test('no word lies on a bar of the waterfall', async () => {
    const { page, close } = await open('latency', { width: 1440 });
    await settled(page);
    await page.getByRole('application').focus();
    await until('somebody in a cell', async () => {
      // Down the newest column, to the quickest requests: the clients of this run are there.
      await page.keyboard.press('ArrowDown');
      return (await page.locator('.waterfall').count()) > 0;
    });
    const overlaps = await page.evaluate(() => [...document.querySelectorAll('.waterfall dl > div')].filter((line) => {
      const [bar, word] = [line.querySelector('.lane-bar'), line.querySelector('.lane-word')].map((one) => one?.getBoundingClientRect());
      return bar && word && bar.right > word.left && bar.left < word.right && bar.bottom > word.top && bar.top < word.bottom;
    }).length);
    assert.equal(overlaps, 0);
    await close();
  });

  test('the closes add up: lead, chart and table', async () => {
    const { page, complaints, close } = await open('closed');
    await settled(page);
    const number = (text) => Number(/([\d,]+)/.exec(text)?.[1]?.replaceAll(',', ''));
    const sums = await page.evaluate(() => ({
      lead: document.querySelector('h1')?.textContent ?? '',
      chart: document.querySelector('.family-chart .sr-only')?.textContent ?? '',
      table: [...document.querySelectorAll('.reasons table b')].map((cell) => cell.textContent ?? ''),
    }));
    const chart = [...sums.chart.matchAll(/[a-z]+ ([\d,]+)(?=[,.])/g)].reduce((sum, [, count]) => sum + number(count), 0);
    assert.equal(chart, number(sums.lead));
    assert.equal(sums.table.reduce((sum, count) => sum + number(count), 0), number(sums.lead));
    assert.deepEqual(complaints, []);
    await close();
  });

  test('HTTP/2 leads to who is blocked and to what was closed', async () => {
    const { page, complaints, close } = await open('http2');
    await settled(page);
    await page.locator('.h2-now').getByText('Open on both sides').waitFor();
    await page.getByRole('link', { name: 'Closed HTTP/2 connections' }).first().click();
    await settled(page);
    await page.locator('.closed-list').getByText(/records?, newest first/).waitFor();
    await page.goBack();
    await settled(page);
    await page.getByRole('link', { name: 'Blocked now' }).click();
    await settled(page);
    assert.match(page.url(), /query=limited%3Ah2_window/);
    assert.equal(await page.locator('.query.faulty').count(), 0);
    assert.deepEqual(complaints, []);
    await close();
  });
});
