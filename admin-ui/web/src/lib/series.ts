// 15 minutes of one-second points. Gaps are null and stay visible; nothing is invented between two points.
import type { Series } from '../api/types';
import { addCounts, totalOf } from './histogram';

export const kWindowSeconds = 900;
export type Point = number | null;

/** What a line without numbers shows: its range and its end. */
export function rangeWords(values: readonly Point[], format: (value: number) => string): string {
  const known = values.filter((value): value is number => value !== null);
  const last = values.at(-1) ?? null;
  if (known.length === 0) return 'nothing recorded';
  return `between ${format(Math.min(...known))} and ${format(Math.max(...known))}, ${last === null ? 'not recorded now' : `now ${format(last)}`}`;
}

export class SeriesRing {
  /** Unix second of the first point. */
  start = 0;
  private values = new Map<string, Point[]>();
  private histograms = new Map<string, { edges: number[]; counts: (number[] | null)[] }>();
  length = 0;

  /** Takes over what the server's rings hold (steps of one second). */
  seed(series: Series): void {
    this.start = Math.floor(series.start_at);
    this.length = series.points;
    this.values = new Map(Object.entries(series.series).map(([name, points]) => [name, [...points]]));
    this.histograms = new Map(Object.entries(series.histograms).map(([name, h]) => [name, { edges: [...h.edges_seconds], counts: [...h.counts] }]));
  }

  /** Appends the second that begins at `at`. An older or repeated second is ignored, a skipped one becomes a gap. */
  append(at: number, values: Record<string, Point>, histograms: Record<string, number[]> = {}): boolean {
    const second = Math.floor(at);
    if (this.length === 0) this.start = second;
    const index = second - this.start;
    if (index < this.length) return false;
    for (const name of Object.keys(values)) if (!this.values.has(name)) this.values.set(name, new Array<Point>(this.length).fill(null));
    const skipped = Math.min(index - this.length, kWindowSeconds);
    for (const [name, points] of this.values) {
      for (let i = 0; i < skipped; i += 1) points.push(null);
      points.push(values[name] ?? null);
    }
    for (const [name, histogram] of this.histograms) {
      for (let i = 0; i < skipped; i += 1) histogram.counts.push(null);
      histogram.counts.push(histograms[name] ?? null);
    }
    this.length = index + 1;
    this.trim();
    return true;
  }

  private trim(): void {
    const surplus = this.length - kWindowSeconds;
    if (surplus <= 0) return;
    for (const points of this.values.values()) points.splice(0, points.length - kWindowSeconds);
    for (const histogram of this.histograms.values()) histogram.counts.splice(0, histogram.counts.length - kWindowSeconds);
    this.start += surplus;
    this.length = kWindowSeconds;
  }

  get end(): number {
    return this.start + this.length;
  }

  /**
   * Begin of each step, aligned to the clock so that columns keep their place as time goes on. Whole steps only, unless the one that
   * is still filling is asked for too.
   */
  steps(step: number, window = kWindowSeconds, running = false): number[] {
    const last = Math.floor((running ? this.end - 1 : this.end - step) / step) * step;
    // The first step would be cut by the begin of the window.
    const count = Math.floor(window / step) - (running || step === 1 ? 0 : 1);
    return Array.from({ length: count }, (_, i) => last - (count - 1 - i) * step);
  }

  /** One value per step: the sum of counters or the mean of gauges; null when nothing of the step was recorded. */
  bins(name: string, step: number, how: 'sum' | 'mean' | 'max', window = kWindowSeconds): Point[] {
    const points = this.values.get(name);
    return this.steps(step, window).map((begin) => {
      let sum = 0;
      let most = -Infinity;
      let seen = 0;
      for (let second = begin; second < begin + step; second += 1) {
        const value = points?.[second - this.start];
        if (value === null || value === undefined) continue;
        sum += value;
        most = Math.max(most, value);
        seen += 1;
      }
      if (seen === 0) return null;
      return how === 'sum' ? sum : how === 'mean' ? sum / seen : most;
    });
  }

  edges(name: string): number[] {
    return this.histograms.get(name)?.edges ?? [];
  }

  /** How many observations a histogram counted in the window. */
  observed(name: string): number {
    return totalOf(this.histograms.get(name)?.counts.map((counts) => (counts ? totalOf(counts) : 0)) ?? []);
  }

  /** Bucket counts per step, the running one included; null for a step without any record. */
  columns(name: string, step: number, window = kWindowSeconds): (number[] | null)[] {
    const histogram = this.histograms.get(name);
    return this.steps(step, window, true).map((begin) => {
      let sum: number[] | null = null;
      for (let second = begin; second < begin + step; second += 1) {
        const counts = histogram?.counts[second - this.start];
        if (!counts) continue;
        sum ??= new Array<number>(counts.length).fill(0);
        addCounts(sum, counts);
      }
      return sum;
    });
  }
}
