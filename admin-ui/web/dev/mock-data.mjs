// Made-up but consistent data for developing the dashboard without a server. Deterministic: one seed, one story.

export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export const kReactors = 8;
export const kEdges = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
export const kRoutes = ['/api/status', '/api/orders', '/api/upload', '/report/{id}', '/assets/*', '/img/*', '/download/*', '/docs/*', '/events', '/hello', '/old/*', '/*', '_unmatched'];
const kTargets = { '/api/status': 'GET /api/status', '/api/orders': 'POST /api/orders', '/api/upload': 'POST /api/upload', '/report/{id}': 'GET /report/2026-03', '/assets/*': 'GET /assets/app-8f31c2.js', '/img/*': 'GET /img/hero-1280.avif', '/download/*': 'GET /download/build-4471.tar.zst', '/docs/*': 'GET /docs/install/', '/events': 'GET /events', '/*': 'GET /' };
const kStateWeights = [['idle', 0.867], ['writing', 0.093], ['handling', 0.017], ['reading_body', 0.011], ['reading_head', 0.008], ['handshake', 0.003], ['closing', 0.001]];
const kTimers = { idle: ['idle', 60], writing: ['write', 30], handling: ['handler', 60], reading_body: ['body', 30], reading_head: ['head', 10], handshake: ['handshake', 10], closing: [null, 0] };

const pick = (next, list) => list[Math.floor(next() * list.length)];
function weighted(next, list) {
  let at = next();
  for (const [value, weight] of list) if ((at -= weight) < 0) return value;
  return list[0][0];
}

export function makeConnections(count, now, seed = 7) {
  const next = random(seed);
  return Array.from({ length: count }, (_, n) => {
    const state = weighted(next, kStateWeights);
    const protocol = state === 'handshake' ? 'unknown' : weighted(next, [['h2', 0.62], ['http/1.1', 0.3], ['h2c', 0.08]]);
    const tls = protocol !== 'h2c' && (protocol === 'h2' || next() < 0.6);
    const [kind, total] = kTimers[state];
    const reactor = n % kReactors;
    const slot = Math.floor(n / kReactors);
    const idle = state === 'idle' ? Math.min(59.5, next() * next() * 70) : next() * 9;
    const age = idle + next() ** 4 * 90000 + next() * 20;
    const route = pick(next, kRoutes.slice(0, 10));
    const [method, target] = (kTargets[route] ?? 'GET /').split(' ');
    const pending = state === 'writing' ? Math.floor(next() ** 6 * 2e6) : state === 'handling' && next() < 0.2 ? Math.floor(next() * 2e5) : 0;
    const requests = Math.floor(age / (4 + next() * 60)) + (state === 'handshake' ? 0 : 1);
    return {
      id: `${reactor}-${(slot * 7919 % 65536).toString(16)}·${1 + (n % 29)}`,
      peer: `${pick(next, ['192.0.2', '198.51.100', '203.0.113'])}.${1 + Math.floor(next() * 250)}:${20000 + Math.floor(next() * 45000)}`,
      client: null, listener: tls ? 'https' : 'http', protocol, tls: tls ? (next() < 0.94 ? 'TLSv1.3' : 'TLSv1.2') : null, sni: tls ? pick(next, ['shop.example.net', 'api.example.net']) : null,
      state, reactor, slot, opened: now - age, quietSince: now - idle, requests,
      received_bytes: Math.floor(requests * (300 + next() * 900)), sent_bytes: Math.floor(requests * (2000 + next() ** 4 * 900000)),
      received_bytes_per_second: state === 'idle' ? 0 : Math.floor(next() ** 3 * 90000), sent_bytes_per_second: state === 'writing' ? Math.floor(next() ** 2 * 900000) : 0,
      streams: protocol.startsWith('h2') ? (state === 'idle' ? 0 : 1 + Math.floor(next() ** 3 * 40)) : null,
      rtt_seconds: 0.0004 + next() ** 3 * 0.24, retransmits: Math.floor(next() ** 8 * 40), sample_age_seconds: next(),
      pending_bytes: pending, memory_bytes: 472 + pending,
      method: requests ? method : null, target: requests ? target : null, route: requests ? route : null,
      age_seconds: 0, idle_seconds: 0, deadline: null, limited_by: state === 'writing' ? pick(next, ['receiver_window', 'h2_window', 'network', 'send_buffer']) : state === 'handling' ? 'handler' : state === 'reading_body' ? 'client_upload' : null,
      timer: kind, timerTotal: total,
    };
  });
}

/** Brings a stored connection to `now`, in place (a copy of each would make every query slow). A deadline that ran out begins again. */
export function rowOf(c, now) {
  const idle = c.timer ? (now - c.quietSince) % c.timerTotal : now - c.quietSince;
  c.age_seconds = now - c.opened;
  c.idle_seconds = idle;
  c.deadline ??= c.timer ? { kind: c.timer, seconds_left: 0, total_seconds: c.timerTotal } : null;
  if (c.deadline) c.deadline.seconds_left = Math.max(0.05, c.timerTotal - idle);
  return c;
}

const kReasonMix = [['client_fin_idle', 0.479, 'client', 'client'], ['keep_alive_timeout', 0.252, 'timer', 'server'], ['response_connection_close', 0.103, 'normal', 'server'], ['client_goaway', 0.054, 'client', 'client'], ['h2_idle_timeout', 0.045, 'timer', 'server'], ['client_reset_idle', 0.033, 'client', 'client'], ['client_reset_mid_request', 0.01, 'client', 'client'], ['first_request_timeout', 0.008, 'timer', 'server'], ['tls_handshake_failed', 0.007, 'tls', 'server'], ['write_stall', 0.004, 'timer', 'server'], ['body_timeout', 0.002, 'timer', 'server'], ['rapid_reset', 0.0011, 'abuse', 'server'], ['network_timeout', 0.001, 'network', 'network'], ['parse_error_h1', 0.0005, 'protocol', 'server'], ['admin_close', 0.0004, 'admin', 'admin'], ['connection_limit', 0.0002, 'pressure', 'server']];
export const kReasons = kReasonMix.map(([name]) => name);
export const kFamilyOf = Object.fromEntries(kReasonMix.map(([name, , family]) => [name, family]));
const kSentences = {
  keep_alive_timeout: 'Equinox closed it because nothing arrived for 60.0 s after the last answer. The idle timer (timeouts.idle = 60s) ended it.',
  write_stall: 'Equinox closed it because the client took no byte for 30.0 s while 1.2 MiB of GET /download/build-4471.tar.zst was ready. The write timer (timeouts.write = 30s) ended it.',
  client_fin_idle: 'The client closed it (FIN) while no request was running.',
};

export function makeClosed(count, now, seed = 11) {
  const next = random(seed);
  const rows = [];
  let at = now - 1;
  for (let n = 0; n < count; n += 1) {
    const burst = now - at > 220 && now - at < 260;
    const reason = burst && next() < 0.6 ? 'keep_alive_timeout' : weighted(next, kReasonMix);
    const [, , family, initiator] = kReasonMix.find(([name]) => name === reason);
    const route = pick(next, kRoutes.slice(0, 9));
    const [method, target] = (kTargets[route] ?? 'GET /').split(' ');
    const timer = { keep_alive_timeout: ['idle', 60], write_stall: ['write', 30], body_timeout: ['body', 30], first_request_timeout: ['first_request', 10], h2_idle_timeout: ['idle', 60] }[reason];
    rows.push({
      id: `${n % kReactors}-${(n * 104729 % 65536).toString(16)}·${1 + (n % 9)}`, sequence: count - n, peer: `203.0.113.${1 + Math.floor(next() * 250)}:${30000 + Math.floor(next() * 30000)}`, client: null, listener: 'https',
      protocol: next() < 0.7 ? 'h2' : 'http/1.1', reason, family, initiator, sentence: kSentences[reason] ?? `It ended for the reason ${reason}; the first cause was seen on reactor ${n % kReactors}.`,
      detail: timer ? `no byte for ${timer[1]}.0 s` : null, closed_at: at, age_seconds: next() ** 3 * 3000 + 1, requests: Math.floor(next() * 300), received_bytes: Math.floor(next() * 90000), sent_bytes: Math.floor(next() ** 3 * 7e7), pending_bytes: 0, state: 'idle', reactor: n % kReactors,
      tls: 'TLSv1.3', sni: 'shop.example.net', method, target, route, status: 200, timer: timer?.[0] ?? null, timer_seconds: timer?.[1] ?? null, errno: reason === 'network_timeout' ? 110 : null, errno_name: reason === 'network_timeout' ? 'ETIMEDOUT' : null, tls_alert: reason === 'tls_handshake_failed' ? 'unknown_ca' : null, h2_error_code: null, last_stream_id: null, actor: reason === 'admin_close' ? 'mira' : null, rtt_seconds: 0.03 + next() * 0.2, retransmits: Math.floor(next() * 5), limited_by: null,
    });
    at -= (burst ? 0.06 : 0.25) * (0.5 + next());
  }
  return rows;
}

/** One second of every series; the same second always has the same values. */
export function secondOf(second) {
  const next = random(second);
  const wave = Math.sin(second / 97) * 0.06 + Math.sin(second / 23) * 0.04 + next() * 0.05;
  const stalled = second % 420 < 3;
  const burst = second % 900 > 520 && second % 900 < 560;
  const requests = Math.round(42600 * (1 + wave));
  const shares = [0.012, 0.06, 0.2, 0.24, 0.22, 0.13, 0.07, 0.045, 0.018, 0.003, 0.0015, 0.0004, 0.00004];
  const duration = [...kEdges, Infinity].map((_, i) => Math.round((shares[i] ?? 0) * requests * (0.8 + 0.4 * next())));
  if (stalled) {
    duration[12] = 140;
    duration[13] = 11;
  }
  if (next() < 0.12) duration[13] += 1 + Math.floor(next() * 4);
  if (next() < 0.05) duration[14] += 1;
  if (next() < 0.02) duration[18] += 1;
  const part = (share) => duration.map((count) => Math.floor(count * share));
  const closed = Math.round(64 * (1 + wave * 2)) + (burst ? 48 : 0);
  const families = { client: 0.58, normal: 0.1, timer: 0.3, protocol: 0.001, tls: 0.007, abuse: 0.002, pressure: 0.001, admin: 0.001, network: 0.002 };
  const values = {
    connections: Math.round(18402 * (1 + wave / 4)), in_flight: Math.round(812 * (1 + wave)), h2_streams: Math.round(6176 * (1 + wave)), pending_bytes: 48e6,
    p50_seconds: 0.00082 * (1 + wave), p99_seconds: stalled ? 0.31 : 0.038 * (1 + wave), busy_ratio: 0.42 * (1 + wave), accepted: closed + Math.round(wave * 10), closed, requests, errors_4xx: Math.round(214 * (1 + wave)), errors_5xx: Math.round(12 + 14 * Math.max(0, wave) + next() * 4), evictions: Math.round(closed * 0.3) + (burst ? 40 : 0), received_bytes: 21e6, sent_bytes: 310e6,
    phase_head_seconds: requests * 0.0003, phase_body_seconds: requests * 0.0004, phase_queue_seconds: requests * (stalled ? 0.009 : 0.0004), phase_handler_seconds: requests * 0.0021 * (1 + wave * 2), phase_write_seconds: requests * 0.0008, h2_resets: Math.floor(next() * 6), h2_blocked_seconds: next() * 2,
  };
  for (const [family, share] of Object.entries(families)) values[`closed_${family}`] = Math.round(closed * share * (0.7 + next() * 0.6)) + (family === 'timer' && burst ? 45 : 0);
  return { values, histograms: { duration, 'duration:http/1.1': part(0.28), 'duration:h2': part(0.64), 'duration:h2c': part(0.08), first_byte: part(0.98), queue: part(0.9), handler: part(0.95) } };
}

export function makeRequest(next, at, total, index, connections) {
  const stalled = total > 0.4;
  const route = stalled && index === 0 ? '/report/{id}' : pick(next, kRoutes.slice(0, 9));
  const [method, target] = (kTargets[route] ?? 'GET /').split(' ');
  const c = connections[Math.floor(next() * connections.length)];
  const share = stalled ? (index === 0 ? [0.001, 0, 0, 0.998, 0.001] : [0.001, 0, 0.992, 0.005, 0.002]) : [0.06, 0.1, 0.08, 0.55, 0.21];
  const [head, body, queue, handler] = share.map((s) => s * total);
  return { id: `r${Math.floor(at * 1000)}-${index}`, connection: c.id, connection_live: true, stream_id: c.protocol.startsWith('h2') ? 2 * index + 1 : null, started_at: at - total, method, target, route, status: total > 30 ? null : 200, protocol: c.protocol, total_seconds: total, first_byte_seconds: total * 0.8, phases: { head_seconds: head, body_seconds: body, queue_seconds: queue, handler_seconds: handler, write_seconds: total - head - body - queue - handler }, because: stalled ? (index === 0 ? 'handler blocked reactor 3' : 'waited behind GET /report/{id}') : 'handler', received_bytes: 400, sent_bytes: 20000, reactor: c.reactor, trace_id: null, error_type: null };
}
