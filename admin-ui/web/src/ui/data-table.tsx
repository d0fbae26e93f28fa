// A table with sortable heads and a row cursor (j, k, arrows, Enter). Columns leave by priority when the panel gets narrow.
import type { ComponentChildren, TargetedMouseEvent } from 'preact';
import { useRef } from 'preact/hooks';
import { useSignal } from '@preact/signals';
import { useKeys } from '../state/keys';

export interface Column<T> {
  id: string;
  head: string;
  num?: boolean;
  /** 1 stays longest; 3 leaves first. */
  priority?: 1 | 2 | 3;
  sortBy?: (row: T) => number | string;
  cell: (row: T) => ComponentChildren;
  cls?: string;
}

interface Props<T> {
  caption: string;
  columns: Column<T>[];
  rows: readonly T[];
  rowKey: (row: T) => string;
  onOpen?: (row: T) => void;
  openKey?: string | null;
  /** Shown in a full-width row under the open one. */
  detail?: (row: T) => ComponentChildren;
  rowClass?: (row: T) => string;
  /** Takes part in j/k; only one table of a screen should. */
  keys?: boolean;
  sort?: { id: string; down: boolean };
  onSort?: (id: string) => void;
}

export function DataTable<T>(props: Props<T>) {
  const { caption, columns, rows, rowKey, onOpen, openKey, detail, rowClass, keys = false } = props;
  const cursor = useSignal(-1);
  const own = useSignal<{ id: string; down: boolean } | null>(null);
  const body = useRef<HTMLTableSectionElement>(null);
  const sort = props.sort ?? own.value;
  const by = props.sort ? undefined : columns.find((column) => column.id === sort?.id)?.sortBy;
  const sorted = by ? [...rows].sort((a, b) => compare(by(a), by(b)) * (sort?.down ? -1 : 1)) : rows;
  const latest = useRef({ sorted, onOpen });
  latest.current = { sorted, onOpen };
  const move = (to: number) => {
    const last = latest.current.sorted.length - 1;
    cursor.value = Math.max(0, Math.min(last, to));
    const row = body.current?.querySelector<HTMLElement>(`[data-row="${cursor.value}"]`);
    row?.scrollIntoView({ block: 'nearest' });
    row?.querySelector<HTMLElement>('button, a')?.focus({ preventScroll: true });
  };
  const bindings = () => [
    { key: 'j ArrowDown', what: 'next row', run: () => move(cursor.peek() + 1) },
    { key: 'k ArrowUp', what: 'previous row', run: () => move(cursor.peek() - 1) },
    {
      key: 'Enter',
      what: 'open row',
      run: () => {
        const row = latest.current.sorted[cursor.peek()];
        if (row) latest.current.onOpen?.(row);
      },
    },
  ];
  useKeys('Table', () => (keys ? bindings() : []), [keys]);
  const pick = (column: Column<T>) => {
    if (props.onSort) props.onSort(column.id);
    else own.value = { id: column.id, down: own.value?.id === column.id ? !own.value.down : Boolean(column.num) };
  };
  const onClick = (row: T, i: number) => (event: TargetedMouseEvent<HTMLTableRowElement>) => {
    if ((event.target as HTMLElement).closest('a, button, input')) return;
    cursor.value = i;
    onOpen?.(row);
  };
  return (
    <table class="data">
      <caption class="sr-only">{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => {
            const on = sort?.id === column.id;
            return (
              <th key={column.id} scope="col" class={cls(column)} aria-sort={on ? (sort.down ? 'descending' : 'ascending') : undefined}>
                {column.sortBy ? (
                  <button class="head" onClick={() => pick(column)}>
                    {column.head}
                    {on ? <span aria-hidden="true">{sort.down ? ' ↓' : ' ↑'}</span> : null}
                  </button>
                ) : (
                  column.head
                )}
              </th>
            );
          })}
        </tr>
      </thead>
      <tbody ref={body}>
        {sorted.map((row, i) => {
          const key = rowKey(row);
          const open = openKey === key;
          return (
            <>
              <tr key={key} data-row={i} class={`${onOpen ? 'can-open' : ''} ${i === cursor.value || open ? 'at' : ''} ${rowClass?.(row) ?? ''}`} onClick={onOpen ? onClick(row, i) : undefined}>
                {columns.map((column) => (
                  <td key={column.id} class={cls(column)}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
              {open && detail ? (
                <tr key={`${key}+`} class="detail">
                  <td colSpan={columns.length}>{detail(row)}</td>
                </tr>
              ) : null}
            </>
          );
        })}
      </tbody>
    </table>
  );
}

const cls = <T,>(column: Column<T>) => `${column.num ? 'num' : ''} p${column.priority ?? 1} ${column.cls ?? ''}`;

function compare(a: number | string, b: number | string): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a).localeCompare(String(b), 'en', { numeric: true });
}
