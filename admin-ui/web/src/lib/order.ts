// The order of the rows of a table: sorted, or as it was while somebody is at one of them.

export interface Sort {
  id: string;
  down: boolean;
}

type Comparable = number | string;

function compare(a: Comparable, b: Comparable): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), 'en', { numeric: true });
}

/** Rows that compare equal stay as they came. */
export function sorted<T>(rows: readonly T[], by: ((row: T) => Comparable) | undefined, down: boolean): readonly T[] {
  return by ? [...rows].sort((a, b) => compare(by(a), by(b)) * (down ? -1 : 1)) : rows;
}

/** The rows in the order of these keys; those that have none come last, as they are. */
export function inOrder<T>(rows: readonly T[], keys: readonly string[], keyOf: (row: T) => string): readonly T[] {
  const places = new Map(keys.map((key, i) => [key, i]));
  const place = (row: T) => places.get(keyOf(row)) ?? keys.length;
  return [...rows].sort((a, b) => place(a) - place(b));
}
