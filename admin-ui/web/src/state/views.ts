// The views of the connection list: those that everybody has, and those that a person saved.
import { computed } from '@preact/signals';
import { savedViews, type SavedView } from './prefs';

export const kAll = 'All';

export const kViews: readonly SavedView[] = [
  { name: kAll, query: '' },
  { name: 'Idle > 30 s', query: 'state:idle idle>30s', sort: 'idle' },
  { name: 'Slow readers', query: '-state:idle pending>64k', sort: 'pending' },
  { name: 'Many streams', query: 'streams>10', sort: 'streams' },
  { name: 'Oldest', query: '', sort: 'age' },
  { name: 'Most memory', query: '', sort: 'memory' },
];

export const views = computed<readonly SavedView[]>(() => [...kViews, ...savedViews.value]);
