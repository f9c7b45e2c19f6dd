import type { Encoded, ForwardOptions, SequenceModel } from '../engine';
import type { Distribution, Draw } from './distribution';
import { rowDistributions } from './processors';
import { Sequence } from './sequence';
import type { Processing } from './settings';

/** What a drafter is told at the start of a round. */
export interface DraftRequest {
  /** Decoder ids so far, start token first. */
  readonly ids: readonly number[];
  /** At most this many tokens. */
  readonly gamma: number;
  readonly processing: Processing;
  readonly eosTokens: readonly number[];
  /** Samples the token at a position as this round's verification wants it sampled. */
  readonly draw: (distribution: Distribution, position: number) => Draw;
}

/** Proposes tokens for one sequence. May propose fewer than asked, never more. */
export interface DraftSession {
  propose(request: DraftRequest): Promise<Draw[]>;
  /** Told the length of the ids that stand after verification: anything proposed beyond is gone. */
  rewind(length: number): void;
  release(): void;
  /** Draft model calls made so far. */
  readonly calls: number;
}

export interface Drafter {
  readonly name: string;
  /** Vocabulary that proposals come from; must equal the target's. */
  readonly vocabularySize: number;
  /** @param shared the target's own encoding of the source, for drafters that are part of the target */
  open(source: readonly number[], shared?: Encoded): Promise<DraftSession>;
}

/** Another T5 over the same vocabulary drafts one token at a time. */
export function modelDrafter(model: SequenceModel, name = 'model'): Drafter {
  return {
    name,
    vocabularySize: model.vocabularySize,
    open: async (source) => {
      const [encoded] = await model.encode([source]);
      return session(new Sequence(model, encoded), {}, () => encoded.release());
    },
  };
}

/** The target's own first decoder layers draft, then its final norm and head: no second model to load. */
export function earlyExitDrafter(target: SequenceModel, layers: number): Drafter {
  return {
    name: `first ${layers} layers`,
    vocabularySize: target.vocabularySize,
    open: async (source, shared) => {
      if (shared) return session(new Sequence(target, shared), { layers }, () => undefined);
      const [encoded] = await target.encode([source]);
      return session(new Sequence(target, encoded), { layers }, () => encoded.release());
    },
  };
}

function session(sequence: Sequence, options: ForwardOptions, onRelease: () => void): DraftSession {
  let calls = 0;
  return {
    get calls() {
      return calls;
    },
    propose: async (request) => {
      const proposal: Draw[] = [];
      const ids = [...request.ids];
      while (proposal.length < request.gamma) {
        calls++;
        const draw = await draftOne(sequence, ids, request, options);
        proposal.push(draw);
        ids.push(draw.token);
        if (request.eosTokens.includes(draw.token)) break; // nothing follows; stopping after a token is unbiased
      }
      return proposal;
    },
    rewind: (length) => sequence.rewind(length),
    release: () => {
      sequence.release();
      onRelease();
    },
  };
}

async function draftOne(
  sequence: Sequence,
  ids: readonly number[],
  request: DraftRequest,
  options: ForwardOptions,
): Promise<Draw> {
  const { processing, eosTokens, draw } = request;
  const rows = sequence.missing(ids);
  const view = await sequence.advance(ids, options);
  try {
    const [distribution] = await rowDistributions(view, rows - 1, [{ ids, eosTokens }], processing);
    return draw(distribution, ids.length);
  } finally {
    view.release();
  }
}
