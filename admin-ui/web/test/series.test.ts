import { describe, expect, it } from 'vitest';
import { quantile, quantileBounds, shareWithin } from '../src/lib/histogram';
import { rangeWords, SeriesRing } from '../src/lib/series';
import { stack } from '../src/ui/time-chart';
import { wouldClose } from '../src/screens/deadlines';
import { placeMarks } from '../src/ui/horizon';
import { laneTable } from '../src/screens/reactors';
import { whyNone } from '../src/screens/latency';
import { parsePlace, placeHref } from '../src/state/router';
import { fitColumns, kColumns } from '../src/screens/conn-columns';
import type { Change } from '../src/api/types';

const edges = [1, 2, 4];

describe('quantiles', () => {
  it('lie within their bucket', () => expect(quantile(edges, [0, 10, 0, 0], 0.5)).toBeCloseTo(1.5));
  it('skip empty buckets', () => expect(quantile(edges, [5, 0, 5, 0], 0.9)).toBeCloseTo(3.6));
  it('in +Inf are the last edge', () => expect(quantile(edges, [0, 0, 0, 3], 0.5)).toBe(4));
  it('of nothing are unknown', () => expect([quantile(edges, [0, 0, 0, 0], 0.5), quantileBounds(edges, [], 0.5), shareWithin(edges, [0, 0, 0, 0], 2)]).toEqual([null, null, null]));
  it('have bounds', () => expect(quantileBounds(edges, [1, 1, 1, 1], 0.99)).toEqual([4, Infinity]));
  it('tell the share within an edge', () => expect(shareWithin(edges, [1, 1, 1, 1], 2)).toBe(0.5));
});

describe('the series ring', () => {
  const ring = () => {
    const one = new SeriesRing();
    one.seed({ boot_id: 'b', now_at: 1004, start_at: 1000, step_seconds: 1, points: 4, series: { requests: [1, 2, null, 4] }, histograms: { duration: { edges_seconds: edges, counts: [[1, 0, 0, 0], [0, 1, 0, 0], null, [0, 0, 1, 0]] } } });
    return one;
  };
  it('leaves a skipped second as a gap', () => {
    const one = ring();
    expect(one.append(1006, { requests: 7 }, { duration: [9, 0, 0, 0] })).toBe(true);
    expect(one.bins('requests', 1, 'sum', 7)).toEqual([1, 2, null, 4, null, null, 7]);
  });
  it('ignores a second it has already', () => expect(ring().append(1003, { requests: 99 })).toBe(false));
  it('forgets what is older than 15 minutes, and keeps its clock', () => {
    const one = ring();
    for (let at = 1004; at < 2500; at += 1) one.append(at, { requests: at });
    expect([one.length, one.end]).toEqual([900, 2500]);
    expect(one.bins('requests', 1, 'sum').at(-1)).toBe(2499);
  });
  it('survives a gap longer than the window', () => {
    const one = ring();
    one.append(9999, { requests: 5 });
    expect([one.length, one.end]).toEqual([900, 10000]);
  });
  it('shows only whole steps, unless asked for the running one', () => {
    const one = ring();
    one.append(1004, { requests: 5 }, { duration: [2, 0, 0, 0] });
    expect(one.steps(4).at(-1)).toBe(1000);
    expect(one.columns('duration', 4, 8)).toEqual([[1, 1, 1, 0], [2, 0, 0, 0]]);
  });
  it('answers gaps for a name it does not have', () => expect(ring().bins('nothing', 1, 'sum', 2)).toEqual([null, null]));
});

it('stacking keeps a gap where every series has one', () => {
  expect(stack([[1, null, null], [2, null, 3]])).toEqual([[1, null, null], [3, null, 3]]);
});

it('the what-if count is everyone who waited at least that long', () => {
  const elapsed = { timeout_seconds: 4, counts: [4, 3, 2, 1], over: 5 };
  expect([0, 1, 2.5, 3, 9].map((seconds) => wouldClose(elapsed, seconds))).toEqual([15, 11, 6, 6, 5]);
});

it('a line without numbers is told by its range and its end', () => {
  const words = (values: (number | null)[]) => rangeWords(values, (n) => `${n}/s`);
  expect(words([3, null, 1, 2])).toBe('between 1/s and 3/s, now 2/s');
  expect(words([3, null])).toBe('between 3/s and 3/s, not recorded now');
  expect(words([null])).toBe('nothing recorded');
});

it('the lanes of the reactors are a table with the newest step first', () => {
  const lanes = { boot_id: 'b', now_at: 45, start_at: 0, step_seconds: 15, points: 3, histograms: {}, series: { 'reactor_busy_ratio:0': [0.5, null, 0.25], 'reactor_stalls:0': [0, 1, 2], 'reactor_busy_ratio:7': [0, 0, 1] } };
  const { head, rows } = laneTable([{ reactor: 0 }, { reactor: 7 }], lanes);
  expect(head).toEqual(['from', 'reactor 0', 'reactor 7']);
  expect(rows()).toEqual([['00:00:30', '25 %, 2 stalls', '100 %'], ['00:00:15', '–, 1 stall', '0 %'], ['00:00:00', '50 %', '0 %']]);
  expect(laneTable([{ reactor: 0 }], null).rows()).toEqual([]);
});

it('a cell that shows nobody says why', () => {
  expect(whyNone(true, 0, 15)).toMatch(/leaves none/);
  expect(whyNone(false, null, 15)).toMatch(/keeps no samples/);
  expect(whyNone(false, 60, 15)).toMatch(/older than the samples reach, which is back to 00:01:00/);
  expect(whyNone(false, 10, 15)).toMatch(/clock/);
});

it('marks that would cover each other become one, the newest', () => {
  const change = (id: string, at: number) => ({ id, at, kind: 'stall', text: '' }) as Change;
  const marks = placeMarks([change('old', 101), change('new', 110), change('far', 800), change('before', -5)], 900, 900);
  expect(marks.map(({ change: { id }, more }) => [id, more])).toEqual([['far', 0], ['new', 1]]);
});

it('marks are never nearer to each other than a pointer needs', () => {
  const changes = Array.from({ length: 64 }, (_, i) => ({ id: String(i), at: 900 - i * i * 0.2, kind: 'stall', text: '' }) as Change);
  for (const width of [300, 1142, 2400]) {
    const at = placeMarks(changes, 900, width).map(({ x }) => x);
    expect(at.length).toBeGreaterThan(5);
    for (let i = 1; i < at.length; i += 1) expect((at[i - 1] ?? 0) - (at[i] ?? 0)).toBeGreaterThanOrEqual(24);
  }
});

it('an address survives being written and read', () => {
  const params = { query: '-state:idle pending>64k', id: '3-1f3a·7' };
  expect(parsePlace(placeHref('connections', params))).toEqual({ screen: 'connections', params });
  expect(parsePlace('#/nowhere').screen).toBe('overview');
});

it('columns leave by their weight and the sorted one stays', () => {
  const chosen = kColumns.filter((column) => column.byDefault);
  const narrow = fitColumns(chosen, 640, 'streams').map((column) => column.id);
  expect(narrow).toContain('streams');
  expect(narrow).toEqual(expect.arrayContaining(['peer', 'state']));
  expect(narrow).not.toContain('in_rate');
  expect(fitColumns(chosen, 4000, 'id')).toHaveLength(chosen.length);
});
