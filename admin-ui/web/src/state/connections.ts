// The connection list: query → handle → pages, a viewport whose rows are kept fresh, a selection. Rows never move until the query is
// asked again.
import { batch, computed, effect, signal } from '@preact/signals';
import { ApiError, ask, get, problemOfError } from '../api/client';
import type { ConnectionPage, Problem, QueryResult } from '../api/types';
import { formatInt } from '../lib/format';
import { applyChanges, liveRow, type LiveRow } from '../lib/rows';
import { onRows, paused, serverNow, stream } from './live';

const kPage = 100;

export const answer = signal<(QueryResult & { query: string }) | null>(null);
/** Ids by position, as far as pages have been loaded. */
export const order = signal<ReadonlyMap<number, string>>(new Map());
export const rows = signal<ReadonlyMap<string, LiveRow>>(new Map());
export const problem = signal<Problem | null>(null);
export const expired = signal(false);
export const asking = signal(false);
export const drift = signal({ added: 0, removed: 0 });
export const cursor = signal(0);
export const selected = signal<ReadonlySet<string>>(new Set());
export const cursorId = computed(() => order.value.get(cursor.value) ?? null);

let asked = 0;
let loading = new Map<number, Promise<void>>();
/** The rows that are seen, as far as there are any; null while nobody looks at the list. */
let visible: string[] | null = null;
let viewportTimer = 0;

/** Asks the query anew. The old answer stays on the page until the new one is here. */
export async function askConnections(query: string, sort: string, direction: string): Promise<void> {
  const mine = ++asked;
  asking.value = true;
  try {
    const result = await ask<QueryResult>('POST', 'connections/query', { query, sort, order: direction });
    const first = await get<ConnectionPage>(`connections/${encodeURIComponent(result.handle)}`, { offset: 0, limit: kPage });
    if (mine !== asked) return;
    loading = new Map([[0, Promise.resolve()]]);
    const now = serverNow();
    batch(() => {
      const sameQuery = answer.value?.query === query;
      const keep = sameQuery ? cursorId.value : null;
      answer.value = { ...result, query };
      order.value = new Map(first.rows.map((row, i) => [i, row.id]));
      rows.value = new Map(first.rows.map((row) => [row.id, liveRow(row, now)]));
      problem.value = null;
      expired.value = false;
      drift.value = { added: 0, removed: 0 };
      const found = first.rows.findIndex((row) => row.id === keep);
      cursor.value = found >= 0 ? found : 0;
      if (!sameQuery) selectNone();
    });
  } catch (error) {
    if (mine === asked) problem.value = problemOfError(error);
  } finally {
    if (mine === asked) asking.value = false;
  }
}

/** Makes sure the rows of these positions are there or on their way. */
export function ensureRange(from: number, to: number): void {
  const current = answer.value;
  if (!current || expired.value) return;
  for (let page = Math.floor(from / kPage); page <= Math.floor(to / kPage); page += 1) {
    if (loading.has(page) || page * kPage >= current.total) continue;
    loading.set(page, loadPage(current.handle, page));
  }
}

async function loadPage(handle: string, page: number): Promise<void> {
  try {
    const answered = await get<ConnectionPage>(`connections/${encodeURIComponent(handle)}`, { offset: page * kPage, limit: kPage });
    if (answer.value?.handle !== handle) return;
    batch(() => {
      const nextOrder = new Map(order.value);
      const nextRows = new Map(rows.value);
      answered.rows.forEach((row, i) => {
        nextOrder.set(page * kPage + i, row.id);
        nextRows.set(row.id, liveRow(row, serverNow()));
      });
      order.value = nextOrder;
      rows.value = nextRows;
      if (problem.value?.status !== 400) problem.value = null;
    });
  } catch (error) {
    if (answer.value?.handle !== handle) return;
    loading.delete(page);
    if (error instanceof ApiError && error.status === 410) expired.value = true;
    else problem.value = problemOfError(error);
  }
}

/** Tells the stream which rows are seen. Without any the list is still watched for what is new and gone; null ends that. */
export function watchRows(ids: string[] | null): void {
  visible = ids?.slice(0, 200) ?? null;
  sendViewport();
}

/** At most four times a second. */
function sendViewport(): void {
  if (viewportTimer) return;
  viewportTimer = window.setTimeout(() => {
    viewportTimer = 0;
    const to = stream.value;
    if (!to || (paused.value && visible)) return;
    const handle = visible ? (answer.value?.handle ?? null) : null;
    void ask('PUT', `events/${encodeURIComponent(to)}/viewport`, { ids: visible ?? [], handle }).catch(() => undefined);
  }, 250);
}

onRows((event) => {
  batch(() => {
    rows.value = applyChanges(rows.value, event);
    if (event.drift) drift.value = event.drift;
  });
});

// A new stream knows nothing of what this tab looks at.
effect(() => {
  if (stream.value !== null && visible !== null) sendViewport();
});

export function toggleSelected(id: string): void {
  const next = new Set(selected.value);
  if (!next.delete(id)) next.add(id);
  selected.value = next;
  rangeNote.value = '';
}

/** As many as one close takes by their ids; more are closed by a query. */
const kMostSelected = 1000;
/** What became of the last range: rows that are on their way, or why some are not selected. */
export const rangeNote = signal('');
let range = 0;

/** Rows that were never seen belong to it too, so they are loaded first. */
export async function selectRange(from: number, to: number): Promise<void> {
  const mine = ++range;
  const handle = answer.value?.handle;
  const step = to < from ? -1 : 1;
  const wanted = Math.abs(to - from) + 1;
  const taken = Math.min(wanted, kMostSelected);
  const places = Array.from({ length: taken }, (_, i) => from + i * step);
  for (const page of new Set(places.map((place) => Math.floor(place / kPage)))) {
    if (order.value.has(page * kPage)) continue;
    rangeNote.value = `loading ${formatInt(taken)} rows to select…`;
    ensureRange(page * kPage, page * kPage);
    await loading.get(page);
    if (mine !== range) return;
    if (answer.value?.handle !== handle) {
      rangeNote.value = 'the list was asked anew; nothing more was selected';
      return;
    }
  }
  const ids = places.flatMap((place) => order.value.get(place) ?? []);
  batch(() => {
    selected.value = new Set([...selected.value, ...ids]);
    rangeNote.value = ids.length < taken ? `${formatInt(taken - ids.length)} of ${formatInt(taken)} rows could not be loaded and are not selected`
      : taken < wanted ? `the first ${formatInt(taken)} of ${formatInt(wanted)} rows; a query closes more`
      : '';
  });
}

export function selectNone(): void {
  range += 1;
  batch(() => {
    selected.value = new Set();
    rangeNote.value = '';
  });
}
