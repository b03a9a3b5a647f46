// What really reached Unleash, by its own request log: whether a refusal was one is not believed of the gate alone.
import type { HttpClient } from './http.ts';
import type { Unleash } from './start-unleash.ts';

const SETTLE_WITHIN_MS = 10_000;
const REQUEST_LINE = /(\d{3}) ([A-Z]+) (\/\S*)$/;

export interface Witness {
  /** `METHOD path`, in the order of arrival, of everything since the last `restart`. */
  readonly seen: readonly string[];
  /** Waits until the log has caught up with everything sent before this call. */
  settle(): Promise<void>;
  /** Forgets what was seen so far; call it after `settle`. */
  restart(): void;
}

export function watchRequests(http: HttpClient, unleash: Unleash): Witness {
  const port = Number(new URL(unleash.url).port);
  const seen: string[] = [];
  let marks = 0;
  unleash.process.onLine((line) => {
    const found = REQUEST_LINE.exec(line);
    if (found !== null && found[3]?.startsWith('/e2e-mark-') === false) seen.push(`${found[2]} ${found[3]}`);
  });
  return {
    seen,
    async settle() {
      const mark = `/e2e-mark-${++marks}`;
      await http.send({ port, method: 'GET', path: mark });
      await unleash.process.until(`its log showed ${mark}`, SETTLE_WITHIN_MS, (line) =>
        line.endsWith(mark) ? true : null,
      );
    },
    restart: () => {
      seen.length = 0;
    },
  };
}
