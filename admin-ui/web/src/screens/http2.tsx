// Is multiplexing healthy, or abused?
import { get } from '../api/client';
import type { Http2 } from '../api/types';
import { formatCompact, formatDuration, formatInt, formatPercent, formatQuantile, formatTime, plural } from '../lib/format';
import { quantile } from '../lib/histogram';
import { ring, ringTick } from '../state/live';
import { useLoad } from '../state/load';
import { placeHref } from '../state/router';
import { ChartPanel } from '../ui/chart-panel';
import { DataTable } from '../ui/data-table';
import { Answer, Facts, Message, Meter, Panel, ProblemView, Skeleton } from '../ui/parts';
import { TimeChart } from '../ui/time-chart';

const kStep = 15;
type CodeCount = Http2['resets'][number];

/** All that are not over. A GET is closed by the client before we have seen it: those that run are rarely open on both sides. */
export function streamsOf({ open = 0, half_closed_local: local = 0, half_closed_remote: remote = 0 }: Http2['streams']): number {
  return open + local + remote;
}

export function Http2Screen() {
  void ringTick.value;
  const page = useLoad<Http2>('http2', (signal) => get('http2', {}, signal), 2);
  const data = page.data;
  if (!data) return <div class="page">{page.problem ? <ProblemView problem={page.problem} what="HTTP/2" onRetry={page.reload} /> : <Skeleton rows={10} />}</div>;
  const abuse = data.abuse.reduce((sum, one) => sum + one.total, 0);
  const bad = data.resets.filter((reset) => !['NO_ERROR', 'CANCEL'].includes(reset.error_code)).reduce((sum, one) => sum + one.total, 0);
  return (
    <div class="page http2">
      <Answer lead={abuse > 0 ? `Abuse was ended ${plural(abuse, 'time')}.` : data.connections === 0 ? 'Nobody speaks HTTP/2 right now.' : 'Multiplexing is healthy.'} rest={`${plural(data.connections, 'connection')}, ${plural(streamsOf(data.streams), 'open stream')}, ${formatInt(data.opened_total)} opened since the start.`}>
        {bad > 0 ? `${plural(bad, 'stream was', 'streams were')} reset for an error.` : 'No stream was reset for an error.'}
      </Answer>
      <Totals data={data} />
      <StreamChart />
      <Codes title="Resets by code" rows={data.resets} what="RST_STREAM" />
      <Codes title="GOAWAY by code" rows={data.goaways} what="GOAWAY" />
      <Frames data={data} />
      <Abuse data={data} />
    </div>
  );
}

function Totals({ data }: { data: Http2 }) {
  const rtt = data.ping_rtt;
  const peak = data.concurrent_streams_peak;
  return (
    <Panel title="Now" cls="h2-now" actions={<><a class="button small" href={placeHref('connections', { query: 'limited:h2_window' })}>Blocked now</a><a class="button small" href={placeHref('connections', { query: 'streams>10', sort: 'streams' })}>Most streams</a></>}>
      <Facts items={[
        ['Open on both sides', formatInt(data.streams.open)],
        ['Half closed by us', formatInt(data.streams.half_closed_local)],
        ['Half closed by the client', formatInt(data.streams.half_closed_remote)],
        ['Blocked, connection window', formatDuration(data.blocked_seconds?.connection)],
        ['Blocked, stream window', formatDuration(data.blocked_seconds?.stream)],
        ['Requests held back', formatInt(data.held_total)],
        ['PING round trip p50', rtt ? formatQuantile(quantile(rtt.edges, rtt.counts, 0.5), rtt.edges.at(-1)) : '–'],
        ['PING round trip p99', rtt ? formatQuantile(quantile(rtt.edges, rtt.counts, 0.99), rtt.edges.at(-1)) : '–'],
        ['Peak streams p99', peak ? formatInt(quantile(peak.edges, peak.counts, 0.99)) : '–'],
      ]} />
    </Panel>
  );
}

function StreamChart() {
  const times = ring.steps(kStep);
  const series = [{ label: 'streams', token: '--fill', values: ring.bins('h2_streams', kStep, 'mean') }];
  const resets = ring.bins('h2_resets', kStep, 'sum');
  const blocked = ring.bins('h2_blocked_seconds', kStep, 'sum');
  const known = series[0]?.values.filter((v): v is number => v !== null) ?? [];
  const summary = known.length ? `Open streams between ${formatInt(Math.min(...known))} and ${formatInt(Math.max(...known))} in 15 minutes.` : 'No HTTP/2 streams recorded.';
  return (
    <ChartPanel title="Streams over time" sub="open, mean of 15 s" summary={summary} cls="h2-streams" table={{ head: ['from', 'streams', 'resets', 'blocked'], rows: () => times.map((at, i) => [formatTime(at), formatInt(series[0]?.values[i]), formatInt(resets[i]), formatDuration(blocked[i])]).reverse() }}>
      <TimeChart times={times} series={series} kind="area" height={170} format={formatCompact} label={summary} />
    </ChartPanel>
  );
}

/** Which closes a code goes with. */
const kClosesOf: Record<string, string> = {
  PROTOCOL_ERROR: 'reason:h2_protocol_error', FLOW_CONTROL_ERROR: 'reason:h2_flow_control_error', COMPRESSION_ERROR: 'reason:h2_compression_error',
  FRAME_SIZE_ERROR: 'reason:h2_frame_size', ENHANCE_YOUR_CALM: 'family:abuse',
};
const closesHref = (code = '') => placeHref('closed', { query: `protocol:h2* ${kClosesOf[code] ?? ''}`.trim() });

function Codes({ title, rows, what }: { title: string; rows: CodeCount[]; what: string }) {
  const most = Math.max(1, ...rows.map((row) => row.total));
  const seen = rows.filter((row) => row.total > 0);
  return (
    <Panel title={title} sub={what} cls="codes" actions={<a class="button small" href={closesHref()}>Closed HTTP/2 connections</a>}>
      {seen.length === 0 ? <p class="quiet">None since the start.</p> : (
        <DataTable
          caption={title}
          rows={[...seen].sort((a, b) => b.total - a.total)}
          rowKey={(row) => `${row.direction}/${row.error_code}`}
          columns={[
            { id: 'code', head: 'code', sortBy: (r) => r.error_code, cell: (r) => kClosesOf[r.error_code] ? <a class="mono" href={closesHref(r.error_code)}>{r.error_code}</a> : <span class="mono">{r.error_code}</span> },
            { id: 'direction', head: 'direction', sortBy: (r) => r.direction, cell: (r) => r.direction },
            { id: 'total', head: 'total', num: true, sortBy: (r) => r.total, cell: (r) => formatInt(r.total) },
            { id: 'bar', head: 'share of most', cls: 'bar', priority: 2, cell: (r) => <Meter share={r.total / most} /> },
          ]}
        />
      )}
    </Panel>
  );
}

function Frames({ data }: { data: Http2 }) {
  const sum = data.frames.reduce((total, frame) => total + frame.total, 0) || 1;
  return (
    <Panel title="Frame mix" sub="a flood shows here first" cls="frames">
      {data.frames.length === 0 ? <p class="quiet">No frames yet.</p> : (
        <DataTable
          caption="Frames by type"
          rows={[...data.frames].sort((a, b) => b.total - a.total)}
          rowKey={(row) => `${row.direction}/${row.type}`}
          columns={[
            { id: 'type', head: 'type', sortBy: (r) => r.type, cell: (r) => <span class="mono">{r.type}</span> },
            { id: 'direction', head: 'direction', sortBy: (r) => r.direction, cell: (r) => r.direction },
            { id: 'rate', head: 'per second', num: true, sortBy: (r) => r.per_second ?? 0, cell: (r) => formatCompact(r.per_second) },
            { id: 'total', head: 'total', num: true, sortBy: (r) => r.total, cell: (r) => formatInt(r.total) },
            { id: 'share', head: 'share', num: true, priority: 2, cell: (r) => `${formatPercent(r.total / sum)} %` },
          ]}
        />
      )}
    </Panel>
  );
}

function Abuse({ data }: { data: Http2 }) {
  const seen = data.abuse.filter((one) => one.total > 0);
  return (
    <Panel title="Abuse ended" sub="guards that fired" cls="abuse">
      {seen.length === 0 ? <Message title="No guard has fired"><p>{data.abuse.length > 0 ? `Watched for: ${data.abuse.map((one) => one.kind).join(', ')}.` : ''}</p></Message> : (
        <DataTable
          caption="Abuse ended"
          rows={[...seen].sort((a, b) => b.total - a.total)}
          rowKey={(row) => row.kind}
          columns={[
            { id: 'kind', head: 'kind', cell: (r) => <a class="mono" href={placeHref('closed', { query: `reason:${r.kind}` })}>{r.kind}</a> },
            { id: 'total', head: 'times', num: true, cell: (r) => <b>{formatInt(r.total)}</b> },
            { id: 'last', head: 'last', num: true, cell: (r) => formatTime(r.last_at) },
          ]}
        />
      )}
    </Panel>
  );
}
