// Closing connections: first the exact count, then a typed confirmation for more than one, then a paced job that can be stopped.
import { signal, useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { act, problemOfError } from '../api/client';
import type { ClosePreview, Job, Problem, State } from '../api/types';
import { formatDuration, formatInt, plural } from '../lib/format';
import { kStates } from '../lib/vocabulary';
import * as list from '../state/connections';
import { canAct, jobs, whyNot } from '../state/live';
import { Dialog } from './dialog';
import { Banner, Kbd, Meter } from './parts';
import { RefusedDialog } from './refused';

export interface CloseTarget {
  query?: string;
  ids?: string[];
  mode: 'close' | 'drain';
}

export const closing = signal<CloseTarget | null>(null);
export function askClose(target: CloseTarget): void {
  closing.value = target;
}

export function CloseDialog({ target }: { target: CloseTarget }) {
  const preview = useSignal<ClosePreview | null>(null);
  const refused = useSignal<Problem | null>(null);
  const mode = useSignal(target.mode);
  const rate = useSignal('');
  const reason = useSignal('');
  const typed = useSignal('');
  const busy = useSignal(false);
  const done = () => (closing.value = null);
  const expired = useSignal(0);  // how often the preview was let go before it was confirmed
  const body = (dryRun: boolean) => ({
    // Those that were counted are closed, not those that the query would find by then.
    ...(!dryRun && preview.value?.handle ? { handle: preview.value.handle } : target.ids ? { ids: target.ids } : { query: target.query ?? '' }),
    mode: mode.value,
    ...(Number(rate.value) > 0 ? { rate: Number(rate.value) } : {}),
    ...(reason.value ? { reason: reason.value } : {}),
    dry_run: dryRun,
  });
  useEffect(() => {
    let stale = false;
    act<ClosePreview>('POST', 'connections/close', body(true))
      .then((answer) => !stale && (preview.value = answer))
      .catch((error: unknown) => !stale && (refused.value = problemOfError(error)));
    return () => {
      stale = true;
    };
  }, [mode.value, rate.value, expired.value]);
  const count = preview.value?.count ?? 0;
  const verb = mode.value === 'drain' ? 'Drain' : 'Close';
  const confirmed = count <= 1 || typed.value.replaceAll(',', '').trim() === String(count);
  const run = async () => {
    busy.value = true;
    try {
      const job = await act<Job>('POST', 'connections/close', body(false));
      jobs.value = new Map(jobs.value).set(job.id, job);
      list.selectNone();
      done();
    } catch (error) {
      const problem = problemOfError(error);
      if (problem.status === 410) {
        preview.value = null;
        typed.value = '';
        expired.value += 1;
      } else {
        refused.value = problem;
      }
    } finally {
      busy.value = false;
    }
  };
  if (refused.value) return <RefusedDialog what={verb} problem={refused.value} onClose={done} />;
  return (
    <Dialog label={`${verb} connections`} onClose={done}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (confirmed && count > 0 && !busy.value) void run();
        }}
      >
        <h2 aria-live="polite">{preview.value ? `${verb} ${plural(count, 'connection')}?` : 'Counting…'}</h2>
        <p class="mono">{target.ids ? target.ids.slice(0, 6).join(' ') + (target.ids.length > 6 ? ' …' : '') : target.query || 'every connection'}</p>
        {expired.value > 0 ? <p role="status">The count was older than 30 s and was taken anew.</p> : null}
        {preview.value ? <p>{effect(preview.value, mode.value)}</p> : null}
        {preview.value?.by_state ? <StateCounts counts={preview.value.by_state} /> : null}
        <div class="fields">
          <label>
            How
            <select value={mode.value} onChange={(event) => (mode.value = event.currentTarget.value as 'close' | 'drain')}>
              <option value="close">close now</option>
              <option value="drain">let running requests finish</option>
            </select>
          </label>
          <label>
            Per second
            <input type="number" min="1" inputMode="numeric" placeholder="as fast as allowed" value={rate.value} onChange={(event) => (rate.value = event.currentTarget.value)} />
          </label>
          <label>
            Reason, for the audit trail
            <input type="text" maxLength={200} value={reason.value} onInput={(event) => (reason.value = event.currentTarget.value)} />
          </label>
          {count > 1 ? (
            <label>
              Type {count}
              <input type="text" class="mono" inputMode="numeric" autocomplete="off" value={typed.value} onInput={(event) => (typed.value = event.currentTarget.value)} />
            </label>
          ) : null}
        </div>
        <div class="dialog-actions">
          <button type="button" onClick={done}>Cancel <Kbd>Esc</Kbd></button>
          <button type="submit" class="danger" disabled={!confirmed || count === 0 || busy.value}>{verb} {formatInt(count)}</button>
        </div>
      </form>
    </Dialog>
  );
}

/** What the confirmation is about to do, in words. */
export function effect(preview: ClosePreview, mode: string): string {
  const parts = [];
  if (preview.seconds) parts.push(`It takes ${formatDuration(preview.seconds)} and can be stopped.`);
  if (preview.mid_request) {
    parts.push(mode === 'drain' ? `${plural(preview.mid_request, 'finishes its request', 'finish their requests')} first.` : `${plural(preview.mid_request, 'is', 'are')} in a request and would be cut.`);
  } else if (preview.count > 0) parts.push('None is in a request.');
  return parts.join(' ') || 'Nothing matches any more.';
}

function StateCounts({ counts }: { counts: Record<string, number> }) {
  return (
    <p class="state-counts">
      {Object.entries(counts).filter(([, n]) => n > 0).map(([state, n]) => {
        const look = kStates[state as State];
        return look ? <span key={state} class="state"><span class={`chip st-${look.token}`} aria-hidden="true">{look.letter}</span>{look.word} {formatInt(n)}</span> : null;
      })}
    </p>
  );
}

/** Jobs that run, or ended in this page and were not yet put away. */
export function JobBanners() {
  const shown = [...jobs.value.values()];
  const forget = (id: string) => {
    const next = new Map(jobs.value);
    next.delete(id);
    jobs.value = next;
  };
  const refused = useSignal<Problem | null>(null);
  const stop = async (id: string) => {
    try {
      const job = await act<Job>('DELETE', `jobs/${encodeURIComponent(id)}`);
      jobs.value = new Map(jobs.value).set(id, job);
    } catch (error) {
      refused.value = problemOfError(error);
    }
  };
  return (
    <>
      {shown.slice(-3).map((job) => {
        const gone = job.gone ?? 0;
        const running = job.state === 'running';
        return (
          <Banner
            key={job.id}
            look="info"
            mark="J"
            news={<b>{running ? 'Closing' : job.state === 'stopped' ? 'Stopped closing' : 'Closed'} {formatInt(running ? job.total : job.done)}{job.rate ? ` at ${formatInt(job.rate)}/s` : ''}.</b>}
            actions={running ? <button class="small" disabled={!canAct.value} title={whyNot.value ?? undefined} onClick={() => void stop(job.id)}>Stop{whyNot.value ? `: ${whyNot.value}` : ''}</button> : <button class="small" onClick={() => forget(job.id)}>Put away</button>}
          >
            {running ? `${formatInt(job.done)} closed, ` : `of ${formatInt(job.total)}, `}{formatInt(gone)} had gone by themselves.
            <Meter share={job.total > 0 ? (job.done + gone) / job.total : 1} />
          </Banner>
        );
      })}
      {refused.value ? <RefusedDialog what="Stopping" problem={refused.value} onClose={() => (refused.value = null)} /> : null}
    </>
  );
}
