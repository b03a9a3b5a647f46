// curl commands as people paste them: split as a shell would, never run, no file read.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCurlCommand, readCurlCommand } from '#cli/curl-command.ts';
import { readRequestLine } from '#cli/described-request.ts';
import { splitShellWords } from '#cli/shell-words.ts';

function words(text: string): readonly string[] | string {
  const split = splitShellWords(text);
  return 'refused' in split ? split.refused : split.words.map((word) => word.toString('latin1'));
}

function request(text: string) {
  const read = readCurlCommand(text);
  if ('refused' in read) throw new Error(read.refused.join('; '));
  const { body, headers, ...rest } = read;
  return { ...rest, body: body.toString(), headers: Object.fromEntries(headers) };
}

function refusal(text: string): string {
  const read = readCurlCommand(text);
  return 'refused' in read ? read.refused.join('; ') : 'not refused';
}

describe('a shell’s words', () => {
  it.each([
    ['a  b\tc\n', ['a', 'b', 'c']],
    [`'a b'"c d"e\\ f`, ['a bc de f']],
    [`'' ""`, ['', '']],
    [`'\\n' "\\n" "\\\\ \\" \\$ \\\`"`, ['\\n', '\\n', '\\ " $ `']],
    ['a\\\n b\\\r\nc "d\\\ne"', ['a', 'bc', 'de']],
    [`$'a\\nb\\'c\\\\\\x41\\101\\u0042\\tz\\q'`, ["a\nb'c\\AAB\tz\\q"]],
    [`$'\\xff'`, ['\u00FF']],
    [`$"plain"`, ['plain']],
    ['a$ "b$" c$.d', ['a$', 'b$', 'c$.d']],
    ['http://h/a?b=*&c', 'an unquoted & ends the command: put the URL in quotes'],
    ['a | b', 'an unquoted | begins another command: leave it out'],
    ['a > b', 'an unquoted > writes a file: leave it out'],
    ["'a", 'a single quote is not closed'],
    ['"a', 'a double quote is not closed'],
    ['"a\\', 'a double quote is not closed'],
    ["$'a", "a $' quote is not closed"],
    ["$'a\\", "a $' quote is not closed"],
    ['a\\', 'the text ends in a backslash'],
    [`$'\\0'`, 'a word cannot hold a NUL byte'],
  ])('%j', (text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it.each(['$HOME', '"$HOME"', '$(id)', '"$(id)"', '${a}', '`id`', '"`id`"', '$1', '"x$?"'])(
    '%j is never filled in',
    (text) => {
      expect(words(text)).toMatch(/^a \$ here asks a shell|^a backquote runs a command/);
    },
  );

  it('joins the halves of a character that a browser escaped', () => {
    const split = splitShellWords(`$'\\ud83d\\ude00 \\U0001F600'`);
    expect('words' in split && split.words[0]?.toString()).toBe('😀 😀');
  });

  it('whatever the text, ends, and what was quoted singly comes back', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), fc.string(), (texts, garbage) => {
        const quoted = texts.map((text) => `'${text.replaceAll("'", `'\\''`)}'`).join(' ');
        const split = splitShellWords(quoted);
        expect('words' in split && split.words.map((word) => word.toString())).toEqual(texts);
        splitShellWords(garbage);
      }),
    );
  });
});

describe('a curl command', () => {
  it('is told from a request line', () => {
    for (const text of ['curl http://h', '$ curl h', '  /usr/bin/curl h', 'curl.exe h', 'curl\\\n']) {
      expect(isCurlCommand(text.replace('\\\n', ' '))).toBe(true);
    }
    for (const text of ['GET /curl', 'POST /a', 'curly h', 'POST https://h/curl x']) {
      expect(isCurlCommand(text)).toBe(false);
    }
  });

  it('is a GET of its URL', () => {
    expect(request('curl https://App.example.com:8443/a/b?c=d#e')).toMatchObject({
      method: 'GET',
      rawTarget: '/a/b?c=d',
      host: 'App.example.com:8443',
      body: '',
      upgrade: false,
      headers: { accept: ['*/*'] },
    });
    expect(request('curl example.com')).toMatchObject({ rawTarget: '/', host: 'example.com' });
    expect(request('curl https://h?a=b')).toMatchObject({ rawTarget: '/?a=b' });
    expect(request('curl --url https://h/x -sSLk')).toMatchObject({ rawTarget: '/x' });
  });

  it('is a POST of its data, joined as curl joins it', () => {
    expect(
      request(`curl https://h/a -d a=1 --data-raw '@b' --data-urlencode 'c=x y&z' --data-urlencode '=é'`),
    ).toMatchObject({
      method: 'POST',
      body: 'a=1&@b&c=x%20y%26z&%C3%A9',
      headers: { 'content-type': ['application/x-www-form-urlencoded'] },
    });
    expect(
      request(`curl https://h -d '{}' -H 'Content-Type: application/json'`).headers['content-type'],
    ).toEqual(['application/json']);
    expect(request(`curl https://h --json '{"a":1}'`)).toMatchObject({
      method: 'POST',
      body: '{"a":1}',
      headers: { 'content-type': ['application/json'], accept: ['application/json'] },
    });
  });

  it('takes short options joined, with their value behind them or after them', () => {
    expect(request(`curl -sXDELETE 'https://h/a'`).method).toBe('DELETE');
    expect(request(`curl -sX PUT -da=é https://h/a`)).toMatchObject({ method: 'PUT', body: 'a=é' });
    expect(request(`curl -IG https://h/a -d q=1 -d r=2`)).toMatchObject({
      method: 'HEAD',
      rawTarget: '/a?q=1&r=2',
      body: '',
    });
    expect(request(`curl -G 'https://h/a?z=0' -d q=1`)).toMatchObject({
      method: 'GET',
      rawTarget: '/a?z=0&q=1',
    });
    expect(request('curl -- https://h/a').rawTarget).toBe('/a');
  });

  it('sets, replaces and takes away header lines', () => {
    const { headers, host } = request(
      `curl https://h/a -H 'X-A: 1' -H 'x-a: 2' -H 'Accept:' -H 'X-Empty;' -H 'Host: other' -A agent -b 'a=b' -b c=d -u 'me:pw' -e ref`,
    );
    expect(headers).toEqual({
      'x-a': ['1', '2'],
      'x-empty': [''],
      'user-agent': ['agent'],
      referer: ['ref'],
      cookie: ['a=b; c=d'],
      authorization: [`Basic ${Buffer.from('me:pw').toString('base64')}`],
    });
    expect(host).toBe('other');
  });

  it('opens a WebSocket where its URL or its header says so', () => {
    expect(request('curl wss://h/live').upgrade).toBe(true);
    expect(request(`curl https://h/live -H 'Upgrade: WebSocket'`).upgrade).toBe(true);
  });

  it('writes a multipart form', () => {
    const { body, headers, method } = request(`curl https://h/a -F a=1 --form-string 'b=@c'`);
    expect([method, headers['content-type']?.[0]]).toEqual([
      'POST',
      expect.stringMatching(/^multipart\/form-data; b/),
    ]);
    expect(body).toContain('name="a"\r\n\r\n1\r\n');
    expect(body).toContain('name="b"\r\n\r\n@c\r\n');
  });

  it('as a browser copies it', () => {
    const copied = `curl 'https://app.example.com/api/v2/exports?x=1' \\
  -H 'accept: */*' \\
  -H 'content-type: application/json' \\
  -b 'sid=secret' \\
  --data-raw $'{"name":"it\\'s","tab":"\\t\\u0021"}' \\
  --compressed`;
    expect(request(copied)).toMatchObject({
      method: 'POST',
      rawTarget: '/api/v2/exports?x=1',
      body: `{"name":"it's","tab":"\t!"}`,
      headers: { cookie: ['sid=secret'], 'accept-encoding': ['deflate, gzip, br, zstd'] },
    });
  });

  it('takes dot segments out as curl does, and says so', () => {
    expect(request('curl https://h/a/../exports/./b/..')).toMatchObject({
      rawTarget: '/exports/',
      notes: [expect.stringContaining('dot segments')],
    });
    expect(request('curl --path-as-is https://h/a/../b')).toMatchObject({ rawTarget: '/a/../b', notes: [] });
  });

  it.each([
    ['curl', 'the curl command names no URL'],
    ['curl https://a https://b', 'the curl command names several URLs'],
    ['curl ftp://a/b', 'a URL must begin with https:// or http://'],
    ['curl https:///a', 'the URL names no host'],
    ['curl https://a --data @secret.json', 'names a file to be read'],
    ['curl https://a --data-binary @-', 'names a file to be read'],
    ['curl https://a --json @x', 'names a file to be read'],
    ['curl https://a --data-urlencode name@x', 'names a file to be read'],
    ['curl https://a -F a=@x', 'names a file to be read'],
    ['curl https://a -F "a=<x"', 'names a file to be read'],
    ['curl https://a -b cookies.txt', 'names a file to be read'],
    ['curl https://a -H @x', 'names a file to be read'],
    ['curl https://a -T x', '--upload-file reads a file'],
    ['curl -K x', '--config reads a file'],
    ['curl https://a --next https://b', '--next begins a second request'],
    ['curl https://a --datta x', 'option --datta is not known here; did you mean "--data"?'],
    ['curl https://a -!', 'option -! is not known here'],
    ['curl https://a -X', 'option --request needs a value'],
    ['curl https://a -X post', 'the method must be in upper case'],
    ['curl https://a -H nonsense', 'a -H of the curl command is no header line'],
    ['curl https://a -d x -F a=b', 'both data and a multipart form'],
    ['curl https://a $(id)', 'a $ here asks a shell'],
  ])('%j is refused', (text, why) => {
    expect(refusal(text)).toContain(why);
  });

  it('is read or refused whatever it holds', () => {
    const word = fc.oneof(
      fc.constantFrom(
        '-X',
        '-d',
        '--json',
        '-H',
        '-b',
        '-u',
        '-G',
        '-I',
        '-F',
        '--',
        '-',
        '--data=x',
        'https://h/a',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word), fc.boolean(), (parts, quoted) => {
        const words = parts.map((part) => (quoted ? `'${part.replaceAll("'", '')}'` : part));
        const read = readCurlCommand(`curl ${words.join(' ')}`);
        if ('refused' in read) expect(read.refused.length).toBeGreaterThan(0);
        else expect(read.rawTarget.startsWith('/')).toBe(true);
      }),
    );
  });

  it('never repeats a value in what it refuses', () => {
    for (const text of [
      `curl https://a --tokken=s3cret`,
      `curl https://a -u s3cret --wrong`,
      `curl https://a -H 's3cret' `,
      `curl https://a -d @s3cret`,
      `curl 'ftp://s3cret@h'`,
    ]) {
      expect(refusal(text)).not.toContain('s3cret');
    }
  });
});

describe('a request line', () => {
  it('names a path or a URL, and nothing of it is normalised', () => {
    expect(readRequestLine('POST /a/../b%2F?c#d')).toMatchObject({
      method: 'POST',
      rawTarget: '/a/../b%2F?c#d',
      host: '',
    });
    expect(readRequestLine('GET https://me:pw@Host:1/a/../b?c#d')).toMatchObject({
      rawTarget: '/a/../b?c',
      host: 'Host:1',
    });
    expect(readRequestLine('GET wss://h/live')).toMatchObject({ upgrade: true });
    for (const text of ['get /a', '/a', 'GET', 'GET  /a', 'GET /a b', 'GET ftp://h/a', 'GET https:///a']) {
      expect(readRequestLine(text)).toHaveProperty('refused');
    }
  });
});
