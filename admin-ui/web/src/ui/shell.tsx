// The frame around every screen: header, rail, banners, and the tab bar of a small screen.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { formatBytes, formatCompact, formatDuration, formatInt, formatQuantile, formatTime } from '../lib/format';
import { awaitingScreen } from '../state/keys';
import { bytesPerSecond, clock, connect, dataAt, degraded, failing, lastProblem, link, now, overview, paused, restarted, resumed, retryAt, serverNow, session, skew, stalls, status, togglePause } from '../state/live';
import { isDark, toggleTheme } from '../state/prefs';
import { kScreens, place, placeHref, type Screen } from '../state/router';
import { helpOpen, paletteOpen, signInOpen } from '../state/windows';
import { JobBanners } from './close-dialog';
import { Banner, Kbd, ProblemWords } from './parts';

function Logo() {
  return (
    <svg class="logo" viewBox="0 0 20 20" aria-hidden="true">
      <circle cx="10" cy="10" r="8.5" class="logo-day" />
      <path d="M1.5 10a8.5 8.5 0 0 0 17 0z" class="logo-night" />
      <rect y="8.8" width="20" height="2.4" rx="1.2" class="logo-band" />
    </svg>
  );
}

export function Header() {
  void clock.value;
  const s = status.value;
  const word = { starting: 'Connecting', live: paused.value ? 'Paused' : 'Live', down: 'Not connected', full: 'Not live', signin: 'Signed out' }[link.value];
  return (
    <header class="head">
      <a class="brand" href={placeHref('overview')} aria-label="Equinox, overview"><Logo /><b>Equinox</b></a>
      <span class="identity">
        <b title={s?.instance}>{s?.instance ?? ''}</b>
        <span>{s?.version}</span>
        <span title={s?.boot_id}>boot {s?.boot_id.slice(0, 9)}</span>
        <span>up {s ? formatDuration(Math.max(0, serverNow() - s.started_at)) : ''}</span>
      </span>
      <button class="command" onClick={() => (paletteOpen.value = true)} aria-label="Query or command">
        <span>Query or command</span> <Kbd>⌘K</Kbd>
      </button>
      <button class={`link-state ${link.value} ${paused.value ? 'paused' : ''}`} aria-pressed={paused.value} title={paused.value ? 'Go on (p)' : 'Pause (p)'} onClick={togglePause}>
        <i class="dot" aria-hidden="true" /><b>{word}</b>
        <span class="rate">{link.value === 'live' && !paused.value ? `1 Hz · ${formatBytes(bytesPerSecond.value)}/s` : ''}</span>
      </button>
      <button class="badge" aria-label={`Role: ${session.value?.role ?? 'unknown'}. Change`} onClick={() => (signInOpen.value = true)}>{session.value?.role ?? '…'}</button>
      <button class="ghost" aria-label={isDark() ? 'Switch to the light theme' : 'Switch to the dark theme'} onClick={toggleTheme}>◐</button>
      <button class="ghost help-button" aria-label="Help" onClick={() => (helpOpen.value = true)}>?</button>
    </header>
  );
}

function figureOf(screen: Screen): { text: string; bad?: boolean } {
  const o = overview.value;
  if (!o) return { text: '' };
  switch (screen) {
    case 'connections': return { text: formatCompact(o.connections) };
    case 'closed': return { text: `${formatInt(Math.round(o.closed_per_second ?? 0))}/s` };
    case 'latency': return { text: o.p99_seconds ? formatQuantile(o.p99_seconds) : '' };
    case 'http2': return { text: formatCompact(o.h2_streams) };
    case 'reactors': return stalls.value.size > 0 ? { text: `${stalls.value.size} stall${stalls.value.size > 1 ? 's' : ''}`, bad: true } : { text: '' };
    case 'server': return o.draining ? { text: 'draining', bad: true } : { text: '' };
    default: return { text: '' };
  }
}

export function Rail() {
  const current = place.value.screen;
  return (
    <nav class={`rail ${awaitingScreen.value ? 'awaiting' : ''}`} aria-label="Screens">
      {kScreens.map((screen) => {
        const figure = figureOf(screen.id);
        return (
          <a key={screen.id} href={placeHref(screen.id)} aria-current={screen.id === current ? 'page' : undefined} title={screen.name}>
            <Kbd>{screen.key}</Kbd>
            <span class="name">{screen.name}</span>
            <span class={`figure ${figure.bad ? 'bad' : ''}`}>{figure.text}</span>
          </a>
        );
      })}
    </nav>
  );
}

export function Tabs() {
  const current = place.value.screen;
  const more = useSignal(false);
  const main: Screen[] = ['overview', 'connections', 'closed', 'latency'];
  const rest = kScreens.filter((screen) => !main.includes(screen.id));
  useEffect(() => {
    more.value = false;
  }, [current]);
  return (
    <nav class="tabs" aria-label="Screens, small">
      {more.value ? (
        <div class="more">
          {rest.map((screen) => <a key={screen.id} href={placeHref(screen.id)} aria-current={screen.id === current ? 'page' : undefined}><Kbd>{screen.key}</Kbd>{screen.name}</a>)}
          <button onClick={() => (helpOpen.value = true)}><Kbd>?</Kbd>Help</button>
          <button onClick={() => (signInOpen.value = true)}><Kbd>·</Kbd>{session.value?.role ?? 'Sign in'}</button>
        </div>
      ) : null}
      {kScreens.filter((screen) => main.includes(screen.id)).map((screen) => (
        <a key={screen.id} href={placeHref(screen.id)} aria-current={screen.id === current ? 'page' : undefined}><Kbd>{screen.key}</Kbd><span>{screen.name}</span></a>
      ))}
      <button aria-expanded={more.value} class={rest.some((s) => s.id === current) ? 'on' : ''} onClick={() => (more.value = !more.value)}><Kbd>⋯</Kbd><span>More</span></button>
    </nav>
  );
}

/** Between the horizon and the screen; they push content down, never the header. */
export function Banners() {
  void clock.value;
  const drain = overview.value?.drain;
  const [failed] = failing.value.values();
  // As it is now: it may have been set since the server was asked.
  const ahead = Date.now() / 1000 - serverNow();
  return (
    <div class="banners">
      {link.value === 'down' ? (
        <Banner look="bad" mark="!" role="alert" actions={<button class="small" onClick={connect}>Now</button>} news={<><b>Not connected.</b> {dataAt.value ? `Data from ${formatTime(dataAt.value + skew.value)}.` : 'The server has not answered yet.'}</>}>
          {dataAt.value ? `${formatDuration(Math.max(0, Math.round(now() - dataAt.value)))} old. ` : ''}
          <span class="countdown">{retryAt.value > now() ? `Again in ${Math.ceil(retryAt.value - now())} s.` : 'Trying…'}</span>
        </Banner>
      ) : null}
      {link.value === 'full' ? (
        <Banner look="warn" mark="!" actions={<button class="small" onClick={connect}>Try again</button>}>
          <b>Every place for a live viewer is taken.</b> {lastProblem.value?.detail ?? ''} Live updates are off for this tab; lists still answer.
        </Banner>
      ) : null}
      {restarted.value ? (
        <Banner look="warn" mark="!" actions={<button class="small" onClick={() => (restarted.value = null)}>Understood</button>}>
          <b>The server restarted at {formatTime(restarted.value.at)}.</b> Boot {restarted.value.before.slice(0, 9)} → {restarted.value.after.slice(0, 9)}. Counters begin again; old ids mean nothing now.
        </Banner>
      ) : null}
      {resumed.value ? (
        <Banner look="info" mark="i">Back. {formatDuration(Math.round(resumed.value.missed))} were missed; the rings filled {formatDuration(Math.round(resumed.value.filled))} of them.</Banner>
      ) : null}
      {session.value?.role === 'viewer' ? (
        <Banner look="info" mark="V" actions={<button class="link" onClick={() => (signInOpen.value = true)}>Sign in as another</button>}>
          Signed in as <b>viewer</b>: you can look, not close or drain.
        </Banner>
      ) : null}
      {overview.value?.draining ? (
        <Banner look="warn" mark="D" news={<b>Draining.</b>} actions={place.value.screen === 'server' ? null : <a class="button small" href={placeHref('server')}>Cockpit</a>}>
          {drain?.started_at ? `${formatDuration(Math.max(0, Math.round(serverNow() - drain.started_at)))} in, ` : ''}{formatInt(drain?.connections_left ?? overview.value.connections)} left{drain?.estimate_seconds ? `; about ${formatDuration(drain.estimate_seconds)} to go` : ''}.
        </Banner>
      ) : null}
      {failed && link.value !== 'down' ? (
        <Banner look="warn" mark="!"><b>Part of this page is old or missing.</b> <ProblemWords problem={failed} /> It is asked for again.</Banner>
      ) : null}
      {degraded.value ? (
        <Banner look="warn" mark="!">
          <b>Showing 1 of {formatInt(degraded.value.sampling)} requests.</b> {degraded.value.why ?? 'The server is under pressure; watching is shed first.'} Counts stay exact.
        </Banner>
      ) : null}
      {Math.abs(ahead) > 5 && link.value === 'live' ? (
        <Banner look="warn" mark="!">This browser’s clock is <b>{formatDuration(Math.abs(ahead))} {ahead > 0 ? 'ahead of' : 'behind'}</b> the server. All times here are the server’s, in UTC.</Banner>
      ) : null}
      <JobBanners />
    </div>
  );
}
