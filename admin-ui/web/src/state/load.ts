// A resource of a screen: loads, keeps the old answer while a new one is on its way, reloads at a pace while it is seen. What somebody
// asks for by hand is loaded on a paused page too.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { problemOfError } from '../api/client';
import type { Problem } from '../api/types';
import { link, noteFailing, paused, restarted } from './live';

export interface Loaded<T> {
  data: T | null;
  problem: Problem | null;
  reload: () => void;
}

const kLateMs = 10_000;
/** What is loaded once, where that failed. */
const kAgainSeconds = 5;

/** `key` names what is loaded; a new key starts over. `everySeconds` 0 loads once. */
export function useLoad<T>(key: string, load: (signal: AbortSignal) => Promise<T>, everySeconds = 0): Loaded<T> {
  const data = useSignal<{ key: string; value: T } | null>(null);
  const problem = useSignal<{ key: string; value: Problem } | null>(null);
  const turn = useSignal(0);
  const served = useRef(0);
  const connected = link.value;
  const boot = restarted.value?.after ?? '';
  useEffect(() => {
    const controller = new AbortController();
    let timer = 0;
    let late = 0;
    let failures = 0;
    let isAsked = turn.value !== served.current;
    served.current = turn.value;
    const run = async () => {
      // Without a connection nobody answers, and a request that hangs takes the place of the next stream.
      const isHeld = document.hidden || ((paused.value || link.value === 'down') && data.peek()?.key === key);
      if (isHeld && !isAsked) {
        timer = window.setTimeout(run, 1000);
        return;
      }
      isAsked = false;
      let pace = everySeconds;
      late = window.setTimeout(() => noteFailing(key, { type: 'late', title: `No answer for ${kLateMs / 1000} s`, status: 0 }), kLateMs);
      try {
        const value = await load(controller.signal);
        if (controller.signal.aborted) return;
        data.value = { key, value };
        problem.value = null;
        failures = 0;
        noteFailing(key, null);
      } catch (error) {
        if (controller.signal.aborted) return;
        const found = problemOfError(error);
        problem.value = { key, value: found };
        failures += 1;
        // The first of a row is over with the next answer, mostly; what was asked wrongly or is not there is said where it was asked for.
        if (![400, 404].includes(found.status) && (failures > 1 || data.peek()?.key !== key)) {
          noteFailing(key, found);
          pace = everySeconds || kAgainSeconds;
        }
      }
      clearTimeout(late);
      if (pace > 0) timer = window.setTimeout(run, pace * 1000);
    };
    void run();
    return () => {
      controller.abort();
      clearTimeout(timer);
      clearTimeout(late);
      noteFailing(key, null);
    };
    // The loader is named by its key; a new function with the same key loads the same thing.
  }, [key, turn.value, everySeconds, connected === 'live' || connected === 'full', boot]);
  return { data: data.value?.key === key ? data.value.value : null, problem: problem.value?.key === key ? problem.value.value : null, reload: () => (turn.value += 1) };
}
