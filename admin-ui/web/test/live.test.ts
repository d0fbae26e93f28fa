// The one event stream: what a silent, a broken and a resumed one do to the page.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type * as Live from '../src/state/live';

const event = (name: string, data: unknown, id = 1) => `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const serverTime = () => (started + performance.now()) / 1000 + ahead;
const hello = (more = {}) => event('hello', { stream: 'v1', boot_id: 'b', instance: 'i', version: '1', started_at: 0, now_at: serverTime(), interval_seconds: 1, ...more });
const overview = { connections: 1 };

/** The server as this page sees it: one stream at a time that the test writes to, and an answer for each path. */
let say: (text: string) => void;
let opened: number;
/** The server's clock minus the clock the page began with. */
let ahead: number;
let started: number;
/** How long an answer is under way, after it was written. */
let travel: number;
let answers: Record<string, unknown>;
let live: typeof Live;

beforeEach(async () => {
  vi.useFakeTimers();
  vi.resetModules();
  opened = ahead = travel = 0;
  started = Date.now() - performance.now();
  answers = {
    status: { boot_id: 'b', session: { role: 'operator' }, overview, changes: [], get now_at() { return serverTime(); } },
    series: { start_at: 0, points: 0, step_seconds: 1, series: {}, histograms: {} },
  };
  vi.stubGlobal('fetch', (url: string, { signal }: { signal?: AbortSignal }) => {
    const path = /\/api\/v1\/([^?]+)/.exec(url)?.[1] ?? '';
    if (path !== 'events') {
      const answer = answers[path];
      const response = answer === undefined ? new Response('{"title":"none"}', { status: 404 }) : new Response(JSON.stringify(answer));
      return travel === 0 ? Promise.resolve(response) : new Promise((resolve) => setTimeout(() => resolve(response), travel));
    }
    opened += 1;
    if (answers.events) return Promise.resolve(new Response(JSON.stringify(answers.events), { status: 503 }));
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        say = (text) => controller.enqueue(new TextEncoder().encode(text));
        signal?.addEventListener('abort', () => controller.error(new Error('aborted')));
      },
    });
    return Promise.resolve(new Response(body));
  });
  live = await import('../src/state/live');
});

afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);
async function connected() {
  live.connect();
  await pass(0);
  say(hello() + event('overview', { full: true, data: overview }));
  await pass(0);
}

describe('a stream that has fallen silent', () => {
  it('is taken for broken, and asked for again', async () => {
    await connected();
    for (let second = 0; second < 8; second += 1) {
      await pass(1000);
      say(': still here\n\n');
    }
    await pass(4000);
    expect(live.link.value).toBe('live');
    await pass(1100);
    expect(live.link.value).toBe('down');
    expect(live.stream.value).toBeNull();
    expect(live.canAct.value).toBe(false);
    expect(live.retryAt.value).toBeGreaterThan(Date.now() / 1000);
    await pass(1000);
    expect(opened).toBe(2);
  });

  it('stops the clock where its data stand, until the next one says the time', async () => {
    await connected();
    await pass(2000);
    say(event('series', { at: 1, values: {} }));
    await pass(1000);
    const last = Date.now() / 1000 - 1;
    expect(live.serverNow()).toBeCloseTo(last + 1, 2); // live: it goes on between two words
    await pass(4000);
    expect(live.link.value).toBe('down');
    expect(live.serverNow()).toBeCloseTo(last, 2);
    await pass(1000);
    ahead = 40;
    say(hello());
    await pass(0);
    expect(live.link.value).toBe('live');
    expect(live.serverNow()).toBeCloseTo(Date.now() / 1000 + 40, 2);
  });

  it('is one that never began, too', async () => {
    live.connect();
    await pass(5100);
    expect(live.link.value).toBe('down');
    expect(live.serverNow()).toBeCloseTo(Date.now() / 1000, 2); // nothing has been said that it could be the time of
  });

  it('counts what was missed while the machine slept and the clock of the page stood', async () => {
    await connected();
    await pass(6200);
    ahead = 600;
    say(hello({ missed_seconds: 0 }));
    await pass(0);
    expect(live.resumed.value?.missed).toBeCloseTo(606, 0);
    expect(live.resumed.value?.filled).toBeCloseTo(606, 0);
  });

  it('counts what was missed from the last word, not from when it was noticed', async () => {
    await connected();
    await pass(6200);
    say(hello());
    await pass(0);
    expect(live.link.value).toBe('live');
    expect(live.resumed.value?.missed).toBeGreaterThan(5.5);
  });
});

describe('a stream after another', () => {
  const job = (id: string, state: string) => ({ id, kind: 'close', state, total: 300, done: 200 });
  const lose = async () => {
    await pass(6100);
    say(hello());
    await pass(0);
  };

  it('ends what was told by the one before and is not so any more', async () => {
    await connected();
    say(event('degraded', { sampling: 8 }) + event('job', job('gone', 'running')) + event('job', job('ended', 'running')) + event('job', job('runs', 'running')));
    await pass(0);
    expect(live.degraded.value?.sampling).toBe(8);
    answers['jobs/ended'] = job('ended', 'finished');
    answers['jobs/runs'] = { ...job('runs', 'running'), done: 250 };
    await lose();
    expect(live.degraded.value).toBeNull();
    expect([...live.jobs.value.values()].map(({ id, state, done }) => [id, state, done])).toEqual([['ended', 'finished', 200], ['runs', 'running', 250]]);
  });

  it('that finds no place shows the overview of now', async () => {
    await connected();
    answers.events = { type: 'viewers-full', title: 'Full', status: 503 };
    ahead = -30;
    answers.status = { boot_id: 'b', session: { role: 'operator' }, overview: { connections: 7 }, changes: [], now_at: serverTime() };
    live.connect();
    await pass(0);
    expect(live.link.value).toBe('full');
    expect(live.overview.value?.connections).toBe(7);
    expect(live.whyNot.value).toBe('not live');
    expect(live.dataAt.value).toBe(Date.now() / 1000);
    expect(live.serverNow()).toBeCloseTo(Date.now() / 1000 - 30, 2);
    await pass(2000);
    expect(live.serverNow()).toBeCloseTo(Date.now() / 1000 - 30, 2); // lists are asked for: what they show goes on
  });

  it.each([
    ['refuses', 0],
    ['says nothing', 5000],
  ])('and a server that then %s is a connection lost, with the time of the last answer', async (_, silence) => {
    answers.events = { type: 'viewers-full', title: 'Full', status: 503 };
    live.connect();
    await pass(0);
    const last = live.serverNow();
    await pass(2000);
    const real = fetch;
    vi.stubGlobal('fetch', (_url: string, { signal }: { signal?: AbortSignal }) => new Promise((_resolve, reject) => {
      if (silence === 0) reject(new TypeError('refused'));
      signal?.addEventListener('abort', () => reject(new Error('aborted')));
    }));
    void live.refreshStatus().catch(() => undefined);
    await pass(silence);
    expect(live.link.value).toBe('down');
    expect(live.whyNot.value).toBe('not connected');
    expect(live.serverNow()).toBeCloseTo(last, 2);
    expect(live.retryAt.value).toBeGreaterThan(live.now());
    vi.stubGlobal('fetch', real);
    const running = answers.status as object;
    answers.status = { ...running, boot_id: 'c', started_at: 7, now_at: serverTime() + 1 };
    await pass(1000);
    expect(live.restarted.value).toEqual({ before: 'b', after: 'c', at: 7 });
    expect(live.link.value).toBe('full'); // it is back, and still has no place
    expect(live.serverNow()).toBeCloseTo(serverTime(), 2);
  });
});

describe('the clock', () => {
  it('goes on when the machine’s own is set, forward or back', async () => {
    await connected();
    for (const step of [3600, -7200]) {
      await pass(1000);
      const before = live.serverNow();
      vi.setSystemTime(Date.now() + step * 1000);
      expect(live.serverNow()).toBeCloseTo(before, 2);
      await pass(1000);
      expect(live.serverNow()).toBeCloseTo(before + 1, 2);
      expect(live.dataAt.value).toBeLessThanOrEqual(live.now());
      say(': still here\n\n');
    }
    await pass(5100);
    expect(live.link.value).toBe('down');
    expect(live.retryAt.value - live.now()).toBeGreaterThan(0);
    expect(live.retryAt.value - live.now()).toBeLessThanOrEqual(1);
  });

  it('is put right by every status, and not by how long that takes', async () => {
    await connected();
    ahead = 50; // the server's was set, or this machine slept
    await live.refreshStatus();
    expect(live.serverNow()).toBeCloseTo(serverTime(), 2);
    ahead = -20;
    await live.refreshStatus();
    expect(live.serverNow()).toBeCloseTo(serverTime(), 2);
    travel = 4000;
    const late = live.refreshStatus();
    await pass(4000);
    await late;
    expect(live.serverNow()).toBeCloseTo(serverTime(), 2);
  });
});

it('the rings are asked for until they answer, and it is told that they are missing', async () => {
  const series = answers.series;
  answers.series = undefined;
  await connected();
  expect([...live.failing.value.keys()]).toEqual(['series']);
  say(event('series', { at: 7, values: { requests: 1 } }));
  await pass(4900);
  expect(live.ring.edges('duration')).toEqual([]);
  answers.series = { ...(series as object), histograms: { duration: { edges_seconds: [1], counts: [] } } };
  say(': still here\n\n');
  await pass(200);
  expect(live.ring.edges('duration')).toEqual([1]);
  expect(live.failing.value.size).toBe(0);
});

it('the byte rate of a stream that has gone ends at nothing', async () => {
  live.startLive();
  await pass(0);
  say(hello() + `: ${'x'.repeat(4000)}\n\n`);
  await pass(1000);
  expect(live.bytesPerSecond.value).toBeGreaterThan(1000);
  await pass(30_000);
  expect(live.bytesPerSecond.value).toBe(0);
});
