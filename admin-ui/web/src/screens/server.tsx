// How is it configured; change it safely.
import { useSignal } from '@preact/signals';
import { act, get, problemOfError } from '../api/client';
import type { AuditPage, CertificatePage, ConfigPage, Drain, LogLevel, LogLevelPage, Problem } from '../api/types';
import { formatBytes, formatDate, formatDuration, formatInt, formatMoment, formatTime, plural } from '../lib/format';
import { canAct, clock, isAdmin, overview, refreshStatus, serverNow, session, status, whyNot } from '../state/live';
import { useKeys } from '../state/keys';
import { useLoad } from '../state/load';
import { DataTable } from '../ui/data-table';
import { Dialog } from '../ui/dialog';
import { Answer, Breakable, ConnLink, Facts, Kbd, Panel, ProblemView, Segments, Skeleton } from '../ui/parts';
import { RefusedDialog, type Refusal } from '../ui/refused';

export function Server() {
  const config = useLoad<ConfigPage>('config', (signal) => get('config', {}, signal), 15);
  const certificates = useLoad<CertificatePage>('certificates', (signal) => get('certificates', {}, signal), 30);
  const refused = useSignal<Refusal | null>(null);
  const said = useSignal('');
  const changed = config.data?.rows.filter((row) => row.changed).length ?? 0;
  const soon = certificates.data?.rows.filter((row) => row.not_after_at - serverNow() < 14 * 86400).length ?? 0;
  const reload = async () => {
    try {
      const answer = await act<{ changed: string[] }>('POST', 'reload');
      said.value = answer.changed.length ? `Reloaded; changed: ${answer.changed.join(', ')}.` : 'Reloaded; nothing changed.';
      config.reload();
      certificates.reload();
    } catch (error) {
      refused.value = { what: 'Reload', problem: problemOfError(error) };
    }
  };
  return (
    <div class="page server">
      <Answer
        lead={config.data?.loaded_at ? `Running the configuration of ${formatMoment(config.data.loaded_at, serverNow())}.` : 'Configuration'}
        rest={config.data ? `${plural(changed, 'value differs', 'values differ')} from the defaults; ${soon === 0 ? 'no certificate ends' : plural(soon, 'certificate ends', 'certificates end')} within 14 days.` : ''}
        actions={
          <button disabled={!isAdmin.value} title={isAdmin.value ? undefined : (whyNot.value ?? 'A reload needs the role admin')} onClick={() => void reload()}>Reload</button>
        }
      >
        {session.value?.how === 'loopback' ? `Every local user is ${session.value.role} here: the admin address is loopback and no tokens file is set.` : `Signed in as ${session.value?.actor ?? '–'}, ${session.value?.role ?? '–'}.`}
        {config.data?.last_reload_successful === false ? <> <b class="bad">The last reload was refused: {config.data.last_reload_error ?? 'see the log'}.</b></> : null}
        <span role="status"> {said.value}</span>
      </Answer>
      <DrainPanel onRefused={(what, problem) => (refused.value = { what, problem })} />
      <ConfigPanel page={config.data} problem={config.problem} onRetry={config.reload} />
      <div class="side">
        <Certificates page={certificates.data} />
        <LogLevels onRefused={(what, problem) => (refused.value = { what, problem })} />
        <Build />
      </div>
      <Audit />
      {refused.value ? <RefusedDialog {...refused.value} onClose={() => (refused.value = null)} /> : null}
    </div>
  );
}

/** A key may break before its dots and brackets, nowhere else. */
const breakable = (key: string) => key.split(/(?=[.[])/).map((part, i) => <>{i > 0 ? <wbr /> : null}{part}</>);
/** Text without the quotes of its notation; everything else as it would be written. */
const plain = (value: string) => (/^"[^"\\]+"$/.test(value) ? value.slice(1, -1) : value);
/** The file's name is enough where its whole path stands above. */
const shortOrigin = (origin: string) => origin.replace(/^.*\/(?=[^/]+:\d+:\d+$)/, '');

function ConfigPanel({ page, problem, onRetry }: { page: ConfigPage | null; problem: Problem | null; onRetry: () => void }) {
  const which = useSignal<'changed' | 'all'>('all');
  const find = useSignal('');
  const rows = page?.rows ?? [];
  const shown = rows.filter((row) => (which.value === 'all' || row.changed) && `${row.key} ${row.value}`.includes(find.value));
  const groups = [...new Set(shown.map((row) => row.key.split(/[.[]/)[0] ?? ''))];
  const many = (group: string) => shown.filter((row) => row.key.split(/[.[]/)[0] === group);
  const effect = { yes: 'yes', restart: 'restart', new_connections: 'new only' } as const;
  return (
    <Panel title="Effective configuration" sub={page?.file ? <span class="path">{page.file}, with the origin of each value</span> : 'with the origin of each value'} cls="config" actions={<><input type="search" class="find" placeholder="find" aria-label="Find a key or value" value={find.value} onInput={(e) => (find.value = e.currentTarget.value)} /><Segments label="Which values" value={which.value} onPick={(value) => (which.value = value)} options={[{ value: 'changed', label: <>changed <b>{rows.filter((row) => row.changed).length}</b></> }, { value: 'all', label: 'all' }]} /></>}>
      {page === null ? problem ? <ProblemView problem={problem} what="The configuration" onRetry={onRetry} /> : <Skeleton rows={12} /> : (
        <table class="config-table">
          <caption class="sr-only">Effective configuration</caption>
          <thead><tr><th scope="col">key</th><th scope="col">value</th><th scope="col">origin</th><th scope="col" class="p2">default</th><th scope="col" class="p2">on reload</th></tr></thead>
          {groups.map((group) => (
            <tbody key={group}>
              <tr class="group"><th colSpan={5} scope="rowgroup">{group}</th></tr>
              {many(group).map((row) => (
                <tr key={row.key}>
                  <td class="mono key">{breakable(row.key)}</td>
                  <td class="mono">{row.changed ? <b title="differs from the default"><Breakable text={plain(row.value)} /></b> : <Breakable text={plain(row.value)} />}</td>
                  <td class="origin" title={row.origin}>{shortOrigin(row.origin)}</td>
                  <td class="sub p2"><Breakable text={row.default ?? 'none'} /></td>
                  <td class="sub p2">{effect[row.reload]}</td>
                </tr>
              ))}
            </tbody>
          ))}
        </table>
      )}
    </Panel>
  );
}

type Refused = (what: string, problem: Problem) => void;

function DrainPanel({ onRefused }: { onRefused: Refused }) {
  const plan = useSignal<Drain | null>(null);
  const asking = useSignal(false);
  const running = overview.value?.drain ?? status.value?.drain ?? null;
  const draining = overview.value?.draining ?? false;
  const start = async () => {
    if (!canAct.peek() || draining) return;
    try {
      plan.value = await act<Drain>('POST', 'drain', { dry_run: true });
      asking.value = true;
    } catch (error) {
      onRefused('The preview', problemOfError(error));
    }
  };
  useKeys('Server', () => [{ key: 'd', what: 'drain the server, after a preview', run: () => void start() }], [draining]);
  const run = async (verb: 'drain' | 'undrain') => {
    asking.value = false;
    try {
      await act<Drain>('POST', verb);
      await refreshStatus();
    } catch (error) {
      onRefused(verb === 'drain' ? 'The drain' : 'Undrain', problemOfError(error));
    }
  };
  // What a drain would do is worth looking at before anybody asks for one; the figures of the dialog are those of its own moment.
  const shown = draining ? running : (status.value?.drain ?? null);
  return (
    <Panel
      title="Drain cockpit"
      cls="cockpit"
      sub={draining ? `${running?.state ?? 'draining'} since ${formatTime(running?.started_at)}` : 'preview'}
      actions={draining ? <button class="small" disabled={!canAct.value} onClick={() => void run('undrain')}>Undrain</button> : <button class="small danger" disabled={!canAct.value} title={whyNot.value ?? undefined} onClick={() => void start()}>Drain… {whyNot.value ?? <Kbd>d</Kbd>}</button>}
    >
      {shown ? <Steps drain={shown} running={draining} /> : <Skeleton rows={6} />}
      {asking.value && plan.value ? (
        <Dialog label="Start a drain" onClose={() => (asking.value = false)}>
          <h2>Start the drain?</h2>
          <p>{plural(plan.value.connections_left ?? 0, 'connection')}, {plural(plan.value.requests_in_flight ?? 0, 'request')} in flight. The listeners stay open and the process goes on; it can be taken back.</p>
          <Steps drain={plan.value} running={false} />
          <div class="dialog-actions"><button autofocus onClick={() => (asking.value = false)}>Cancel <Kbd>Esc</Kbd></button><button class="danger" onClick={() => void run('drain')}>Drain</button></div>
        </Dialog>
      ) : null}
    </Panel>
  );
}

function Steps({ drain, running }: { drain: Drain; running: boolean }) {
  void clock.value;
  const delay = drain.delay_seconds ?? 0;
  const limit = delay + (drain.timeout_seconds ?? 0);
  const elapsed = running && drain.started_at ? serverNow() - drain.started_at : 0;
  const steps: [number | null, string, string][] = [
    [0, '/readyz answers 503; still serving', ''],
    [delay, `GOAWAY to ${formatInt(drain.h2)} HTTP/2; idle connections end as they fall silent`, drain.idle ? `−${formatInt(drain.idle)}` : ''],
    [delay, `${plural(drain.requests_in_flight ?? 0, 'running request')} to finish`, ''],
    [drain.estimate_seconds === null || drain.estimate_seconds === undefined ? null : elapsed + drain.estimate_seconds, running ? 'expected end' : 'the last one ends', ''],
    [limit, running ? 'Limit: what is left from before is cut' : 'Limit: what is left from before would be cut', ''],
  ];
  return (
    <>
      <p class="eta"><b>{drain.state === 'drained' ? 'Drained' : drain.estimate_seconds === null || drain.estimate_seconds === undefined ? `no estimate${drain.no_estimate ? `: ${drain.no_estimate}` : ''}` : `about ${formatDuration(drain.estimate_seconds)}`}</b> <span class="sub">{running ? `${plural(drain.connections_left ?? 0, 'connection')} left, ${formatDuration(elapsed)} in` : `until all is idle; the limit is ${formatDuration(limit)}`}</span></p>
      <ol class="steps">
        {steps.map(([at, what, gone], i) => (
          <li key={i} class={running && at !== null && at <= elapsed ? 'past' : ''}><span class="num">{at === null ? '–' : formatDuration(at)}</span><span>{what}</span><b>{gone}</b></li>
        ))}
      </ol>
      {drain.holders?.length ? (
        <table class="holders">
          <caption class="sr-only">What holds the drain longest</caption>
          <thead><tr><th scope="col">holds it longest</th><th scope="col" class="num">for</th><th scope="col" class="num">left</th><th scope="col" class="num">about</th></tr></thead>
          {drain.holders.map((holder) => (
            // Words below the figures: six columns side by side are wider than any place this table has.
            <tbody key={holder.id}>
              <tr><td><ConnLink id={holder.id} /></td><td class="num">{formatDuration(holder.age_seconds)}</td><td class="num">{formatBytes(holder.left_bytes)}</td><td class="num">{formatDuration(holder.estimate_seconds)}</td></tr>
              <tr><td colSpan={4}><div><span class="sub">waits for</span> {holder.waiting_for ?? '–'}</div> <div><span class="sub">request</span> <span class="mono">{holder.target ?? holder.route ?? '–'}</span></div></td></tr>
            </tbody>
          ))}
        </table>
      ) : null}
    </>
  );
}

function Certificates({ page }: { page: CertificatePage | null }) {
  return (
    <Panel title="Certificates" sub="reload by themselves">
      {page === null ? <Skeleton rows={2} /> : page.rows.length === 0 ? <p class="quiet">No TLS listener.</p> : (
        <table>
          <caption class="sr-only">Certificates</caption>
          <thead><tr><th scope="col">name</th><th scope="col">for</th><th scope="col">ends</th><th scope="col" class="num">days</th></tr></thead>
          <tbody>
            {page.rows.map((row) => {
              const days = Math.floor((row.not_after_at - serverNow()) / 86400);
              return <tr key={`${row.listener}/${row.name}`}><td title={row.listener}>{row.name}</td><td class="cut" title={`${row.names.join(', ')}; ${row.key ?? ''}`}>{row.names.join(', ')}{row.self_signed ? ' (self-signed)' : ''}</td><td>{formatDate(row.not_after_at)}</td><td class={`num ${days < 14 ? 'warn' : ''}`}>{days < 14 ? '! ' : ''}{formatInt(days)}</td></tr>;
            })}
          </tbody>
        </table>
      )}
    </Panel>
  );
}

const kLevels: LogLevel[] = ['warn', 'info', 'debug'];

function LogLevels({ onRefused }: { onRefused: Refused }) {
  void clock.value;
  const page = useLoad<LogLevelPage>('log-level', (signal) => get('log-level', {}, signal), 10);
  const minutes = useSignal('15');
  const set = async (component: string, level: LogLevel) => {
    try {
      await act('PUT', 'log-level', { component, level, ...(Number(minutes.value) > 0 ? { for_seconds: Number(minutes.value) * 60 } : {}) });
      page.reload();
    } catch (error) {
      onRefused('The log level', problemOfError(error));
    }
  };
  return (
    <Panel title="Log levels" actions={<label class="pick">for <select value={minutes.value} onChange={(e) => (minutes.value = e.currentTarget.value)}><option value="5">5 min</option><option value="15">15 min</option><option value="60">1 h</option><option value="0">good</option></select></label>}>
      {page.data?.rows.map((row) => (
        <div key={row.component} class="level">
          <span>{row.component === 'all' ? 'all components' : row.component}</span>
          <span class="segments" role="group" aria-label={`Level of ${row.component}`}>
            {(kLevels.includes(row.level) ? kLevels : [...kLevels, row.level]).map((level) => <button key={level} disabled={!canAct.value} aria-pressed={level === row.level} onClick={() => void set(row.component, level)}>{level}</button>)}
          </span>
          <span class={row.reverts_at ? 'warn' : 'sub'}>{row.reverts_at ? `${row.configured} again in ${formatDuration(Math.max(0, row.reverts_at - serverNow()))}` : row.level === row.configured ? 'as configured' : `configured ${row.configured}`}</span>
        </div>
      )) ?? <Skeleton rows={2} />}
    </Panel>
  );
}

function Build() {
  const s = status.value;
  const p = s?.process;
  return (
    <Panel title="Build">
      <Facts items={[
        ['Version', s?.version ?? '–'],
        ['Revision', <span class="mono">{s?.build?.revision ?? '–'}</span>],
        ['Compiler', s?.build?.compiler ?? '–'],
        ['TLS', s?.build?.tls ?? '–'],
        ['nghttp2', s?.build?.nghttp2 ?? '–'],
        ['llhttp', s?.build?.llhttp ?? '–'],
        ['Process', p ? `${p.pid ?? '–'}, ${formatInt(p.threads)} threads` : '–'],
        ['Memory', formatBytes(p?.resident_memory_bytes)],
        ['Descriptors', p ? `${formatInt(p.open_fds)} of ${formatInt(p.max_fds)}` : '–'],
        ['Viewers', s ? `${formatInt(overview.value?.viewers ?? s.viewers)} of ${formatInt(s.limits.viewers)}` : '–'],
      ]} />
    </Panel>
  );
}

function Audit() {
  const page = useLoad<AuditPage>('audit', (signal) => get('audit', { limit: 50 }, signal), 5);
  return (
    <Panel title="Audit" sub="every action, with who and what came of it" cls="audit">
      {page.data === null ? <Skeleton rows={4} /> : page.data.rows.length === 0 ? <p class="quiet">Nobody has changed anything yet.</p> : (
        <DataTable
          caption="Audit trail"
          rows={page.data.rows}
          rowKey={(row) => `${row.at}${row.what}`}
          columns={[
            { id: 'at', head: 'when', cell: (r) => formatMoment(r.at, serverNow()) },
            { id: 'actor', head: 'who', cell: (r) => `${r.actor}${r.role ? `, ${r.role}` : ''}` },
            { id: 'action', head: 'action', cell: (r) => r.action },
            { id: 'what', head: 'what', priority: 2, cls: 'cut', cell: (r) => <span class="mono">{r.what}{r.reason ? ` (${r.reason})` : ''}</span> },
            { id: 'result', head: 'result', cell: (r) => <span class={r.result === 'done' ? 'good' : 'bad'}>{r.result}</span> },
          ]}
        />
      )}
    </Panel>
  );
}
