import { execFileSync } from 'node:child_process';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { reloadTls } from '#config/tls-material.ts';
import { configAt, SMALLEST, type TestFolder, testFolder } from '../../support/config-files.ts';

/** Two self-signed certificates, made at run time. */
function makeCertificates(folder: TestFolder): void {
  for (const name of ['a', 'b']) {
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '2',
        '-subj',
        `/CN=${name}.test`,
        '-keyout',
        join(folder.path, `${name}-key.pem`),
        '-out',
        join(folder.path, `${name}-cert.pem`),
      ],
      { stdio: 'ignore' },
    );
  }
}

function withTls(folder: TestFolder, cert: string, key: string): string {
  return folder.write(
    'postern.yaml',
    `${SMALLEST}listen: { data: { tls: { cert: { fromFile: ${cert} }, key: { fromFile: ${key} } } } }\n`,
  );
}

describe('TLS material', () => {
  it('is read, kept with its paths, and read again when it changed', () => {
    using folder = testFolder();
    makeCertificates(folder);
    const tls = configAt(withTls(folder, 'a-cert.pem', 'a-key.pem')).listen.data.tls;
    if (tls === null) throw new Error('no TLS');
    expect([tls.cert.file, tls.key.file]).toEqual([
      join(folder.path, 'a-cert.pem'),
      join(folder.path, 'a-key.pem'),
    ]);

    copyFileSync(join(folder.path, 'b-cert.pem'), join(folder.path, 'a-cert.pem'));
    expect(reloadTls(tls)).toBe('the certificate and the private key do not belong together');
    copyFileSync(join(folder.path, 'b-key.pem'), join(folder.path, 'a-key.pem'));
    const next = reloadTls(tls);
    expect(typeof next === 'object' && next.cert.reveal() !== tls.cert.reveal()).toBe(true);
    rmSync(join(folder.path, 'a-key.pem'));
    expect(reloadTls(tls)).toBe("the private key's file does not exist");
  });

  it('is refused at start when the two do not belong together or are no PEM', () => {
    using folder = testFolder();
    makeCertificates(folder);
    folder.write('junk.pem', 'not a key');
    expect(() => configAt(withTls(folder, 'a-cert.pem', 'b-key.pem'))).toThrow(
      '4:19: the certificate and the private key do not belong together',
    );
    expect(() => configAt(withTls(folder, 'junk.pem', 'b-key.pem'))).toThrow(
      'the certificate or the private key is not PEM that can serve TLS',
    );
  });
});
