import { TandemError } from '../../common';
import type { Engine } from '../engine';
import type { LoadPlan } from '../load';
import type { LoadOptions } from '../types';

export async function openWorkerEngine(_plan: LoadPlan, _options: LoadOptions): Promise<Engine> {
  throw new TandemError('unavailable', 'worker: expected a build with a worker, found none');
}
