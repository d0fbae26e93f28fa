// A table with sortable heads. Columns leave by priority when the panel gets narrow.
import { Fragment, type ComponentChildren, type TargetedMouseEvent } from 'preact';
import { useSignal } from '@preact/signals';
import type { Sort } from '../lib/order';
import { useRowCursor } from './row-cursor';

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
  sort?: Sort;
  onSort?: (id: string) => void;
}

export function DataTable<T>(props: Props<T>) {
  const { caption, columns, rowKey, onOpen, openKey, detail, rowClass, keys = false } = props;
  const own = useSignal<Sort | null>(null);
  const sort = props.sort ?? own.value;
  const by = columns.find((column) => column.id === sort?.id)?.sortBy;
  const { rows, cursor, body, pointed } = useRowCursor({ rows: props.rows, rowKey, sort, by, onOpen, keys });
  const pick = (column: Column<T>) => {
    if (props.onSort) props.onSort(column.id);
    else own.value = { id: column.id, down: own.value?.id === column.id ? !own.value.down : Boolean(column.num) };
  };
  const onClick = (row: T) => (event: TargetedMouseEvent<HTMLTableRowElement>) => {
    if ((event.target as HTMLElement).closest('a, button, input')) return;
    cursor.value = rowKey(row);
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
      <tbody ref={body} onPointerEnter={() => (pointed.current = true)} onPointerLeave={() => (pointed.current = false)}>
        {rows.map((row, i) => {
          const key = rowKey(row);
          const open = openKey === key;
          return (
            <Fragment key={key}>
              <tr data-row={i} class={`${onOpen ? 'can-open' : ''} ${key === cursor.value || open ? 'at' : ''} ${rowClass?.(row) ?? ''}`} onClick={onOpen ? onClick(row) : undefined}>
                {columns.map((column) => (
                  <td key={column.id} class={cls(column)}>
                    {column.cell(row)}
                  </td>
                ))}
              </tr>
              {open && detail ? (
                <tr class="detail">
                  <td colSpan={columns.length}>{detail(row)}</td>
                </tr>
              ) : null}
            </Fragment>
          );
        })}
      </tbody>
    </table>
  );
}

const cls = <T,>(column: Column<T>) => `${column.num ? 'num' : ''} p${column.priority ?? 1} ${column.cls ?? ''}`;
