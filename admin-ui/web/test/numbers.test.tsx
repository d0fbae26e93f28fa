// Numbers that stand beside each other have to agree: each says what it counts.
import { describe, expect, it } from 'vitest';
import type { RouteRow, Series } from '../src/api/types';
import { SeriesRing } from '../src/lib/series';
import { families, totals } from '../src/screens/closed';
import { streamsOf } from '../src/screens/http2';
import { cellWords, chosenIn, hasMore, histogramOf, routeWords } from '../src/screens/latency';

const series = (values: Series['series'], histograms: Series['histograms'] = {}): Series => ({
  boot_id: 'b', now_at: 100, start_at: 60, step_seconds: 15, points: 3, series: values, histograms,
});

describe('closes', () => {
  const reasons = series({ closed: [3, null, 4], 'closed_reason:client_fin_idle': [2, null, 1], 'closed_reason:write_stall': [1, null, 2], 'closed_reason:client_reset_idle': [0, null, 1] });

  it('the chart adds up to the lead and the table', () => {
    const all = totals(reasons).reduce((sum, { total }) => sum + total, 0);
    expect(all).toBe(7);
    expect(families(reasons).flatMap(({ values }) => values).reduce<number>((sum, n) => sum + (n ?? 0), 0)).toBe(all);
  });

  it('keeps a gap a gap', () => {
    expect(families(reasons).find(({ family }) => family === 'client')?.values).toEqual([2, null, 2]);
    expect(families(series({ closed: [0, null, 0] })).find(({ family }) => family === 'timer')?.values).toEqual([0, null, 0]);
  });
});

describe('requests by protocol', () => {
  it('are counted, not the connections', () => {
    const ring = new SeriesRing();
    ring.seed({ ...series({}, { duration: { edges_seconds: [1], counts: [[8, 0], null, [1, 1]] }, 'duration:h2': { edges_seconds: [1], counts: [[3, 0], null, [0, 1]] } }), step_seconds: 1 });
    expect(ring.observed('duration:h2') / ring.observed('duration')).toBe(0.4);
    expect(ring.observed('duration:h2c')).toBe(0);
  });

  it('have a map of their own where the server counts them', () => {
    expect(histogramOf('duration', 'h2c')).toBe('duration:h2c');
    expect(histogramOf('queue', 'h2c')).toBe('queue');
    expect(histogramOf('duration', undefined)).toBe('duration');
  });
  it('takes no measure or protocol from an address that does not exist', () => {
    expect(chosenIn({ measure: '<b>', protocol: 'spdy', route: '/a' })).toEqual({ measure: 'duration', route: '/a', protocol: undefined });
    expect(chosenIn({ measure: 'queue', protocol: 'h2' })).toEqual({ measure: 'queue', route: undefined, protocol: 'h2' });
  });
});

describe('the answer about a route', () => {
  const row: RouteRow = { route: '/echo', requests: 40, requests_per_second: 0, error_ratio: 0.5, in_flight: 0, p50_seconds: 3, p99_seconds: 5.5 };

  it('is from its own quantiles', () => {
    expect(routeWords('/echo', [row], undefined)).toEqual({ lead: 'Half of the requests of /echo take under 3.0 s, 99 of 100 under 5.5 s.', rest: '40 since the start; 50 % failed.' });
    expect(routeWords('/echo', [row], 'h2c').rest).toBe('40 since the start, over all protocols; 50 % failed.');
  });

  it('claims nothing before one has finished', () => {
    expect(routeWords('/echo', [{ ...row, p50_seconds: null }], undefined).lead).toBe('No request of /echo has finished.');
    expect(routeWords('/none', [row], undefined).lead).toBe('No request of /none has finished.');
  });
});

describe('open streams', () => {
  it('are those of every state', () => {
    expect(streamsOf({ open: 1, half_closed_local: 2, half_closed_remote: 40 })).toBe(43);
    expect(streamsOf({})).toBe(0);
  });
});

describe('a cell', () => {
  const rows = (count: number) => new Array<null>(count).fill(null);

  it('tells shown, kept and counted apart', () => {
    expect(cellWords({ total: 289, kept: 289, rows: rows(100) })).toBe('Shown are the slowest 100 of 289.');
    expect(cellWords({ total: 5000, kept: 289, rows: rows(100) })).toBe('Shown are the slowest 100 of 289. 289 of 5,000 are kept; under load only a sample is.');
    expect(cellWords({ total: 5000, kept: 40, rows: rows(40) })).toBe('40 of 5,000 are kept; under load only a sample is.');
    expect(cellWords({ total: 40, kept: 40, rows: rows(40) })).toBe('');
  });

  it('offers more while an answer could hold more', () => {
    expect(hasMore({ total: 289, kept: 289, rows: rows(100) })).toBe(true);
    expect(hasMore({ total: 289, rows: rows(100) })).toBe(true);
    expect(hasMore({ total: 289, rows: rows(60) })).toBe(false);
    expect(hasMore({ total: 5000, kept: 100, rows: rows(100) })).toBe(false);
    expect(hasMore({ total: 5000, kept: 5000, rows: rows(500) })).toBe(false);
  });

  it('blames no ring where the page may be what is full', () => {
    expect(cellWords({ total: 289, rows: rows(100) })).toBe('Shown are the slowest 100 of 289.');
  });
});
