import { render } from 'preact';
import 'uplot/dist/uPlot.min.css';
import './tokens.css';
import './app.css';
import { App } from './app';
import { startKeys } from './state/keys';
import { startLive } from './state/live';

const host = document.getElementById('app');
if (host) {
  render(<App />, host);
  startKeys();
  startLive();
}
