// Rows do not move under the cursor, the focus or the pointer; a table nobody is at follows its figures.
import { render } from 'preact';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { handleKey } from '../src/state/keys';
import { DataTable, type Column } from '../src/ui/data-table';

interface Row {
  name: string;
  rate: number;
}
const columns: Column<Row>[] = [
  { id: 'name', head: 'name', cell: (row) => <button>{row.name}</button> },
  { id: 'rate', head: 'rate', num: true, sortBy: (row) => row.rate, cell: (row) => String(row.rate) },
];
let host: HTMLElement;
let opened: string[];
const show = (rates: Record<string, number>, down = true) => {
  const rows = Object.entries(rates).map(([name, rate]) => ({ name, rate }));
  render(<DataTable caption="t" keys columns={columns} rows={rows} rowKey={(row) => row.name} sort={{ id: 'rate', down }} onSort={() => undefined} onOpen={(row) => opened.push(row.name)} />, host);
};
const press = (key: string) => {
  (document.activeElement as HTMLElement | null)?.blur();
  handleKey(new KeyboardEvent('keydown', { key }));
};
const lines = () => [...host.querySelectorAll('tbody tr')].map((line) => line.textContent);
const marked = () => host.querySelector('tr.at')?.textContent;
/** What a signal changed is drawn after the task that changed it. */
const drawn = () => new Promise((resolve) => setTimeout(resolve));

beforeEach(() => {
  host = document.body.appendChild(document.createElement('div'));
  opened = [];
});
afterEach(() => {
  render(null, host);
  host.remove();
});

describe('a table whose figures change', () => {
  it('is sorted anew while nobody is at it', () => {
    show({ a: 3, b: 2 });
    show({ a: 3, b: 4, c: 5 });
    expect(lines()).toEqual(['c5', 'b4', 'a3']);
  });

  it('keeps its rows in place under the cursor, renews their figures, and puts new ones last', async () => {
    show({ a: 3, b: 2, c: 1 });
    press('j');
    press('j');
    await drawn();
    show({ a: 3, b: 2, c: 9, d: 20 });
    expect(lines()).toEqual(['a3', 'b2', 'c9', 'd20']);
    expect(marked()).toBe('b2');
    press('Enter');
    expect(opened).toEqual(['b']);
  });

  it('opens the row that was marked, and goes on from where a row that left was', async () => {
    show({ a: 3, b: 2, c: 1 });
    press('j');
    press('j');
    await drawn();
    show({ c: 1, a: 3 });
    press('Enter');
    expect(opened).toEqual([]);
    press('k');
    press('Enter');
    expect(opened).toEqual(['a']);
  });

  it('follows another sorting, and after Escape its figures', async () => {
    show({ a: 3, b: 2 });
    press('j');
    await drawn();
    show({ a: 3, b: 4 }, false);
    expect(lines()).toEqual(['a3', 'b4']);
    show({ a: 3, b: 2 }, false);
    expect(lines()).toEqual(['a3', 'b2']);
    press('Escape');
    await drawn();
    expect(lines()).toEqual(['b2', 'a3']);
    expect(marked()).toBeUndefined();
  });

  it('stands still under the focus and under the pointer', () => {
    show({ a: 3, b: 2 });
    host.querySelector<HTMLElement>('tbody button')?.focus();
    show({ a: 3, b: 4 });
    expect(lines()).toEqual(['a3', 'b4']);
    (document.activeElement as HTMLElement).blur();
    host.querySelector('tbody')?.dispatchEvent(new Event('pointerenter'));
    show({ a: 3, b: 5 });
    expect(lines()).toEqual(['a3', 'b5']);
    host.querySelector('tbody')?.dispatchEvent(new Event('pointerleave'));
    show({ a: 3, b: 5 });
    expect(lines()).toEqual(['b5', 'a3']);
  });
});
