// The words of the system and how each is drawn: one letter, one colour token, one phrase. Complete by type: a new enumerator
// in openapi.yaml fails the type check here.
import type { CloseReason, DeadlineKind, Family, Phase, Protocol, State } from '../api/types';

export interface StateLook {
  letter: string;
  token: string;
  word: string;
}

export const kStates: Record<State, StateLook> = {
  handshake: { letter: 'T', token: 't', word: 'handshake' },
  reading_head: { letter: 'R', token: 'r', word: 'reading head' },
  reading_body: { letter: 'B', token: 'b', word: 'reading body' },
  handling: { letter: 'H', token: 'h', word: 'handling' },
  writing: { letter: 'W', token: 'w', word: 'writing' },
  idle: { letter: 'I', token: 'i', word: 'idle' },
  draining: { letter: 'D', token: 'd', word: 'draining' },
  closing: { letter: 'C', token: 'c', word: 'closing' },
};
export const kStateNames = Object.keys(kStates) as State[];
/** Order of the legend under the strip: by weight, the quiet state first. */
export const kStatesByWeight: State[] = ['idle', 'writing', 'handling', 'reading_body', 'reading_head', 'handshake', 'closing', 'draining'];

export function stateOfLetter(letter: string): State | undefined {
  return kStateNames.find((name) => kStates[name].letter === letter);
}

export const kProtocols: Protocol[] = ['http/1.1', 'h2', 'h2c', 'unknown'];
export const kDeadlines: DeadlineKind[] = ['handshake', 'first_request', 'head', 'body', 'handler', 'write', 'idle', 'ping', 'max_age'];

export const kPhases: { phase: Phase; key: `${Phase}_seconds`; what: string }[] = [
  { phase: 'head', key: 'head_seconds', what: 'first byte to end of head' },
  { phase: 'body', key: 'body_seconds', what: 'the client sends its body' },
  { phase: 'queue', key: 'queue_seconds', what: 'ready, waiting for a thread' },
  { phase: 'handler', key: 'handler_seconds', what: 'inside the handler' },
  { phase: 'write', key: 'write_seconds', what: 'until all is with the kernel' },
];

export const kFamilies: Record<Family, { word: string; mark: string }> = {
  client: { word: 'client', mark: '●' },
  normal: { word: 'normal', mark: '○' },
  timer: { word: 'timer', mark: '◆' },
  protocol: { word: 'protocol', mark: '▲' },
  tls: { word: 'tls', mark: '▼' },
  abuse: { word: 'abuse', mark: '✖' },
  pressure: { word: 'pressure', mark: '■' },
  admin: { word: 'admin', mark: '◈' },
  network: { word: 'network', mark: '◐' },
};
export const kFamilyNames = Object.keys(kFamilies) as Family[];

export const kReasonFamily: Record<CloseReason, Family> = {
  client_fin_idle: 'client', client_fin_mid_request: 'client', client_reset_idle: 'client', client_reset_mid_request: 'client',
  client_goaway: 'client', client_connection_close: 'client',
  response_connection_close: 'normal', max_requests: 'normal', max_age: 'normal', drain: 'normal',
  shutdown: 'normal', shutdown_timeout: 'normal', app_close: 'normal', request_refused: 'normal',
  handshake_timeout: 'timer', first_request_timeout: 'timer', header_timeout: 'timer', body_timeout: 'timer', body_rate_too_low: 'timer',
  handler_timeout: 'timer', write_stall: 'timer', write_rate_too_low: 'timer', window_stall: 'timer', keep_alive_timeout: 'timer',
  h2_idle_timeout: 'timer', ping_timeout: 'timer',
  parse_error_h1: 'protocol', head_too_large: 'protocol', body_too_large: 'protocol', smuggling_guard: 'protocol',
  h2_preface_invalid: 'protocol', h2_protocol_error: 'protocol', h2_flow_control_error: 'protocol', h2_compression_error: 'protocol',
  h2_frame_size: 'protocol', wrong_protocol: 'protocol',
  tls_handshake_failed: 'tls', tls_alert: 'tls', tls_plaintext: 'tls', tls_sni_unknown: 'tls',
  rapid_reset: 'abuse', own_resets: 'abuse', flood_settings: 'abuse', flood_ping: 'abuse', flood_continuation: 'abuse', flood_empty: 'abuse',
  flood_priority: 'abuse', flood_window_update: 'abuse', flood_data_tiny: 'abuse', flood_tls: 'abuse', header_bomb: 'abuse',
  connection_limit: 'pressure', memory_pressure: 'pressure',
  handler_abort: 'admin', handler_exception_after_start: 'admin', admin_close: 'admin', admin_drain: 'admin',
  network_timeout: 'network', network_error: 'network',
};
export const kReasons = Object.keys(kReasonFamily) as CloseReason[];

export function familyOf(reason: string): Family {
  return (kReasonFamily as Record<string, Family>)[reason] ?? 'normal';
}

/** Marks on the horizon and in the feed: letter plus colour of what happened. */
export const kChangeMarks: Record<string, { letter: string; look: 'info' | 'warn' | 'bad' }> = {
  start: { letter: 'O', look: 'info' },
  reload: { letter: 'R', look: 'info' },
  reload_refused: { letter: 'R', look: 'bad' },
  drain: { letter: 'D', look: 'warn' },
  undrain: { letter: 'U', look: 'info' },
  stall: { letter: 'S', look: 'bad' },
  evictions: { letter: 'E', look: 'warn' },
  certificate: { letter: 'K', look: 'info' },
  abuse: { letter: 'A', look: 'warn' },
  log_level: { letter: 'L', look: 'info' },
  close_job: { letter: 'X', look: 'warn' },
  rejected: { letter: 'N', look: 'bad' },
};
