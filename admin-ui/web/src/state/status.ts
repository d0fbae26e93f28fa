// The status is asked for, the stream does not tell it: often where its figures are shown, rarely elsewhere.
import { useEffect } from 'preact/hooks';
import { problemOfError } from '../api/client';
import { link, noteFailing, paused, refreshStatus } from './live';
import type { Screen } from './router';

const kShowing: readonly Screen[] = ['overview', 'closed', 'server'];
const kShownMs = 2000;
const kElsewhereMs = 10_000;

export function useStatus(screen: Screen): void {
  const every = link.value === 'full' || kShowing.includes(screen) ? kShownMs : kElsewhereMs;
  const isAnswering = link.value === 'live' || link.value === 'full';
  useEffect(() => {
    if (!isAnswering) return;
    let isOver = false;
    let timer = 0;
    let failures = 0;
    const wait = () => {
      if (!isOver) timer = window.setTimeout(run, every);
    };
    const run = () => {
      if (document.hidden || paused.value) wait();
      else void refreshStatus().then(() => null, problemOfError).then((problem) => {
        failures = problem ? failures + 1 : 0;
        if (!isOver) noteFailing('status', failures > 1 ? problem : null);
        wait();
      });
    };
    wait();
    return () => {
      isOver = true;
      clearTimeout(timer);
      noteFailing('status', null);
    };
  }, [every, isAnswering]);
}
