// Is it healthy, and is it safe to deploy?
import { useSignal, type Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { get } from '../api/client';
import type { Change, Deadlines, Drain, Overview as OverviewData, Strip } from '../api/types';
import { formatBytes, formatCompact, formatDuration, formatInt, formatPercent, formatQuantile, formatTime, plural } from '../lib/format';
import { rangeWords, type Point } from '../lib/series';
import { kChangeMarks, kProtocols } from '../lib/vocabulary';
import { changes, overview, ring, ringTick, stalls, status } from '../state/live';
import { useLoad } from '../state/load';
import { placeHref, type Screen } from '../state/router';
import { DeadlinePanel } from './deadlines';
import { StripPanel } from './strip';
import { Answer, Breakable, ConnLink, Kbd, Meter, Panel, RouteLink, Skeleton } from '../ui/parts';
import { Spark } from '../ui/canvas';
import { ShowAs, TableView, type ShownAs } from '../ui/chart-panel';

/** As many cells per reactor as stay readable on this screen. */
const kCells = innerWidth <= 720 ? 16 : innerWidth >= 1900 ? 64 : 38;

export function Overview() {
  const data = overview.value;
  const strip = useLoad<Strip>('strip', (signal) => get('strip', { cells: kCells }, signal), 5);
  const deadlines = useLoad<Deadlines>('deadlines', (signal) => get('deadlines', {}, signal), 5);
  const shown = useSignal<ShownAs>('chart');
  if (!data) return <div class="page"><Skeleton rows={12} /></div>;
  return (
    <div class="page overview">
      <Health data={data} shown={shown} />
      <Tiles data={data} shown={shown.value} />
      <StripPanel strip={strip.data} byState={data.by_state} />
      <Feed />
      <DeadlinePanel deadlines={deadlines.data} />
      <Mix data={data} />
    </div>
  );
}

const kTilesTitle = 'The last 15 minutes';

function Health({ data, shown }: { data: OverviewData; shown: Signal<ShownAs> }) {
  const running = [...stalls.value.values()];
  const notes: ComponentChildren[] = [];
  for (const stall of running) {
    notes.push(<>Reactor {stall.reactor} is blocked by {stall.route ? <RouteLink route={stall.route} method={stall.method} /> : stall.cause} for {formatDuration(stall.duration_seconds)}.</>);
  }
  const limit = status.value?.limits.connections ?? 0;
  if (limit > 0 && data.connections > limit * 0.9) notes.push(<>{formatPercent(data.connections / limit)} % of the connection limit is used.</>);
  if (data.error_ratio > 0.01) notes.push(<>{formatPercent(data.error_ratio)} % of requests fail.</>);
  const holders = data.drain?.holders ?? [];
  if (data.draining && holders[0]) notes.push(<><ConnLink id={holders[0].id} /> holds the drain longest.</>);
  const lead = data.draining
    ? `Draining, ${plural(data.drain?.connections_left ?? data.connections, 'connection')} left.`
    : !data.ready ? 'Not ready.'
    : notes.length === 0 ? (data.connections === 0 ? `Ready, nobody is here ${(status.value?.rings.closed?.entries ?? 0) > 0 ? 'now' : 'yet'}.` : 'Serving, nothing stands out.')
    : `Serving, with ${notes.length === 1 ? 'one thing' : `${notes.length} things`} to look at.`;
  const rest = data.drain ? outlook(data.drain, data.draining) : '';
  return (
    <Answer lead={lead} rest={rest} actions={<><ShowAs title={kTilesTitle} shown={shown} /><a class="button" href={placeHref('server')}>Preview a drain <Kbd>g s</Kbd></a></>}>
      {notes.length > 0 ? notes.slice(0, 3).map((note, i) => <span key={i} class="note"><span class="mark look-warn" aria-hidden="true">!</span> {note} </span>) : null}
    </Answer>
  );
}

function outlook(drain: Drain, running: boolean): string {
  if (drain.estimate_seconds !== null && drain.estimate_seconds !== undefined) {
    return running ? `About ${formatDuration(drain.estimate_seconds)} to go.` : `A drain now would take about ${formatDuration(drain.estimate_seconds)}.`;
  }
  return drain.no_estimate ? `${running ? 'Its end' : 'How long a drain now would take'} cannot be told: ${drain.no_estimate}.` : '';
}

interface TileProps {
  name: string;
  to: string;
  figure: string;
  unit?: string;
  flag?: string;
  trend: Trend;
  left?: string;
  right?: string;
}

function Tile({ name, to, figure, unit, flag, trend, left, right }: TileProps) {
  return (
    <a class="tile panel" href={to}>
      <span class="tile-head"><span>{name}</span>{flag ? <b class="flag">{flag}</b> : null}</span>
      <span class="figure">{figure}<small>{unit}</small></span>
      <Spark values={trend.values} label={`${name}, last 15 minutes: ${rangeWords(trend.values, trend.format)}`} />
      <span class="tile-foot"><span>{left}</span><span>{right}</span></span>
    </a>
  );
}

const kTileStep = 10;

interface Trend {
  head: string;
  values: Point[];
  format: (value: number) => string;
}

/** What the lines of the tiles are drawn from, and what their table says. */
function trends(): Record<'connections' | 'requests' | 'errors' | 'p99' | 'busy' | 'evictions', Trend> {
  const per = (name: string, unit: number) => ring.bins(name, kTileStep, 'sum').map((v) => (v === null ? null : v / unit));
  const requests = ring.bins('requests', kTileStep, 'sum');
  const errors = ring.bins('errors_5xx', kTileStep, 'sum').map((value, i) => (value === null ? null : value / Math.max(1, requests[i] ?? 1)));
  const percent = (ratio: number) => `${formatPercent(ratio)} %`;
  return {
    connections: { head: 'connections', values: ring.bins('connections', kTileStep, 'mean'), format: (n) => formatInt(Math.round(n)) },
    requests: { head: 'requests/s', values: per('requests', kTileStep), format: formatCompact },
    errors: { head: 'errors', values: errors, format: percent },
    p99: { head: 'p99', values: ring.bins('p99_seconds', kTileStep, 'max'), format: (n) => formatQuantile(n) },
    busy: { head: 'busy', values: ring.bins('busy_ratio', kTileStep, 'mean'), format: percent },
    evictions: { head: 'evictions/min', values: per('evictions', kTileStep / 60), format: formatCompact },
  };
}

function Tiles({ data, shown }: { data: OverviewData; shown: ShownAs }) {
  void ringTick.value;
  const lines = trends();
  if (shown === 'table') {
    const list = Object.values(lines);
    const summary = list.map(({ head, values, format }) => `${head}: ${rangeWords(values, format)}`).join('; ');
    const rows = () => ring.steps(kTileStep).map((at, i) => [formatTime(at), ...list.map(({ values, format }) => (values[i] === null || values[i] === undefined ? '–' : format(values[i])))]).reverse();
    return (
      <Panel title={kTilesTitle} sub={`${kTileStep} s a row`}>
        <TableView title={kTilesTitle} summary={summary} table={{ head: ['from', ...list.map(({ head }) => head)], rows }} />
      </Panel>
    );
  }
  const limit = status.value?.limits.connections;
  const requests = ring.observed('duration');
  const h2 = ring.observed('duration:h2') + ring.observed('duration:h2c');
  const evicted = Object.entries(data.evictions_by_phase ?? {}).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]);
  const p99 = figureOf(formatQuantile(data.p99_seconds));
  return (
    <div class="tiles">
      <Tile name="Connections" to={placeHref('connections')} figure={formatInt(data.connections)} trend={lines.connections} left={limit ? `${formatPercent(data.connections / limit)} % of ${formatInt(limit)}` : ''} right={`+${formatCompact(data.accepted_per_second ?? 0)} −${formatCompact(data.closed_per_second ?? 0)}/s`} />
      <Tile name="Requests" to={placeHref('latency')} figure={formatCompact(data.requests_per_second)} unit="/s" trend={lines.requests} left={`${formatInt(data.in_flight)} in flight`} right={requests > 0 ? `h2 ${formatPercent(h2 / requests)} %` : ''} />
      <Tile name="Errors" to={placeHref('routes', { sort: 'errors' })} figure={formatPercent(data.error_ratio)} unit="%" trend={lines.errors} left={`5xx ${formatCompact(data.errors_5xx_per_second ?? 0)}/s`} right={`4xx ${formatCompact(data.errors_4xx_per_second ?? 0)}/s`} />
      <Tile name="Latency p99" to={placeHref('latency')} figure={p99.value} unit={p99.unit} trend={lines.p99} left={`p50 ${formatQuantile(data.p50_seconds)}`} right="10 s peaks" />
      <Tile name="Reactors busy" to={placeHref('reactors')} figure={formatPercent(data.busy_ratio)} unit="%" flag={data.stalled_reactors > 0 ? `${data.stalled_reactors} stalled` : undefined} trend={lines.busy} left={`${formatPercent(data.busy_min_ratio)} % to ${formatPercent(data.busy_max_ratio)} %`} right={plural(status.value?.reactors ?? 0, 'reactor')} />
      <Tile name="Evictions" to={placeHref('closed', { query: kPhaseQueries[evicted[0]?.[0] ?? ''] ?? 'family:timer' })} figure={formatInt(Math.round(data.evictions_per_minute))} unit="/min" trend={lines.evictions} left={evicted[0] ? evictedBy(evicted[0]) : 'none for a minute'} right={evicted[1] ? evictedBy(evicted[1]) : ''} />
    </div>
  );
}

/** The phases in words that fit a tile. */
const kPhaseWords: Record<string, string> = { first_request: 'silent', between_requests: 'keep-alive', write_stall: 'stall', h2_no_streams: 'h2 idle', max_age: 'age' };
/** What of the closed connections shows most of them: age and the connection limit evict too, and are no timers. */
const kPhaseQueries: Record<string, string> = { max_age: 'reason:max_age', pressure: 'reason:connection_limit' };
const evictedBy = ([phase, count]: [string, number]) => `${kPhaseWords[phase] ?? phase} ${formatCompact(count)}`;

function figureOf(text: string): { value: string; unit: string } {
  const [, value = text, unit = ''] = /^((?:> )?\S+) ?(.*)$/.exec(text) ?? [];
  return { value, unit };
}

/** Where a change is best looked at. */
export function changeHref(change: Change): string {
  const to: Partial<Record<Change['kind'], Screen>> = { stall: 'reactors', reload: 'server', reload_refused: 'server', certificate: 'server', drain: 'server', undrain: 'server', log_level: 'server', start: 'server', close_job: 'server', rejected: 'connections' };
  if (change.reason) return placeHref('closed', { query: change.query ?? `reason:${change.reason}` });
  return placeHref(to[change.kind] ?? 'closed', change.query ? { query: change.query } : {});
}

function Feed() {
  const shown = useSignal(7);
  const list = changes.value;
  return (
    <Panel title="What changed" sub={list.length === 0 ? 'nothing yet' : `${formatInt(list.length)} kept`} cls="feed">
      {list.length === 0 ? <p class="quiet">Reloads, drains, stalls and bursts appear here.</p> : null}
      <ol>
        {list.slice(0, shown.value).map((change) => {
          const mark = kChangeMarks[change.kind] ?? { letter: '?', look: 'info' as const };
          return (
            <li key={change.id}>
              <time>{formatTime(change.at)}</time>
              <span class={`mark look-${mark.look}`} aria-hidden="true">{mark.letter}</span>
              <a href={changeHref(change)}>{change.text}</a>
            </li>
          );
        })}
      </ol>
      {list.length > shown.value ? <button class="ghost" onClick={() => (shown.value = 64)}>All {formatInt(list.length)}</button> : null}
    </Panel>
  );
}

function Mix({ data }: { data: OverviewData }) {
  const listeners = status.value?.listeners ?? [];
  return (
    <Panel title="Protocols and listeners" cls="mix">
      <div class="bars">
        {kProtocols.map((protocol) => {
          const count = data.by_protocol[protocol] ?? 0;
          return (
            <a key={protocol} href={placeHref('connections', { query: `protocol:${protocol}` })}>
              <span>{protocol}</span>
              <Meter share={data.connections ? count / data.connections : 0} />
              <span class="num">{formatInt(count)}</span>
            </a>
          );
        })}
      </div>
      <table>
        <caption class="sr-only">Listeners</caption>
        <thead><tr><th scope="col">listener</th><th scope="col">address</th><th scope="col" class="num">open</th><th scope="col" class="num">accept queue</th></tr></thead>
        <tbody>
          {listeners.map((l) => (
            <tr key={l.name}>
              <td class="wrap"><a href={placeHref('connections', { query: `listener:${l.name}` })}>{l.name}</a></td>
              <td class="mono wrap"><Breakable text={l.address} />{l.tls ? ' TLS' : ''}</td>
              <td class="num">{formatInt(l.connections)}</td>
              <td class="num">{l.accept_queue_length === null || l.accept_queue_length === undefined ? '–' : `${formatInt(l.accept_queue_length)} of ${formatInt(l.accept_queue_limit)}`}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="quiet">In {formatBytes(data.received_bytes_per_second)}/s, out {formatBytes(data.sent_bytes_per_second)}/s; {formatBytes(data.pending_bytes)} wait for slow readers.</p>
    </Panel>
  );
}

