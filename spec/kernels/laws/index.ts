import { type Backend, createReferenceBackend, type Dtype } from '../../../kernels';
import { activationLaws } from './activation';
import { attentionLaws } from './attention';
import { edgeLaws } from './edges';
import { embedLaws } from './embed';
import { fieldLaws } from './fields';
import { headLaws } from './head';
import { linearLaws } from './linear';
import { logitsLaws } from './logits';
import { normLaws } from './norm';
import { q4Laws } from './q4';
import { refusalLaws } from './refusals';
import { storageLaws } from './storage';
import type { BackendTolerance, Subject } from './subject';
import { zeroLaws } from './zeros';

export type { BackendTolerance } from './subject';

/**
 * The laws that every backend obeys, with the reference as judge. `name` starts with `facts.name`; what comes after a
 * space only tells configurations apart (`wasm simd, 2 threads`).
 */
export function describeBackendLaws(name: string, create: () => Promise<Backend>, tolerance: BackendTolerance): void {
  describe(`${name} backend`, () => {
    const judge = createReferenceBackend();
    let backend: Backend | null = null;
    beforeAll(async () => {
      backend = await create();
    });
    afterAll(async () => {
      await backend?.dispose();
    });
    const subject: Subject = {
      name: name.split(' ')[0],
      backend: () => backend!,
      judge: () => judge,
      create,
      tolerance,
      types: Object.keys(tolerance.products) as Dtype[],
      runs: tolerance.runs ?? 30,
    };
    const groups = {
      storageLaws,
      q4Laws,
      embedLaws,
      normLaws,
      linearLaws,
      zeroLaws,
      activationLaws,
      attentionLaws,
      headLaws,
      logitsLaws,
    };
    for (const [title, laws] of Object.entries(groups)) describe(title.replace('Laws', ''), () => laws(subject));
    describe('refusals', () => {
      refusalLaws(subject);
      edgeLaws(subject);
      fieldLaws(subject);
    });
  });
}
