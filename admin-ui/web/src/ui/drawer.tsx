// What is this one doing and waiting for? A live connection; when it ends, its closing record in the same place.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { get } from '../api/client';
import type { ClosedRow, ConnectionDetail, ConnectionRow } from '../api/types';
import { formatBytes, formatDuration, formatInt, formatPercent, formatTime } from '../lib/format';
import { answerOf, isAtRequest, requestText } from '../lib/rows';
import { shellCommand } from '../lib/shell';
import { kStates } from '../lib/vocabulary';
import { canAct, clock, link, paused, restarted, serverNow, whyNot } from '../state/live';
import { selected } from '../state/connections';
import { useLoad } from '../state/load';
import { useKeys } from '../state/keys';
import { place, placeHref, setParams } from '../state/router';
import { askClose } from './close-dialog';
import { LogLines } from './log-lines';
import { CopyButton, Facts, Kbd, Message, Meter, mostIn, PhaseBar, PhaseLegend, ProblemView, ReasonWord, RouteLink, Skeleton, StateChip } from './parts';

export function Drawer({ id }: { id: string }) {
  const watching = useSignal(true);
  const ended = useSignal(false);
  /** Its last log line comes a moment after its end: asked for once more. */
  const said = useSignal(false);
  const detail = useLoad<ConnectionDetail>(`connection/${id}`, (signal) => get(`connection/${encodeURIComponent(id)}`, {}, signal), watching.value && !said.value ? 1 : 0);
  const heading = useRef<HTMLHeadingElement>(null);
  const data = detail.data;
  if (data && ended.value === data.live) ended.value = !data.live;
  const isSaid = data !== null && !data.live && data.taken_at - (data.closed?.closed_at ?? 0) > 0.5;
  if (data && said.value !== isSaid) said.value = isSaid;
  const unwatched = paused.value ? 'paused' : link.value !== 'live' && link.value !== 'full' ? whyNot.value : detail.problem ? 'could not be loaded' : null;
  const isWatched = watching.value && unwatched === null;
  const close = () => setParams({ id: null });
  useKeys('Drawer', () => [
    { key: 'Escape', what: 'close the drawer', run: close },
    ...(['close', 'drain'] as const).map((mode) => ({ key: mode[0] ?? '', what: `${mode} this connection (or the selected)`, run: () => ended.peek() || askFor(id, mode) })),
  ], [id]);
  useEffect(() => {
    ended.value = said.value = false;
    // A sheet covers the page on a small screen: the reader has to start in it.
    if (matchMedia('(max-width: 1180px)').matches) heading.current?.focus();
  }, [id]);
  const row = data?.connection ?? null;
  return (
    <aside class="drawer" aria-label={`Connection ${id}`}>
      <header class="drawer-head">
        {row ? <StateChip state={row.state} bare /> : <span class={`chip st-${data ? 'c' : 'i'}`} aria-hidden="true">{data ? '×' : '?'}</span>}
        <h2 class="mono" tabIndex={-1} ref={heading}>{id}</h2>
        <span class="sub">{data ? (data.live && row ? kStates[row.state].word : `closed ${formatTime(data.closed?.closed_at)}`) : ''}</span>
        <span class="actions">
          {data?.live !== false ? (
            <button class="small" disabled={unwatched !== null} title={unwatched ?? undefined} aria-pressed={isWatched} onClick={() => (watching.value = !watching.value)}>
              <i class={`dot ${isWatched ? 'on' : ''}`} /> {isWatched ? 'Watching' : 'Watch'}
            </button>
          ) : null}
          <CopyButton text={() => JSON.stringify(data, null, 2)} label="Copy JSON" />
          <CopyButton text={() => (data?.live ? shellCommand('equinox', 'conns', `id:${id}`) : shellCommand('equinox', 'why', id))} label="Copy command" />
          {data?.live !== false ? (
            <button class="small danger" disabled={!canAct.value} title={whyNot.value ?? undefined} onClick={() => askClose({ ids: [id], mode: 'close' })}>
              Close… {whyNot.value ?? <Kbd>c</Kbd>}
            </button>
          ) : null}
          <button class="ghost" aria-label="Close the drawer" onClick={close}>✕</button>
        </span>
      </header>
      <div class="drawer-body" tabIndex={0} role="region" aria-label={`Details of ${id}`}>
        {data === null ? (
          detail.problem ? (
            detail.problem.status === 404 ? <Unknown id={id} /> : <ProblemView problem={detail.problem} what="This connection" onRetry={detail.reload} />
          ) : <Skeleton rows={10} />
        ) : data.live && row ? <Live data={data} row={row} /> : data.closed ? <ClosedRecord row={data.closed} /> : <Unknown id={id} />}
        {data && !data.live ? <History data={data} /> : null}
      </div>
    </aside>
  );
}

/** The drawer may lie over any screen; where rows are selected, they are meant. */
function askFor(id: string, mode: 'close' | 'drain'): void {
  if (!canAct.peek()) return;
  const ids = place.peek().screen === 'connections' && selected.peek().size > 0 ? [...selected.peek()] : [id];
  askClose({ ids, mode });
}

function Unknown({ id }: { id: string }) {
  const old = restarted.value;
  return (
    <Message title={old ? `Connection ${id} belonged to the boot before` : `Nothing is known of ${id}`}>
      <p>{old ? `The server restarted at ${formatTime(old.at)}; ids of the old process mean nothing in the new one.` : 'It has ended and its record has left the ring, or it never was.'}</p>
    </Message>
  );
}

export function Live({ data, row }: { data: ConnectionDetail; row: ConnectionRow }) {
  void clock.value;
  const now = serverNow();
  const passed = Math.max(0, now - data.taken_at);
  const left = row.deadline ? row.deadline.seconds_left - passed : 0;
  const total = row.deadline?.total_seconds ?? row.deadline?.seconds_left ?? 1;
  const busy = data.reactor_busy;
  return (
    <>
      <p class="where">
        {row.client ? `${row.client} via ` : ''}{row.peer} → {row.listener}, {row.protocol}{data.tls?.version ? ` over ${data.tls.version}` : ''}{row.sni ? `, ${row.sni}` : ''}
        <br />
        open {formatDuration(row.age_seconds + passed)} · {formatInt(row.requests)} requests · out {formatBytes(row.sent_bytes)} · in {formatBytes(row.received_bytes)}
        {row.reactor === undefined ? '' : ` · reactor ${row.reactor}`}
        {isAtRequest(row) && requestText(row) ? <><br />now at <RequestWords row={row} /></> : null}
      </p>
      {data.waiting_for ? (
        <section class={`waiting-for ${data.waiting_for.stressed ? 'stressed' : ''}`}>
          <h3>Waiting for</h3>
          <p class="what">{data.waiting_for.sentence}</p>
          {data.waiting_for.detail ? <p>{data.waiting_for.detail}</p> : null}
        </section>
      ) : null}
      {busy ? (
        <section class="waiting-for stressed">
          <h3>Reactor busy</h3>
          <p>Reactor {row.reactor ?? '?'} is in <span class="mono">{busy.route ?? 'its loop'}</span> since {formatTime(busy.since_at, true)}; streams, windows and buffers could not be asked.</p>
        </section>
      ) : null}
      <section>
        <h3 class="deadline-line">
          <span>{row.deadline ? <>Next deadline: <b>{row.deadline.kind} {left <= 0 ? 'due' : `in ${formatDuration(left)}`}</b></> : 'No deadline is armed'}</span>
          {row.deadline ? <span class="sub">{formatTime(data.taken_at + row.deadline.seconds_left)}</span> : null}
        </h3>
        {row.deadline ? <Meter share={left / total} cls="now" /> : null}
        {data.deadline_effect ? <p class="sub">{data.deadline_effect}</p> : null}
      </section>
      <History data={data} />
    </>
  );
}

function History({ data }: { data: ConnectionDetail }) {
  return (
    <>
      <Timeline data={data} />
      <Streams data={data} />
      <Requests data={data} />
      <Tcp data={data} />
      {data.tls ? (
        <section>
          <h3>TLS</h3>
          <Facts items={[
            ['Version', `${data.tls.version ?? '–'}${data.tls.resumed ? ', resumed' : ''}`],
            ['Cipher', data.tls.cipher ?? '–'],
            ['ALPN', data.tls.alpn ?? 'none'],
            ['Handshake', formatDuration(data.tls.handshake_seconds)],
            ['Server name', data.tls.sni ?? 'none'],
            ['Certificate', data.tls.certificate ?? '–'],
          ]} />
        </section>
      ) : null}
      {data.memory ? (
        <section>
          <h3>Memory <span class="sub">{formatBytes(data.memory.total_bytes)}</span></h3>
          <Facts items={[
            ['Connection', formatBytes(data.memory.connection_bytes)],
            ['Input', formatBytes(data.memory.input_bytes)],
            ['Output', formatBytes(data.memory.output_bytes)],
            ['Requests', formatBytes(data.memory.requests_bytes)],
            [data.http2 ? 'HTTP/2 session' : 'Parser', formatBytes(data.memory.codec_bytes)],
            ['TLS, without OpenSSL’s', formatBytes(data.memory.tls_bytes)],
          ]} />
        </section>
      ) : null}
      <LogLines data={data} />
    </>
  );
}

function Timeline({ data }: { data: ConnectionDetail }) {
  const events = data.timeline;
  const first = events[0];
  if (!first) return null;
  const end = data.live ? data.taken_at : (data.closed?.closed_at ?? data.taken_at);
  const span = Math.max(end - first.at, 1e-6);
  const parts = events.map((event, i) => ({ ...event, seconds: Math.max(0, (events[i + 1]?.at ?? end) - event.at) }));
  const summary = parts.slice(-8).map((part) => `${kStates[part.state].word} ${formatDuration(part.seconds)}`).join(', ');
  return (
    <section>
      <h3>States <span class="sub">last {events.length} changes, width is time{data.timeline_from_at ? `; the ring reaches back to ${formatTime(data.timeline_from_at)}` : ''}</span></h3>
      <div class="timeline" role="img" aria-label={`Last states: ${summary}`}>
        {parts.map((part, i) => {
          const share = part.seconds / span;
          const look = kStates[part.state];
          return (
            <span key={i} class={`st-${look.token}`} title={`${look.word} ${formatDuration(part.seconds)}`} style={{ flexGrow: String(Math.max(share, 0.004)) }}>
              {share > 0.04 ? look.letter : ''}
            </span>
          );
        })}
      </div>
      <p class="axis"><span>{formatTime(first.at)}</span><span>{data.live ? 'now' : formatTime(end)}</span></p>
    </section>
  );
}

const kUsualWindow = 65_535;

function Window({ bytes }: { bytes: number | null | undefined }) {
  if (bytes === null || bytes === undefined) return <>–</>;
  const shut = bytes <= 0;
  return (
    <span class={`window ${shut ? 'shut' : ''}`}>
      {shut ? '0 B, shut' : formatBytes(bytes)}
      <Meter share={bytes / kUsualWindow} cls={shut ? 'shut' : 'open'} />
    </span>
  );
}

function Streams({ data }: { data: ConnectionDetail }) {
  const h2 = data.http2;
  if (!h2) return null;
  return (
    <section>
      <h3>
        HTTP/2 streams <span class="sub">{formatInt(h2.open ?? h2.streams.length)} open, peak {formatInt(h2.peak)}, limit {formatInt(h2.limit)}; blocked {formatDuration(h2.blocked_seconds)}, all streams together</span>
      </h3>
      <div class="scroll-x" tabIndex={0} role="region" aria-label="HTTP/2 streams">
        <table class="streams">
          <thead><tr><th scope="col">id</th><th scope="col">prio</th><th scope="col">request</th><th scope="col">we may send</th><th scope="col">they may send</th><th scope="col" class="num">blocked</th><th scope="col" class="num">ready</th></tr></thead>
          <tbody>
            <tr><th scope="row">conn</th><td /><td>all streams share this</td><td><Window bytes={h2.send_window_bytes} /></td><td><Window bytes={h2.receive_window_bytes} /></td><td /><td /></tr>
            {h2.streams.map((stream) => (
              <tr key={stream.id}>
                <th scope="row">{stream.id}</th>
                <td class="sub">{stream.priority ?? ''}</td>
                <td class="mono cut" title={stream.target}>{stream.method ?? ''} {stream.target ?? stream.state ?? ''}</td>
                <td><Window bytes={stream.send_window_bytes} /></td>
                <td><Window bytes={stream.receive_window_bytes} /></td>
                <td class="num">{stream.blocked_seconds ? formatDuration(stream.blocked_seconds) : '–'}</td>
                <td class="num">{formatBytes(stream.ready_bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** What is known of a request: any part of it may be missing. */
function RequestWords({ row: { method, target, route, status } }: { row: Partial<Pick<ClosedRow, 'method' | 'target' | 'route' | 'status'>> }) {
  if (target && target === route) return <><RouteLink route={route} method={method} />{status ? `, ${status}` : ''}</>;
  const words = requestText({ method, target });
  return <>{words ? <span class="mono">{words}</span> : null}{route ? <>{words ? ' ' : ''}on route <RouteLink route={route} /></> : null}{status ? `${words || route ? ', ' : ''}${status}` : words || route ? '' : 'none'}</>;
}

/** How many of its requests have no record yet because they still run. */
function runningOf({ connection, http2 }: ConnectionDetail): number {
  if (!connection) return 0;
  return http2 ? (http2.open ?? http2.streams.length) : isAtRequest(connection) ? 1 : 0;
}

function Requests({ data }: { data: ConnectionDetail }) {
  const running = runningOf(data);
  const words = running === 0 ? '' : running === 1 ? 'one is running' : `${formatInt(running)} are running`;
  const scale = Math.max(...data.requests.map((request) => request.total_seconds), 0.001);
  const count = data.connection?.requests ?? data.closed?.requests;
  return (
    <section>
      <h3>Last requests <span class="sub">of {formatInt(count)}{words ? `, ${words}` : ''}</span> <PhaseLegend /></h3>
      {data.requests.length === 0 ? <p class="sub">{words ? `None has finished yet; ${words}.` : 'None that the ring still holds.'}</p> : (
        <table class="requests">
          <caption class="sr-only">Last requests with their phases</caption>
          <thead><tr><th scope="col">start</th><th scope="col">request</th><th scope="col">code</th><th scope="col" class="num">total</th><th scope="col">phases</th><th scope="col" class="most">most in</th></tr></thead>
          <tbody>
            {data.requests.map((request) => (
              <tr key={request.id}>
                <td>{formatTime(request.started_at)}</td>
                <td class="mono cut" title={request.target}>{request.method} {request.target}</td>
                <td>{answerOf(request)}</td>
                <td class="num">{formatDuration(request.total_seconds)}</td>
                <td class="bar"><PhaseBar phases={request.phases} scale={scale} /></td>
                <td class="most">{mostIn(request.phases)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** What the list sorts by is a sample, at most one a second and only while there is traffic; the rest was asked of the reactor just now. */
function sampleWords({ connection, taken_at }: ConnectionDetail): string {
  const age = connection?.sample_age_seconds;
  if (age === null || age === undefined) return '';
  return `RTT and retransmits of the list sampled ${formatDuration(age + Math.max(0, serverNow() - taken_at))} ago`;
}

function Tcp({ data }: { data: ConnectionDetail }) {
  const { tcp, connection: row } = data;
  const sample = sampleWords(data);
  if (!tcp && !sample) return null;
  const us = tcp?.limited_send_buffer_ratio;
  const them = tcp?.limited_receiver_ratio;
  return (
    <section>
      <h3>
        TCP <span class="sub">{[them === undefined ? '' : `limited by receiver ${formatPercent(them)} %, us ${formatPercent(us)} %`, sample].filter(Boolean).join('; ')}</span>
      </h3>
      <Facts items={tcp ? [
        ['RTT, variance', `${formatDuration(tcp.rtt_seconds)}, ${formatDuration(tcp.rtt_variance_seconds)}`],
        ['Congestion window', tcp.congestion_window_segments === undefined ? '–' : `${formatInt(tcp.congestion_window_segments)} segments`],
        ['Receive window', formatBytes(tcp.receiver_window_bytes)],
        ['Retransmits', `${formatInt(tcp.retransmits)}${tcp.segments_sent ? ` of ${formatInt(tcp.segments_sent)}` : ''}`],
        ['Unacknowledged', formatBytes(tcp.unacknowledged_bytes)],
        ['Not sent', formatBytes(tcp.not_sent_bytes)],
        ['Delivery rate', tcp.delivery_bytes_per_second === undefined ? '–' : `${formatBytes(tcp.delivery_bytes_per_second)}/s`],
        ['Segment size', formatBytes(tcp.mss_bytes)],
      ] : [
        ['RTT', formatDuration(row?.rtt_seconds)],
        ['Retransmits', formatInt(row?.retransmits)],
      ]} />
    </section>
  );
}

/** Every connection of this address, with whatever port or, as a proxy forwards it, without one; 10.0.0.1 is not 10.0.0.12. */
export function sameClient(client: string): string {
  return `client:${client.replace(/^(?:\[(.*)\]|([^:]*)):\d+$/, '$1$2')}`;
}

/** The explanation of a close; also unfolded in the table of closed connections. */
export function ClosedRecord({ row }: { row: ClosedRow }) {
  return (
    <section class="closed-record">
      <div>
        <p class="sentence">{row.sentence}</p>
        <p class="record-actions">
          <a class="button small" href={placeHref('closed', { query: `reason:${row.reason}${row.route ? ` route:${row.route}` : ''}` })}>Closes like this one</a>
          <a class="button small" href={placeHref('closed', { query: sameClient(row.client ?? row.peer) })}>Same client</a>
          {place.value.params.id === row.id ? null : <a class="button small" href={placeHref(place.value.screen, { ...place.value.params, id: row.id })}>Full record</a>}
          <CopyButton text={() => JSON.stringify(row, null, 2)} label="Copy JSON" />
          <CopyButton text={() => shellCommand('equinox', 'why', row.id)} label="Copy command" />
        </p>
      </div>
      <Facts items={[
        ['Reason', <ReasonWord reason={row.reason} />],
        ['Ended by', `${row.initiator === 'server' ? 'Equinox' : row.initiator}${row.actor ? `, ${row.actor}` : ''}`],
        ['Timer', row.timer ? `${row.timer}, ${formatDuration(row.timer_seconds)}` : 'none'],
        ['Lived', formatDuration(row.age_seconds)],
        ['Requests', formatInt(row.requests)],
        ['Sent, received', `${formatBytes(row.sent_bytes)}, ${formatBytes(row.received_bytes)}`],
        ['Last request', <RequestWords row={row} />],
        ['h2 code, last stream', row.h2_error_code ? `${row.h2_error_code}, ${formatInt(row.last_stream_id)}` : 'none'],
        ['TLS alert', row.tls_alert ?? 'none'],
        ['errno', row.errno_name ?? (row.errno ? String(row.errno) : 'none')],
        ['RTT at close', formatDuration(row.rtt_seconds)],
        ['Retransmits', formatInt(row.retransmits)],
        ['Limited by', row.limited_by?.replaceAll('_', ' ') ?? '–'],
        ['Reactor', formatInt(row.reactor)],
      ]} />
    </section>
  );
}
