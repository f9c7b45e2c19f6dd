import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { hubEnvironment } from '../../../weights/hub/environment.node';

const read = (variables: Record<string, string>, options = {}) => hubEnvironment(options, variables);

describe('the environment', () => {
  it('is read as Hugging Face’s tools read it', () => {
    expect(read({ HF_HOME: '/h' })).toEqual({
      endpoint: 'https://huggingface.co',
      cacheDir: path.join('/h', 'hub'),
      token: null,
      offline: false,
      timeoutMs: 30_000,
    });
    expect(read({ XDG_CACHE_HOME: '/x' }).cacheDir).toBe(path.join('/x', 'huggingface', 'hub'));
    const all = {
      HF_HUB_CACHE: '/c',
      HF_TOKEN: 't',
      HF_ENDPOINT: 'http://e/',
      HF_HUB_OFFLINE: '1',
      HF_HUB_DOWNLOAD_TIMEOUT: '2.5',
    };
    const expected = { endpoint: 'http://e', token: 't', cacheDir: '/c', offline: true, timeoutMs: 2500 };
    expect(read(all)).toEqual(expected);
    expect(read({ TRANSFORMERS_OFFLINE: 'yes', HF_HUB_OFFLINE: '' }).offline).toBe(true);
    expect(read({ HF_HUB_OFFLINE: '0' }).offline).toBe(false);
  });

  it('gives way to options, and they to nothing else', () => {
    const options = { endpoint: 'http://o//', token: null, cacheDir: '/o', offline: false, timeoutMs: 7 };
    const variables = {
      HF_HUB_CACHE: '/c',
      HF_TOKEN: 't',
      HF_ENDPOINT: 'http://e/',
      HF_HUB_OFFLINE: '1',
      HF_HUB_DOWNLOAD_TIMEOUT: '9',
    };
    expect(read(variables, options)).toEqual({ ...options, endpoint: 'http://o' });
  });

  it('names the token: HF_TOKEN, else the file that HF_TOKEN_PATH names, else the one under HF_HOME, without white space', () => {
    const home = mkdtempSync(path.join(tmpdir(), 'tandem-token-'));
    writeFileSync(path.join(home, 'token'), 'hf_home\n');
    writeFileSync(path.join(home, 'other'), 'hf_other\n');
    const named = { HF_HOME: home, HF_TOKEN_PATH: path.join(home, 'other') };
    expect(read({ ...named, HF_TOKEN: ' hf_given\n' }).token).toBe('hf_given');
    expect(read(named).token).toBe('hf_other');
    expect(read({ HF_HOME: home }).token).toBe('hf_home');
    expect(read({ HF_HOME: home, HF_TOKEN: '' }).token).toBe('hf_home');
    expect(read({ HF_HOME: home, HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' }).token).toBeNull();
    expect(read({ HF_HOME: path.join(home, 'none') }).token).toBeNull();
    rmSync(home, { recursive: true });
  });

  it.each([
    ['a token of two lines', { HF_TOKEN: 'hf_secret\r\nX-Header: 1' }],
    ['a token that no header can carry', { HF_TOKEN: 'hf_secret🔑' }],
    ['an endpoint with a password', { HF_ENDPOINT: 'https://me:hf_secret@mirror/' }],
    ['an endpoint that is no HTTP address', { HF_ENDPOINT: 'file:///hf_secret' }],
    ['an endpoint that is no address', { HF_ENDPOINT: 'hf_secret' }],
  ])('with %s is refused, and the message does not repeat it', (_, variables) => {
    const message = () => {
      try {
        return String(read(variables));
      } catch (error) {
        return `${(error as { code: string }).code} ${(error as Error).message}`;
      }
    };
    expect(message()).toMatch(/^option-invalid HF_(TOKEN|ENDPOINT): expected .*, found /);
    expect(message()).not.toContain('hf_secret');
  });

  it.each(['soon', '-1', '0', 'Infinity'])('with a time limit of %s is refused', (HF_HUB_DOWNLOAD_TIMEOUT) => {
    expect(() => read({ HF_HUB_DOWNLOAD_TIMEOUT })).toThrow(/HF_HUB_DOWNLOAD_TIMEOUT: expected a number above 0/);
  });
});
