import { basename, isAbsolute } from 'node:path';
import { VERSION } from '../api';
import { quoted } from '../common';
import { RequestError } from './failure';
import type { Serving } from './serving';

/** A model's name for clients: of a directory its last part, which says nothing of the server's disk. */
export function shortName(name: string): string {
  return isAbsolute(name) ? basename(name) : name;
}

/** The one model, as OpenAI lists models, and what runs it. */
export function modelOf({ name, created, tandem, settings }: Serving): object {
  const { target, backend, drafter } = tandem;
  return {
    ...{ id: name, object: 'model', created, owned_by: 'tandem' },
    tandem: {
      ...{
        family: target.family,
        parameters: target.parameters,
        dtype: target.dtype,
        draft: drafter && shortName(drafter),
      },
      ...{ backend: backend.name, level: backend.level, threads: backend.threads },
      ...{ wide: backend.wide?.on ?? false },
      ...{ limit_source: settings.limitSource, limit_tokens: settings.limitTokens },
    },
  };
}

/** What the bits of an answer depend on, beside the request. */
export function fingerprintOf({ tandem }: Serving): string {
  const { target, backend } = tandem;
  return [`tandem-${VERSION}`, backend.name, backend.level, target.dtype].join('-');
}

/** @throws RequestError 404 for another model than the one that is served */
export function checkModel({ name }: Serving, asked: unknown): void {
  if (asked === undefined || asked === name) return;
  throw new RequestError(404, `model: expected ${quoted(name)}, found ${quoted(asked)}`, {
    ...{ param: 'model', code: 'model_not_found' },
  });
}
