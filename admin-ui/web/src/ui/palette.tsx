// Screens, verbs, saved views and ids in one list.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { get } from '../api/client';
import type { ClosedPage, ConnectionPage } from '../api/types';
import { findFault, tokenize } from '../lib/query';
import { kStates } from '../lib/vocabulary';
import { canAct, togglePause } from '../state/live';
import { compact, toggleTheme } from '../state/prefs';
import { go, kScreens, place, setParams } from '../state/router';
import { kAll, views } from '../state/views';
import { helpOpen, horizonOpen, paletteOpen } from '../state/windows';
import { askClose } from './close-dialog';
import { Dialog } from './dialog';
import { Kbd } from './parts';

interface Command {
  label: string;
  hint: string;
  key?: string;
  run: () => void;
}

function fixed(): Command[] {
  return [
    ...kScreens.map((screen) => ({ label: screen.name, hint: 'go to screen', key: `g ${screen.key}`, run: () => go(screen.id) })),
    ...views.value.filter((view) => view.name !== kAll).map((view) => ({ label: view.name, hint: 'view of connections', run: () => go('connections', { query: view.query, sort: view.sort, order: view.order }) })),
    { label: 'Switch the theme', hint: '', key: 't', run: toggleTheme },
    { label: compact.value ? 'Normal density' : 'Compact density', hint: '', run: () => (compact.value = !compact.value) },
    { label: 'Pause or go on', hint: 'live updates', key: 'p', run: togglePause },
    { label: 'Preview a drain', hint: 'server', run: () => go('server') },
    { label: 'The last 15 minutes as a table', hint: 'requests and changes', run: () => (horizonOpen.value = true) },
    { label: 'Help', hint: 'every key', key: '?', run: () => (helpOpen.value = true) },
  ];
}

export function Palette() {
  const text = useSignal('');
  const active = useSignal(0);
  const found = useSignal<{ text: string; commands: Command[] }>({ text: '', commands: [] });
  const list = useRef<HTMLUListElement>(null);
  const done = () => (paletteOpen.value = false);
  useEffect(() => {
    const typed = text.value.trim();
    if (typed.length < 2 || findFault(typed)) return;
    const controller = new AbortController();
    const timer = setTimeout(() => void search(typed, controller.signal).then((commands) => (found.value = { text: typed, commands })).catch(() => undefined), 150);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [text.value]);
  const typed = text.value.trim();
  const words = typed.toLowerCase();
  const commands = [...(found.value.text === typed && typed ? found.value.commands : []), ...fixed().filter((command) => `${command.label} ${command.hint}`.toLowerCase().includes(words)), ...(typed ? queries(typed) : [])].slice(0, 14);
  const run = (command: Command | undefined) => {
    if (!command) return;
    done();
    command.run();
  };
  const onKey = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && commands.length > 0) {
      event.preventDefault();
      active.value = (active.value + step + commands.length) % commands.length;
      list.current?.children[active.value]?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter') {
      event.preventDefault();
      run(commands[active.value]);
    }
  };
  return (
    <Dialog label="Query or command" onClose={done} cls="palette">
      <input
        type="text"
        role="combobox"
        aria-label="Query or command"
        aria-expanded="true"
        aria-controls="palette-list"
        aria-activedescendant={commands.length ? `palette-${active.value}` : undefined}
        placeholder="A screen, a verb, a query, or the start of an id"
        autocomplete="off"
        spellcheck={false}
        value={text.value}
        onInput={(event) => {
          text.value = event.currentTarget.value;
          active.value = 0;
        }}
        onKeyDown={onKey}
      />
      <ul id="palette-list" role="listbox" aria-label="Commands" ref={list}>
        {commands.map((command, i) => (
          <li key={command.label + command.hint} id={`palette-${i}`} role="option" aria-selected={i === active.value} onMouseMove={() => (active.value = i)} onClick={() => run(command)}>
            <span>{command.label}</span> <span class="sub">{command.hint}</span> {command.key ? <Kbd>{command.key}</Kbd> : null}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

function queries(typed: string): Command[] {
  const commands: Command[] = [
    { label: `Query ${typed}`, hint: 'connections', key: '↵', run: () => go('connections', { query: typed }) },
    { label: `Closed ${typed}`, hint: 'closed connections', run: () => go('closed', { query: typed }) },
  ];
  if (canAct.value && tokenize(typed).some((term) => term.field !== null)) commands.push({ label: `Close ${typed} …`, hint: 'counts first', run: () => askClose({ query: typed, mode: 'close' }) });
  return commands;
}

/** Connections whose id, peer or target begins like this, live ones first. */
async function search(typed: string, signal: AbortSignal): Promise<Command[]> {
  const bare = tokenize(typed).every((term) => term.field === null);
  const query = bare && /^[0-9a-f]+[-·.:0-9a-f]*$/i.test(typed) && !typed.includes('.') ? `id:${typed}*` : typed;
  const [live, closed] = await Promise.all([
    get<ConnectionPage>('connections', { query, limit: 4 }, signal).catch(() => null),
    get<ClosedPage>('closed', { query, limit: 3 }, signal).catch(() => null),
  ]);
  const open = (id: string) => () => (place.peek().screen === 'overview' ? go('connections', { id }) : setParams({ id }));
  return [
    ...(live?.rows ?? []).map((row) => ({ label: row.id, hint: `live, ${kStates[row.state].word}, ${row.peer}`, run: open(row.id) })),
    ...(closed?.rows ?? []).map((row) => ({ label: row.id, hint: `closed, ${row.reason}, ${row.peer}`, run: open(row.id) })),
  ];
}
