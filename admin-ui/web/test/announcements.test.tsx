// A live region speaks once for each change of state: what changes every second is not in it.
import { render, type ComponentChildren } from 'preact';
import { afterEach, expect, it, vi } from 'vitest';
import type { Job, Overview, Stall } from '../src/api/types';
import { Culprit } from '../src/screens/reactors';
import { clock, dataAt, jobs, link, overview, retryAt } from '../src/state/live';
import { Banners } from '../src/ui/shell';

const host = document.body.appendChild(document.createElement('div'));
const said = () => [...host.querySelectorAll('[role=alert], [role=status], [aria-live]')].map((region) => region.textContent);
const read = () => host.textContent;
const drawn = () => new Promise((resolve) => setTimeout(resolve));

async function seconds(page: ComponentChildren, change: (second: number) => void): Promise<{ announced: number; shown: number }> {
  const announced = new Set<string>();
  const shown = new Set<string>();
  for (let second = 0; second < 3; second += 1) {
    change(second);
    clock.value += 1;
    render(page, host);
    await drawn();
    announced.add(said().join('|'));
    shown.add(read());
  }
  expect([...announced].join('')).not.toBe('');
  return { announced: announced.size, shown: shown.size };
}

afterEach(() => {
  render(null, host);
  link.value = 'starting';
  overview.value = null;
  jobs.value = new Map();
  dataAt.value = 0;
});

it('the loss of the connection', async () => {
  link.value = 'down';
  const now = Date.now() / 1000;
  dataAt.value = now - 7;
  expect(await seconds(<Banners />, (second) => (retryAt.value = now + 9 - second))).toEqual({ announced: 1, shown: 3 });
  expect(said()[0]).toMatch(/^Not connected\. Data from \d\d:\d\d:\d\d\.$/);
});

it('a drain', async () => {
  const drain = (left: number) => ({ draining: true, connections: left, drain: { state: 'draining', connections_left: left } }) as Overview;
  expect(await seconds(<Banners />, (second) => (overview.value = drain(30 - second)))).toEqual({ announced: 1, shown: 3 });
});

it('a job', async () => {
  const job = (done: number): Job => ({ id: 'j', kind: 'close', state: 'running', total: 300, done }) as Job;
  expect(await seconds(<Banners />, (second) => (jobs.value = new Map([['j', job(second)]])))).toEqual({ announced: 1, shown: 3 });
});

it('a stall', async () => {
  const stall = { id: 's', reactor: 1, started_at: Date.now() / 1000 - 5, duration_seconds: 5, running: true, cause: 'handler' } as Stall;
  expect((await seconds(<Culprit stall={stall} threshold={0.1} />, (second) => (stall.duration_seconds = 60 + second))).announced).toBe(1);
});

it('a clock that was set while the page is open', () => {
  link.value = 'live';
  render(<Banners />, host);
  expect(said()).toEqual([]);
  const set = vi.spyOn(Date, 'now').mockReturnValue(Date.now() + 134_400);
  render(<Banners key="later" />, host);
  set.mockRestore();
  expect(said()).toEqual([expect.stringContaining('clock is 2 m 14 ahead of the server')]);
});
