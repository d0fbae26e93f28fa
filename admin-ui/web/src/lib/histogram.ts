// Arithmetic on per-bucket (not cumulative) counts; the last bucket is +Inf.

export type Counts = readonly number[];

export function addCounts(into: number[], counts: Counts): void {
  for (let i = 0; i < counts.length; i += 1) into[i] = (into[i] ?? 0) + (counts[i] ?? 0);
}

export function totalOf(counts: Counts): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** The quantile, interpolated within its bucket; in +Inf the last edge. Null without observations. */
export function quantile(edges: Counts, counts: Counts, q: number): number | null {
  const total = totalOf(counts);
  if (total === 0) return null;
  const rank = q * total;
  let below = 0;
  for (let i = 0; i < counts.length; i += 1) {
    const here = counts[i] ?? 0;
    if (here > 0 && below + here >= rank) {
      const upper = edges[i];
      if (upper === undefined) return edges[edges.length - 1] ?? null;
      const lower = i === 0 ? 0 : (edges[i - 1] ?? 0);
      return lower + (upper - lower) * Math.max(0, (rank - below) / here);
    }
    below += here;
  }
  return edges[edges.length - 1] ?? null;
}

/** The bucket a quantile lies in, as its bounds; upper is Infinity for the last. */
export function quantileBounds(edges: Counts, counts: Counts, q: number): [number, number] | null {
  const total = totalOf(counts);
  if (total === 0) return null;
  let below = 0;
  for (let i = 0; i < counts.length; i += 1) {
    below += counts[i] ?? 0;
    if (below >= q * total) return [i === 0 ? 0 : (edges[i - 1] ?? 0), edges[i] ?? Infinity];
  }
  return null;
}

/** Share of observations at or under the edge (which must be one of the edges, or the next lower one is taken). */
export function shareWithin(edges: Counts, counts: Counts, limit: number): number | null {
  const total = totalOf(counts);
  if (total === 0) return null;
  let within = 0;
  for (let i = 0; i < edges.length && (edges[i] ?? Infinity) <= limit + 1e-12; i += 1) within += counts[i] ?? 0;
  return within / total;
}
