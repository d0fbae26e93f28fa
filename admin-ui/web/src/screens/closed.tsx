// Why did connections go away?
import { useSignal } from '@preact/signals';
import { get } from '../api/client';
import type { ClosedPage, ClosedRow, CloseReason, ConnectionDetail, Family, Series } from '../api/types';
import { formatBytes, formatDuration, formatInt, formatPercent, formatTime, kUnknown, plural } from '../lib/format';
import { withTerm } from '../lib/query';
import { requestText } from '../lib/rows';
import { rangeWords } from '../lib/series';
import { shellCommand } from '../lib/shell';
import { familyOf, kFamilies, kFamilyNames } from '../lib/vocabulary';
import { clock, serverNow, status } from '../state/live';
import { useKeys } from '../state/keys';
import { useLoad } from '../state/load';
import { place, setParams } from '../state/router';
import { Spark } from '../ui/canvas';
import { ChartPanel } from '../ui/chart-panel';
import { DataTable, type Column } from '../ui/data-table';
import { ClosedRecord } from '../ui/drawer';
import { LogLines } from '../ui/log-lines';
import { Answer, Banner, Breakable, CopyButton, Message, Panel, ProblemView, ReasonWord, Skeleton } from '../ui/parts';
import { QueryBox } from '../ui/query-box';
import { TimeChart } from '../ui/time-chart';

const kStep = 15;

export function Closed() {
  const query = place.value.params.query ?? '';
  const turn = useSignal(0);
  const page = useLoad<ClosedPage>(`closed?${query}#${turn.value}`, (signal) => get('closed', { query, limit: 100 }, signal));
  const older = useSignal<{ key: string; rows: ClosedRow[] }>({ key: '', rows: [] });
  const key = `${query}#${turn.value}`;
  const more = older.value.key === key ? older.value.rows : [];
  const rows = [...(page.data?.rows ?? []), ...more];
  const reasons = useLoad<Series>('reasons', (signal) => get('series', { names: 'closed,closed_reason', step_seconds: kStep }, signal), 5);
  const again = () => {
    turn.value += 1;
    reasons.reload();
  };
  const open = useSignal<string | null>(null);
  useKeys('Closed', () => [{ key: 'r', what: 'ask the query again', run: again }]);
  const run = (text: string) => (text === query ? again() : setParams({ query: text }));
  const last = rows.at(-1);
  const loadOlder = async () => {
    if (!last) return;
    const answer = await get<ClosedPage>('closed', { query, limit: 200, before: last.sequence }).catch(() => null);
    if (answer) older.value = { key, rows: [...more, ...answer.rows] };
  };
  const bad = page.problem?.type.endsWith('bad-query') ? page.problem : null;
  const explain = (row: ClosedRow) => (open.value = open.value === row.id ? null : row.id);
  return (
    <div class="page closed">
      <Summary reasons={reasons.data} query={query} />
      <FamilyChart reasons={reasons.data} />
      <ReasonTable reasons={reasons.data} query={query} onPick={run} />
      <Panel title="Closed connections" cls="closed-list" sub={page.data ? listWords(page.data) : ''}>
        <QueryBox label="Query over closed connections" value={query} onRun={run} count={page.data ? `${formatInt(page.data.total)} closed` : ''} problem={bad} />
        <RingNote page={page.data} />
        {page.data === null && !bad ? (
          page.problem ? <ProblemView problem={page.problem} what="Closed connections" onRetry={page.reload} /> : <Skeleton rows={8} />
        ) : rows.length === 0 ? (
          bad ? null : <Message title={query ? 'Nothing matches' : 'Nothing has closed yet'} actions={query ? <button class="small" onClick={() => run('')}>Clear the query</button> : null}><p>{query ? 'No record in the ring fits this query.' : 'Every connection that ends leaves its reason here.'}</p></Message>
        ) : (
          <DataTable caption="Closed connections" columns={closedColumns(open.value, explain)} rows={rows} rowKey={(row) => row.id} keys openKey={open.value} onOpen={explain} detail={(row) => <Explanation row={row} />} />
        )}
        <footer class="list-foot">
          <span>{formatInt(rows.length)} of {formatInt(page.data?.total)}</span>
          {page.data && rows.length < page.data.total && last ? <button class="small" onClick={() => void loadOlder()}>Older</button> : null}
          <button class="small" onClick={again}>Newest <kbd>r</kbd></button>
        </footer>
      </Panel>
    </div>
  );
}

/** The record, and below it what the logs say of the connection. */
function Explanation({ row }: { row: ClosedRow }) {
  const detail = useLoad<ConnectionDetail>(`connection/${row.id}`, (signal) => get(`connection/${encodeURIComponent(row.id)}`, {}, signal));
  return (
    <>
      <ClosedRecord row={row} />
      {detail.data ? <LogLines data={detail.data} /> : detail.problem ? <ProblemView problem={detail.problem} what="Its log lines" onRetry={detail.reload} /> : <Skeleton rows={2} />}
    </>
  );
}

/** The list has a reach of its own: as far as the ring goes, not 15 minutes. */
function listWords({ total, oldest_at }: ClosedPage): string {
  return `${plural(total, 'record')}, newest first${oldest_at ? `, kept back to ${formatTime(oldest_at)}` : ''}`;
}

/** A peer as 203.0.113.106:31879; there is room for one that long beside everything else, for IPv6 not always. */
const kLongestIpv4 = 21;

const closedColumns = (open: string | null, explain: (row: ClosedRow) => void): Column<ClosedRow>[] => [
  { id: 'at', head: 'closed', cell: (row) => formatTime(row.closed_at) },
  { id: 'id', head: 'id', priority: 2, cell: (row) => <span class="mono">{row.id}</span> },
  { id: 'peer', head: 'peer', cls: 'wrap', cell: ({ peer }) => <span class={peer.length > kLongestIpv4 ? '' : 'short'}><Breakable text={peer} /></span> },
  { id: 'proto', head: 'proto', priority: 3, cell: (row) => row.protocol },
  { id: 'reason', head: 'reason', cls: 'wrap', cell: (row) => <button class="plain" title="Explain" aria-expanded={row.id === open} onClick={() => explain(row)}><ReasonWord reason={row.reason} /></button> },
  { id: 'detail', head: 'detail', priority: 3, cls: 'cut extra', cell: (row) => <span class="sub">{row.detail ?? ''}</span> },
  { id: 'lived', head: 'lived', num: true, priority: 2, cell: (row) => formatDuration(row.age_seconds) },
  { id: 'requests', head: 'requests', num: true, priority: 3, cell: (row) => formatInt(row.requests) },
  { id: 'sent', head: 'sent', num: true, priority: 3, cell: (row) => formatBytes(row.sent_bytes) },
  { id: 'last', head: 'last request', priority: 2, cls: 'cut', cell: (row) => <span class="mono">{requestText(row) || '–'}</span> },
];

export function totals(reasons: Series | null): { reason: CloseReason; total: number; counts: (number | null)[] }[] {
  return Object.entries(reasons?.series ?? {})
    .filter(([name]) => name.startsWith('closed_reason:'))
    .map(([name, counts]) => ({ reason: name.replace('closed_reason:', '') as CloseReason, counts, total: counts.reduce<number>((sum, n) => sum + (n ?? 0), 0) }))
    .filter(({ total }) => total > 0)
    .sort((a, b) => b.total - a.total);
}

/** The same closes by who ended them, so that the chart adds up to what is said above it. */
export function families(reasons: Series | null): { family: Family; values: (number | null)[] }[] {
  const list = totals(reasons);
  return kFamilyNames.map((family) => {
    const mine = list.filter(({ reason }) => familyOf(reason) === family);
    return { family, values: (reasons?.series.closed ?? []).map((all, i) => (all === null ? null : mine.reduce((sum, { counts }) => sum + (counts[i] ?? 0), 0))) };
  });
}

function Summary({ reasons, query }: { reasons: Series | null; query: string }) {
  const list = totals(reasons);
  const all = list.reduce((sum, { total }) => sum + total, 0);
  const share = (families: Family[]) => (all === 0 ? 0 : list.filter(({ reason }) => families.includes(familyOf(reason))).reduce((sum, { total }) => sum + total, 0) / all);
  return (
    <Answer
      lead={reasons ? `${plural(all, 'connection')} ended in 15 minutes.` : kUnknown}
      rest={all > 0 ? `Clients ended ${formatPercent(share(['client']))} %, timers ${formatPercent(share(['timer']))} %; every one has its reason.` : ''}
      actions={<CopyButton text={() => shellCommand('equinox', 'why', ...(query ? [query] : []))} label="Copy as equinox why" />}
    >
      {peak(list)}
    </Answer>
  );
}

function peak(list: ReturnType<typeof totals>): string {
  for (const { reason, counts, total } of list) {
    const known = counts.filter((n) => n !== null).length;
    const mean = total / Math.max(1, known);
    const most = Math.max(...counts.map((n) => n ?? 0));
    if (known >= 8 && total >= 40 && most > mean * 3.5) return `${reason} peaked at ${formatInt(most)} in ${kStep} s, ${(most / mean).toFixed(0)} times its mean.`;
  }
  return list[0] ? `Most often: ${list[0].reason}, ${formatInt(list[0].total)}.` : '';
}

function FamilyChart({ reasons }: { reasons: Series | null }) {
  const times = Array.from({ length: reasons?.points ?? 0 }, (_, i) => (reasons?.start_at ?? 0) + i * kStep);
  const series = families(reasons).map(({ family, values }) => ({ label: kFamilies[family].word, mark: kFamilies[family].mark, token: `--c-${family}`, values }));
  const sum = (values: (number | null)[]) => values.reduce<number>((total, n) => total + (n ?? 0), 0);
  const summary = !reasons ? kUnknown : `Closes per ${kStep} s over 15 minutes: ${series.map(({ label, values }) => `${label} ${formatInt(sum(values))}`).join(', ')}.`;
  return (
    <ChartPanel title="Closes over time" sub={`per ${kStep} s, by who ended them`} summary={summary} cls="family-chart" table={{ head: ['from', ...series.map(({ label }) => label)], rows: () => times.map((at, i) => [formatTime(at), ...series.map(({ values }) => formatInt(values[i]))]).reverse() }}>
      <TimeChart times={times} series={series} kind="bars" height={300} format={formatInt} label={summary} />
    </ChartPanel>
  );
}

function ReasonTable({ reasons, query, onPick }: { reasons: Series | null; query: string; onPick: (query: string) => void }) {
  const list = totals(reasons);
  const all = list.reduce((sum, { total }) => sum + total, 0) || 1;
  const on = /(?:^| )reason:(\S+)/.exec(query)?.[1];
  const toggle = ({ reason }: { reason: CloseReason }) => onPick(reason === on ? query.replace(/(^| )reason:\S+/, '').trim() : withTerm(query, `reason:${reason}`));
  const summary = !reasons ? kUnknown : list.length === 0 ? 'Nothing closed in the last 15 minutes.' : `Closes of the last 15 minutes by reason: ${list.map(({ reason, total, counts }) => `${reason} ${formatInt(total)}, in ${kStep} s ${rangeWords(counts, formatInt)}`).join('; ')}.`;
  const at = (i: number) => formatTime((reasons?.start_at ?? 0) + i * (reasons?.step_seconds ?? kStep));
  const steps = () => Array.from({ length: reasons?.points ?? 0 }, (_, i) => [at(i), ...list.map(({ counts }) => formatInt(counts[i]))]).reverse();
  return (
    <ChartPanel title="Reasons" sub="first cause wins" actions={<span class="sub">each row filters</span>} cls="reasons" summary={summary} table={{ head: ['from', ...list.map(({ reason }) => reason)], rows: steps }}>
      {reasons === null ? <Skeleton rows={8} /> : list.length === 0 ? <p class="quiet">Nothing closed in the last 15 minutes.</p> : (
        <div class="scroll-y" tabIndex={0} role="region" aria-label="Reasons, table">
          <DataTable
            caption="Close reasons of the last 15 minutes"
            rows={list}
            rowKey={(row) => row.reason}
            rowClass={(row) => (row.reason === on ? 'at' : '')}
            onOpen={toggle}
            columns={[
              { id: 'reason', head: 'reason', cls: 'wrap', cell: (row) => <button class="plain" aria-pressed={row.reason === on} onClick={() => toggle(row)}><ReasonWord reason={row.reason} /></button> },
              { id: 'who', head: 'who', priority: 2, cell: (row) => <span class="sub">{kFamilies[familyOf(row.reason)].word}</span> },
              { id: 'closes', head: 'closes', num: true, sortBy: (row) => row.total, cell: (row) => <b>{formatInt(row.total)}</b> },
              { id: 'share', head: 'share', num: true, cell: (row) => `${formatPercent(row.total / all)} %` },
              { id: 'spark', head: '15 min', priority: 2, cell: (row) => <Spark values={row.counts} label={`${row.reason} over 15 minutes: ${rangeWords(row.counts, formatInt)}`} /> },
            ]}
          />
        </div>
      )}
    </ChartPanel>
  );
}

function RingNote({ page }: { page: ClosedPage | null }) {
  void clock.value;
  const ringState = status.value?.rings.closed;
  if (!ringState || ringState.entries < ringState.capacity) return null;
  if (!page || page.oldest_at === null || page.oldest_at === undefined || page.capacity === undefined) return null;
  if (serverNow() - page.oldest_at >= 900) return null;
  return (
    <Banner look="info" mark="i">
      The ring holds the last {formatInt(page.capacity)} closes, back to {formatTime(page.oldest_at)}. Older ones are counted in the chart, not listed.
    </Banner>
  );
}
