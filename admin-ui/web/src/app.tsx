// The page: shell, the screen that the address names, and what lies over it.
import { useLayoutEffect, useRef } from 'preact/hooks';
import { Closed } from './screens/closed';
import { Connections } from './screens/connections';
import { Http2Screen } from './screens/http2';
import { Latency } from './screens/latency';
import { Overview } from './screens/overview';
import { Reactors } from './screens/reactors';
import { Routes } from './screens/routes';
import { Server } from './screens/server';
import { useKeys } from './state/keys';
import { link, togglePause } from './state/live';
import { toggleTheme } from './state/prefs';
import { go, kScreens, place } from './state/router';
import { useStatus } from './state/status';
import { helpOpen, horizonOpen, paletteOpen, signInOpen } from './state/windows';
import { CloseDialog, closing } from './ui/close-dialog';
import { Drawer } from './ui/drawer';
import { Help } from './ui/help';
import { Palette } from './ui/palette';
import { Horizon, HorizonTable } from './ui/horizon';
import { Banners, Header, Rail, Tabs } from './ui/shell';
import { SignInDialog, SignInPage } from './ui/sign-in';

const kViews = { overview: Overview, connections: Connections, closed: Closed, latency: Latency, routes: Routes, http2: Http2Screen, reactors: Reactors, server: Server };

export function App() {
  const { screen, params } = place.value;
  const main = useRef<HTMLElement>(null);
  useStatus(screen);
  useKeys('Everywhere', () => [
    { key: 'Mod+k', what: 'query or command', inFields: true, run: () => (paletteOpen.value = !paletteOpen.value) },
    { key: '?', what: 'this help', run: () => (helpOpen.value = true) },
    { key: 't', what: 'theme', run: toggleTheme },
    { key: 'p', what: 'pause or go on', run: togglePause },
    { key: '/', what: 'query', run: () => { if (!document.querySelector('.query input')) go('connections'); } },
  ]);
  useLayoutEffect(() => {
    document.title = `${kScreens.find((one) => one.id === screen)?.name ?? ''} · Equinox`;
    main.current?.scrollTo(0, 0);
  }, [screen]);
  if (link.value === 'signin') return <SignInPage />;
  const View = kViews[screen];
  return (
    <div class={`app ${params.id ? 'with-drawer' : ''} ${link.value === 'down' ? 'stale' : ''}`}>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>Skip to the content</a>
      <Header />
      <Rail />
      <Horizon />
      <main id="main" ref={main} tabIndex={-1} class={`main at-${screen}`}>
        <Banners />
        <View />
      </main>
      {params.id ? <Drawer key={params.id} id={params.id} /> : null}
      <Tabs />
      {closing.value ? <CloseDialog target={closing.value} /> : null}
      {paletteOpen.value ? <Palette /> : null}
      {helpOpen.value ? <Help /> : null}
      {horizonOpen.value ? <HorizonTable /> : null}
      {signInOpen.value ? <SignInDialog /> : null}
    </div>
  );
}
