// The dashboard of the example `observed`, opened as its reader would: in a browser, with traffic behind it. Run by
// check_installed.py, which names the two addresses; the helpers are those of the dashboard's own tests.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { api, connectClient, kPatience, open, settled, skipWithoutTraffic, violations } from '../../e2e/dashboard/support.mjs';

const kHeld = 5;
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function until(what, ask, will) {
  let answer;
  for (const end = Date.now() + kPatience; Date.now() < end; await pause(100)) {
    answer = await ask();
    if (will(answer)) return answer;
  }
  throw new Error(`still waiting for ${what}; last seen ${JSON.stringify(answer)}`);
}

describe('the dashboard of a program of its own', { skip: skipWithoutTraffic }, () => {
  test('shows its connections, its requests and who sleeps; nothing is fetched from elsewhere', async () => {
    const clients = await Promise.all(Array.from({ length: kHeld }, () => connectClient()));
    const talking = setInterval(() => clients.forEach((client, n) => client.get(`/hello/visitor-${n}`)), 100);
    const { page, complaints, close } = await open('overview');
    try {
      await settled(page);
      const figure = async (name) => Number((await page.locator('.tile').filter({ hasText: name }).locator('.figure').first().innerText()).replace(/[^\d.]/g, ''));
      await until('the connections', () => figure('Connections'), (count) => count === kHeld);
      await until('the requests', () => figure('Requests'), (rate) => rate > kHeld);
      if (process.env.EQUINOX_SCREENSHOTS) await page.screenshot({ path: `${process.env.EQUINOX_SCREENSHOTS}/observed-overview.png` });
      assert.deepEqual(await violations(page), []);

      await page.keyboard.press('g');
      await page.keyboard.press('c');
      await settled(page);
      const row = page.locator('.grid-row').filter({ hasText: clients[0].address });
      await row.waitFor();
      assert.match(await row.innerText(), /\/hello\/visitor-0/);
      assert.equal(await page.locator('.grid-row').count(), kHeld);
      await row.click();
      const drawer = page.getByRole('complementary');
      await drawer.getByText('Next deadline').waitFor();
      await drawer.locator('.requests tbody tr').filter({ hasText: '/hello/visitor-0' }).first().waitFor();
      assert.match(await drawer.innerText(), new RegExp(clients[0].address));
      if (process.env.EQUINOX_SCREENSHOTS) await page.screenshot({ path: `${process.env.EQUINOX_SCREENSHOTS}/observed-drawer.png` });
      await page.keyboard.press('Escape');

      clearInterval(talking);
      await page.keyboard.press('g');
      await page.keyboard.press('e');
      await settled(page);
      const sleeper = await connectClient();
      const asleep = setInterval(() => sleeper.get('/sleep'), 1000);
      try {
        const culprit = page.getByRole('region', { name: /^Reactor \d is blocked$/ });
        const text = await until('the sleeper', () => culprit.first().innerText({ timeout: 1000 }).catch(() => ''), (words) => words.includes('/sleep'));
        assert.match(text, new RegExp(sleeper.address));
      } finally {
        clearInterval(asleep);
        sleeper.socket.destroy();
      }
      const { rows } = await api('routes');
      assert.equal(rows.some(({ route }) => route === '/hello/{name}'), true, JSON.stringify(rows));
      assert.deepEqual(complaints, []);
    } finally {
      clearInterval(talking);
      for (const client of clients) client.socket.destroy();
      await close();
    }
  });
});
