// Real client connections for the development server, so that journeys which open and close one can be tried.
import net from 'node:net';

/** `onOpen(row, socket)` when a client came, `onClose(id)` when it went. Rows have the shape makeConnections() gives. */
export function serveTraffic(port, now, onOpen, onClose) {
  let serial = 0;
  const server = net.createServer((socket) => {
    const id = `0-t${(serial += 1).toString(16)}·1`;
    const row = { id, peer: `${socket.remoteAddress}:${socket.remotePort}`, client: null, listener: 'http', protocol: 'http/1.1', tls: null, sni: null, state: 'idle', reactor: 0, slot: 2400 + serial, opened: now(), quietSince: now(), requests: 0, received_bytes: 0, sent_bytes: 0, received_bytes_per_second: 0, sent_bytes_per_second: 0, streams: null, rtt_seconds: 0.0001, retransmits: 0, sample_age_seconds: 0, pending_bytes: 0, memory_bytes: 472, method: null, target: null, route: null, age_seconds: 0, idle_seconds: 0, deadline: null, limited_by: null, timer: 'idle', timerTotal: 60 };
    onOpen(row, socket);
    socket.on('data', (chunk) => {
      row.requests += 1;
      row.received_bytes += chunk.length;
      row.quietSince = now();
      [row.method, row.target] = chunk.toString('latin1').split(' ');
      row.route = '/*';
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n');
      row.sent_bytes += 41;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => onClose(id));
  });
  server.listen(port, '127.0.0.1');
}
