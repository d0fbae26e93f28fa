// A chart with its words and its table: the picture is one of three ways to read the same numbers.
import { useSignal, type Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { Panel, Segments } from './parts';

export interface ChartTable {
  head: string[];
  rows: () => ComponentChildren[][];
}

export type ShownAs = 'chart' | 'table';

interface Props {
  title: string;
  sub?: ComponentChildren;
  /** One or two sentences that say what the picture shows. */
  summary: string;
  table: ChartTable;
  cls?: string;
  actions?: ComponentChildren;
  /** Stays under the picture and under its table alike: what can be set, and the links of its legend. */
  controls?: ComponentChildren;
  children: ComponentChildren;
}

export function ChartPanel({ title, sub, summary, table, cls, actions, controls, children }: Props) {
  const shown = useSignal<ShownAs>('chart');
  return (
    <Panel title={title} sub={sub} cls={cls} actions={<>{actions}<ShowAs title={title} shown={shown} /></>}>
      <p class="sr-only">{summary}</p>
      {shown.value === 'chart' ? children : <TableView title={title} summary={summary} table={table} />}
      {controls}
    </Panel>
  );
}

export function ShowAs({ title, shown }: { title: string; shown: Signal<ShownAs> }) {
  return (
    <Segments
      label={`${title}: show as`}
      value={shown.value}
      onPick={(value) => (shown.value = value)}
      options={[
        { value: 'chart', label: 'chart' },
        { value: 'table', label: 'table' },
      ]}
    />
  );
}

export function TableView({ title, summary, table }: { title: string; summary: string; table: ChartTable }) {
  return (
    <div class="scroll-y chart-table" tabIndex={0} role="region" aria-label={`${title}, table`}>
      <table>
        <caption class="sr-only">{summary}</caption>
        <thead>
          <tr>
            {table.head.map((name, i) => (
              <th key={name} scope="col" class={i > 0 ? 'num' : ''}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {table.rows().map(([first, ...cells], i) => (
            <tr key={i}>
              <th scope="row">{first}</th>
              {cells.map((cell, n) => (
                <td key={n} class="num">
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
