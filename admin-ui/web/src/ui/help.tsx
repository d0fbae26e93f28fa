// Every key that works right now, and the switch that turns single letters off.
import { bindings } from '../state/keys';
import { compact, singleKeys, theme, type Theme } from '../state/prefs';
import { kScreens } from '../state/router';
import { helpOpen } from '../state/windows';
import { kFieldHints } from '../lib/query';
import { Dialog } from './dialog';
import { Kbd, Segments } from './parts';

export function Help() {
  const groups = new Map<string, { key: string; what: string }[]>();
  for (const { name, bindings: list } of bindings.value) {
    groups.set(name, [...(groups.get(name) ?? []), ...list.map(({ key, what }) => ({ key, what }))]);
  }
  const done = () => (helpOpen.value = false);
  return (
    <Dialog label="Help" onClose={done} cls="help">
      <h2>Keys</h2>
      <div class="help-groups">
        <section>
          <h3>Screens: <Kbd>g</Kbd> then</h3>
          <dl>{kScreens.map((screen) => <div key={screen.id}><dt><Kbd>{screen.key}</Kbd></dt><dd>{screen.name}</dd></div>)}</dl>
        </section>
        {[...groups].map(([name, list]) => (
          <section key={name}>
            <h3>{name}</h3>
            <dl>{list.map(({ key, what }) => <div key={key + what}><dt>{key.replace('Mod+', 'Ctrl/⌘+').split(' ').map((one) => <Kbd key={one}>{one}</Kbd>)}</dt><dd>{what}</dd></div>)}</dl>
          </section>
        ))}
        <section>
          <h3>Query</h3>
          <p><code>proto:h2 idle&gt;30s route:/api/* -state:idle</code></p>
          <p class="sub">Terms are joined by “and”; <code>-</code> negates; <code>*</code> is a wildcard; a bare word matches peer, client or target. Fields: {Object.keys(kFieldHints).join(', ')}.</p>
        </section>
        <section>
          <h3>This browser</h3>
          <p><label><input type="checkbox" checked={singleKeys.value} onChange={(event) => (singleKeys.value = event.currentTarget.checked)} /> single-letter keys</label></p>
          <p><label><input type="checkbox" checked={compact.value} onChange={(event) => (compact.value = event.currentTarget.checked)} /> compact rows</label></p>
          <Segments<Theme> label="Theme" value={theme.value} onPick={(value) => (theme.value = value)} options={[{ value: 'system', label: 'system' }, { value: 'light', label: 'light' }, { value: 'dark', label: 'dark' }]} />
        </section>
      </div>
      <div class="dialog-actions"><button onClick={done}>Close <Kbd>Esc</Kbd></button></div>
    </Dialog>
  );
}
