// A syslog receiver, TCP or TLS, with a reader of its own: octet-counted frames (RFC 6587 section 3.4.1) and RFC 5424
// messages, strict to the letter of the grammar, sharing nothing with the code that writes them.
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';

export interface SyslogMessage {
  readonly priority: number;
  readonly timestamp: string;
  readonly hostname: string;
  readonly appName: string;
  readonly procId: string;
  readonly msgId: string;
  readonly data: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly text: string;
}

const HEADER =
  /^<(0|[1-9]\d{0,2})>1 (\S+) ([\x21-\x7e]{1,255}) ([\x21-\x7e]{1,48}) ([\x21-\x7e]{1,128}) ([\x21-\x7e]{1,32}) /;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:\d{2})$/;
const ELEMENT =
  /^\[([\x21\x23-\x3c\x3e-\x5c\x5e-\x7e]{1,32})((?: [\x21\x23-\x3c\x3e-\x5c\x5e-\x7e]{1,32}="(?:[^"\\\]]|\\["\\\]])*")*)\]/;
const PARAMETER = / ([^=]+)="((?:[^"\\\]]|\\["\\\]])*)"/g;

/** One message; throws for anything that RFC 5424 section 6 does not allow. */
export function parseSyslog(bytes: Buffer): SyslogMessage {
  const raw = bytes.toString('latin1');
  const header = HEADER.exec(raw);
  if (header === null) throw new Error(`no header: ${JSON.stringify(raw.slice(0, 200))}`);
  const [all, priority, timestamp, hostname, appName, procId, msgId] = header as unknown as string[];
  if (Number(priority) > 191) throw new Error(`no priority: ${priority}`);
  if (timestamp !== '-' && !INSTANT.test(timestamp as string)) throw new Error(`no instant: ${timestamp}`);
  let rest = raw.slice((all as string).length);
  const data: Record<string, Record<string, string>> = {};
  if (rest.startsWith('-')) rest = rest.slice(1);
  else {
    for (let element = ELEMENT.exec(rest); element !== null; element = ELEMENT.exec(rest)) {
      const [whole, id, parameters] = element as unknown as [string, string, string];
      if (id in data) throw new Error(`twice: ${id}`);
      data[id] = Object.fromEntries([...parameters.matchAll(PARAMETER)].map((one) => [one[1], one[2]]));
      rest = rest.slice(whole.length);
    }
    if (Object.keys(data).length === 0) throw new Error(`no structured data: ${rest.slice(0, 80)}`);
  }
  if (rest !== '' && !rest.startsWith(' ')) throw new Error('no space before the message');
  return {
    priority: Number(priority),
    timestamp: timestamp as string,
    hostname: hostname as string,
    appName: appName as string,
    procId: procId as string,
    msgId: msgId as string,
    data,
    text: Buffer.from(rest.slice(1), 'latin1').toString('utf8'),
  };
}

/** Whole frames and what is left; throws where no frame begins. */
export function readFrames(bytes: Buffer): { messages: Buffer[]; rest: Buffer } {
  const messages: Buffer[] = [];
  let from = 0;
  for (;;) {
    const length = /^([1-9]\d{0,9}) /.exec(bytes.toString('latin1', from, from + 12));
    if (length === null) {
      if (!/^([1-9]\d{0,9})?$/.test(bytes.toString('latin1', from))) throw new Error('no frame begins here');
      break;
    }
    const start = from + length[0].length;
    const end = start + Number(length[1]);
    if (end > bytes.length) break;
    messages.push(bytes.subarray(start, end));
    from = end;
  }
  return { messages, rest: bytes.subarray(from) };
}

export interface ReceiverOptions {
  /** 0: any. */
  readonly port?: number;
  readonly tls?: TlsOptions;
  /** Accepts connections and does not read. */
  readonly isDeaf?: boolean;
}

export interface SyslogReceiver {
  readonly port: number;
  readonly messages: SyslogMessage[];
  /** By connection: the ids of the records that came over it. */
  readonly connections: string[][];
  readonly sockets: Set<Socket>;
  received(count: number): Promise<void>;
  connected(count: number): Promise<void>;
  listen(): void;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startSyslogReceiver(options: ReceiverOptions = {}): Promise<SyslogReceiver> {
  const messages: SyslogMessage[] = [];
  const connections: string[][] = [];
  const sockets = new Set<Socket>();
  const waiting: { isDone: () => boolean; resolve: () => void }[] = [];
  const silent: (() => void)[] = [];
  let isDeaf = options.isDeaf === true;
  let accepted = 0;
  const look = (): void => {
    for (const one of waiting.splice(0)) {
      if (one.isDone()) one.resolve();
      else waiting.push(one);
    }
  };
  const until = (isDone: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      waiting.push({ isDone, resolve });
      look();
    });
  const accept = (socket: Socket): void => {
    const ids: string[] = [];
    let left: Buffer = Buffer.alloc(0);
    accepted += 1;
    connections.push(ids);
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    const read = (part: Buffer): void => {
      const { messages: whole, rest } = readFrames(Buffer.concat([left, part]));
      left = rest;
      for (const bytes of whole) {
        const message = parseSyslog(bytes);
        messages.push(message);
        ids.push((JSON.parse(message.text) as { id: string }).id);
      }
      look();
    };
    if (isDeaf) silent.push(() => socket.on('data', read));
    else socket.on('data', read);
    look();
  };
  const server: Server =
    options.tls === undefined ? createServer(accept) : createTlsServer(options.tls, accept);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const stop = (): Promise<void> =>
    new Promise((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    });
  return {
    port: (server.address() as AddressInfo).port,
    messages,
    connections,
    sockets,
    received: (count) => until(() => messages.length >= count),
    connected: (count) => until(() => accepted >= count),
    listen() {
      isDeaf = false;
      for (const start of silent.splice(0)) start();
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}
