// A range of rows is selected whole, or says what is missing.
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { askConnections, order, rangeNote, selected, selectNone, selectRange } from '../src/state/connections';

const kTotal = 2500;
let refused: (offset: number) => boolean;
const row = (i: number) => ({ id: `r-${i}`, age_seconds: 0, idle_seconds: 0, deadline: null });

beforeEach(async () => {
  refused = () => false;
  let handles = 0;
  vi.stubGlobal('fetch', (url: string) => {
    if (url.endsWith('/query')) return Promise.resolve(new Response(JSON.stringify({ handle: `h${(handles += 1)}`, total: kTotal, by_state: {}, by_protocol: {}, taken_at: 0 })));
    const offset = Number(new URL(url, 'http://a').searchParams.get('offset'));
    if (refused(offset)) return Promise.resolve(new Response('{"title":"gone"}', { status: 410 }));
    return Promise.resolve(new Response(JSON.stringify({ total: kTotal, rows: Array.from({ length: Math.min(100, kTotal - offset) }, (_, i) => row(offset + i)) })));
  });
  selectNone();
  await askConnections('', 'id', 'asc');
});
afterEach(() => vi.unstubAllGlobals());

it('takes what is loaded at once', () => {
  void selectRange(3, 5);
  expect([...selected.value]).toEqual(['r-3', 'r-4', 'r-5']);
  expect(rangeNote.value).toBe('');
});

it('loads rows that were never seen', async () => {
  const done = selectRange(50, 749);
  expect(rangeNote.value).toBe('loading 700 rows to select…');
  await done;
  expect(selected.value.size).toBe(700);
  expect(order.value.get(749)).toBe('r-749');
  expect(rangeNote.value).toBe('');
});

it('goes up as it goes down', async () => {
  await selectRange(450, 0);
  expect(selected.value.size).toBe(451);
});

it('says how many it left out because they could not be loaded', async () => {
  refused = (offset) => offset === 200;
  await selectRange(0, 399);
  expect(selected.value.size).toBe(200);
  expect(rangeNote.value).toBe('200 of 400 rows could not be loaded and are not selected');
});

it('takes no more than one close takes, and says so', async () => {
  await selectRange(0, kTotal - 1);
  expect(selected.value.size).toBe(1000);
  expect(rangeNote.value).toBe('the first 1,000 of 2,500 rows; a query closes more');
});

it('selects nothing by places of a list that was asked anew meanwhile', async () => {
  const done = selectRange(0, 399);
  await askConnections('', 'age', 'desc');
  await done;
  expect(selected.value.size).toBe(0);
  expect(rangeNote.value).toContain('asked anew');
});
