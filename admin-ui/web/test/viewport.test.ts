// What the stream is told to watch: the rows that are seen, the list alone where there are none, nothing once it is left.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { answer, watchRows } from '../src/state/connections';
import { paused, stream } from '../src/state/live';

let told: { ids: string[]; handle: string | null }[] = [];
const pass = () => vi.advanceTimersByTimeAsync(300);

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  vi.stubGlobal('fetch', (url: string, { body }: { body: string }) => {
    if (url.endsWith('/events/v1/viewport')) told.push(JSON.parse(body) as (typeof told)[number]);
    return Promise.resolve(new Response(null, { status: 204 }));
  });
  stream.value = 'v1';
  answer.value = { handle: 'h', total: 2, by_state: {}, by_protocol: {}, taken_at: 0, query: '' };
});
afterEach(async () => {
  watchRows(null);
  await pass();
  stream.value = null;
  paused.value = false;
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('names the newest rows only, a few times a second', async () => {
  watchRows(['a']);
  watchRows(['a', 'b']);
  await pass();
  expect(told).toEqual([{ ids: ['a', 'b'], handle: 'h' }]);
});

it('watches a list without rows for what is new', async () => {
  watchRows([]);
  await pass();
  expect(told).toEqual([{ ids: [], handle: 'h' }]);
});

it('ends when the list is left, on a paused page too', async () => {
  watchRows(['a']);
  await pass();
  paused.value = true;
  watchRows(null);
  await pass();
  expect(told.at(-1)).toEqual({ ids: [], handle: null });
});

it('is told to a new stream while the list is seen, not after', async () => {
  watchRows([]);
  await pass();
  stream.value = null;
  stream.value = 'v1';
  await pass();
  expect(told.length).toBe(2);
  watchRows(null);
  await pass();
  stream.value = null;
  stream.value = 'v1';
  await pass();
  expect(told.length).toBe(3);
});
