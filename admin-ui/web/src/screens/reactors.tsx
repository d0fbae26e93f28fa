// Is the event loop the bottleneck, and who holds it?
import { get } from '../api/client';
import type { Histogram, ReactorPage, ReactorRow, Series, Stall, StallPage } from '../api/types';
import { formatDuration, formatInt, formatPercent, formatTime, plural } from '../lib/format';
import { rangeWords } from '../lib/series';
import { clock, serverNow, stalls } from '../state/live';
import { useLoad } from '../state/load';
import { placeHref } from '../state/router';
import { Canvas, type Brush } from '../ui/canvas';
import { ChartPanel, type ChartTable } from '../ui/chart-panel';
import { DataTable } from '../ui/data-table';
import { formatEdge } from '../ui/heatmap';
import { Answer, ConnLink, Facts, Meter, Panel, ProblemView, RouteLink, Skeleton } from '../ui/parts';

export function Reactors() {
  const page = useLoad<ReactorPage>('reactors', (signal) => get('reactors', {}, signal), 1);
  const list = useLoad<StallPage>('stalls', (signal) => get('stalls', { limit: 100 }, signal), 2);
  const lanes = useLoad<Series>('lanes', (signal) => get('series', { names: 'reactor_busy_ratio,reactor_stalls', step_seconds: 15 }, signal), 5);
  const running = [...stalls.value.values()];
  const rows = page.data?.rows ?? [];
  return (
    <div class="page reactors">
      <Lead rows={rows} running={running} />
      {running.map((stall) => <Culprit key={stall.id} stall={stall} threshold={page.data?.stall_threshold_seconds ?? 0.1} />)}
      <ChartPanel title="Reactors" sub="busy = not waiting in epoll; thread CPU = all it used, in epoll_wait too" cls="full" actions={<span class="legend"><span><i class="busy-cpu" />busy on CPU</span><span><i class="busy-blocked" />busy, blocked or preempted</span></span>} summary={laneSummary(rows, lanes.data)} table={laneTable(rows, lanes.data)}>
        {page.data === null ? page.problem ? <ProblemView problem={page.problem} what="Reactors" onRetry={page.reload} /> : <Skeleton rows={4} /> : <ReactorTable rows={rows} lanes={lanes.data} />}
      </ChartPanel>
      <StallList page={list.data} />
      <LoopHealth page={page.data} />
    </div>
  );
}

function Lead({ rows, running }: { rows: ReactorRow[]; running: Stall[] }) {
  const stall = running[0];
  const busy = rows.map((row) => row.busy_ratio);
  const spread = rows.map((row) => row.connections);
  const mean = spread.reduce((a, b) => a + b, 0) / (spread.length || 1);
  const uneven = mean > 0 ? (Math.max(...spread) - Math.min(...spread)) / mean : 0;
  const most = Math.max(0, ...busy);
  const blocked = [...new Set(running.map(({ reactor }) => reactor))].sort((a, b) => a - b);
  const lead = stall
    ? blocked.length >= rows.length && rows.length > 0 ? 'Every event loop is blocked.' : `The event loops have room, except reactor${blocked.length > 1 ? 's' : ''} ${blocked.join(', ')}.`
    : rows.length === 0 ? 'Reactors'
    : most > 0.85 ? 'The event loop is the bottleneck.' : 'The event loops have room.';
  return (
    <Answer lead={lead} rest={stall ? `${blocked.length > 1 ? `Reactor ${stall.reactor}` : 'It'} has been inside one ${stall.cause === 'handler' ? 'handler' : stall.cause} for ${formatDuration(stall.duration_seconds)}.` : rows.length ? `None is busier than ${formatPercent(most)} %.` : ''}>
      {rows.length > 1 ? `Busy ${formatPercent(Math.min(...busy))} to ${formatPercent(most)} %; connections are spread within ${formatPercent(uneven)} %.` : null}
    </Answer>
  );
}

export function Culprit({ stall, threshold }: { stall: Stall; threshold: number }) {
  void clock.value;
  const seconds = Math.max(stall.duration_seconds, serverNow() - stall.started_at);
  const most = Math.max(1, seconds * 1.1);
  const cpu = stall.cpu_seconds;
  return (
    <section class="panel culprit" aria-label={`Reactor ${stall.reactor} is blocked`}>
      <header class="panel-head">
        <span class="mark look-bad" aria-hidden="true">S</span>
        <h2><span role="alert">Blocked now: reactor {stall.reactor}</span>, {formatDuration(seconds)}</h2>
        <span class="actions"><a class="button small" href={placeHref('connections', { query: `reactor:${stall.reactor} -state:idle` })}>{plural(stall.delayed_connections ?? 0, 'connection')} wait</a></span>
      </header>
      <div class="culprit-body">
        <Facts items={[
          [stall.cause === 'handler' ? 'Inside the handler of' : 'Inside', stall.route ? <RouteLink route={stall.route} method={stall.method} /> : stall.cause],
          ['Request', <span class="mono">{stall.target ? `${stall.method ?? ''} ${stall.target}` : '–'}</span>],
          ['Connection', stall.connection ? <><ConnLink id={stall.connection} />{stall.peer ? `, ${stall.peer}` : ''}</> : '–'],
          ['Since', formatTime(stall.started_at, true)],
        ]} />
        <span class="stall-scale">
          <Meter share={seconds / most} cls="bad" />
          <span class="axis"><span>0</span><span class="threshold" style={{ left: `${Math.min(0.6, threshold / most) * 100}%` }}>{formatDuration(threshold)} is a stall</span><span>{formatDuration(most)}</span></span>
        </span>
      </div>
      {cpu === null || cpu === undefined ? null : (
        <p>
          The thread used {formatDuration(cpu)} of CPU meanwhile, so the {stall.cause} {cpu < seconds / 2 ? 'waits for something outside (a file, a lock, another service)' : 'computes'}.{' '}
          <code>equinox::offload</code> would keep the loop free.
        </p>
      )}
    </section>
  );
}

function ReactorTable({ rows, lanes }: { rows: ReactorRow[]; lanes: Series | null }) {
  return (
    <DataTable
      caption="Reactors"
      rows={rows}
      rowKey={(row) => String(row.reactor)}
      rowClass={(row) => (row.stall ? 'at' : '')}
      columns={[
        { id: 'reactor', head: 'reactor', cls: 'wrap', sortBy: (r) => r.reactor, cell: (r) => <><b>{r.reactor}</b>{r.stall ? <b class="bad"> blocked {formatDuration(r.stall.duration_seconds)}</b> : null}</> },
        { id: 'lane', head: 'busy, 15 min', priority: 3, cls: 'lane-cell', cell: (r) => <Lane {...laneOf(lanes, r.reactor)} reactor={r.reactor} /> },
        { id: 'now', head: 'busy, 1 s', cls: 'bar', priority: 2, cell: (r) => <BusyBar row={r} /> },
        { id: 'busy', head: 'busy', num: true, sortBy: (r) => r.busy_ratio, cell: (r) => <b>{formatPercent(r.busy_ratio)} %</b> },
        { id: 'cpu', head: 'thread CPU', num: true, sortBy: (r) => r.cpu_ratio ?? -1, cell: (r) => `${formatPercent(r.cpu_ratio)} %` },
        { id: 'iteration', head: 'iteration p99', num: true, priority: 2, sortBy: (r) => r.iteration_p99_seconds ?? -1, cell: (r) => formatDuration(r.iteration_p99_seconds) },
        { id: 'lag', head: 'timer lag p99', num: true, priority: 2, sortBy: (r) => r.timer_lag_p99_seconds ?? -1, cell: (r) => formatDuration(r.timer_lag_p99_seconds) },
        { id: 'events', head: 'events / wakeup', num: true, priority: 3, sortBy: (r) => r.events_per_wakeup ?? -1, cell: (r) => (r.events_per_wakeup === null || r.events_per_wakeup === undefined ? '–' : r.events_per_wakeup.toFixed(1)) },
        { id: 'connections', head: 'connections', num: true, sortBy: (r) => r.connections, cell: (r) => <a href={placeHref('connections', { query: `reactor:${r.reactor}` })}>{formatInt(r.connections)}</a> },
        { id: 'mailbox', head: 'mailbox', num: true, priority: 3, sortBy: (r) => r.mailbox_length ?? 0, cell: (r) => formatInt(r.mailbox_length) },
        { id: 'seen', head: 'last seen', num: true, sortBy: (r) => r.last_iteration_seconds_ago, cell: (r) => <span class={r.last_iteration_seconds_ago > 2 ? 'bad' : ''}>{r.last_iteration_seconds_ago < 0.001 ? '< 1 ms' : formatDuration(r.last_iteration_seconds_ago)}</span> },
      ]}
    />
  );
}

function BusyBar({ row }: { row: ReactorRow }) {
  const cpu = Math.min(row.cpu_ratio ?? row.busy_ratio, row.busy_ratio);
  return (
    <span class="busy-bar" role="img" aria-label={`busy ${percent(row.busy_ratio)}, thread CPU ${percent(row.cpu_ratio ?? row.busy_ratio)}`}>
      <span class="busy-cpu" style={{ width: `${cpu * 100}%` }} />
      <span class="busy-blocked" style={{ width: `${Math.max(0, row.busy_ratio - cpu) * 100}%` }} />
    </span>
  );
}

const percent = (ratio: number) => `${formatPercent(ratio)} %`;

type Points = (number | null)[];
const laneOf = (lanes: Series | null, reactor: number): { busy: Points; stalled: Points } => ({ busy: lanes?.series[`reactor_busy_ratio:${reactor}`] ?? [], stalled: lanes?.series[`reactor_stalls:${reactor}`] ?? [] });
const stallsIn = (stalled: Points) => stalled.reduce<number>((sum, n) => sum + (n ?? 0), 0);

function laneSummary(rows: readonly ReactorRow[], lanes: Series | null): string {
  return `Busy over 15 minutes. ${rows.map(({ reactor }) => {
    const { busy, stalled } = laneOf(lanes, reactor);
    return `Reactor ${reactor}: ${rangeWords(busy, percent)}, ${plural(stallsIn(stalled), 'stall')}.`;
  }).join(' ')}`;
}

/** The lanes in numbers: a row for each step, newest first, a column for each reactor. */
export function laneTable(rows: readonly { reactor: number }[], lanes: Series | null): ChartTable {
  const cell = ({ busy, stalled }: { busy: Points; stalled: Points }, i: number) => {
    const value = busy[i] ?? null;
    const stalls = stalled[i] ?? 0;
    return `${value === null ? '–' : percent(value)}${stalls > 0 ? `, ${plural(stalls, 'stall')}` : ''}`;
  };
  return {
    head: ['from', ...rows.map(({ reactor }) => `reactor ${reactor}`)],
    rows: () => Array.from({ length: lanes?.points ?? 0 }, (_, i) => [formatTime((lanes?.start_at ?? 0) + i * (lanes?.step_seconds ?? 1)), ...rows.map(({ reactor }) => cell(laneOf(lanes, reactor), i))]).reverse(),
  };
}

function Lane({ busy, stalled, reactor }: { busy: Points; stalled: Points; reactor: number }) {
  const draw = ({ context, width, height, token }: Brush) => {
    const wide = width / Math.max(1, busy.length);
    busy.forEach((value, i) => {
      const bad = (stalled[i] ?? 0) > 0;
      const tall = bad ? height : (value ?? 0) * (height - 2);
      context.fillStyle = token(bad ? '--bad' : '--fill');
      if (value !== null || bad) context.fillRect(Math.round(i * wide), height - Math.max(1, tall), Math.max(1, Math.floor(wide) - 1), Math.max(1, tall));
    });
  };
  return <Canvas class="lane-canvas" draw={draw} role="img" aria-label={`Reactor ${reactor}, busy over 15 minutes: ${rangeWords(busy, percent)}, ${plural(stallsIn(stalled), 'stall')}`} />;
}

function StallList({ page }: { page: StallPage | null }) {
  const rows = page?.rows ?? [];
  const causes = new Map<string, { count: number; seconds: number }>();
  for (const { cause, duration_seconds } of rows) {
    const sum = causes.get(cause) ?? { count: 0, seconds: 0 };
    causes.set(cause, { count: sum.count + 1, seconds: sum.seconds + duration_seconds });
  }
  return (
    <Panel title="Stalls" sub={page ? `iterations over ${formatDuration(page.threshold_seconds)}, ${formatInt(page.total)} kept` : ''} cls="stalls">
      {page === null ? <Skeleton rows={4} /> : rows.length === 0 ? <p class="quiet">No iteration took that long.</p> : (
        <>
          <div class="scroll-y" tabIndex={0} role="region" aria-label="Stalls, table">
            <DataTable
              caption="Stalls"
              keys
              rows={rows}
              rowKey={(row) => row.id}
              rowClass={(row) => (row.running ? 'at' : '')}
              columns={[
                { id: 'when', head: 'when', sortBy: (r) => r.started_at, cell: (r) => formatTime(r.started_at) },
                { id: 'reactor', head: 'reactor', num: true, sortBy: (r) => r.reactor, cell: (r) => r.reactor },
                { id: 'for', head: 'for', num: true, sortBy: (r) => r.duration_seconds, cell: (r) => <b>{formatDuration(r.duration_seconds)}{r.running ? '…' : ''}</b> },
                { id: 'cause', head: 'cause', priority: 2, sortBy: (r) => r.cause, cell: (r) => r.cause },
                { id: 'culprit', head: 'culprit', cls: 'cut', cell: (r) => (r.route ? <RouteLink route={r.route} method={r.method} /> : <span class="mono">{r.target ?? '–'}</span>) },
                { id: 'connection', head: 'connection', priority: 2, cell: (r) => (r.connection ? <ConnLink id={r.connection} /> : '–') },
                { id: 'delayed', head: 'delayed', num: true, priority: 2, sortBy: (r) => r.delayed_connections ?? 0, cell: (r) => formatInt(r.delayed_connections) },
              ]}
            />
          </div>
          <p class="quiet">By cause: {[...causes].map(([cause, { count, seconds }]) => `${cause} ${count} (${formatDuration(seconds)})`).join(', ')}.</p>
        </>
      )}
    </Panel>
  );
}

function LoopHealth({ page }: { page: ReactorPage | null }) {
  if (!page) return <Panel title="Loop health" cls="loop-health"><Skeleton rows={4} /></Panel>;
  const parts: { name: string; data: Histogram | undefined; edge: (value: number) => string; bad: (value: number) => boolean }[] = [
    { name: 'Iteration', data: page.iteration, edge: formatEdge, bad: (edge) => edge >= (page.stall_threshold_seconds ?? 0.1) },
    { name: 'Timer lag', data: page.timer_lag, edge: formatEdge, bad: (edge) => edge >= (page.stall_threshold_seconds ?? 0.1) },
    { name: 'Events per wakeup', data: page.events_per_wakeup, edge: formatInt, bad: (edge) => edge >= 256 },
  ];
  const summary = parts.map(({ name, data }) => `${name}: ${formatInt(data?.counts.reduce((a, b) => a + b, 0))} observations`).join('; ');
  return (
    <ChartPanel title="Loop health" sub="all reactors, heights are logarithmic" summary={summary} cls="loop-health" table={{ head: ['up to', 'count'], rows: () => parts.flatMap(({ name, data, edge }) => (data?.counts ?? []).map((count, i) => [`${name}, ${data?.edges[i] === undefined ? 'more' : edge(data.edges[i] ?? 0)}`, formatInt(count)])) }}>
      <div class="histograms">
        {parts.map(({ name, data, edge, bad }) => (
          <div key={name}>
            <h3>{name}</h3>
            {data ? <Canvas class="histogram" role="img" aria-label={`${name}: ${data.counts.map((c, i) => `${data.edges[i] === undefined ? 'more' : edge(data.edges[i] ?? 0)} ${c}`).join(', ')}`} draw={(brush) => bars(brush, data, edge, bad)} /> : <p class="quiet">Not recorded.</p>}
          </div>
        ))}
      </div>
    </ChartPanel>
  );
}

function bars({ context, width, height, token }: Brush, data: Histogram, edge: (value: number) => string, bad: (value: number) => boolean): void {
  const n = data.counts.length;
  const wide = width / n;
  const bottom = height - 16;
  const top = Math.log10(1 + Math.max(1, ...data.counts));
  const every = Math.ceil(n / Math.max(1, Math.floor(width / 58)));
  context.font = `11px ${token('--font-ui')}`;
  context.textAlign = 'center';
  data.counts.forEach((count, i) => {
    const lower = i === 0 ? 0 : (data.edges[i - 1] ?? 0);
    const tall = (Math.log10(1 + count) / top) * (bottom - 16);
    const wrong = bad(lower) && count > 0;
    context.fillStyle = token(wrong ? '--bad' : '--fill');
    if (count > 0) context.fillRect(Math.round(i * wide) + 1, bottom - tall, Math.max(2, Math.round(wide) - 2), tall);
    context.fillStyle = token('--text-3');
    if (wrong && count < 100) context.fillText(formatInt(count), (i + 0.5) * wide, bottom - tall - 4);
    const upper = data.edges[i];
    if (i % every === 0 && upper !== undefined) context.fillText(edge(upper), Math.max(14, (i + 0.5) * wide), height - 3);
  });
}

