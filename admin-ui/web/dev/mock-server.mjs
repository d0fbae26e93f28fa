// A development aid: serves dist/ and a made-up Admin API in the shapes of openapi.yaml, with the content security policy of the
// real server. Not part of the product. Usage: node dev/mock-server.mjs [--port 9181] [--connections 18402] [--token T] [--traffic 8080] [--vite]
import { createReadStream, existsSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { compile, sorter, BadQuery } from './mock-query.mjs';
import { serveTraffic } from './mock-traffic.mjs';
import { kEdges, kFamilyOf, kReactors, kReasons, kRoutes, makeClosed, makeConnections, makeRequest, random, rowOf, secondOf } from './mock-data.mjs';

const option = (name, fallback) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : process.argv[at + 1];
};
const port = Number(option('port', '9181'));
const token = option('token', null);
const count = Number(option('connections', '18402'));
const dist = new URL('../dist', import.meta.url).pathname;
const now = () => Date.now() / 1000;
const started = now() - 6 * 86400 - 15120;
const bootId = '5e1ca90f-77d0';
const kStates = ['handshake', 'reading_head', 'reading_body', 'handling', 'writing', 'idle', 'draining', 'closing'];

let connections = makeConnections(count, now());
const closed = makeClosed(5000, now());
const handles = new Map();
const jobs = new Map();
const audit = [{ at: now() - 480, actor: 'local', role: 'operator', action: 'log level', what: 'http2 → debug for 15 min', result: 'done', reason: null }, { at: now() - 720, actor: 'SIGHUP', role: null, action: 'reload', what: 'equinox.jsonc:29:18: timeouts.idle: “60sec” is no duration', result: 'refused', reason: null }];
const levels = [{ component: 'all', level: 'info', configured: 'info', reverts_at: null }, { component: 'http2', level: 'debug', configured: 'info', reverts_at: now() + 500 }];
let drain = null;
let serial = 0;
const viewers = new Map();
const sockets = new Map();

const sum = (list, key) => list.reduce((map, row) => ({ ...map, [row[key]]: (map[row[key]] ?? 0) + 1 }), {});
function counts(list, key, all) {
  const result = Object.fromEntries(all.map((name) => [name, 0]));
  for (const row of list) result[row[key]] = (result[row[key]] ?? 0) + 1;
  return result;
}
const session = () => ({ role: token ? 'admin' : 'operator', actor: token ? 'mira' : 'local', how: token ? 'cookie' : 'loopback', expires_at: null });
const stall = () => ({ id: 's9', reactor: 3, started_at: now() - 0.412, duration_seconds: 0.412, running: true, cause: 'handler', method: 'GET', target: '/report/2026-03', route: '/report/{id}', connection: connections[3]?.id ?? null, peer: '198.51.100.23:44120', cpu_seconds: 0.003, delayed_connections: 231 });
const stallStory = count > 0;

function overview() {
  const { values: v } = secondOf(Math.floor(now()) - 1);
  const empty = count === 0;
  return {
    at: now(), connections: connections.length, by_state: counts(connections, 'state', kStates), by_protocol: counts(connections, 'protocol', ['http/1.1', 'h2', 'h2c', 'unknown']), accepted_per_second: empty ? 0 : v.accepted, closed_per_second: empty ? 0 : v.closed, requests_per_second: empty ? 0 : v.requests, in_flight: empty ? 0 : v.in_flight,
    error_ratio: empty ? 0 : v.errors_5xx / v.requests, errors_5xx_per_second: empty ? 0 : v.errors_5xx, errors_4xx_per_second: empty ? 0 : v.errors_4xx, p50_seconds: empty ? null : v.p50_seconds, p99_seconds: empty ? null : v.p99_seconds, busy_ratio: empty ? 0.001 : v.busy_ratio, busy_min_ratio: empty ? 0 : v.busy_ratio * 0.86, busy_max_ratio: empty ? 0.002 : 0.65, stalled_reactors: stallStory ? 1 : 0,
    evictions_per_minute: empty ? 0 : 1228, evictions_by_phase: empty ? {} : { between_requests: 995, write_stall: 14, first_request: 9 }, h2_streams: empty ? 0 : v.h2_streams, pending_bytes: empty ? 0 : 48e6, received_bytes_per_second: 21e6, sent_bytes_per_second: 310e6, ready: drain === null, draining: drain !== null, drain: drainState(), drain_estimate_seconds: empty ? 0.1 : 24, viewers: viewers.size,
  };
}

function drainState() {
  const holders = connections.filter((c) => c.pending_bytes > 1e6).slice(0, 3).map((c) => ({ id: c.id, waiting_for: 'the client to open its HTTP/2 window', target: c.target, age_seconds: now() - c.opened, left_bytes: c.pending_bytes, estimate_seconds: 18 }));
  const base = { delay_seconds: 5, timeout_seconds: 25, connections_left: connections.length, requests_in_flight: 2420, idle: 15964, h2: 6176, holders };
  return drain ? { ...base, state: 'draining', started_at: drain, estimate_seconds: Math.max(0.5, 24 - (now() - drain)), by: 'local' } : { ...base, state: 'none', started_at: null, estimate_seconds: 24, by: null };
}

const changes = () => (stallStory ? [
  { id: 'c1', at: now() - 0.4 - (now() % 1), kind: 'stall', text: 'Stall, 412 ms so far. Reactor 3 in /report/{id}; 231 connections wait', severity: 'bad', reactor: 3, route: '/report/{id}' },
  { id: 'c2', at: kLoaded - 90, kind: 'certificate', text: 'Certificate reloaded: shop, now until 18 Jun', severity: 'info' },
  { id: 'c3', at: kLoaded - 240, kind: 'evictions', text: 'Evictions ×4 for 40 s: keep_alive_timeout, 1,912 from 10.42.7.0/24', severity: 'warn', reason: 'keep_alive_timeout' },
  { id: 'c4', at: kLoaded - 330, kind: 'stall', text: 'Stall, 188 ms. Reactor 3, /report/{id}', severity: 'bad' },
  { id: 'c5', at: kLoaded - 400, kind: 'stall', text: 'Stall, 640 ms. Reactor 3, /report/{id}', severity: 'bad' },
  { id: 'c6', at: kLoaded - 670, kind: 'reload', text: 'Configuration reloaded: timeouts.idle 75 s → 60 s', severity: 'info' },
  { id: 'c7', at: kLoaded - 750, kind: 'abuse', text: 'Abuse ended: rapid_reset ×64 from 192.0.2.77', severity: 'warn', reason: 'rapid_reset' },
] : [{ id: 'c0', at: kLoaded - 20, kind: 'start', text: 'Started', severity: 'info' }]);
const kLoaded = now();

const status = () => ({
  boot_id: bootId, instance: 'edge-7c9f4', version: '0.9.2', started_at: started, uptime_seconds: now() - started, now_at: now(), ready: drain === null, draining: drain !== null, drain: drainState(), session: session(), overview: overview(), limits: { connections: 100000, http2_concurrent_streams: 128, viewers: 16, slow_request_seconds: 0.25, stall_seconds: 0.1, idle_timeout_seconds: 60 },
  totals: { accepted: 9e6, rejected: 12, closed: 9e6 - 18402, requests: 2e9, received_bytes: 1e12, sent_bytes: 2e13 }, listeners: [{ name: 'http', address: '0.0.0.0:8080', tls: false, connections: Math.round(count * 0.2), accept_queue_length: 0, accept_queue_limit: 4096 }, { name: 'https', address: '0.0.0.0:8443', tls: true, connections: Math.round(count * 0.8), accept_queue_length: 2, accept_queue_limit: 4096 }],
  reactors: kReactors, rings: Object.fromEntries(['closed', 'slow', 'stalls', 'samples', 'log', 'series'].map((name) => [name, { entries: name === 'closed' ? 5000 : 40, capacity: name === 'closed' ? 5000 : 1024, oldest_at: now() - 800 }])),
  build: { revision: '4c1e07a', compiler: 'g++ 12.2', tls: 'OpenSSL 3.0', llhttp: '8.1', nghttp2: '1.52' }, process: { pid: 1, threads: 12, resident_memory_bytes: 412e6, open_fds: 18461, max_fds: 1048576, cpu_seconds: 90000 }, viewers: viewers.size, changes: changes(),
});

function series(names, since, step) {
  const end = Math.floor(now());
  const start = Math.max(Math.ceil(since / step) * step, end - 900);
  const points = Math.floor((end - start) / step);
  const result = { boot_id: bootId, now_at: now(), start_at: start, step_seconds: step, points, series: {}, histograms: {} };
  const gauges = new Set(['connections', 'in_flight', 'h2_streams', 'pending_bytes', 'p50_seconds', 'p99_seconds', 'busy_ratio']);
  const seconds = Array.from({ length: points * step }, (_, i) => (count === 0 ? null : secondOf(start + i)));
  const fold = (of, gauge) => Array.from({ length: points }, (_, i) => seconds.slice(i * step, (i + 1) * step).reduce((a, s) => (s === null ? 0 : gauge ? of(s) : a + of(s)), 0));
  for (const name of names) {
    if (secondOf(0).histograms[name]) result.histograms[name] = { edges_seconds: kEdges, counts: seconds.filter((_, i) => i % step === 0).map((s) => s?.histograms[name] ?? new Array(20).fill(0)) };
    else if (name === 'closed_reason') for (const [i, reason] of kReasons.entries()) { if (count > 0) result.series[`closed_reason:${reason}`] = fold((s) => Math.floor(s.values[`closed_${kFamilyOf[reason]}`] * [0.8, 0.83, 1, 0.1, 0.14, 0.06, 0.03, 0.02, 1, 0.01, 0.01, 1, 1, 1, 1, 1][i]), false); }
    else if (name === 'reactor_busy_ratio') for (let r = 0; r < kReactors; r += 1) result.series[`${name}:${r}`] = fold((s) => s.values.busy_ratio * (0.85 + r * 0.04), true);
    else if (name === 'reactor_stalls') for (let r = 0; r < kReactors; r += 1) result.series[`${name}:${r}`] = fold((s) => (r === 3 && s.values.p99_seconds > 0.2 ? 1 : 0), false);
    else result.series[name] = fold((s) => s.values[name] ?? 0, gauges.has(name));
  }
  return result;
}

function logLines(id, until, reason = null) {
  const line = (at, level, component, message, fields) => ({ at, level, component, message, fields: Object.entries(fields).map(([name, value]) => ({ name, value })), cut: false });
  const lines = id.length % 3 === 0 ? [] : [
    line(until - 12, 'info', 'access', 'request', { client: '203.0.113.9', method: 'GET', status: '200', duration_seconds: '0.0033', sent_bytes: '214', target: '/api/status?token=***' }),
    line(until - 3, 'error', 'handler', 'handler threw', { what: 'no route to the store', target: '/api/orders' }),
  ];
  return reason ? [...lines, line(until, 'info', 'connection', 'connection closed', { peer: '203.0.113.9:40112', protocol: 'h2', reason, requests: '7' })] : lines;
}

function detail(id) {
  const c = connections.find((one) => one.id === id);
  const t = now();
  const next = random(id.length * 977 + id.charCodeAt(2));
  const requests = Array.from({ length: 7 }, (_, i) => ({ ...makeRequest(next, t - i * 14, i === 0 ? 37.9 : [0.0033, 0.304, 0.001, 0.165, 0.0006, 0.0017][i - 1], i, connections.length ? connections : [c]), connection: id }));
  const names = ['handshake', 'reading_head', 'handling', 'writing', 'idle', 'reading_head', 'reading_body', 'handling', 'writing', 'idle', 'handling', 'writing'];
  const timeline = Array.from({ length: 24 }, (_, i) => ({ at: t - 100 + i * 3 + next() * 2, state: names[i % names.length] }));
  if (!c) {
    const record = closed.find((one) => one.id === id);
    if (!record) return null;
    return { id, live: false, taken_at: t, connection: null, closed: record, waiting_for: null, timeline: timeline.map((e) => ({ ...e, at: e.at - (t - record.closed_at) })), timeline_from_at: null, tls: null, http2: null, tcp: null, memory: null, reactor_busy: null, requests, log: logLines(id, record.closed_at, record.reason), log_from_at: null };
  }
  timeline.push({ at: t - 24, state: c.state });
  const h2 = c.protocol.startsWith('h2');
  return {
    id, live: true, taken_at: t, connection: rowOf(c, t), closed: null, waiting_for: c.state === 'idle' ? { sentence: 'the next request', detail: null, seconds: t - c.quietSince, stressed: false } : { sentence: 'the client to open its HTTP/2 connection window, shut for 6.4 s', detail: '1.9 MiB is ready in 4 streams. The client reads 41 KiB/s and lets 0 B more be sent. TCP is not the limit: its receive window has 212 KiB free.', seconds: 6.4, stressed: true },
    deadline_effect: 'Any byte taken by the client moves it back to 30 s. From timeouts.write.', timeline, timeline_from_at: t - 100, tls: c.tls ? { version: c.tls, cipher: 'AES-128-GCM', alpn: h2 ? 'h2' : 'http/1.1', sni: c.sni, resumed: true, handshake_seconds: 0.0914, certificate: 'shop' } : null,
    http2: h2 ? { open: 5, peak: 9, limit: 128, send_window_bytes: 0, receive_window_bytes: 61440, blocked_seconds: 38.2, ping_rtt_seconds: 0.084, streams: [[41, 'u=3', 'GET', '/download/build-4471.tar.zst', 18432, 65536, 6.4, 1.8e6], [43, 'u=3', 'GET', '/download/build-4472.tar.zst', 64512, 65536, 6.4, 1200], [45, 'u=1,i', 'GET', '/api/status', 65536, 65536, 5.1, 214], [47, 'u=5', 'POST', '/api/upload', 65536, 12288, 0, 0], [49, 'u=3', 'GET', '/img/hero-1280.avif', 31744, 65536, 2.8, 88064]].map(([sid, priority, method, target, send, receive, blocked, ready]) => ({ id: sid, state: 'open', priority, method, target, send_window_bytes: send, receive_window_bytes: receive, blocked_seconds: blocked, ready_bytes: ready })) } : null,
    tcp: { rtt_seconds: 0.0842, rtt_variance_seconds: 0.0121, congestion_window_segments: 42, receiver_window_bytes: 217088, retransmits: 18, segments_sent: 1100000, unacknowledged_bytes: 0, not_sent_bytes: 0, delivery_bytes_per_second: 5.03e6, mss_bytes: 1448, limited_receiver_ratio: 0.71, limited_send_buffer_ratio: 0 },
    memory: { total_bytes: 1825704, connection_bytes: 560, input_bytes: 16440, output_bytes: 1.8e6, requests_bytes: 1152, codec_bytes: 7300, tls_bytes: 252 }, reactor_busy: null, requests, log: logLines(id, t), log_from_at: t - 60,
  };
}

function strip(cells) {
  const rank = ['closing', 'handshake', 'reading_head', 'reading_body', 'handling', 'writing', 'draining'];
  const letter = { handshake: 'T', reading_head: 'R', reading_body: 'B', handling: 'H', writing: 'W', idle: 'I', draining: 'D', closing: 'C' };
  const perReactor = Math.ceil(count / kReactors) || 1;
  const per = Math.ceil(perReactor / cells);
  const rows = Array.from({ length: kReactors }, (_, reactor) => {
    const seen = Array.from({ length: cells }, () => ({}));
    for (const c of connections) if (c.reactor === reactor) { const cell = seen[Math.floor(c.slot / per)]; cell[c.state] = (cell[c.state] ?? 0) + 1; }
    const text = seen.map((cell) => letter[rank.find((state) => (cell[state] ?? 0) >= (state === 'writing' ? 8 : 2)) ?? (Object.keys(cell).length ? 'idle' : '')] ?? ' ').join('');
    return { reactor, connections: connections.filter((c) => c.reactor === reactor).length, slots_per_cell: per, cells: text, stalled: reactor === 3 && stallStory };
  });
  return { taken_at: now(), rows, at_least: 2 };
}

function deadlines() {
  const t = now();
  const result = { taken_at: t, total: connections.length, none: 0, window_seconds: 60, by_kind: {}, left: {}, beyond: {}, elapsed: {} };
  for (const c of connections) {
    if (!c.timer) { result.none += 1; continue; }
    const waitedFor = rowOf(c, t).idle_seconds;
    const left = Math.max(0, c.timerTotal - waitedFor);
    result.by_kind[c.timer] = (result.by_kind[c.timer] ?? 0) + 1;
    (result.left[c.timer] ??= new Array(60).fill(0))[Math.min(59, Math.floor(left))] += 1;
    const e = (result.elapsed[c.timer] ??= { timeout_seconds: c.timerTotal, counts: new Array(Math.min(600, c.timerTotal)).fill(0), over: 0 });
    const waited = Math.floor(waitedFor);
    if (waited < e.counts.length) e.counts[waited] += 1; else e.over += 1;
  }
  return result;
}

function reactors() {
  const rows = Array.from({ length: kReactors }, (_, r) => ({ reactor: r, busy_ratio: r === 3 ? 0.65 : 0.36 + r * 0.01, cpu_ratio: r === 3 ? 0.24 : 0.34 + r * 0.01, iteration_p99_seconds: r === 3 ? 0.64 : 0.0011 + r * 0.0001, timer_lag_p99_seconds: r === 3 ? 0.398 : 0.0004, events_per_wakeup: 6.1 + r / 7, connections: connections.filter((c) => c.reactor === r).length, mailbox_length: r === 3 ? 17 : 0, last_iteration_seconds_ago: r === 3 && stallStory ? 0.412 : 0.0004, stall: r === 3 && stallStory ? stall() : null }));
  const edges = [1e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1];
  const bell = (n, peak, scale) => Array.from({ length: n }, (_, i) => Math.floor(scale * Math.exp(-((i - peak) ** 2) / 5)));
  return { total: kReactors, rows, stall_threshold_seconds: 0.1, iteration: { edges, counts: bell(16, 4, 3e6).map((c, i) => (i === 12 ? 2 : i > 12 ? 1 : c)) }, timer_lag: { edges, counts: bell(16, 2, 2e6) }, events_per_wakeup: { edges: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512], counts: bell(11, 3, 4e6) } };
}

const routes = () => kRoutes.map((route, i) => ({ route, requests: Math.floor(9e8 / (i + 1)), requests_per_second: count === 0 ? 0 : 14000 / (i * i + 1), errors: i * 30, error_ratio: route === '/report/{id}' ? 0.042 : i === 12 ? 1 : 0.0001 * i, p50_seconds: 0.0004 * (i + 1), p99_seconds: route === '/report/{id}' ? 0.63 : 0.004 * (i + 1), received_bytes: 1e9 * i, sent_bytes: 4e11 / (i + 1), in_flight: i === 3 ? 12 : i, slow: i === 3 ? 41 : 0, last_hit_at: now() - i * 2 }));

const config = () => [['listeners[0].address', '0.0.0.0:8080', '0.0.0.0:8080', 'equinox.jsonc:3:32', 'restart'], ['listeners[1].address', '0.0.0.0:8443', null, 'equinox.jsonc:4:33', 'restart'], ['listeners[1].tls.certificate', 'tls.crt', null, 'equinox.jsonc:4:73', 'yes'], ['timeouts.idle', '60s', '60s', 'equinox.jsonc:29:26', 'yes'], ['timeouts.header', '10s', '10s', 'default', 'yes'], ['timeouts.body', '30s', '30s', 'default', 'yes'], ['timeouts.write', '30s', '30s', 'equinox.jsonc:31:14', 'yes'], ['timeouts.handshake', '10s', '10s', 'default', 'yes'], ['limits.connections', '100000', 'from RLIMIT_NOFILE', '--max-connections', 'yes'], ['limits.request_body', '64M', '16M', 'equinox.jsonc:25:21', 'yes'], ['limits.http2_concurrent_streams', '128', '128', 'default', 'new_connections'], ['reactors', '8', 'auto', 'auto: cgroup quota 8.0 of 32 CPUs', 'restart'], ['drain.delay', '5s', '0s', '--drain-delay', 'yes'], ['drain.timeout', '25s', '25s', 'default', 'yes'], ['log.format', 'json', 'text on a terminal', 'not a terminal', 'yes']].map(([key, value, fallback, origin, reload]) => ({ key, value, default: fallback, origin, changed: value !== fallback && key !== 'reactors', reload }));

const http2 = () => ({ connections: connections.filter((c) => c.protocol.startsWith('h2')).length, streams: { open: 6176, half_closed_local: 88, half_closed_remote: 812 }, opened_total: 1.2e9, held_total: 18, resets: [['received', 'CANCEL', 91822], ['received', 'NO_ERROR', 1200], ['sent', 'REFUSED_STREAM', 64], ['sent', 'PROTOCOL_ERROR', 3]].map(([direction, error_code, total]) => ({ direction, error_code, total })), goaways: [['sent', 'NO_ERROR', 48211], ['received', 'NO_ERROR', 3204], ['sent', 'ENHANCE_YOUR_CALM', 64]].map(([direction, error_code, total]) => ({ direction, error_code, total })), frames: ['HEADERS', 'DATA', 'WINDOW_UPDATE', 'SETTINGS', 'PING', 'RST_STREAM', 'PRIORITY'].flatMap((type, i) => ['received', 'sent'].map((direction, n) => ({ direction, type, total: Math.floor(2e9 / (i * 9 + n + 1)), per_second: 42000 / (i * 9 + n + 1) }))), blocked_seconds: { connection: 1820, stream: 920 }, ping_rtt: { edges: [0.001, 0.01, 0.05, 0.1, 0.5], counts: [100, 4000, 9000, 800, 50, 2] }, concurrent_streams_peak: { edges: [1, 2, 4, 8, 16, 32, 64, 128], counts: [5, 90, 400, 800, 300, 60, 8, 1, 0] }, abuse: [{ kind: 'rapid_reset', total: 64, last_at: kLoaded - 750 }, ...['flood_settings', 'flood_ping', 'flood_continuation', 'flood_empty'].map((kind) => ({ kind, total: 0, last_at: null }))] });

const stallRows = () => (stallStory ? [stall(), ...[[330, 0.188], [400, 0.64]].map(([ago, s], i) => ({ ...stall(), id: `s${i}`, running: false, started_at: kLoaded - ago, duration_seconds: s, delayed_connections: 104 + i * 214 })), { ...stall(), id: 's3', running: false, started_at: kLoaded - 530, duration_seconds: 0.121, cause: 'tls', method: null, route: null, target: 'full handshake', delayed_connections: 57 }] : []);

function page(query, sort, order) {
  const t = now();
  return connections.map((c) => rowOf(c, t)).filter(compile(query)).sort(sorter(sort, order));
}

class Refusal extends Error {
  constructor(status, type, title, more = {}) {
    super(title);
    this.problem = { type, title, status, ...more };
  }
}

function viewport(stream, body) {
  const viewer = viewers.get(stream);
  if (!viewer) throw new Refusal(404, 'not-found', 'No such stream');
  viewer.ids = body.ids;
  viewer.handle = body.handle;
  viewer.since = now();
}

function close(body) {
  const ids = body.ids ? new Set(body.ids) : null;
  const chosen = ids ? connections.filter((c) => ids.has(c.id)) : page(body.query ?? '', 'id', 'asc');
  const busy = chosen.filter((c) => !['idle', 'closing'].includes(c.state)).length;
  if (body.dry_run) return { count: chosen.length, by_state: sum(chosen, 'state'), mid_request: busy, seconds: body.rate ? chosen.length / body.rate : null };
  const job = { id: `j${(serial += 1)}`, kind: 'close', state: 'running', total: chosen.length, done: 0, gone: 0, rate: body.rate ?? null, query: body.query ?? null, reason: body.reason ?? null, actor: 'local', started_at: now(), finished_at: null };
  jobs.set(job.id, { job, left: chosen.map((c) => c.id), each: body.rate ?? 5000 });
  audit.unshift({ at: now(), actor: 'local', role: 'operator', action: 'close', what: `${body.query ?? 'ids'}: ${chosen.length}`, result: 'done', reason: body.reason ?? null });
  return job;
}

function api(method, path, params, body) {
  const limit = Math.min(500, Number(params.get('limit') ?? 100));
  const parts = path.split('/');
  switch (`${method} ${parts[0]}`) {
    case 'GET status': return status();
    case 'GET session': return session();
    case 'GET series': return series(params.get('names').split(','), Number(params.get('since') ?? 0), Number(params.get('step_seconds') ?? 1));
    case 'GET strip': return strip(Number(params.get('cells') ?? 38));
    case 'GET deadlines': return deadlines();
    case 'GET routes': return { total: kRoutes.length, rows: routes() };
    case 'GET http2': return http2();
    case 'GET reactors': return reactors();
    case 'GET stalls': return { total: stallRows().length, threshold_seconds: 0.1, oldest_at: null, rows: stallRows() };
    case 'GET config': { const rows = config(); return { total: rows.length, rows, file: 'equinox.jsonc', loaded_at: kLoaded - 670, last_reload_at: kLoaded - 670, last_reload_successful: true, last_reload_error: null }; }
    case 'GET certificates': return { total: 3, rows: [['legacy', ['old.example.net'], 'RSA 4096', 11], ['shop', ['shop.example.net', '*.shop.example.net'], 'EC P-256', 90], ['api', ['api.example.net'], 'EC P-256', 104]].map(([name, names, key, days]) => ({ name, listener: 'https', names, issuer: 'Example CA', key, not_before_at: started, not_after_at: kLoaded + (days + 0.5) * 86400, loaded_at: started, self_signed: false })) };
    case 'GET audit': return { total: audit.length, rows: audit.slice(0, limit) };
    case 'GET log-level': return { total: levels.length, rows: levels };
    case 'PUT log-level': { const row = levels.find((l) => l.component === (body.component ?? 'all')); row.level = body.level; row.reverts_at = body.for_seconds && body.level !== row.configured ? now() + body.for_seconds : null; return { total: levels.length, rows: levels }; }
    case 'GET closed': { const test = compile(params.get('query') ?? ''); const rows = closed.filter(test); const before = params.has('before') ? Number(params.get('before')) : Infinity; return { total: count === 0 ? 0 : rows.length, by_reason: sum(rows, 'reason'), oldest_at: closed.at(-1).closed_at, capacity: 5000, rows: count === 0 ? [] : rows.filter((r) => r.sequence < before).slice(0, limit) }; }
    case 'GET requests': return requests(parts[1], params, limit);
    case 'GET connection': { const found = detail(decodeURIComponent(parts[1])); if (!found) throw new Refusal(404, 'not-found', 'No such connection'); return found; }
    case 'POST drain': if (!body.dry_run) drain ??= now(); return drainState();
    case 'POST undrain': drain = null; return drainState();
    case 'POST reload': throw new Refusal(403, 'forbidden', 'role operator may not reload', { detail: 'An admin can, or send SIGHUP to process 1.', needs_role: 'admin' });
    case 'GET jobs': return jobs.get(parts[1])?.job;
    case 'DELETE jobs': { const entry = jobs.get(parts[1]); entry.job = { ...entry.job, state: 'stopped', finished_at: now() }; entry.left = []; return entry.job; }
    case 'PUT events': viewport(parts[1], body); return null;
    case 'POST connections': {
      if (parts[1] === 'close') return close(body);
      const rows = page(body.query ?? '', body.sort, body.order);
      const handle = `h${(serial += 1)}`;
      handles.set(handle, { ids: rows.map((r) => r.id), at: now() });
      return { handle, total: rows.length, by_state: counts(rows, 'state', kStates), by_protocol: counts(rows, 'protocol', []), taken_at: now(), ...(rows.length === 0 ? { total_without: costs(body.query ?? '') } : {}) };
    }
    case 'GET connections': {
      if (!parts[1]) { const rows = page(params.get('query') ?? '', params.get('sort') ?? 'id', params.get('order') ?? 'asc'); return { total: rows.length, rows: rows.slice(0, limit) }; }
      const found = handles.get(parts[1]);
      if (!found) throw new Refusal(410, 'handle-expired', 'This list was let go after 30 s unseen');
      found.at = now();
      const offset = Number(params.get('offset') ?? 0);
      const byId = new Map(connections.map((c) => [c.id, c]));
      const rows = found.ids.slice(offset, offset + limit).map((id) => byId.get(id)).filter(Boolean).map((c) => rowOf(c, now()));
      return { total: found.ids.length, offset, rows };
    }
    default: throw new Refusal(404, 'not-found', 'No such call');
  }
}

function requests(which, params, limit) {
  if (which === 'slow') {
    const next = random(5);
    const rows = count === 0 ? [] : [0.412, 37.9, 2.96, 1.21, 0.623, 0.641, 1.73, 0.33].map((total, i) => ({ ...makeRequest(next, kLoaded - i * 70, total, i, connections), ...(params.get('route') ? { route: params.get('route') } : {}) }));
    return { total: rows.length, kept: rows.length, sampled: false, threshold_seconds: 0.25, oldest_at: null, rows };
  }
  const [from, above] = [Number(params.get('from')), Number(params.get('above_seconds') ?? 0)];
  const upTo = Number(params.get('up_to_seconds') ?? above * 2);
  const row = params.has('up_to_seconds') ? kEdges.indexOf(upTo) : 19;
  let total = 0;
  for (let s = from; s < Number(params.get('to')) && s < now() - 1; s += 1) total += secondOf(s).histograms.duration[row] ?? 0;
  const next = random(Math.floor(from) + row);
  const rows = Array.from({ length: Math.min(total, limit) }, (_, i) => makeRequest(next, from + next() * 15, above + (upTo - above) * (0.05 + 0.95 * next()), i, connections)).sort((a, b) => b.total_seconds - a.total_seconds);
  return { total, kept: rows.length, sampled: total > rows.length, oldest_at: null, rows };
}

function events(response) {
  const id = `v${(serial += 1)}`;
  const viewer = { ids: [], handle: null, since: now() };
  viewers.set(id, viewer);
  let n = 0;
  const send = (event, data) => response.write(`id: ${(n += 1)}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  send('hello', { stream: id, boot_id: bootId, instance: 'edge-7c9f4', version: '0.9.2', started_at: started, now_at: now(), interval_seconds: 1, session: session(), resumed: false, missed_seconds: null });
  send('overview', { full: true, data: overview() });
  const timer = setInterval(() => {
    const second = Math.floor(now()) - 1;
    send('overview', { full: false, data: overview() });
    if (count > 0) send('series', { at: second, ...secondOf(second) });
    if (stallStory) send('stall', stall());
    const alive = new Map(connections.map((c) => [c.id, c]));
    const next = random(second);
    const changed = viewer.ids.filter((one) => alive.get(one) && alive.get(one).state !== 'idle' && next() < 0.4).map((one) => { const c = alive.get(one); c.sent_bytes += 4096; c.pending_bytes = Math.max(0, Math.floor(c.pending_bytes * (0.9 + next() * 0.2))); c.memory_bytes = 472 + c.pending_bytes; return { id: one, sent_bytes: c.sent_bytes, pending_bytes: c.pending_bytes, memory_bytes: c.memory_bytes }; });
    const gone = viewer.ids.filter((one) => !alive.has(one)).map((one) => ({ id: one, reason: 'admin_close', closed_at: now() }));
    const seconds = Math.floor(now() - viewer.since);
    send('rows', { at: now(), changed, gone, drift: viewer.handle ? { added: seconds * 3, removed: seconds + gone.length } : null });
    for (const entry of jobs.values()) if (entry.job.state !== 'stopped') send('job', entry.job);
  }, 1000);
  response.on('close', () => {
    clearInterval(timer);
    viewers.delete(id);
  });
}

setInterval(() => {
  for (const entry of jobs.values()) {
    if (entry.job.state !== 'running') continue;
    const batch = new Set(entry.left.splice(0, entry.each));
    for (const c of connections) if (batch.has(c.id)) bury(c);
    connections = connections.filter((c) => !batch.has(c.id));
    entry.job = { ...entry.job, done: entry.job.done + batch.size, state: entry.left.length === 0 ? 'finished' : 'running', finished_at: entry.left.length === 0 ? now() : null };
  }
  for (const [handle, found] of handles) if (now() - found.at > 30 && ![...viewers.values()].some((v) => v.handle === handle)) handles.delete(handle);
}, 1000);

function costs(query) {
  const terms = query.split(/\s+/).filter(Boolean);
  return terms.map((term) => ({ term, total: connections.filter(compile(terms.filter((other) => other !== term).join(' '))).length }));
}

function bury(c) {
  closed.unshift({ ...closed[0], id: c.id, sequence: closed[0].sequence + 1, peer: c.peer, protocol: c.protocol, reason: 'admin_close', family: 'admin', initiator: 'admin', sentence: `local closed it through the admin API while it was ${c.state}.`, detail: null, closed_at: now(), requests: c.requests, timer: null, timer_seconds: null, actor: 'local', method: c.method, target: c.target, route: c.route });
  sockets.get(c.id)?.destroy();
}

if (option('traffic', null)) {
  const remove = (id) => {
    connections = connections.filter((c) => c.id !== id);
    sockets.delete(id);
  };
  serveTraffic(Number(option('traffic', '8080')), now, (row, socket) => {
    connections = [row, ...connections];
    sockets.set(row.id, socket);
  }, remove);
}

const kTypes = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };
const kPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

function asset(path, response) {
  const file = join(dist, normalize(path === '' ? 'index.html' : path));
  if (!file.startsWith(dist) || !existsSync(file) || statSync(file).isDirectory()) {
    response.writeHead(404).end('not found');
    return;
  }
  response.writeHead(200, { 'Content-Type': kTypes[extname(file)] ?? 'application/octet-stream', 'Content-Security-Policy': kPolicy, 'X-Content-Type-Options': 'nosniff', 'Cache-Control': path.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-store' });
  createReadStream(file).pipe(response);
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://localhost');
  const refuse = (problem) => response.writeHead(problem.status, { 'Content-Type': 'application/problem+json' }).end(JSON.stringify(problem));
  if (url.pathname === '/' || url.pathname === '/admin') return response.writeHead(302, { Location: '/admin/' }).end();
  if (!url.pathname.startsWith('/admin/')) return response.writeHead(404).end();
  const path = url.pathname.slice('/admin/'.length);
  if (!path.startsWith('api/v1/')) return asset(path, response);
  const call = path.slice('api/v1/'.length);
  let text = '';
  for await (const chunk of request) text += chunk;
  const body = text ? JSON.parse(text) : {};
  if (token && call === 'session' && request.method === 'POST') {
    if (body.token !== token) return refuse({ type: 'unauthenticated', title: 'Unknown token', status: 401 });
    return response.writeHead(200, { 'Content-Type': 'application/json', 'Set-Cookie': 'equinox_session=1; HttpOnly; SameSite=Strict; Path=/admin' }).end(JSON.stringify(session()));
  }
  if (token && !(request.headers.cookie ?? '').includes('equinox_session=1')) return refuse({ type: 'unauthenticated', title: 'Sign in', status: 401 });
  if (call === 'events') return events(response);
  try {
    const answer = api(request.method, call, url.searchParams, body);
    if (answer === null || answer === undefined) return response.writeHead(204).end();
    response.writeHead(answer.kind === 'close' && request.method === 'POST' ? 202 : 200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }).end(JSON.stringify(answer));
  } catch (error) {
    if (error instanceof BadQuery || error instanceof Refusal) refuse(error.problem);
    else {
      console.error(error);
      refuse({ type: 'internal', title: String(error.message), status: 500 });
    }
  }
});

server.listen(port, '127.0.0.1', async () => {
  console.log(`mock http://127.0.0.1:${server.address().port}/admin/`);
  if (process.argv.includes('--vite')) {
    const { build } = await import('vite');
    await build({ build: { watch: {} }, logLevel: 'warn' });
  }
});
