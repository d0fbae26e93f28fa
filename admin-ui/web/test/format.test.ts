import { describe, expect, it } from 'vitest';
import { formatBytes, formatCompact, formatDuration, formatInt, formatMoment, formatPercent, formatQuantile, formatTime, plural } from '../src/lib/format';

describe('a duration', () => {
  it.each([
    [0, '0 s'], [0.00001, '10 µs'], [0.00082, '0.82 ms'], [0.0033, '3.3 ms'], [0.038, '38 ms'], [0.9994, '999 ms'], [0.9996, '1.0 s'], [6.44, '6.4 s'], [30, '30 s'],
    [59.94, '59.9 s'], [59.96, '1 m 00'], [295, '4 m 55'], [3599.6, '1 h 00'], [8040, '2 h 14'], [533520, '6 d 04 h'], [-1.2, '−1.2 s'], [null, '–'], [undefined, '–'], [NaN, '–'],
  ])('%s reads as %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));
});

describe('a quantile', () => {
  it.each([[9.95, '9.9 s'], [10, '> 10 s'], [null, '–'], [undefined, '–']])('%s of a request reads as %s', (seconds, text) => expect(formatQuantile(seconds)).toBe(text));
  it('lies beyond the last edge of its own histogram', () => expect([formatQuantile(0.99, 1), formatQuantile(1, 1)]).toEqual(['990 ms', '> 1.0 s']));
});

describe('a size', () => {
  it.each([[0, '0 B'], [214, '214 B'], [1023, '1,023 B'], [1024, '1.0 KiB'], [65536, '64 KiB'], [1.9e6, '1.8 MiB'], [1.5e9, '1.4 GiB'], [null, '–']])('%s reads as %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});

describe('a share', () => {
  it.each([[0, '0'], [0.0004, '0.04'], [0.00001, '< 0.01'], [0.0652, '6.5'], [0.42, '42'], [0.998, '99.8'], [0.9999, '99.9'], [1, '100'], [null, '–']])('%s reads as %s', (ratio, text) => expect(formatPercent(ratio)).toBe(text));
  it('never rounds a failure away', () => {
    expect(formatPercent(0.99999)).not.toBe('100');
    expect(formatPercent(1e-9)).not.toBe('0');
  });
});

describe('a count', () => {
  it('has separators', () => expect(formatInt(18402)).toBe('18,402'));
  it.each([[812, '812'], [9999, '9,999'], [42631, '42.6k'], [1234567, '1.2M'], [0.5, '0.50']])('%s is short as %s', (value, text) => expect(formatCompact(value)).toBe(text));
  it('agrees with its noun', () => expect([plural(1, 'row'), plural(2, 'row'), plural(0, 'is', 'are')]).toEqual(['1 row', '2 rows', '0 are']));
});

describe('a moment', () => {
  const at = Date.UTC(2026, 2, 20, 15, 2, 11, 403) / 1000;
  it('is UTC', () => expect([formatTime(at), formatTime(at, true)]).toEqual(['15:02:11', '15:02:11.403']));
  it('has its date when it is another day', () => expect(formatMoment(at, at + 90000)).toBe('20 Mar 2026 15:02'));
});
