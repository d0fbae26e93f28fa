// The query box: a plain text field with its terms coloured behind it and a list of what could come next.
import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Problem } from '../api/types';
import { complete, findFault, repaired, tokenize, type ValuesOf } from '../lib/query';
import { kDeadlines, kFamilyNames, kProtocols, kReasons, kStateNames } from '../lib/vocabulary';
import { useKeys } from '../state/keys';
import { overview, status } from '../state/live';
import { formatInt } from '../lib/format';
import { Banner } from './parts';

interface Props {
  value: string;
  onRun: (query: string) => void;
  count: string;
  problem: Problem | null;
  routes?: readonly string[];
  label: string;
}

const plain = (values: readonly string[]) => values.map((value) => ({ value }));

function valuesFor(routes: readonly string[]): ValuesOf {
  const counted = (counts: Record<string, number> | undefined, names: readonly string[]) =>
    names.map((value) => ({ value, hint: counts?.[value] === undefined ? '' : formatInt(counts[value]) }));
  return (field) => {
    switch (field) {
      case 'state': return counted(overview.peek()?.by_state, kStateNames);
      case 'protocol': return counted(overview.peek()?.by_protocol, kProtocols);
      case 'listener': return (status.peek()?.listeners ?? []).map(({ name, address }) => ({ value: name, hint: address }));
      case 'route': return plain(routes);
      case 'reason': return plain(kReasons);
      case 'family': return plain(kFamilyNames);
      case 'initiator': return plain(['client', 'server', 'admin', 'network']);
      case 'timer': return plain(kDeadlines);
      case 'limited': return plain(['handler', 'client_upload', 'h2_window', 'receiver_window', 'send_buffer', 'network']);
      case 'tls': return plain(['TLSv1.3', 'TLSv1.2']);
      case 'method': return plain(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
      case 'idle': case 'unused': case 'age': case 'deadline': return plain(['5s', '30s', '1m', '10m', '1h']);
      case 'rtt': return plain(['10ms', '100ms', '1s']);
      case 'pending': case 'memory': case 'sent': case 'received': case 'in_rate': case 'out_rate': return plain(['64k', '1M', '10M']);
      case 'streams': case 'requests': return plain(['1', '10', '100']);
      default: return [];
    }
  };
}

export function QueryBox({ value, onRun, count, problem, routes = [], label }: Props) {
  const text = useSignal(value);
  const open = useSignal(false);
  const active = useSignal(-1);
  const caret = useSignal(0);
  const input = useRef<HTMLInputElement>(null);
  const paint = useRef<HTMLDivElement>(null);
  // Before the field is painted, never after: it would take back what was typed meanwhile.
  useLayoutEffect(() => {
    text.value = value;
  }, [value]);
  useKeys('Query', () => [{ key: '/', what: 'query', run: () => input.current?.focus() }]);
  // What a key does depends on what was typed before it, drawn or not: keys ask for this anew.
  const optionsNow = () => (open.value ? complete(text.value, caret.value, valuesFor(routes)) : { from: 0, to: 0, items: [] });
  const { items } = optionsNow();
  const look = () => {
    caret.value = input.current?.selectionStart ?? text.value.length;
    if (paint.current && input.current) paint.current.scrollLeft = input.current.scrollLeft;
  };
  const take = (index: number) => {
    const options = optionsNow();
    const item = options.items[index];
    if (!item) return;
    const next = text.value.slice(0, options.from) + item.insert + text.value.slice(options.to).trimStart();
    const at = options.from + item.insert.length;
    text.value = next;
    active.value = -1;
    // At once, not with the next frame: the next key may come before it.
    if (input.current) input.current.value = next;
    input.current?.setSelectionRange(at, at);
    look();
  };
  const run = () => {
    open.value = false;
    onRun(text.value.trim());
  };
  const onKey = (event: KeyboardEvent) => {
    const { items } = optionsNow();
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      open.value = true;
      const step = event.key === 'ArrowDown' ? 1 : -1;
      active.value = items.length === 0 ? -1 : (active.value + step + items.length) % items.length;
    } else if (event.key === 'Tab' && open.value && items.length > 0 && !event.shiftKey && text.value.slice(0, caret.value).trim() !== '' && !/\s$/.test(text.value.slice(0, caret.value))) {
      event.preventDefault();
      take(Math.max(0, active.value));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      if (open.value && active.value >= 0) take(active.value);
      else run();
    } else if (event.key === 'Escape') {
      event.preventDefault();
      if (open.value && items.length > 0) open.value = false;
      else input.current?.blur();
    }
  };
  const fault = problem?.type.endsWith('bad-query')
    ? { position: problem.position ?? 0, length: problem.length ?? 1, message: problem.detail ?? problem.title, suggestion: problem.suggestion ?? null }
    : open.value ? null : findFault(text.value);
  const repair = () => {
    if (!fault?.suggestion) return;
    const next = repaired(text.value, fault, fault.suggestion);
    text.value = next;
    onRun(next.trim());
  };
  return (
    <div class="query-area">
      <div class={`query ${fault ? 'faulty' : ''}`}>
        <div class="query-paint mono" ref={paint} aria-hidden="true">
          {painted(text.value)}
        </div>
        <input
          ref={input}
          class="mono"
          type="text"
          role="combobox"
          aria-label={label}
          aria-expanded={open.value && items.length > 0}
          aria-controls="query-options"
          aria-autocomplete="list"
          aria-invalid={fault !== null}
          aria-activedescendant={active.value >= 0 ? `query-option-${active.value}` : undefined}
          placeholder="add a field…"
          autocomplete="off"
          spellcheck={false}
          value={text.value}
          onInput={(event) => {
            text.value = event.currentTarget.value;
            open.value = true;
            active.value = -1;
            look();
          }}
          onKeyDown={onKey}
          onKeyUp={look}
          onClick={look}
          onScroll={look}
          onFocus={() => {
            look();
            open.value = true;
          }}
          onBlur={() => {
            open.value = false;
          }}
        />
        <span class="query-count" aria-live="polite">
          {fault ? '!' : count}
        </span>
        {text.value ? (
          <button class="ghost" aria-label="Clear the query" onClick={() => { text.value = ''; onRun(''); }}>
            ✕
          </button>
        ) : (
          <kbd>/</kbd>
        )}
        <ul class="options" id="query-options" role="listbox" aria-label="Completions" hidden={!open.value || items.length === 0}>
          {items.map((item, i) => (
            <li
              key={item.label}
              id={`query-option-${i}`}
              role="option"
              aria-selected={i === active.value}
              onMouseDown={(event) => {
                event.preventDefault();
                take(i);
              }}
            >
              <span class="mono">{item.label}</span> <span class="sub">{item.hint}</span>
            </li>
          ))}
        </ul>
      </div>
      {fault ? (
        <Banner look="bad" mark="!" role="alert">
          {fault.message} at character {fault.position + 1}.{' '}
          {fault.suggestion ? (
            <>
              Did you mean <button class="link mono" onClick={repair}>{fault.suggestion}</button>?
            </>
          ) : null}
        </Banner>
      ) : null}
    </div>
  );
}

function painted(text: string) {
  const parts = [];
  let at = 0;
  for (const term of tokenize(text)) {
    if (term.start > at) parts.push(text.slice(at, term.start));
    const head = term.field === null ? 0 : term.raw.length - term.raw.replace(/^-?[A-Za-z_0-9]+(:|>=|<=|>|<)/, '').length;
    parts.push(
      <span key={term.start} class="tok">
        <b>{term.raw.slice(0, head)}</b>
        {term.raw.slice(head)}
      </span>,
    );
    at = term.end;
  }
  parts.push(text.slice(at));
  return parts;
}
