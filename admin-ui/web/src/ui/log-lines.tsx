// What the logs say about one connection, newest last: it stands at the end of the drawer, so that a new line moves nothing.
import type { ConnectionDetail, LogLine } from '../api/types';
import { formatTime, plural } from '../lib/format';

const kMarks: Partial<Record<LogLine['level'], string>> = { warn: 'warn', error: 'bad' };

export function LogLines({ data }: { data: ConnectionDetail }) {
  const reach = data.log_from_at ? `from before ${formatTime(data.log_from_at)} some may be missing` : '';
  return (
    <section class="log">
      <h3>Log lines <span class="sub">{[data.log.length ? `${plural(data.log.length, 'line')}, newest last` : '', reach].filter(Boolean).join('; ')}</span></h3>
      {data.log.length === 0 ? (
        <p class="sub">None is about this connection: nothing was logged at this log level, or the ring (rings.log) has forgotten it.</p>
      ) : (
        <table class="log-lines">
          <caption class="sr-only">Log lines about this connection, newest last</caption>
          <thead><tr><th scope="col">at</th><th scope="col">level</th><th scope="col">from</th><th scope="col">line</th></tr></thead>
          <tbody>
            {data.log.map((line, i) => (
              <tr key={`${line.at}/${i}`}>
                <td>{formatTime(line.at, true)}</td>
                <td class={kMarks[line.level]}>{line.level}</td>
                <td>{line.component}</td>
                <td class="line">
                  {line.message} <span class="mono">{line.fields.map(({ name, value }) => `${name}=${value}`).join(' ')}{line.cut ? ' …' : ''}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
