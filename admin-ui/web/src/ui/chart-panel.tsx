// A chart with its words and its table: the picture is one of three ways to read the same numbers.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { Panel, Segments } from './parts';

export interface ChartTable {
  head: string[];
  rows: () => ComponentChildren[][];
}

interface Props {
  title: string;
  sub?: ComponentChildren;
  /** One or two sentences that say what the picture shows. */
  summary: string;
  table: ChartTable;
  cls?: string;
  actions?: ComponentChildren;
  children: ComponentChildren;
}

export function ChartPanel({ title, sub, summary, table, cls, actions, children }: Props) {
  const shown = useSignal<'chart' | 'table'>('chart');
  const choice = (
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
  return (
    <Panel title={title} sub={sub} cls={cls} actions={<>{actions}{choice}</>}>
      <p class="sr-only">{summary}</p>
      {shown.value === 'chart' ? (
        children
      ) : (
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
              {table.rows().map((cells, i) => (
                <tr key={i}>
                  {cells.map((cell, n) => (
                    <td key={n} class={n > 0 ? 'num' : ''}>
                      {cell}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
