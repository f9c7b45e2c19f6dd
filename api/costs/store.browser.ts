import type { KeptCosts } from '../../decoding';
import type { CostFile } from './kept';
import type { CostParts } from './parts';

/** As in Node. */
export interface CostStore {
  readonly kept: KeptCosts;
  save(costs: KeptCosts): Promise<void>;
}

/** As in Node. */
export type FoundCosts = { readonly file: string } & (CostFile | { readonly wrong: string });

/** A page has no directory of its user's: its costs live as long as the model. */
export async function openCosts(_parts: CostParts, _tell: (message: string) => void): Promise<CostStore> {
  return { kept: {}, save: async () => undefined };
}

export const costFolder = (): string | null => null;
export const listCosts = async (_folder: string): Promise<FoundCosts[]> => [];
export const forgetCosts = async (_folder: string): Promise<number> => 0;
