// Which route hurts?
import { get } from '../api/client';
import type { RoutePage, RouteRow } from '../api/types';
import { formatBytes, formatCompact, formatInt, formatMoment, formatPercent, formatQuantile, plural } from '../lib/format';
import { clock, serverNow } from '../state/live';
import { useLoad } from '../state/load';
import { go, place, setParams } from '../state/router';
import { DataTable, type Column } from '../ui/data-table';
import { Answer, Message, Panel, ProblemView, RouteLink, Skeleton } from '../ui/parts';

const known = (value: number | null | undefined) => value ?? -1;

function columns(now: number): Column<RouteRow>[] {
  return [
    { id: 'route', head: 'route', sortBy: (r) => r.route, cls: 'cut', cell: (r) => <RouteLink route={r.route} /> },
    { id: 'rate', head: 'req/s', num: true, sortBy: (r) => r.requests_per_second, cell: (r) => formatCompact(r.requests_per_second) },
    { id: 'requests', head: 'requests', num: true, priority: 3, sortBy: (r) => r.requests, cell: (r) => formatInt(r.requests) },
    { id: 'errors', head: 'errors', num: true, sortBy: (r) => r.error_ratio, cell: (r) => <span class={r.error_ratio > 0.01 ? 'bad' : ''}>{r.error_ratio > 0.01 ? '! ' : ''}{formatPercent(r.error_ratio)} %</span> },
    { id: 'p50', head: 'p50', num: true, priority: 2, sortBy: (r) => known(r.p50_seconds), cell: (r) => formatQuantile(r.p50_seconds) },
    { id: 'p99', head: 'p99', num: true, sortBy: (r) => known(r.p99_seconds), cell: (r) => <b>{formatQuantile(r.p99_seconds)}</b> },
    { id: 'slow', head: 'slow', num: true, priority: 3, sortBy: (r) => known(r.slow), cell: (r) => formatInt(r.slow) },
    { id: 'flight', head: 'in flight', num: true, priority: 2, sortBy: (r) => r.in_flight, cell: (r) => formatInt(r.in_flight) },
    { id: 'in', head: 'in', num: true, priority: 3, sortBy: (r) => known(r.received_bytes), cell: (r) => formatBytes(r.received_bytes) },
    { id: 'out', head: 'out', num: true, priority: 3, sortBy: (r) => known(r.sent_bytes), cell: (r) => formatBytes(r.sent_bytes) },
    { id: 'last', head: 'last hit', num: true, priority: 2, sortBy: (r) => known(r.last_hit_at), cell: (r) => (r.last_hit_at ? formatMoment(r.last_hit_at, now) : 'never') },
  ];
}

export function Routes() {
  void clock.value;
  const page = useLoad<RoutePage>('routes-live', (signal) => get('routes', {}, signal), 2);
  const { sort: wanted, order = 'desc' } = place.value.params;
  const list = columns(serverNow());
  const sort = list.find((column) => column.id === wanted && column.sortBy)?.id ?? 'rate';
  const down = order === 'desc';
  const rows = page.data?.rows ?? [];
  const worst = rows.reduce<RouteRow | null>((a, b) => (b.error_ratio > (a?.error_ratio ?? 0) ? b : a), null);
  const slowest = rows.reduce<RouteRow | null>((a, b) => (known(b.p99_seconds) > known(a?.p99_seconds) ? b : a), null);
  return (
    <div class="page">
      <Answer lead={page.data ? `${plural(page.data.total, 'route')}.` : 'Routes'} rest={worst ? `Most errors: ${worst.route}, ${formatPercent(worst.error_ratio)} %.` : page.data ? 'None has failed.' : ''}>
        {slowest?.p99_seconds ? <>Slowest at p99: <RouteLink route={slowest.route} />, {formatQuantile(slowest.p99_seconds)}.</> : null}
      </Answer>
      <Panel title="Routes" sub="as registered; a row opens its latency" cls="full">
        {page.data === null ? page.problem ? <ProblemView problem={page.problem} what="Routes" onRetry={page.reload} /> : <Skeleton rows={8} />
          : rows.length === 0 ? <Message title="No routes"><p>The configuration registers none; every request is answered 404.</p></Message>
          : <DataTable caption="Routes" keys columns={list} rows={rows} rowKey={(row) => row.route} sort={{ id: sort, down }} onSort={(id) => setParams({ sort: id, order: id === sort && down ? 'asc' : 'desc' })} onOpen={(row) => go('latency', { route: row.route })} />}
      </Panel>
    </div>
  );
}
