// The one event stream of this tab and what it keeps up to date. Screens read signals; nobody else opens a connection.
import { batch, computed, signal } from '@preact/signals';
import { ApiError, apiUrl, get, problemOfError, unauthenticated } from '../api/client';
import type { Change, Degraded, Hello, Job, Overview, OverviewEvent, Problem, RowsEvent, Series, SeriesEvent, Session, Stall, Status } from '../api/types';
import { EventParser, mergePatch, type ServerEvent } from '../lib/sse';
import { SeriesRing } from '../lib/series';

export type Link = 'starting' | 'live' | 'down' | 'full' | 'signin';

export const link = signal<Link>('starting');
export const paused = signal(false);
export const status = signal<Status | null>(null);
export const session = signal<Session | null>(null);
export const overview = signal<Overview | null>(null);
export const changes = signal<Change[]>([]);
export const stalls = signal<Map<string, Stall>>(new Map());
export const jobs = signal<Map<string, Job>>(new Map());
export const degraded = signal<Degraded | null>(null);
export const stream = signal<string | null>(null);
export const bytesPerSecond = signal(0);
const began = Date.now() - performance.now();
/** Seconds on a clock of this page that nobody sets: the machine's own may be put right at any time, and what is counted must not jump. */
export const now = () => (began + performance.now()) / 1000;
/** Server clock minus `now`, seconds. */
export const skew = signal(0);
/** When the server said its newest word, as `now` tells it. */
export const dataAt = signal(0);
export const retryAt = signal(0);
export const lastProblem = signal<Problem | null>(null);
/** Set when the server came back as another process; names the boot before. */
export const restarted = signal<{ before: string; after: string; at: number } | null>(null);
/** What was asked for in vain though the server is there, by name: what is shown of it is old, or missing. */
export const failing = signal<ReadonlyMap<string, Problem>>(new Map());
export function noteFailing(name: string, problem: Problem | null): void {
  if (!problem && !failing.peek().has(name)) return;
  const next = new Map(failing.peek());
  if (problem) next.set(name, problem);
  else next.delete(name);
  failing.value = next;
}
export const resumed = signal<{ missed: number; filled: number } | null>(null);
export const ring = new SeriesRing();
export const ringTick = signal(0);
/** A slow clock for ages on the page; one tick a second, and none while the page is hidden or paused. */
export const clock = signal(now());

export const canAct = computed(() => link.value === 'live' && session.value !== null && session.value.role !== 'viewer');
export const isAdmin = computed(() => link.value === 'live' && session.value?.role === 'admin');
export const whyNot = computed(() => {
  if (link.value !== 'live') return link.value === 'full' ? 'not live' : 'not connected';
  if (session.value?.role === 'viewer') return 'needs the role operator';
  return null;
});

const rowsListeners = new Set<(event: RowsEvent) => void>();
export function onRows(listener: (event: RowsEvent) => void): () => void {
  rowsListeners.add(listener);
  return () => rowsListeners.delete(listener);
}

/** The server's clock; without a connection it stands where the data stand, or ages and deadlines would be of nothing known. */
export const serverNow = () => (link.value === 'down' && dataAt.value > 0 ? dataAt.value : now()) + skew.value;

const kSeries = 'connections,in_flight,p50_seconds,p99_seconds,busy_ratio,accepted,closed,requests,errors_4xx,errors_5xx,evictions,phase_head_seconds,phase_body_seconds,phase_queue_seconds,phase_handler_seconds,phase_write_seconds,h2_streams,h2_resets,h2_blocked_seconds,received_bytes,sent_bytes,duration,duration:http/1.1,duration:h2,duration:h2c,first_byte,queue,handler';

let lastEventId: string | null = null;
let bootId: string | null = null;
let attempt = 0;
let controller: AbortController | null = null;
let retryTimer = 0;
let seedTimer = 0;
let received = 0;
let meanReceived = 0;
let newestPoint: SeriesEvent | null = null;
/** When the server said its last word, on its clock: this page's stands while the machine sleeps. */
let lostAt = 0;

/** The server speaks every second. Who is silent this long is gone, though a network without an end of the connection never says so. */
const kSilenceMs = 5000;

export async function refreshStatus(): Promise<void> {
  const asked = now();
  // Without a stream nothing else notices that the server is gone.
  const isAlone = link.value === 'full';
  const silent = new AbortController();
  const silence = isAlone ? window.setTimeout(() => silent.abort(), kSilenceMs) : 0;
  const answer = await get<Status>('status', {}, silent.signal).catch((error: unknown) => {
    if (isAlone && link.value === 'full') lose();
    throw error;
  }).finally(() => clearTimeout(silence));
  batch(() => {
    status.value = answer;
    // Its moment lies between the question and the answer. This clock stands while the machine sleeps, and the server's may be set.
    skew.value = Math.min(answer.now_at - asked, Math.max(answer.now_at - now(), skew.value));
    session.value = answer.session;
    // The stream is newer, where there is one; where there is no place for one, this is what the server says.
    if (link.value === 'full' && isAnother(answer.boot_id, answer.started_at)) void seedSeries();
    if (link.value === 'full' || overview.value === null) overview.value = answer.overview;
    if (link.value === 'full') {
      dataAt.value = now();
      attempt = 0;
    }
    const known = new Set(answer.changes.map((change) => change.id));
    changes.value = [...changes.value.filter((change) => !known.has(change.id)), ...answer.changes].sort((a, b) => b.at - a.at).slice(0, 64);
  });
}

async function seedSeries(): Promise<void> {
  clearTimeout(seedTimer);
  let answer: Series;
  try {
    answer = await get<Series>('series', { names: kSeries });
  } catch (error) {
    noteFailing('series', problemOfError(error));
    if (link.value === 'live' || link.value === 'full') seedTimer = window.setTimeout(() => void seedSeries(), kSilenceMs);
    return;
  }
  noteFailing('series', null);
  ring.seed(answer);
  // A second that was told while the answer was under way is in neither.
  if (newestPoint) ring.append(newestPoint.at, newestPoint.values, newestPoint.histograms);
  ringTick.value += 1;
}

function forget(): void {
  lastEventId = null;
  newestPoint = null;
  overview.value = null;
  changes.value = [];
  stalls.value = new Map();
  jobs.value = new Map();
  degraded.value = null;
}

/** Whether this is another process than the one before: nothing of that is true of it. */
function isAnother(boot: string, startedAt: number): boolean {
  const before = bootId;
  bootId = boot;
  if (before === null || before === boot) return false;
  forget();
  restarted.value = { before, after: boot, at: startedAt };
  return true;
}

function onHello(hello: Hello): void {
  batch(() => {
    const gap = lostAt > 0 ? hello.now_at - lostAt : 0;
    lostAt = 0;
    skew.value = hello.now_at - now();
    stream.value = hello.stream;
    link.value = 'live';
    attempt = 0;
    lastProblem.value = null;
    // A new stream tells only what is so now: what has ended meanwhile is in none.
    stalls.value = new Map();
    degraded.value = null;
    if (hello.session) session.value = hello.session;
    if (!isAnother(hello.boot_id, hello.started_at ?? hello.now_at) && gap > 3) {
      const missed = hello.missed_seconds ?? 0;
      resumed.value = { missed: gap, filled: Math.max(0, gap - missed) };
      setTimeout(() => (resumed.value = null), 20_000);
    }
  });
  void refreshStatus().catch(noteProblem);
  void seedSeries();
  for (const job of jobs.value.values()) if (job.state === 'running') void refreshJob(job.id).catch(noteProblem);
}

/** A job that the server has forgotten has long ended; how, nobody knows. */
async function refreshJob(id: string): Promise<void> {
  const job = await get<Job>(`jobs/${encodeURIComponent(id)}`).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  });
  const next = new Map(jobs.value);
  if (job) next.set(id, job);
  else next.delete(id);
  jobs.value = next;
}

const noteProblem = (error: unknown) => {
  lastProblem.value = problemOfError(error);
};

function onEvent(event: ServerEvent): void {
  if (event.id !== null) lastEventId = event.id;
  const data: unknown = JSON.parse(event.data);
  dataAt.value = now();
  if (event.event === 'hello') {
    onHello(data as Hello);
    return;
  }
  if (paused.value) return;
  switch (event.event) {
    case 'overview': {
      const { full, data: part } = data as OverviewEvent;
      if (full) overview.value = part as unknown as Overview;
      else if (overview.value) overview.value = mergePatch(overview.value, part);
      break;
    }
    case 'series': {
      const point = data as SeriesEvent;
      newestPoint = point;
      if (ring.append(point.at, point.values, point.histograms)) ringTick.value += 1;
      break;
    }
    case 'rows':
      for (const listener of rowsListeners) listener(data as RowsEvent);
      break;
    case 'change': {
      const change = data as Change;
      if (!changes.value.some((known) => known.id === change.id)) changes.value = [change, ...changes.value].slice(0, 64);
      break;
    }
    case 'stall': {
      const stall = data as Stall;
      const next = new Map(stalls.value);
      if (stall.running) next.set(stall.id, stall);
      else next.delete(stall.id);
      stalls.value = next;
      break;
    }
    case 'job': {
      const job = data as Job;
      jobs.value = new Map(jobs.value).set(job.id, job);
      break;
    }
    case 'degraded': {
      const state = data as Degraded;
      degraded.value = state.sampling > 1 ? state : null;
      break;
    }
  }
}

async function open(): Promise<void> {
  const mine = new AbortController();
  controller = mine;
  let silence = 0;
  const heard = () => {
    clearTimeout(silence);
    silence = window.setTimeout(() => mine.abort(), kSilenceMs);
  };
  heard();
  try {
    await listen(mine.signal, heard);
  } finally {
    clearTimeout(silence);
  }
}

/** Reads the stream to its end; `heard` is called for whatever comes. */
async function listen(signal: AbortSignal, heard: () => void): Promise<void> {
  const headers: Record<string, string> = { Accept: 'text/event-stream' };
  if (lastEventId !== null) headers['Last-Event-ID'] = lastEventId;
  const url = apiUrl('events', { topics: 'overview,series,connections,changes,stalls,jobs' });
  const response = await fetch(url, { headers, credentials: 'same-origin', cache: 'no-store', signal });
  if (response.status === 401) {
    link.value = 'signin';
    return;
  }
  if (response.status === 503) {
    const problem = (await response.json().catch(() => null)) as Problem | null;
    if (problem?.type.endsWith('viewers-full')) {
      lastProblem.value = problem;
      link.value = 'full';
      void refreshStatus().catch(noteProblem);
      void seedSeries();
      return;
    }
  }
  if (!response.ok || !response.body) throw new Error(`events: ${response.status}`);
  const parser = new EventParser(onEvent);
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    heard();
    received += value.byteLength;
    parser.push(decoder.decode(value, { stream: true }));
  }
}

/** Without a connection from now on; waits 1, 2, 4 … 15 s between attempts. */
function lose(): void {
  if (lostAt === 0) lostAt = (dataAt.value || now()) + skew.value;
  const wait = Math.min(15, 2 ** attempt);
  attempt += 1;
  batch(() => {
    link.value = 'down';
    stream.value = null;
    retryAt.value = now() + wait;
  });
  clearTimeout(seedTimer);
  clearTimeout(retryTimer);
  retryTimer = window.setTimeout(connect, wait * 1000);
}

/** Connects and stays connected. */
export function connect(): void {
  clearTimeout(retryTimer);
  controller?.abort();
  const mine = open();
  const current = controller;
  void mine
    .catch(() => undefined)
    .then(() => {
      if (controller === current && link.value !== 'signin' && link.value !== 'full') lose();
    });
}

export function togglePause(): void {
  paused.value = !paused.value;
  if (!paused.value) connect();
}

export function startLive(): void {
  unauthenticated.addEventListener('signin', () => {
    link.value = 'signin';
  });
  connect();
  setInterval(() => {
    meanReceived = meanReceived * 0.6 + received * 0.4;
    bytesPerSecond.value = Math.round(meanReceived);
    received = 0;
    if (!document.hidden && !paused.value) clock.value = now();
  }, 1000);
}
