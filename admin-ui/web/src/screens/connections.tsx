// Who is connected, and who is abnormal?
import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { get } from '../api/client';
import type { ConnectionPage, RoutePage, State } from '../api/types';
import { formatInt, formatTime, plural } from '../lib/format';
import { dropTerm, tokenize } from '../lib/query';
import { shellCommand } from '../lib/shell';
import { kStatesByWeight, kStates } from '../lib/vocabulary';
import * as list from '../state/connections';
import { useKeys } from '../state/keys';
import { canAct, link, overview, status, whyNot } from '../state/live';
import { useLoad } from '../state/load';
import { columns as chosenColumns, savedViews } from '../state/prefs';
import { place, setParams } from '../state/router';
import { kAll, kViews, views } from '../state/views';
import { askClose } from '../ui/close-dialog';
import { ConnGrid } from './conn-grid';
import { kColumns, sortingOf } from './conn-columns';
import { Banner, CopyButton, Kbd, Message, ProblemView, ProblemWords, Skeleton } from '../ui/parts';
import { QueryBox } from '../ui/query-box';

export function Connections() {
  const params = place.value.params;
  const query = params.query ?? '';
  const { sort, order } = sortingOf(params);
  const result = list.answer.value;
  const routes = useLoad('routes', (signal) => get<RoutePage>('routes', {}, signal));
  const again = () => void list.askConnections(query, sort, order);
  const alive = link.value === 'live' || link.value === 'full';
  useEffect(() => {
    if (alive) again();
  }, [query, sort, order, alive]);
  const isEmpty = result?.total === 0;
  useEffect(() => {
    if (isEmpty) list.watchRows([]);
  }, [isEmpty, result?.handle]);
  useEffect(() => () => list.watchRows(null), []);
  const askHere = () => {
    const here = place.peek().params;
    const at = sortingOf(here);
    void list.askConnections(here.query ?? '', at.sort, at.order);
  };
  useKeys('Connections', () => [{ key: 'r', what: 'ask the query again', run: askHere }]);
  const bad = list.problem.value?.type.endsWith('bad-query') ? list.problem.value : null;
  const run = (text: string) => setParams({ query: text });
  return (
    <div class="conns">
      <h1 class="sr-only">Connections</h1>
      <Views sort={params.sort ?? ''} query={query} />
      <QueryBox label="Query over connections" value={query} onRun={(text) => (text === query ? again() : run(text))} count={result ? formatInt(result.total) : ''} problem={bad} routes={routes.data?.rows.map((row) => row.route) ?? []} />
      <Toolbar onAgain={again} />
      {list.expired.value ? (
        <Banner look="info" mark="i" actions={<button class="small" onClick={again}>Query again <Kbd>r</Kbd></button>}>
          This list was let go after 30 s unseen. The rows below are as they were.
        </Banner>
      ) : null}
      {result && list.problem.value && !bad ? (
        <Banner look="warn" mark="!" actions={<button class="small" onClick={again}>Query again <Kbd>r</Kbd></button>}>
          <b>The list below is an old one.</b> <ProblemWords problem={list.problem.value} />
        </Banner>
      ) : null}
      <div class="panel grid-panel">
        {result === null ? (
          list.problem.value && !bad ? <ProblemView problem={list.problem.value} what="Connections" onRetry={again} /> : <Skeleton rows={14} />
        ) : result.total === 0 ? (
          <Nothing query={query} onRun={run} />
        ) : (
          <ConnGrid sort={sort} order={order} total={result.total} />
        )}
        <Footer />
      </div>
    </div>
  );
}

function Views({ query, sort }: { query: string; sort: string }) {
  const counts = useSignal<Record<string, number>>({});
  const all = views.value;
  const boot = list.answer.value?.taken_at ?? 0;
  useEffect(() => {
    if (boot === 0) return;
    const controller = new AbortController();
    for (const view of all) {
      if (view.query === '') continue;
      void get<ConnectionPage>('connections', { query: view.query, limit: 1 }, controller.signal)
        .then((page) => (counts.value = { ...counts.peek(), [view.query]: page.total }))
        .catch(() => undefined);
    }
    return () => controller.abort();
  }, [boot, savedViews.value]);
  const current = all.findIndex((view) => view.query === query && (view.sort ?? '') === sort);
  const save = () => {
    const name = query || `by ${sort}`;
    savedViews.value = [...savedViews.value.filter((view) => view.name !== name), { name, query, sort: sort || undefined }];
  };
  return (
    <nav class="views" aria-label="Saved views">
      {all.map((view, i) => {
        const count = view.name === kAll ? overview.value?.connections : view.query ? counts.value[view.query] : undefined;
        const own = i >= kViews.length;
        return (
          <span key={view.name} class={`view ${i === current ? 'on' : ''}`}>
            <button aria-pressed={i === current} onClick={() => setParams({ query: view.query, sort: view.sort ?? '', order: view.order ?? '' })}>
              {view.name} {count === undefined ? null : <span class="count">{formatInt(count)}</span>}
            </button>
            {own ? (
              <button class="ghost" aria-label={`Forget the view ${view.name}`} onClick={() => (savedViews.value = savedViews.value.filter((other) => other !== view))}>✕</button>
            ) : null}
          </span>
        );
      })}
      {current < 0 && (query || sort) ? <button class="view save" onClick={save}>Save this view</button> : null}
    </nav>
  );
}

function Toolbar({ onAgain }: { onAgain: () => void }) {
  const result = list.answer.value;
  const { added, removed } = list.drift.value;
  const hasDrifted = added > 0 || removed > 0;
  const count = list.selected.value.size;
  const close = (mode: 'close' | 'drain') => askClose(count > 0 ? { ids: [...list.selected.value], mode } : { query: result?.query ?? '', mode });
  useKeys('Connections', () => [
    { key: 'c', what: 'close the selected (or the row)', run: () => closeAtCursor('close') },
    { key: 'd', what: 'drain the selected (or the row)', run: () => closeAtCursor('drain') },
  ]);
  const why = whyNot.value;
  return (
    <div class="toolbar">
      <span>taken {formatTime(result?.taken_at)}</span>
      <span class="drift">{hasDrifted ? `${formatInt(added)} new, ${formatInt(removed)} gone` : ''}</span>
      <span role="status" class="sr-only">{hasDrifted ? 'The list has changed since.' : ''}</span>
      <button class="ghost again" onClick={onAgain}>press <Kbd>r</Kbd></button>
      <span class="spring" />
      {count > 0 ? (
        <>
          <b>{formatInt(count)} selected</b>
          <button class="small ghost" onClick={list.selectNone}>none</button>
        </>
      ) : null}
      <span role="status">{list.rangeNote.value}</span>
      <button class="small" disabled={!canAct.value} title={why ?? undefined} onClick={() => close('close')}>
        {why ? `Close… ${why}` : count > 0 ? <>Close… <Kbd>c</Kbd></> : 'Close all of these…'}
      </button>
      <ColumnChooser />
    </div>
  );
}

function closeAtCursor(mode: 'close' | 'drain'): void {
  if (!canAct.peek()) return;
  const open = place.peek().params.id;
  const ids = list.selected.peek().size > 0 ? [...list.selected.peek()] : open ? [open] : list.cursorId.peek() ? [list.cursorId.peek() ?? ''] : [];
  if (ids.length > 0) askClose({ ids, mode });
}

function ColumnChooser() {
  const open = useSignal(false);
  const box = useRef<HTMLDivElement>(null);
  useSignalEffect(() => {
    if (!open.value) return;
    const away = (event: Event) => {
      if (event instanceof KeyboardEvent ? event.key === 'Escape' : !box.current?.contains(event.target as Node)) open.value = false;
    };
    document.addEventListener('pointerdown', away);
    document.addEventListener('keydown', away);
    return () => {
      document.removeEventListener('pointerdown', away);
      document.removeEventListener('keydown', away);
    };
  });
  const chosen = new Set(chosenColumns.value ?? kColumns.filter((column) => column.byDefault).map((column) => column.id));
  const toggle = (id: string) => {
    if (!chosen.delete(id)) chosen.add(id);
    chosenColumns.value = [...chosen];
  };
  return (
    <div class="chooser" ref={box}>
      <button class="small" aria-expanded={open.value} onClick={() => (open.value = !open.value)}>Columns</button>
      {open.value ? (
        <fieldset class="popover">
          <legend class="sr-only">Columns</legend>
          {kColumns.map((column) => (
            <label key={column.id}>
              <input type="checkbox" checked={chosen.has(column.id)} disabled={column.id === 'peer' || column.id === 'state'} onChange={() => toggle(column.id)} />
              <span>{column.head}</span> <span class="sub">{column.what}</span>
            </label>
          ))}
          <button class="small" onClick={() => (chosenColumns.value = null)}>As at first</button>
        </fieldset>
      ) : null}
    </div>
  );
}

export function Nothing({ query, onRun }: { query: string; onRun: (query: string) => void }) {
  const total = overview.value?.connections ?? 0;
  const terms = tokenize(query);
  const costs = new Map(list.answer.value?.total_without?.map((cost) => [cost.term, cost.total]));
  if (terms.length === 0) {
    const listeners = status.value?.listeners ?? [];
    const first = listeners[0];
    const port = first?.address.split(':').pop() ?? '8080';
    const curl = shellCommand('curl', '-v', `${first?.tls ? 'https' : 'http'}://${location.hostname || 'localhost'}:${port}/`);
    return (
      <Message title="No connections yet">
        <p>{listeners.length > 0 ? `Listening on ${listeners.map((l) => l.address).join(' and ')}. Try one:` : 'Try one:'}</p>
        <p class="sample"><code>{curl}</code> <CopyButton text={() => curl} /></p>
        <p>It will appear here within a second of pressing <Kbd>r</Kbd>, and under Closed when it ends.</p>
      </Message>
    );
  }
  return (
    <Message
      title="Nothing matches"
      actions={
        <>
          {terms.length > 1 ? terms.map((term) => <button key={term.raw} class="small" onClick={() => onRun(dropTerm(query, term))}>Drop <span class="mono">{term.raw}</span></button>) : null}
          <button class="small" onClick={() => onRun('')}>Clear all</button>
        </>
      }
    >
      <p>{plural(total, 'connection')} {total === 1 ? 'is' : 'are'} open; none fits all of <span class="mono">{query}</span>.</p>
      {terms.length > 1 ? terms.filter(({ raw }) => (costs.get(raw) ?? 0) > 0).map(({ raw }) => <p key={raw}>Without <span class="mono">{raw}</span> it would be {formatInt(costs.get(raw))}.</p>) : null}
    </Message>
  );
}

function Footer() {
  const states = list.answer.value?.by_state;
  return (
    <footer class="grid-foot">
      <span class="states">
        {states
          ? kStatesByWeight.filter((state: State) => (states[state] ?? 0) > 0).map((state) => (
              <span key={state} class="state" title={kStates[state].word}>
                <span class={`chip st-${kStates[state].token}`} aria-hidden="true">{kStates[state].letter}</span>
                <span class="sr-only">{kStates[state].word} </span>
                {formatInt(states[state])}
              </span>
            ))
          : null}
      </span>
      <span class="spring" />
      <span class="hints"><Kbd>j</Kbd><Kbd>k</Kbd> move <Kbd>x</Kbd> select <Kbd>s</Kbd> sort <Kbd>?</Kbd> all keys</span>
    </footer>
  );
}
