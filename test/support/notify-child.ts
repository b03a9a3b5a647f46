// A gate's notifier in a process of its own, to be killed: sends what is due from a store to one webhook. With `dies` it
// ends itself by SIGKILL the moment the receiver has answered, before the outbox hears of it.
import { dirname } from 'node:path';
import { systemClock } from '#model/clock.ts';
import { startNotify } from './notify-gate.ts';

const [, , store = '', url = '', secret = '', mode = ''] = process.argv;

startNotify({
  folder: dirname(store),
  clock: systemClock,
  allowPrivate: true,
  attemptMs: 1000,
  settings: { webhooks: [{ id: 'hook_1', url, secret }] },
  around: (outbox) => ({
    ...outbox,
    done(key) {
      if (mode === 'dies') process.kill(process.pid, 'SIGKILL');
      return outbox.done(key);
    },
  }),
});
// The notifier's own timers keep no process alive.
setInterval(() => undefined, 60_000);
