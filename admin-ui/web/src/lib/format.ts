// Numbers as an operator reads them: three significant figures, base-1024 sizes, UTC times. All functions are pure.

const integer = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export const kNothing = '–';
/** In place of a sentence whose figures have not been told yet. */
export const kUnknown = 'Counting…';

export function formatInt(value: number | null | undefined): string {
  return value === null || value === undefined || !Number.isFinite(value) ? kNothing : integer.format(value);
}

/** 42,631 → "42.6k"; under 10,000 in full. */
export function formatCompact(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return kNothing;
  const size = Math.abs(value);
  if (size >= 1e9) return `${three(value / 1e9)}G`;
  if (size >= 1e6) return `${three(value / 1e6)}M`;
  if (size >= 1e4) return `${three(value / 1e3)}k`;
  if (size >= 100 || Number.isInteger(value)) return integer.format(value);
  return three(value);
}

function three(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size >= 99.95) return value.toFixed(0);
  if (size >= 9.995) return value.toFixed(1);
  return value.toFixed(size >= 1 ? 1 : 2);
}

/** A duration: "120 µs", "0.82 ms", "38 ms", "6.4 s", "4 m 05", "2 h 14", "6 d 04 h". */
export function formatDuration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return kNothing;
  if (seconds < 0) return `−${formatDuration(-seconds)}`;
  if (seconds === 0) return '0 s';
  if (seconds < 99.5e-6) return `${Math.max(1, Math.round(seconds * 1e6))} µs`;
  if (seconds < 0.9995) {
    const ms = seconds * 1e3;
    return `${ms < 1 ? ms.toFixed(2) : ms < 9.95 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
  }
  if (seconds < 59.95) return `${seconds < 9.95 ? seconds.toFixed(1) : trimZero(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${pad(whole % 60)}`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${pad(Math.floor((whole % 3600) / 60))}`;
  return `${Math.floor(whole / 86400)} d ${pad(Math.floor((whole % 86400) / 3600))} h`;
}

/** Above this duration of a request the histograms have no bucket: a quantile that the API gives as this is more. */
export const kLongestEdge = 10;

/** A quantile from buckets; one that reached the last edge lies beyond it: "> 10 s". */
export function formatQuantile(seconds: number | null | undefined, lastEdge = kLongestEdge): string {
  return seconds !== null && seconds !== undefined && seconds >= lastEdge ? `> ${formatDuration(lastEdge)}` : formatDuration(seconds);
}

const trimZero = (text: string) => (text.endsWith('.0') ? text.slice(0, -2) : text);
const pad = (value: number, width = 2) => String(value).padStart(width, '0');

const kUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export function formatBytes(bytes: number | null | undefined): string {
  if (bytes === null || bytes === undefined || !Number.isFinite(bytes)) return kNothing;
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 1023.5 && unit < kUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const text = unit === 0 ? integer.format(value) : value < 9.95 ? value.toFixed(1) : value.toFixed(0);
  return `${text} ${kUnits[unit] ?? ''}`;
}

/** A share of 1 as percent; a small one keeps the figures that make it different from zero. */
export function formatPercent(ratio: number | null | undefined): string {
  if (ratio === null || ratio === undefined || !Number.isFinite(ratio)) return kNothing;
  const percent = ratio * 100;
  if (percent === 0) return '0';
  if (percent < 0.01) return '< 0.01';
  if (percent < 1) return percent.toFixed(2);
  if (percent > 99 && percent < 100) return (Math.floor(percent * 10) / 10).toFixed(1);
  return percent < 9.95 ? percent.toFixed(1) : percent.toFixed(0);
}

/** "15:02:11" in UTC; with `millis` "15:02:11.403". */
export function formatTime(at: number | null | undefined, millis = false): string {
  if (at === null || at === undefined || !Number.isFinite(at)) return kNothing;
  const iso = new Date(at * 1000).toISOString();
  return iso.slice(11, millis ? 23 : 19);
}

const kMonths = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

export function formatDate(at: number | null | undefined): string {
  if (at === null || at === undefined || !Number.isFinite(at)) return kNothing;
  const date = new Date(at * 1000);
  return `${date.getUTCDate()} ${kMonths[date.getUTCMonth()] ?? ''} ${date.getUTCFullYear()}`;
}

/** The time alone when it was within a day of `now`, with the date before it otherwise. */
export function formatMoment(at: number | null | undefined, now: number): string {
  if (at === null || at === undefined) return kNothing;
  return Math.abs(now - at) < 86400 ? formatTime(at) : `${formatDate(at)} ${formatTime(at).slice(0, 5)}`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatInt(count)} ${Math.abs(count) === 1 ? one : many}`;
}
