import type { Engine } from '../client';
import type { EngineInfo, PairSource } from '../protocol';
import type { PlaceState } from './place';

/** What every panel gets. */
export interface PanelProps extends PlaceState {
  readonly engine: Engine;
  /** Null while the models are loading. */
  readonly info: EngineInfo | null;
  /** Loads another pair in place of this one. */
  readonly load: (source: PairSource) => Promise<void>;
}
