// What a resource of a screen shows, and when it is loaded again.
import { render } from 'preact';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ApiError } from '../src/api/client';
import { failing, link, paused } from '../src/state/live';
import { useLoad } from '../src/state/load';

let answer: () => Promise<string>;
let reload: () => void;
let loads: number;
const host = document.createElement('div');
function Page({ name, every = 0 }: { name: string; every?: number }) {
  const page = useLoad(name, () => {
    loads += 1;
    return answer();
  }, every);
  reload = page.reload;
  return <p>{page.data ?? page.problem?.title ?? 'nothing'}</p>;
}
const show = async (name: string, every = 0) => {
  render(<Page name={name} every={every} />, host);
  await vi.advanceTimersByTimeAsync(100);
};
const pass = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

beforeEach(() => {
  vi.useFakeTimers();
  loads = 0;
  link.value = 'live';
  answer = () => Promise.resolve(`answer ${loads}`);
});
afterEach(() => {
  render(null, host);
  paused.value = false;
  link.value = 'starting';
  vi.useRealTimers();
});

it('a paused page loads what is asked for by hand, and nothing by itself', async () => {
  await show('a', 2);
  paused.value = true;
  await pass(10_000);
  expect(host.textContent).toBe('answer 1');
  reload();
  await pass(100);
  expect(host.textContent).toBe('answer 2');
  await pass(10_000);
  expect(loads).toBe(2);
  paused.value = false;
  await pass(1100);
  expect(loads).toBe(3);
});

it('without a connection what is there stays, and is loaded again with the next one', async () => {
  await show('a', 2);
  link.value = 'down';
  await pass(10_000);
  expect(loads).toBe(1);
  link.value = 'live';
  await pass(100);
  expect(loads).toBeGreaterThan(1);
});

it('the problem of another key is not shown for this one', async () => {
  answer = () => Promise.reject(new Error('bad'));
  await show('a');
  expect(host.textContent).toBe('bad');
  answer = () => new Promise(() => undefined);
  await show('b');
  expect(host.textContent).toBe('nothing');
});

const refusal = (status: number) => () => Promise.reject(new ApiError({ type: 'x', title: `${status}`, status }));
const told = () => [...failing.value].map(([name, problem]) => `${name} ${problem.title}`);

it('what is loaded once and is said to be asked for again is asked for again', async () => {
  answer = refusal(503);
  await show('a');
  expect(told()).toEqual(['a 503']);
  answer = () => Promise.resolve('here');
  await pass(5100);
  expect(host.textContent).toBe('here');
  expect(told()).toEqual([]);
  await pass(60_000);
  expect(loads).toBe(2);
});

it('what is shown and can no longer be asked is told of, from the second time on, until it can be or nobody looks', async () => {
  await show('a', 2);
  answer = refusal(429);
  await pass(2100);
  expect(told()).toEqual([]);
  await pass(2000);
  expect(told()).toEqual(['a 429']);
  expect(host.textContent).toBe('answer 1');
  answer = () => Promise.resolve('new');
  await pass(2000);
  expect(told()).toEqual([]);
  expect(host.textContent).toBe('new');
  answer = refusal(502);
  await pass(4100);
  expect(told()).toEqual(['a 502']);
  await show('b', 2);
  expect(told()).toEqual(['b 502']); // nothing stands in its place: at once
  render(null, host);
  await pass(100);
  expect(told()).toEqual([]);
});

it('an answer that takes long is told of until it is there', async () => {
  await show('a', 2);
  answer = () => new Promise((resolve) => setTimeout(() => resolve('late'), 15_000));
  await pass(2000 + 9900);
  expect(told()).toEqual([]);
  await pass(200);
  expect(told()).toEqual(['a No answer for 10 s']);
  await pass(5000);
  expect(told()).toEqual([]);
  expect(host.textContent).toBe('late');
});

it.each([400, 404])('a refusal with %i is said where it was asked for, and there alone', async (status) => {
  answer = refusal(status);
  await show('a', 2);
  await pass(6000);
  expect(host.textContent).toBe(`${status}`);
  expect(told()).toEqual([]);
});
