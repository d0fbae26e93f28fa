// Is it healthy, and is it safe to deploy?
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { get } from '../api/client';
import type { Change, Deadlines, Overview as OverviewData, Strip } from '../api/types';
import { formatBytes, formatCompact, formatDuration, formatInt, formatPercent, formatTime, plural } from '../lib/format';
import { kChangeMarks, kProtocols } from '../lib/vocabulary';
import { changes, overview, ring, ringTick, stalls, status } from '../state/live';
import { useLoad } from '../state/load';
import { placeHref, type Screen } from '../state/router';
import { DeadlinePanel } from './deadlines';
import { StripPanel } from './strip';
import { Answer, ConnLink, Kbd, Meter, Panel, RouteLink, Skeleton } from '../ui/parts';
import { Spark } from '../ui/canvas';

/** As many cells per reactor as stay readable on this screen. */
const kCells = innerWidth <= 720 ? 16 : innerWidth >= 1900 ? 64 : 38;

export function Overview() {
  const data = overview.value;
  const strip = useLoad<Strip>('strip', (signal) => get('strip', { cells: kCells }, signal), 5);
  const deadlines = useLoad<Deadlines>('deadlines', (signal) => get('deadlines', {}, signal), 5);
  if (!data) return <div class="page"><Skeleton rows={12} /></div>;
  return (
    <div class="page overview">
      <Health data={data} />
      <Tiles data={data} />
      <StripPanel strip={strip.data} byState={data.by_state} />
      <Feed />
      <DeadlinePanel deadlines={deadlines.data} />
      <Mix data={data} />
    </div>
  );
}

function Health({ data }: { data: OverviewData }) {
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
    : notes.length === 0 ? (data.connections === 0 ? 'Ready, nobody is here yet.' : 'Serving, nothing stands out.')
    : `Serving, with ${notes.length === 1 ? 'one thing' : `${notes.length} things`} to look at.`;
  const estimate = data.draining ? data.drain?.estimate_seconds : data.drain_estimate_seconds;
  const rest = estimate === null || estimate === undefined ? '' : data.draining ? `About ${formatDuration(estimate)} to go.` : `A drain now would take about ${formatDuration(estimate)}.`;
  return (
    <Answer lead={lead} rest={rest} actions={<a class="button" href={placeHref('server')}>Preview a drain <Kbd>g s</Kbd></a>}>
      {notes.length > 0 ? notes.slice(0, 3).map((note, i) => <span key={i} class="note"><span class="mark look-warn" aria-hidden="true">!</span> {note} </span>) : null}
    </Answer>
  );
}

interface TileProps {
  name: string;
  to: string;
  figure: string;
  unit?: string;
  flag?: string;
  values: (number | null)[];
  left?: string;
  right?: string;
}

function Tile({ name, to, figure, unit, flag, values, left, right }: TileProps) {
  return (
    <a class="tile panel" href={to}>
      <span class="tile-head"><span>{name}</span>{flag ? <b class="flag">{flag}</b> : null}</span>
      <span class="figure">{figure}<small>{unit}</small></span>
      <Spark values={values} label={`${name}, last 15 minutes`} />
      <span class="tile-foot"><span>{left}</span><span>{right}</span></span>
    </a>
  );
}

function Tiles({ data }: { data: OverviewData }) {
  void ringTick.value;
  const step = 10;
  const per = (name: string, unit = step) => ring.bins(name, step, 'sum').map((v) => (v === null ? null : v / unit));
  const limit = status.value?.limits.connections;
  const h2 = (data.by_protocol.h2 ?? 0) + (data.by_protocol.h2c ?? 0);
  const requests = ring.bins('requests', step, 'sum');
  const failed = ring.bins('errors_5xx', step, 'sum');
  const errors = failed.map((value, i) => (value === null ? null : value / Math.max(1, requests[i] ?? 1)));
  const evicted = Object.entries(data.evictions_by_phase ?? {}).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1]);
  const p99 = figureOf(formatDuration(data.p99_seconds));
  return (
    <div class="tiles">
      <Tile name="Connections" to={placeHref('connections')} figure={formatInt(data.connections)} values={ring.bins('connections', step, 'mean')} left={limit ? `${formatPercent(data.connections / limit)} % of ${formatInt(limit)}` : ''} right={`+${formatCompact(data.accepted_per_second ?? 0)} −${formatCompact(data.closed_per_second ?? 0)}/s`} />
      <Tile name="Requests" to={placeHref('latency')} figure={formatCompact(data.requests_per_second)} unit="/s" values={per('requests')} left={`${formatInt(data.in_flight)} in flight`} right={data.connections > 0 ? `h2 ${formatPercent(h2 / data.connections)} %` : ''} />
      <Tile name="Errors" to={placeHref('routes', { sort: 'errors' })} figure={formatPercent(data.error_ratio)} unit="%" values={errors} left={`5xx ${formatCompact(data.errors_5xx_per_second ?? 0)}/s`} right={`4xx ${formatCompact(data.errors_4xx_per_second ?? 0)}/s`} />
      <Tile name="Latency p99" to={placeHref('latency')} figure={p99.value} unit={p99.unit} values={ring.bins('p99_seconds', step, 'max')} left={`p50 ${formatDuration(data.p50_seconds)}`} right="10 s peaks" />
      <Tile name="Reactors busy" to={placeHref('reactors')} figure={formatPercent(data.busy_ratio)} unit="%" flag={data.stalled_reactors > 0 ? `${data.stalled_reactors} stalled` : undefined} values={ring.bins('busy_ratio', step, 'mean')} left={`${formatPercent(data.busy_min_ratio)} % to ${formatPercent(data.busy_max_ratio)} %`} right={plural(status.value?.reactors ?? 0, 'reactor')} />
      <Tile name="Evictions" to={placeHref('closed', { query: 'family:timer' })} figure={formatInt(Math.round(data.evictions_per_minute))} unit="/min" values={per('evictions', step / 60)} left={evicted[0] ? evictedBy(evicted[0]) : 'none for a minute'} right={evicted[1] ? evictedBy(evicted[1]) : ''} />
    </div>
  );
}

/** The phases in words that fit a tile. */
const kPhaseWords: Record<string, string> = { first_request: 'silent', between_requests: 'keep-alive', write_stall: 'stall', h2_no_streams: 'h2 idle', max_age: 'age' };
const evictedBy = ([phase, count]: [string, number]) => `${kPhaseWords[phase] ?? phase} ${formatCompact(count)}`;

function figureOf(text: string): { value: string; unit: string } {
  const [value = text, ...unit] = text.split(' ');
  return { value, unit: unit.join(' ') };
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
              <td><a href={placeHref('connections', { query: `listener:${l.name}` })}>{l.name}</a></td>
              <td class="mono">{l.address}{l.tls ? ' TLS' : ''}</td>
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

