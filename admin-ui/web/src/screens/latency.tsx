// Where is the time, which requests are slow?
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { get } from '../api/client';
import type { Measure, RequestPage, RequestRecord, RoutePage, RouteRow } from '../api/types';
import { formatDuration, formatInt, formatPercent, formatQuantile, formatTime, kUnknown, plural } from '../lib/format';
import type { Cell } from '../lib/heatmap';
import { addCounts, quantile, quantileBounds, shareWithin } from '../lib/histogram';
import { answerOf } from '../lib/rows';
import { kPhases } from '../lib/vocabulary';
import { ring, ringTick, serverNow, status } from '../state/live';
import { useLoad } from '../state/load';
import { place, setParams } from '../state/router';
import { ChartPanel } from '../ui/chart-panel';
import { DataTable } from '../ui/data-table';
import { bucketName, formatEdge, Heatmap, type HeatData } from '../ui/heatmap';
import { Answer, ConnLink, Message, mostIn, Panel, PhaseBar, PhaseLegend, ProblemView, RouteLink, Segments, Skeleton } from '../ui/parts';
import { TimeChart } from '../ui/time-chart';

const kStep = 15;
const kGood = 0.1;

/** The histogram behind a choice: only the whole duration is counted by protocol. */
export function histogramOf(measure: Measure, protocol: string | undefined): string {
  return measure === 'duration' && protocol ? `duration:${protocol}` : measure;
}

function heatData(name: string): HeatData {
  const edges = ring.edges(name);
  const columns = ring.columns(name, kStep);
  const slow = status.value?.limits.slow_request_seconds;
  return {
    edges,
    times: ring.steps(kStep, 900, true),
    step: kStep,
    columns,
    p50: columns.map((counts) => (counts ? quantile(edges, counts, 0.5) : null)),
    p99: columns.map((counts) => (counts ? quantile(edges, counts, 0.99) : null)),
    line: slow ? { seconds: slow, name: `slow log from ${formatEdge(slow)}` } : undefined,
  };
}

function sumOf(columns: (number[] | null)[]): number[] {
  const sum: number[] = [];
  for (const counts of columns) if (counts) addCounts(sum, counts);
  return sum;
}

const kMeasures: Measure[] = ['duration', 'first_byte', 'queue', 'handler'];
const kByProtocol = ['http/1.1', 'h2', 'h2c'];

/** What an address chooses, as far as it exists: anybody may have written it. */
export function chosenIn(params: Record<string, string | undefined>): { measure: Measure; route?: string; protocol?: string } {
  return {
    measure: kMeasures.find((name) => name === params.measure) ?? 'duration',
    route: params.route,
    protocol: kByProtocol.find((name) => name === params.protocol),
  };
}

export function Latency() {
  void ringTick.value;
  const params = place.value.params;
  const { measure, route, protocol } = chosenIn(params);
  const routes = useLoad<RoutePage>('routes', (signal) => get('routes', {}, signal), route ? 5 : 0);
  const name = histogramOf(measure, protocol);
  const chosen = useSignal<{ at: number; row: number } | null>(null);
  const data = heatData(name);
  const cell = chosen.value ? { column: data.times.indexOf(chosen.value.at), row: chosen.value.row } : null;
  const list = useRef<HTMLDivElement>(null);
  const choose = (picked: Cell) => {
    const at = data.times[picked.column];
    if (at !== undefined) chosen.value = { at, row: picked.row };
  };
  const total = sumOf(data.columns);
  const all = total.reduce((a, b) => a + b, 0);
  const summary = data.edges.length === 0 ? kUnknown : all === 0 ? 'No requests in the last 15 minutes.' : `${formatInt(all)} requests in 15 minutes; half under ${formatDuration(quantile(data.edges, total, 0.5))}, 99 of 100 under ${formatDuration(quantile(data.edges, total, 0.99))}.`;
  const tall = innerWidth >= 1900 ? 520 : innerWidth <= 720 ? 320 : 384;
  return (
    <div class="page latency">
      {route ? <Answer {...routeWords(route, routes.data?.rows, protocol)} /> : <Lead protocol={protocol} />}
      <div class="filters">
        <Segments label="What is measured" value={measure} onPick={(value) => setParams({ measure: value === 'duration' ? null : value })} options={[{ value: 'duration', label: 'total' }, { value: 'first_byte', label: 'first byte' }, { value: 'queue', label: 'queue' }, { value: 'handler', label: 'handler' }]} />
        <label class="pick">
          route
          <select value={params.route ?? ''} onChange={(event) => setParams({ route: event.currentTarget.value })}>
            <option value="">all</option>
            {routes.data?.rows.map((row) => <option key={row.route} value={row.route}>{row.route}</option>)}
          </select>
        </label>
        <label class="pick">
          protocol
          <select value={protocol ?? ''} onChange={(event) => setParams({ protocol: event.currentTarget.value })}>
            <option value="">all</option>
            {kByProtocol.map((name) => <option key={name} value={name}>{name}</option>)}
          </select>
        </label>
        {coverage(measure, route, protocol)}
      </div>
      <ChartPanel
        title="Requests by duration"
        sub={`${kStep} s × bucket; a cell opens its requests`}
        summary={summary}
        cls="heat-panel"
        actions={<span class="heat-legend" aria-hidden="true">1 {[1, 2, 3, 4, 5, 6].map((n) => <i key={n} class={`heat-${n}`} />)} 100k and more</span>}
        table={{
          head: ['from', 'requests', 'p50', 'p99', 'cells'],
          rows: () => data.times.map((at, column) => [
            formatTime(at),
            formatInt(data.columns[column]?.reduce((a, b) => a + b, 0)),
            formatQuantile(data.p50[column], data.edges.at(-1)),
            formatQuantile(data.p99[column], data.edges.at(-1)),
            <span class="cell-buttons">{data.columns[column]?.map((count, row) => count > 0 ? <button key={row} class="link" onClick={() => choose({ column, row })}>{bucketName(data.edges, row)}: {formatInt(count)}</button> : null)}</span>,
          ]).reverse(),
        }}
      >
        {data.edges.length === 0 ? <Skeleton rows={10} /> : <Heatmap data={data} height={tall} chosen={cell} onChoose={choose} onEnter={() => list.current?.querySelector<HTMLElement>('a, button')?.focus()} label={`Heatmap of requests by duration. ${summary}`} />}
      </ChartPanel>
      <CellPanel data={data} cell={cell && cell.column >= 0 ? cell : null} gone={cell !== null && cell.column < 0} measure={measure} host={list} />
      <PhaseChart part={Boolean(route ?? protocol)} />
      <Percentiles part={Boolean(route)} protocol={protocol} />
      <Slow />
    </div>
  );
}

/** Which of what is shown does not follow the choice. Routes have quantiles, and no map. */
function coverage(measure: Measure, route: string | undefined, protocol: string | undefined) {
  const all = [route ? 'routes' : '', protocol && measure !== 'duration' ? 'protocols' : ''].filter(Boolean).join(' and ');
  return all ? <span class="sub">The map counts all {all}; the answer and the lists follow the choice.</span> : null;
}

/** The answer for one route, from its own quantiles: these are since the start, and over every protocol. */
export function routeWords(route: string, rows: readonly RouteRow[] | undefined, protocol: string | undefined): { lead: string; rest?: string } {
  if (!rows) return { lead: `Requests of ${route}` };
  const row = rows.find((one) => one.route === route);
  if (!row || row.p50_seconds === null || row.p50_seconds === undefined) return { lead: `No request of ${route} has finished.` };
  return {
    lead: `Half of the requests of ${route} take under ${formatDuration(row.p50_seconds)}, 99 of 100 under ${formatDuration(row.p99_seconds)}.`,
    rest: `${formatInt(row.requests)} since the start${protocol ? ', over all protocols' : ''}; ${row.error_ratio > 0 ? `${formatPercent(row.error_ratio)} % failed` : 'none failed'}.`,
  };
}

function Lead({ protocol }: { protocol: string | undefined }) {
  const name = histogramOf('duration', protocol);
  const edges = ring.edges(name);
  const counts = sumOf(ring.columns(name, kStep));
  const within = shareWithin(edges, counts, kGood);
  const by = protocol ? ` over ${protocol}` : '';
  if (edges.length === 0) return <Answer lead={kUnknown} />;
  if (within === null) return <Answer lead={`No requests${by} in the last 15 minutes.`} />;
  const p50 = quantile(edges, counts, 0.5);
  const sums = kPhases.map(({ phase }) => ({ phase, sum: ring.bins(`phase_${phase}_seconds`, kStep, 'sum').reduce<number>((a, b) => a + (b ?? 0), 0) }));
  const most = sums.reduce((a, b) => (b.sum > a.sum ? b : a));
  return <Answer lead={`${within === 1 ? 'All' : `${formatPercent(within)} % of`} requests${by} finish within ${formatDuration(kGood)}.`} rest={`Half take under ${formatDuration(p50)}${most.sum > 0 && !protocol ? `; most of the time is ${most.phase}` : ''}.`} />;
}

/** A cell that counted requests and shows none: filtered away, or older than what is kept (a paused page falls behind). */
export function whyNone(filtered: boolean, oldest: number | null, to: number): string {
  if (filtered) return 'the route or protocol chosen above leaves none of those kept';
  if (oldest === null) return 'this server keeps no samples';
  return oldest >= to ? `it is older than the samples reach, which is back to ${formatTime(oldest)}` : 'none of them was kept: the clock of the server was set meanwhile';
}

/** As many requests of a cell as are asked for at first, and the most an answer holds. */
const kFirst = 100;
const kMost = 500;

type CellPage = Pick<RequestPage, 'total'> & { rows: readonly unknown[]; kept?: number };
const keptOf = ({ kept, rows }: CellPage) => Math.max(kept ?? 0, rows.length);

/** Whether a longer answer would hold more; a full first page may be all there is, where `kept` is not told. */
export function hasMore(page: CellPage): boolean {
  const shown = page.rows.length;
  return shown < kMost && (page.kept === undefined ? shown >= kFirst && shown < page.total : shown < page.kept);
}

/** What is shown, what is kept and what was counted are three numbers. Without `kept` a full page says nothing about the ring. */
export function cellWords(page: CellPage): string {
  const { total, kept, rows } = page;
  const shown = rows.length;
  if (shown === total) return '';
  const more = shown < total ? `Shown are the slowest ${formatInt(shown)} of ${formatInt(kept === undefined ? total : keptOf(page))}` : '';
  if (kept === undefined) return more ? `${more}.` : '';
  const sample = keptOf(page) < total ? `${formatInt(keptOf(page))} of ${formatInt(total)} are kept; under load only a sample is.` : '';
  return `${shown < keptOf(page) ? `${more}. ` : ''}${sample}`.trim();
}

interface CellProps {
  data: HeatData;
  cell: Cell | null;
  gone: boolean;
  measure: Measure;
  host: { current: HTMLDivElement | null };
}

function CellPanel({ data, cell, gone, measure, host }: CellProps) {
  const { route, protocol } = chosenIn(place.value.params);
  const from = cell ? (data.times[cell.column] ?? 0) : 0;
  const limit = useSignal(kFirst);
  const params = cell
    ? { limit: limit.value, from, to: from + data.step, above_seconds: cell.row === 0 ? 0 : data.edges[cell.row - 1], up_to_seconds: data.edges[cell.row], measure, route, protocol }
    : null;
  const live = cell !== null && from + data.step > serverNow() - 2;
  const page = useLoad<RequestPage | null>(`cell/${JSON.stringify({ ...params, limit: 0 })}`, async (signal) => (params ? get<RequestPage>('requests/by-bucket', params, signal) : null), live ? 2 : 0);
  const picked = useSignal<string | null>(null);
  useEffect(() => {
    picked.value = null;
    limit.value = kFirst;
  }, [from, cell?.row]);
  const more = () => {
    limit.value = kMost;
    page.reload();
  };
  const counted = cell ? (data.columns[cell.column]?.[cell.row] ?? 0) : 0;
  const rows = page.data?.rows ?? [];
  const shown = rows.find((row) => row.id === picked.value) ?? rows[0] ?? null;
  const scale = Math.max(...rows.map((row) => row.total_seconds), 0.001);
  return (
    <Panel title="In this cell" cls="cell-panel" sub={cell ? `${formatTime(from)} – ${formatTime(from + data.step)}, ${bucketName(data.edges, cell.row)}` : ''} actions={cell ? <b>{plural(page.data?.total ?? counted, 'request')}</b> : null}>
      <div ref={host}>
        {gone ? <Message title="This cell has left the window"><p>The map reaches back 15 minutes.</p></Message>
          : !cell ? <Message title="No cell chosen"><p>Click a cell of the map, or walk it with the arrow keys, to see who landed there.</p></Message>
          : counted === 0 && rows.length === 0 ? <Message title="Nobody landed here"><p>This cell is empty.</p></Message>
          : page.problem ? <ProblemView problem={page.problem} what="This cell" onRetry={page.reload} />
          : !page.data ? <Skeleton rows={6} />
          : rows.length === 0 ? <Message title="None of these fits"><p>The cell holds {plural(counted, 'request')}; {whyNone(Boolean(route ?? protocol), page.data.oldest_at ?? null, from + data.step)}.</p></Message>
          : (
            <>
              <div class="scroll-y cell-list" tabIndex={0} role="region" aria-label="Requests in this cell">
                <DataTable
                  caption="Requests in this cell"
                  rows={rows}
                  rowKey={(row) => row.id}
                  onOpen={(row) => (picked.value = row.id)}
                  rowClass={(row) => (row.id === shown?.id ? 'at' : '')}
                  columns={[
                    { id: 'start', head: 'start', cell: (row) => formatTime(row.started_at, true).slice(5) },
                    { id: 'request', head: 'request', cls: 'cut', cell: (row) => <button class="plain mono" aria-pressed={row.id === shown?.id} onClick={() => (picked.value = row.id)}>{row.method} {row.route ?? row.target}</button> },
                    { id: 'total', head: 'total', num: true, cell: (row) => <b>{formatDuration(row.total_seconds)}</b> },
                    { id: 'phases', head: 'phases', priority: 2, cls: 'bar', cell: (row) => <PhaseBar phases={row.phases} scale={scale} /> },
                    { id: 'connection', head: 'connection', cell: (row) => <ConnLink id={row.connection} /> },
                  ]}
                />
              </div>
              <p class="quiet">{cellWords(page.data)} {hasMore(page.data) ? <button class="link" onClick={more}>Show more</button> : null}</p>
              {shown ? <Waterfall request={shown} /> : null}
            </>
          )}
      </div>
    </Panel>
  );
}

export function Waterfall({ request }: { request: RequestRecord }) {
  let at = 0;
  const total = request.total_seconds || 1e-9;
  return (
    <div class="waterfall" role="group" aria-label="Phases of this request">
      <h3><span class="mono">{request.method} {request.target}</span> <b>{formatDuration(request.total_seconds)}</b> <span class="sub">phases add up to the total, {answerOf(request)}</span></h3>
      <dl>
        {kPhases.map(({ phase, key, what }) => {
          const seconds = request.phases[key];
          const left = (at / total) * 100;
          at += seconds;
          const width = (seconds / total) * 100;
          return (
            <div key={phase}>
              <dt>{phase}</dt>
              <dd class="num">{seconds > 0 ? formatDuration(seconds) : '–'}</dd>
              <dd class="lane">
                {seconds > 0 ? <span class={`lane-bar ph-${phase}`} style={{ left: `${Math.min(left, 99.5)}%`, width: `${width}%` }} /> : null}
              </dd>
              <dd class="lane-word">{seconds > 0 ? what : phase === 'body' ? 'no body' : 'none'}</dd>
            </div>
          );
        })}
      </dl>
      <p class="quiet">{request.because ? `${request.because}. ` : ''}On connection <ConnLink id={request.connection} />{request.trace_id ? <>, trace <span class="mono">{request.trace_id}</span></> : null}</p>
      <PhaseLegend />
    </div>
  );
}

function PhaseChart({ part }: { part: boolean }) {
  const times = ring.steps(kStep);
  const requests = ring.bins('requests', kStep, 'sum');
  const series = kPhases.map(({ phase }) => ({
    label: phase,
    token: phase === 'queue' ? '--ph-queue' : { head: '--st-r', body: '--st-b', handler: '--st-h', write: '--st-w' }[phase],
    values: ring.bins(`phase_${phase}_seconds`, kStep, 'sum').map((sum, i) => (sum === null ? null : sum / Math.max(1, requests[i] ?? 1))),
  }));
  const mean = (values: (number | null)[]) => {
    const known = values.filter((v): v is number => v !== null);
    return known.length ? known.reduce((a, b) => a + b, 0) / known.length : null;
  };
  const summary = `Mean time per request by phase: ${series.map(({ label, values }) => `${label} ${formatDuration(mean(values))}`).join(', ')}.`;
  return (
    <ChartPanel title="Where the time goes" sub={`mean per request${part ? ' of all' : ''}, by phase; phases add up`} summary={summary} cls="phase-panel" table={{ head: ['from', ...series.map(({ label }) => label)], rows: () => times.map((at, i) => [formatTime(at), ...series.map(({ values }) => formatDuration(values[i]))]).reverse() }}>
      <TimeChart times={times} series={series} kind="area" height={170} format={(value) => (value === 0 ? '0' : formatDuration(value))} label={summary} />
    </ChartPanel>
  );
}

function Percentiles({ part, protocol }: { part: boolean; protocol: string | undefined }) {
  const rows = (['duration', 'duration:http/1.1', 'duration:h2', 'duration:h2c'] as const).map((name) => ({ name: name === 'duration' ? 'All' : name.slice(9), edges: ring.edges(name), counts: sumOf(ring.columns(name, kStep)) }));
  const at = rows.find((row) => row.name === protocol) ?? rows[0];
  const bounds = at ? quantileBounds(at.edges, at.counts, 0.99) : null;
  return (
    <Panel title="Percentiles" sub={`last 15 min${part ? ', all routes' : ''}`} cls="percentiles">
      <table>
        <caption class="sr-only">Percentiles of the request duration by protocol</caption>
        <thead><tr><th scope="col">protocol</th>{['p50', 'p90', 'p99', 'p99.9'].map((q) => <th key={q} scope="col" class="num">{q}</th>)}<th scope="col" class="num p2">requests</th></tr></thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.name} class={protocol && row === at ? 'at' : ''}>
              <th scope="row">{row.name}</th>
              {[0.5, 0.9, 0.99, 0.999].map((q) => <td key={q} class="num">{formatQuantile(quantile(row.edges, row.counts, q), row.edges.at(-1))}</td>)}
              <td class="num p2">{formatInt(row.counts.reduce((a, b) => a + b, 0))}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {bounds ? <p class="quiet">Bucket edges bound each value; p99 lies between {formatEdge(bounds[0])} and {bounds[1] === Infinity ? 'any time' : formatEdge(bounds[1])}.</p> : null}
    </Panel>
  );
}

function Slow() {
  const { route, protocol } = chosenIn(place.value.params);
  const page = useLoad<RequestPage>(`slow/${route ?? ''}/${protocol ?? ''}`, (signal) => get('requests/slow', { route, protocol, limit: 100 }, signal), 5);
  const rows = page.data?.rows ?? [];
  const scale = Math.min(Math.max(...rows.map((row) => row.total_seconds), 0.001), 3);
  return (
    <Panel title="Slow requests" cls="slow" sub={page.data ? `over ${formatDuration(page.data.threshold_seconds)}, newest first, ${formatInt(page.data.total)} in the ring` : ''}>
      {page.data === null ? page.problem ? <ProblemView problem={page.problem} what="Slow requests" onRetry={page.reload} /> : <Skeleton rows={5} />
        : rows.length === 0 ? <p class="quiet">{route || protocol ? 'None with this route and protocol.' : 'None so far.'}</p>
        : (
          <DataTable
            caption="Slow requests"
            keys
            rows={rows}
            rowKey={(row) => row.id}
            onOpen={(row) => setParams({ id: row.connection })}
            columns={[
              { id: 'start', head: 'start', sortBy: (row) => row.started_at, cell: (row) => formatTime(row.started_at, true) },
              { id: 'request', head: 'request', cls: 'cut', cell: (row) => row.route ? <RouteLink route={row.route} method={row.method} /> : <span class="mono">{row.method} {row.target}</span> },
              { id: 'code', head: 'code', priority: 2, cell: answerOf },
              { id: 'total', head: 'total', num: true, sortBy: (row) => row.total_seconds, cell: (row) => <b>{formatDuration(row.total_seconds)}</b> },
              { id: 'phases', head: `phases, to ${formatDuration(scale)}`, cls: 'bar', priority: 2, cell: (row) => <PhaseBar phases={row.phases} scale={scale} /> },
              { id: 'most', head: 'most in', priority: 3, cell: (row) => mostIn(row.phases) },
              { id: 'because', head: 'because', priority: 3, cell: (row) => <span class="sub">{row.because ?? ''}</span> },
              { id: 'connection', head: 'connection', cell: (row) => <ConnLink id={row.connection} /> },
            ]}
          />
        )}
    </Panel>
  );
}
