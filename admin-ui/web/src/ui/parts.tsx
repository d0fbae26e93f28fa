// Small parts every screen is made of.
import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { Phases, Problem, State } from '../api/types';
import { formatDuration } from '../lib/format';
import { familyOf, kFamilies, kPhases, kStates } from '../lib/vocabulary';
import { placeHref, place } from '../state/router';

type Children = { children?: ComponentChildren };

export function Kbd({ children }: Children) {
  return <kbd>{children}</kbd>;
}

/** Letter, colour and word; the letter alone where there is no room, never the colour alone. */
export function StateChip({ state, bare = false }: { state: State; bare?: boolean }) {
  const look = kStates[state] ?? { letter: '?', token: 'i', word: String(state) };
  return (
    <span class="state">
      <span class={`chip st-${look.token}`} aria-hidden={bare ? undefined : 'true'} title={look.word}>
        {look.letter}
      </span>
      {bare ? null : <span class="word">{look.word}</span>}
    </span>
  );
}

/** Where there is no room for one line, a name is broken between its words, a path behind a slash, and an address before its port. */
export function Breakable({ text }: { text: string }) {
  return <>{text.split(/(?<=[_:/])/).flatMap((part, i) => (i === 0 ? [part] : [<wbr key={i} />, part]))}</>;
}

export function ReasonWord({ reason }: { reason: string }) {
  const family = familyOf(reason);
  return (
    <span class="reason">
      <span class={`mark fam-${family}`} aria-hidden="true">
        {kFamilies[family].mark}
      </span>
      <span class="mono"><Breakable text={reason} /></span>
    </span>
  );
}

export function Panel({ title, sub, actions, children, cls = '', id }: Children & { title: string; sub?: ComponentChildren; actions?: ComponentChildren; cls?: string; id?: string }) {
  return (
    <section class={`panel ${cls}`} id={id} aria-label={title}>
      <header class="panel-head">
        <h2>{title}</h2>
        {sub ? <span class="sub">{sub}</span> : null}
        {actions ? <span class="actions">{actions}</span> : null}
      </header>
      {children}
    </section>
  );
}

export function Answer({ lead, rest, children, actions }: Children & { lead: string; rest?: string; actions?: ComponentChildren }) {
  return (
    <div class="answer">
      <div>
        <h1>
          {lead} {rest ? <span class="rest">{rest}</span> : null}
        </h1>
        {children ? <p>{children}</p> : null}
      </div>
      {actions ? <div class="actions">{actions}</div> : null}
    </div>
  );
}

type Look = 'info' | 'warn' | 'bad';

interface BannerProps extends Children {
  look: Look;
  mark: string;
  actions?: ComponentChildren;
  role?: 'status' | 'alert';
  /** What is announced; with it the children are only there to be read. For a text of which a part changes every second. */
  news?: ComponentChildren;
}

export function Banner({ look, mark, children, actions, role = 'status', news }: BannerProps) {
  return (
    <div class={`banner look-${look}`} role={news ? undefined : role}>
      <span class="mark" aria-hidden="true">
        {mark}
      </span>
      <span class="say">{news ? <><span role={role}>{news}</span> </> : null}{children}</span>
      {actions ? <span class="actions">{actions}</span> : null}
    </div>
  );
}

export function Message({ title, children, actions }: Children & { title: string; actions?: ComponentChildren }) {
  return (
    <div class="message">
      <h2>{title}</h2>
      {children}
      {actions ? <div class="actions">{actions}</div> : null}
    </div>
  );
}

/** The shape of the answer at its final size; nothing moves in it. */
export function Skeleton({ rows = 6 }: { rows?: number }) {
  return (
    <div class="skeleton" role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, i) => (
        <span key={i} />
      ))}
    </div>
  );
}

/** A problem in a line of text. */
export function ProblemWords({ problem: { status, title, detail } }: { problem: Problem }) {
  return <>{status ? `${status} · ` : ''}{title}. {detail ?? ''}</>;
}

export function ProblemView({ problem, onRetry, what }: { problem: Problem; onRetry?: () => void; what: string }) {
  return (
    <Message title={`${what} could not be shown`} actions={onRetry ? <button onClick={onRetry}>Try again</button> : null}>
      <p class="mono">{problem.status ? `${problem.status} · ${problem.title}` : problem.title}</p>
      {problem.detail ? <p>{problem.detail}</p> : null}
    </Message>
  );
}

export function Facts({ items, cls = '' }: { items: [string, ComponentChildren][]; cls?: string }) {
  return (
    <dl class={`facts ${cls}`}>
      {items.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** A bar of `share` (0–1); the number beside it says the same. */
export function Meter({ share, cls = '' }: { share: number; cls?: string }) {
  const width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return (
    <span class={`meter ${cls}`} aria-hidden="true">
      <span style={{ width }} />
    </span>
  );
}

export function mostIn(phases: Phases): string {
  const most = kPhases.reduce((a, b) => (phases[b.key] > phases[a.key] ? b : a));
  return `${most.phase} ${formatDuration(phases[most.key])}`;
}

/** Phases side by side; `scale` is the duration of the full width. */
export function PhaseBar({ phases, scale }: { phases: Phases; scale: number }) {
  const words = kPhases.filter(({ key }) => phases[key] > 0).map(({ phase, key }) => `${phase} ${formatDuration(phases[key])}`);
  return (
    <span class="phases" role="img" aria-label={words.join(', ') || 'no time'} title={words.join(', ')}>
      {kPhases.map(({ phase, key }) =>
        phases[key] > 0 ? <span key={phase} class={`ph-${phase}`} style={{ width: `${Math.min(100, (phases[key] / (scale || 1)) * 100)}%` }} /> : null,
      )}
    </span>
  );
}

export function PhaseLegend() {
  return (
    <span class="legend">
      {kPhases.map(({ phase }) => (
        <span key={phase}>
          <i class={`ph-${phase}`} />
          {phase}
        </span>
      ))}
    </span>
  );
}

export function CopyButton({ text, label = 'Copy' }: { text: () => string; label?: string }) {
  const said = useSignal(label);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text());
      said.value = 'Copied';
    } catch {
      said.value = 'Not allowed';
    }
    setTimeout(() => (said.value = label), 1500);
  };
  return (
    <button class="small" onClick={() => void copy()} aria-live="polite">
      {said.value}
    </button>
  );
}

export function Segments<T extends string>({ value, options, onPick, label }: { value: T; options: readonly { value: T; label: ComponentChildren }[]; onPick: (value: T) => void; label: string }) {
  return (
    <span class="segments" role="group" aria-label={label}>
      {options.map((option) => (
        <button key={option.value} aria-pressed={option.value === value} onClick={() => onPick(option.value)}>
          {option.label}
        </button>
      ))}
    </span>
  );
}

/** Opens a connection in the drawer, on whichever screen this is. */
export function ConnLink({ id }: { id: string }) {
  return (
    <a class="mono conn-link" href={placeHref(place.value.screen, { ...place.value.params, id })}>
      {id}
    </a>
  );
}

export function RouteLink({ route, method }: { route: string; method?: string | null }) {
  return (
    <a class="mono" href={placeHref('latency', { route })}>
      {method ? `${method} ${route}` : route}
    </a>
  );
}
