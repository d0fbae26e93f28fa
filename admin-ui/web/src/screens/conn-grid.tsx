// The virtualised grid: true row counts for assistive technology, rows that never move under the cursor.
import { useSignal } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { LiveRow } from '../lib/rows';
import * as list from '../state/connections';
import { useKeys } from '../state/keys';
import { clock, serverNow } from '../state/live';
import { columns as chosenColumns, compact } from '../state/prefs';
import { place, setParams } from '../state/router';
import { StateChip } from '../ui/parts';
import { useVirtual } from '../ui/virtual';
import { DeadlineCell, fitColumns, kColumns, nextSort, requestOf, since, sortingOf, template, type ConnColumn } from './conn-columns';

const kCardWidth = 640;
const kHeadHeight = 28;

interface Props {
  sort: string;
  order: string;
  total: number;
}

export function ConnGrid({ sort, order, total }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const width = useSignal(1000);
  void clock.value;
  const now = serverNow();
  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    width.value = element.clientWidth;
    const observer = new ResizeObserver(() => (width.value = element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  const cards = width.value < kCardWidth;
  const coarse = matchMedia('(pointer: coarse)').matches;
  const rowHeight = cards ? 60 : coarse ? 36 : compact.value ? 24 : 28;
  const headHeight = cards ? 0 : kHeadHeight;
  const virtual = useVirtual({ count: total, rowHeight, headHeight, scroller: () => scroller.current });
  const items = virtual.getVirtualItems();
  const first = items[0]?.index ?? 0;
  const last = items.at(-1)?.index ?? 0;
  const rows = list.rows.value;
  const positions = list.order.value;
  useEffect(() => {
    list.ensureRange(first, last);
    const ids: string[] = [];
    for (let i = first; i <= last; i += 1) {
      const id = positions.get(i);
      if (id !== undefined) ids.push(id);
    }
    list.watchRows(ids);
  }, [first, last, positions]);

  const chosen = kColumns.filter((column) => (chosenColumns.value ? chosenColumns.value.includes(column.id) : column.byDefault) || column.leaves === 0);
  const shown = fitColumns(chosen, width.value, sort);
  useGridKeys(total, shown, rowHeight, (index) => virtual.scrollToIndex(index, { align: 'auto' }));
  const sortBy = (column: ConnColumn) => {
    if (!column.sort) return;
    const down = sort === column.sort ? order !== 'desc' : Boolean(column.num);
    setParams({ sort: column.sort, order: down ? 'desc' : 'asc' });
  };
  const cursorId = list.cursorId.value;
  const shownIds = new Set(items.map((item) => positions.get(item.index)));
  return (
    <div
      class={`grid ${cards ? 'cards' : ''}`}
      role="grid"
      ref={scroller}
      tabIndex={0}
      aria-label="Connections; arrows move, Enter opens, Space selects"
      aria-activedescendant={cursorId && shownIds.has(cursorId) ? `row-${cursorId}` : undefined}
      aria-rowcount={total + 1}
      aria-colcount={shown.length + 1}
      aria-multiselectable="true"
    >
      <div role="rowgroup" class="grid-headgroup">
        <div class="grid-head" role="row" aria-rowindex={1} style={{ gridTemplateColumns: template(shown) }}>
          <span role="columnheader" aria-colindex={1}><span class="sr-only">selected</span></span>
          {shown.map((column, i) => (
            <span key={column.id} role="columnheader" aria-colindex={i + 2} class={column.num ? 'num' : ''} aria-sort={column.sort === sort ? (order === 'desc' ? 'descending' : 'ascending') : column.sort ? 'none' : undefined}>
              {column.sort ? (
                <button class="head" title={column.what} onClick={() => sortBy(column)}>
                  {column.head}
                  {column.sort === sort ? <span aria-hidden="true">{order === 'desc' ? ' ↓' : ' ↑'}</span> : null}
                </button>
              ) : column.head}
            </span>
          ))}
        </div>
      </div>
      <div role="rowgroup">
        <div class="grid-space" role="presentation" style={{ height: `${virtual.getTotalSize()}px` }}>
          {items.map((item) => {
            const id = positions.get(item.index);
            const row = id === undefined ? undefined : rows.get(id);
            return (
              <div
                key={item.key}
                id={id === undefined ? undefined : `row-${id}`}
                role="row"
                aria-rowindex={item.index + 2}
                aria-selected={id !== undefined && list.selected.value.has(id)}
                class={`grid-row ${item.index === list.cursor.value ? 'at' : ''} ${place.value.params.id === id && id ? 'open' : ''} ${row?.closed ? 'ended' : ''}`}
                style={{ transform: `translateY(${item.start - headHeight}px)`, height: `${rowHeight}px`, gridTemplateColumns: cards ? '' : template(shown) }}
                onClick={(event) => id !== undefined && pick(event, item.index, id)}
              >
                {row ? cards ? <Card row={row} now={now} /> : <Cells row={row} now={now} shown={shown} /> : <span role="gridcell" class="waiting" aria-label="Loading" />}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function pick(event: MouseEvent, index: number, id: string): void {
  const box = (event.target as HTMLElement).closest('input');
  if (event.shiftKey) {
    event.preventDefault();
    void list.selectRange(list.cursor.peek(), index);
  } else if (box || event.ctrlKey || event.metaKey) list.toggleSelected(id);
  else setParams({ id });
  list.cursor.value = index;
}

function Cells({ row, now, shown }: { row: LiveRow; now: number; shown: ConnColumn[] }) {
  return (
    <>
      <span role="gridcell" aria-colindex={1}>
        <input type="checkbox" tabIndex={-1} aria-label={`Select ${row.id}`} checked={list.selected.value.has(row.id)} />
      </span>
      {shown.map((column, i) => (
        <span key={column.id} role="gridcell" aria-colindex={i + 2} class={`${column.num ? 'num' : ''} col-${column.id} ${place.value.params.sort === column.sort && column.sort ? 'sorted' : ''}`}>
          {column.cell(row, now)}
        </span>
      ))}
    </>
  );
}

function Card({ row, now }: { row: LiveRow; now: number }) {
  return (
    <>
      <span role="gridcell"><StateChip state={row.state} /></span>
      <span role="gridcell">{row.peer}</span>
      <span role="gridcell" class="num">{since(row.idleSince, row, now)}</span>
      <span role="gridcell" class="mono sub">{row.id}</span>
      <span role="gridcell" class="mono sub">{requestOf(row)}</span>
      <span role="gridcell"><DeadlineCell row={row} now={now} /></span>
    </>
  );
}

function useGridKeys(total: number, shown: readonly ConnColumn[], rowHeight: number, reveal: (index: number) => void): void {
  const latest = useRef({ total, shown, rowHeight, reveal });
  latest.current = { total, shown, rowHeight, reveal };
  const bindings = () => {
    const move = (to: number) => {
      list.cursor.value = Math.max(0, Math.min(latest.current.total - 1, to));
      latest.current.reveal(list.cursor.value);
      const id = list.cursorId.peek();
      if (place.peek().params.id && id) setParams({ id });
    };
    const page = () => Math.max(1, Math.floor((document.querySelector('.grid')?.clientHeight ?? 0) / latest.current.rowHeight) - 2);
    return [
      { key: 'j ArrowDown', what: 'next row', run: () => move(list.cursor.peek() + 1) },
      { key: 'k ArrowUp', what: 'previous row', run: () => move(list.cursor.peek() - 1) },
      { key: 'PageDown', what: 'a page down', run: () => move(list.cursor.peek() + page()) },
      { key: 'PageUp', what: 'a page up', run: () => move(list.cursor.peek() - page()) },
      { key: 'Home', what: 'first row', run: () => move(0) },
      { key: 'End', what: 'last row', run: () => move(latest.current.total - 1) },
      { key: 'Enter', what: 'open the row', run: () => list.cursorId.peek() && setParams({ id: list.cursorId.peek() }) },
      { key: 'x Space', what: 'select the row', run: () => list.cursorId.peek() && list.toggleSelected(list.cursorId.peek() ?? '') },
      {
        key: 'Shift+x Shift+Space',
        what: 'select from the last selected row to here',
        run: () => {
          const chosen = [...list.order.peek()].filter(([, id]) => list.selected.peek().has(id)).map(([index]) => index);
          const here = list.cursor.peek();
          const from = chosen.reduce((best, index) => (Math.abs(index - here) < Math.abs(best - here) ? index : best), chosen[0] ?? here);
          void list.selectRange(from, here);
        },
      },
      {
        key: 's',
        what: 'sort by the next column',
        run: () => setParams({ sort: nextSort(latest.current.shown, sortingOf(place.peek().params).sort), order: 'desc' }),
      },
      { key: 'Shift+s', what: 'turn the order around', run: () => setParams({ order: sortingOf(place.peek().params).order === 'desc' ? 'asc' : 'desc' }) },
    ];
  };
  useKeys('Connections', bindings);
}
