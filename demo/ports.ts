// Ports on loopback: the well-known one of the demo where it is free, else any.
// Another process may take a port between the look and the use; the start then fails and says so.
import { createServer } from 'node:net';

const WELL_KNOWN = {
  data: 8080,
  control: 8081,
  ops: 9090,
  helpdesk: 3000,
  identityProvider: 3001,
} as const;

export type PortName = keyof typeof WELL_KNOWN;

/** One port per name, all different. With `wellKnown: false` (the tour) any free ones. */
export async function choosePorts(options: {
  readonly wellKnown: boolean;
}): Promise<Record<PortName, number>> {
  const held: { release(): Promise<void> }[] = [];
  const ports = { ...WELL_KNOWN } as Record<PortName, number>;
  try {
    for (const name of Object.keys(WELL_KNOWN) as PortName[]) {
      const preferred = options.wellKnown ? WELL_KNOWN[name] : 0;
      const port = await hold(preferred).catch(() => hold(0));
      ports[name] = port.number;
      held.push(port);
    }
    return ports;
  } finally {
    await Promise.all(held.map((port) => port.release()));
  }
}

function hold(port: number): Promise<{ readonly number: number; release(): Promise<void> }> {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') return reject(new Error('no TCP address'));
      resolve({
        number: address.port,
        release: () => new Promise((released) => void server.close(() => released())),
      });
    });
  });
}
