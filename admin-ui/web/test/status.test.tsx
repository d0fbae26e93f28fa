// What only the status says is asked for again and again: often where it is shown, not while the page is paused.
import { render } from 'preact';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { failing, link, overview, paused, status } from '../src/state/live';
import type { Screen } from '../src/state/router';
import { useStatus } from '../src/state/status';

let asked = 0;
const host = document.createElement('div');
const Page = ({ screen }: { screen: Screen }) => {
  useStatus(screen);
  return null;
};
const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

beforeEach(() => {
  vi.useFakeTimers();
  asked = 0;
  vi.stubGlobal('fetch', () => {
    asked += 1;
    return Promise.resolve(new Response(JSON.stringify({ now_at: 0, changes: [], session: { role: 'viewer' }, viewers: asked, overview: { connections: asked } })));
  });
  link.value = 'live';
  overview.value = null;
});
afterEach(() => {
  render(null, host);
  paused.value = false;
  link.value = 'starting';
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it.each([['overview', 5], ['server', 5], ['closed', 5], ['routes', 1]] satisfies [Screen, number][])('on %s it is asked for %i times in 11 s', async (screen, times) => {
  render(<Page screen={screen} />, host);
  await pass(11_000);
  expect(asked).toBe(times);
  expect(status.value?.viewers).toBe(times);
});

it('rests while the page is paused, and without a connection', async () => {
  paused.value = true;
  render(<Page screen="overview" />, host);
  await pass(10_000);
  link.value = 'down';
  await pass(1000);
  paused.value = false;
  await pass(10_000);
  expect(asked).toBe(0);
});

it('stands in for the stream where every place for a viewer is taken, and never goes before it', async () => {
  link.value = 'full';
  render(<Page screen="routes" />, host);
  await pass(5000);
  expect(overview.value?.connections).toBe(2);
  link.value = 'live';
  await pass(11_000);
  expect(asked).toBeGreaterThan(2);
  expect(overview.value?.connections).toBe(2);
});

it('that cannot be had twice in a row is told of', async () => {
  render(<Page screen="overview" />, host);
  const answer = fetch;
  vi.stubGlobal('fetch', () => Promise.resolve(new Response('{"title":"Busy"}', { status: 503 })));
  await pass(2100);
  expect(failing.value.size).toBe(0);
  await pass(2000);
  expect(failing.value.get('status')?.title).toBe('Busy');
  vi.stubGlobal('fetch', answer);
  await pass(2000);
  expect(failing.value.size).toBe(0);
});
