import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { reloadTls } from '#config/tls-material.ts';
import { configAt, SMALLEST, testFolder } from '../../support/config-files.ts';
import { selfSigned } from '../../support/upstream-certificate.ts';

const WITH_TLS = `${SMALLEST}listen: { data: { tls: { cert: { fromFile: cert.pem }, key: { fromFile: key.pem } } } }\n`;

describe('TLS material', () => {
  it('is read, kept with its paths, and read again when it changed', () => {
    using folder = testFolder();
    const [first, second] = [selfSigned(), selfSigned()];
    folder.write('cert.pem', first.cert);
    folder.write('key.pem', first.key);
    const { tls } = configAt(folder.write('postern.yaml', WITH_TLS)).listen.data;
    if (tls === null) throw new Error('no TLS');
    expect([tls.cert.file, tls.key.file]).toEqual([
      join(folder.path, 'cert.pem'),
      join(folder.path, 'key.pem'),
    ]);

    folder.write('cert.pem', second.cert);
    expect(reloadTls(tls)).toBe('the certificate and the private key do not belong together');
    folder.write('key.pem', second.key);
    const next = reloadTls(tls);
    expect(typeof next === 'object' && next.cert.reveal()).toBe(second.cert.trimEnd());
    rmSync(join(folder.path, 'key.pem'));
    expect(reloadTls(tls)).toBe("the private key's file does not exist");
  });

  it('is refused at start when the two do not belong together or are no PEM', () => {
    using folder = testFolder();
    folder.write('cert.pem', selfSigned().cert);
    folder.write('key.pem', selfSigned().key);
    const file = folder.write('postern.yaml', WITH_TLS);
    expect(() => configAt(file)).toThrow('4:19: the certificate and the private key do not belong together');
    folder.write('cert.pem', 'not a certificate');
    expect(() => configAt(file)).toThrow(
      '4:19: the certificate or the private key is not PEM that can serve TLS',
    );
  });
});
