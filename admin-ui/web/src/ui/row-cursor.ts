// The row cursor of a table (j, k, arrows, Enter), and rows that keep their places while it, the focus or the pointer is at one of them.
import { useSignal, type Signal } from '@preact/signals';
import type { RefObject } from 'preact';
import { useRef } from 'preact/hooks';
import { inOrder, sorted, type Sort } from '../lib/order';
import { useKeys, type Binding } from '../state/keys';

interface Options<T> {
  rows: readonly T[];
  rowKey: (row: T) => string;
  sort: Sort | null;
  by: ((row: T) => number | string) | undefined;
  onOpen?: (row: T) => void;
  keys: boolean;
}

export interface RowCursor<T> {
  rows: readonly T[];
  /** Key of the row that is marked. */
  cursor: Signal<string | null>;
  body: RefObject<HTMLTableSectionElement | null>;
  pointed: { current: boolean };
}

export function useRowCursor<T>({ rows: given, rowKey, sort, by, onOpen, keys }: Options<T>): RowCursor<T> {
  const cursor = useSignal<string | null>(null);
  const body = useRef<HTMLTableSectionElement>(null);
  const pointed = useRef(false);
  const sorting = JSON.stringify(sort);
  const before = useRef<{ sorting: string; keys: string[]; at: number }>({ sorting, keys: [], at: -1 });
  const isCursorHere = cursor.value !== null && before.current.keys.includes(cursor.value);
  const isHeld = before.current.sorting === sorting && (isCursorHere || pointed.current || hasFocus(body.current));
  const rows = isHeld ? inOrder(given, before.current.keys, rowKey) : sorted(given, by, sort?.down ?? false);
  const order = rows.map(rowKey);
  const at = cursor.value === null ? -1 : order.indexOf(cursor.value);
  // When the row of the cursor has gone, the next step goes on from where it was.
  before.current = { sorting, keys: order, at: at >= 0 ? at : before.current.at };
  const latest = useRef({ rows, onOpen });
  latest.current = { rows, onOpen };
  const move = (step: number) => {
    const to = Math.max(0, Math.min(before.current.keys.length - 1, before.current.at + step));
    cursor.value = before.current.keys[to] ?? null;
    before.current.at = to;
    show(body.current, to);
  };
  const open = () => {
    const row = latest.current.rows[before.current.keys.indexOf(cursor.peek() ?? '')];
    if (row !== undefined) latest.current.onOpen?.(row);
  };
  const letGo = () => {
    cursor.value = null;
    before.current.at = -1;
    if (hasFocus(body.current)) (document.activeElement as HTMLElement).blur();
  };
  useKeys('Table', () => (keys ? bindingsOf(move, open, letGo) : []), [keys]);
  return { rows, cursor, body, pointed };
}

const bindingsOf = (move: (step: number) => void, open: () => void, letGo: () => void): Binding[] => [
  { key: 'j ArrowDown', what: 'next row', run: () => move(1) },
  { key: 'k ArrowUp', what: 'previous row', run: () => move(-1) },
  { key: 'Enter', what: 'open row', run: open },
  { key: 'Escape', what: 'leave the row; the order follows the figures again', run: letGo },
];

const hasFocus = (body: HTMLElement | null) => body !== null && body.contains(document.activeElement);

function show(body: HTMLElement | null, at: number): void {
  const line = body?.querySelector<HTMLElement>(`[data-row="${at}"]`);
  line?.scrollIntoView({ block: 'nearest' });
  line?.querySelector<HTMLElement>('button, a')?.focus({ preventScroll: true });
}
