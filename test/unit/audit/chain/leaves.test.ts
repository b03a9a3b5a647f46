// How a group falls into leaves: against a reading of the same lines as JSON.
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { leafHash, leavesOf } from '#audit/chain/leaves.ts';

interface Expected {
  readonly tenant: string | null;
  text: string;
}

function hashed(group: number, text: string): Buffer {
  return createHash('sha256').update(`\u0000${group}\n${text}`, 'latin1').digest();
}

/** The same by way of JSON.parse. */
function expectedLeaves(lines: readonly string[]): Expected[] {
  const leaves: Expected[] = [];
  for (const line of lines) {
    const { tenant } = JSON.parse(line) as { tenant?: string | null };
    const known = typeof tenant === 'string' && leaves.find((leaf) => leaf.tenant === JSON.stringify(tenant));
    if (known) known.text += line;
    else leaves.push({ tenant: typeof tenant === 'string' ? JSON.stringify(tenant) : null, text: line });
  }
  return leaves;
}

function check(group: number, lines: readonly string[]): void {
  const bytes = Buffer.from(lines.join(''), 'latin1');
  const leaves = leavesOf(group, bytes);
  const texts = leaves.map(({ spans }) =>
    spans.map(([from, to]) => bytes.toString('latin1', from, to)).join(''),
  );
  const expected = expectedLeaves(lines);
  expect(leaves.map(({ tenant }, i) => ({ tenant, text: texts[i] }))).toEqual(expected);
  expect(leaves.map(({ hash }) => hash)).toEqual(expected.map(({ text }) => hashed(group, text)));
}

function line(k: string, tenant: string | null | undefined, extra: object = {}): string {
  return `${JSON.stringify({ k, ...(tenant === undefined ? {} : { tenant }), ...extra })}\n`;
}

describe('the leaves of a group', () => {
  it('are one for each tenant and one for every other line, in the order of their first lines', () => {
    check(7, [
      line('subject', undefined, { s: 1 }),
      line('intent', 'acme', { n: 1 }),
      line('intent', 'acme', { n: 2 }),
      line('refused', null),
      line('intent', 'other', { n: 1 }),
      line('done', 'acme', { n: 3 }),
      line('summed', undefined, { count: 3 }),
      line('unused', 'other', { ranges: [[2, 3]] }),
    ]);
  });

  it('join neighbouring lines of a tenant to one span', () => {
    const lines = [
      line('intent', 'acme'),
      line('intent', 'acme'),
      line('gap', undefined),
      line('done', 'acme'),
    ];
    const ends = lines.map((_, i) => lines.slice(0, i + 1).join('').length);
    const [acme, gap] = leavesOf(1, Buffer.from(lines.join('')));
    expect(acme?.spans).toEqual([
      [0, ends[1]],
      [ends[2], ends[3]],
    ]);
    expect(gap?.spans).toEqual([[ends[1], ends[2]]]);
  });

  it('tell tenants apart whose names contain each other, quotes and backslashes', () => {
    const names = ['a', 'ab', 'a"', 'a\\', 'a\\"', 'a","tenant":"b', 'b', '', '\\u0061'];
    check(
      3,
      [...names, ...names].map((name) => line('intent', name)),
    );
  });

  it('look for the tenant right after the kind and nowhere else', () => {
    check(2, [line('intent', 'acme')]);
    const elsewhere = [
      '{"k":"event","s":1,"tenant":"acme"}\n',
      '{"k":"tenants","next":{"tenant":"acme"}}\n',
      '{"k":"event","tenant":null,"x":",\\"tenant\\":\\"acme\\""}\n',
    ];
    const leaves = leavesOf(2, Buffer.from(elsewhere.join('')));
    expect(leaves.map(({ tenant }) => tenant)).toEqual([null, null, null]);
  });

  it('depend on the number of the group', () => {
    const bytes = Buffer.from(line('intent', 'acme'));
    expect(leavesOf(1, bytes)[0]?.hash).not.toEqual(leavesOf(2, bytes)[0]?.hash);
    expect(leafHash(1, bytes)).toEqual(leavesOf(1, bytes)[0]?.hash);
  });

  it('are right for leaves larger than the room for copies', () => {
    const large = Array.from({ length: 700 }, (_, i) =>
      line('intent', i % 3 === 0 ? 'b' : 'a', { x: 'x'.repeat(900) }),
    );
    check(9, large);
  });

  it('are those of the lines read as JSON, whatever the lines', () => {
    const tenant = fc.oneof(
      fc.constantFrom('acme', 'acme2', 'b', undefined, null),
      fc.string({ maxLength: 6 }).map((text) => text.replaceAll(/[^ -~]/g, '"')),
    );
    const anyLine = fc
      .tuple(fc.constantFrom('intent', 'done', 'event', 'gap'), tenant, fc.nat(99))
      .map(([k, name, x]) => line(k, name, { x }));
    fc.assert(
      fc.property(fc.nat(1e9), fc.array(anyLine, { maxLength: 60 }), (group, lines) => check(group, lines)),
      { numRuns: 200 },
    );
  });

  it('are none where there are no lines', () => {
    expect(leavesOf(1, Buffer.alloc(0))).toEqual([]);
  });
});
