// The status is asked for, the stream does not tell it: often where its figures are shown, rarely elsewhere.
import { useEffect } from 'preact/hooks';
import { link, paused, refreshStatus } from './live';
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
    const wait = () => {
      if (!isOver) timer = window.setTimeout(run, every);
    };
    const run = () => {
      if (document.hidden || paused.value) wait();
      else void refreshStatus().catch(() => undefined).then(wait);
    };
    wait();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [every, isAnswering]);
}
