import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Checkpoint, FromPretrainedOptions, HubNotice } from '../../weights';
import { pauseByClock } from '../../weights/http/retry';
import { type HubSeams, openPretrained } from '../../weights/hub/pretrained.node';
import { type FakeHub, fakeHub } from './fake-hub';

export const WEIGHTS = 'model.safetensors';
const GOLDENS = path.join(__dirname, '..', 'data', 'goldens');

/** The files of a committed golden checkpoint. */
export function goldenFiles(family = 't5-v1.0'): Record<string, Uint8Array> {
  const directory = path.join(GOLDENS, family);
  return Object.fromEntries(
    readdirSync(directory).map((file) => [file, new Uint8Array(readFileSync(path.join(directory, file)))]),
  );
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The name of a small file's content in git. */
export function gitHash(bytes: Uint8Array): string {
  return createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
}

/** A fake hub, a cache of its own, and calls whose pauses take no time. */
export interface HubRoom {
  readonly hub: FakeHub;
  readonly content: Readonly<Record<string, Uint8Array>>;
  readonly cacheDir: string;
  /** Folder of the repository in the cache. */
  readonly folder: string;
  /** The blob of the weights. */
  readonly blob: string;
  /** Pauses that calls asked for, in milliseconds. */
  readonly pauses: number[];
  readonly notices: HubNotice[];
  get(options?: FromPretrainedOptions, seams?: HubSeams): Promise<Checkpoint>;
  /** Names of the blobs in the cache. */
  blobs(): string[];
  dispose(): Promise<void>;
}

export async function hubRoom(
  content: Readonly<Record<string, Uint8Array>> = goldenFiles(),
  hubOptions: Parameters<typeof fakeHub>[1] = {},
): Promise<HubRoom> {
  const hub = await fakeHub(content, hubOptions);
  const cacheDir = mkdtempSync(path.join(tmpdir(), 'tandem-hub-'));
  const folder = path.join(cacheDir, 'models--org--tiny');
  const pauses: number[] = [];
  const notices: HubNotice[] = [];
  const seams: HubSeams = {
    pause: async (milliseconds, signal) => {
      pauses.push(milliseconds);
      await pauseByClock(1, signal);
    },
    variables: {},
  };
  return {
    hub,
    content,
    cacheDir,
    folder,
    blob: path.join(folder, 'blobs', content[WEIGHTS] ? sha256(content[WEIGHTS]) : 'none'),
    pauses,
    notices,
    get: (options = {}, more = {}) => {
      const onNotice = (notice: HubNotice) => notices.push(notice);
      const given = { endpoint: hub.endpoint, cacheDir, token: null, offline: false, onNotice, ...options };
      return openPretrained('org/tiny', given, { ...seams, ...more });
    },
    blobs: () => readdirSync(path.join(folder, 'blobs')),
    dispose: async () => {
      await hub.dispose();
      rmSync(cacheDir, { recursive: true, force: true });
    },
  };
}
