import type { Encoded, ForwardOptions, SequenceModel } from '../engine';
import { type Candidate, chainOf } from './candidates';
import type { Distribution, Draw } from './distribution';
import { type Grown, growAll } from './growth';
import { Sequence } from './sequence';
import type { Processing } from './settings';

/** What a drafter is told at the start of a round. */
export interface DraftRequest {
  /** Decoder ids so far, start token first. */
  readonly ids: readonly number[];
  /** At most this many tokens, one after another. */
  readonly gamma: number;
  readonly processing: Processing;
  readonly eosTokens: readonly number[];
  /** Samples the token at a position as this round's verification wants it sampled. */
  readonly draw: (distribution: Distribution, position: number) => Draw;
  /** Candidates wanted at each depth; one where it does not say. A drafter that knows but one way proposes that. */
  readonly branching?: readonly number[];
  /** Samples up to `count` different tokens at a position; `branch` tells lines of a tree apart. */
  readonly drawSeveral?: (distribution: Distribution, count: number, position: number, branch: string) => Draw[];
}

/** Proposes tokens for one sequence. May propose fewer than asked, never more. */
export interface DraftSession {
  propose(request: DraftRequest): Promise<Draw[]>;
  /**
   * Told the length of the ids that stand after verification: anything proposed beyond is gone.
   *
   * @param path after a tree, the candidates that were accepted
   */
  rewind(length: number, path?: readonly number[]): void;
  dispose(): void;
  /** Draft model calls made so far. */
  readonly calls: number;
}

/** A session and what is asked of it. */
export interface DraftTurn {
  readonly session: DraftSession;
  readonly request: DraftRequest;
}

export interface Drafter {
  readonly name: string;
  /** Vocabulary that proposals come from; must equal the target's. */
  readonly vocabularySize: number;
  /** @param shared the target's own encoding of the source, for drafters that are part of the target */
  open(source: readonly number[], shared?: Encoded): Promise<DraftSession>;
  /** Proposes trees for several of its own sessions at once. Without it, each session proposes a chain in turn. */
  proposeAll?(turns: readonly DraftTurn[]): Promise<Candidate[][]>;
}

/** Trees for several sessions of one drafter. */
export async function proposeAll(drafter: Drafter, turns: readonly DraftTurn[]): Promise<Candidate[][]> {
  return drafter.proposeAll ? drafter.proposeAll(turns) : chains(turns);
}

async function chains(turns: readonly DraftTurn[]): Promise<Candidate[][]> {
  const trees: Candidate[][] = [];
  for (const { session, request } of turns) trees.push(chainOf(await session.propose(request)));
  return trees;
}

/** Another T5 over the same vocabulary drafts one token at a time. */
export function modelDrafter(model: SequenceModel, name = 'model'): Drafter {
  return drafterOf(model, name, {}, false);
}

/** The target's own first decoder layers draft, then its final norm and head: no second model to load. */
export function earlyExitDrafter(target: SequenceModel, layers: number): Drafter {
  return drafterOf(target, `first ${layers} layers`, { layers }, true);
}

function drafterOf(model: SequenceModel, name: string, options: ForwardOptions, shares: boolean): Drafter {
  return {
    name,
    vocabularySize: model.vocabularySize,
    open: async (source, shared) => {
      if (shares && shared) return new ModelSession(Sequence.open(model, shared), options, () => undefined);
      const [encoded] = await model.encode([source]);
      return new ModelSession(Sequence.open(model, encoded), options, () => encoded.dispose());
    },
    proposeAll: async (turns) => {
      const sessions = turns.map(({ session }) => session).filter((session) => session instanceof ModelSession);
      if (sessions.length < turns.length) return chains(turns); // somebody has put a session of their own around one
      const grown = await growAll(
        model,
        sessions.map((session, i) => ({ sequence: session.sequence, request: turns[i].request })),
        options,
      );
      for (const [i, session] of sessions.entries()) session.grew(grown[i]);
      return grown.map(({ tree }) => tree);
    },
  };
}

/** A model's own state along one sequence, and along what it proposed last. */
class ModelSession implements DraftSession {
  private proposed: Grown = { tree: [], lines: [] };
  calls = 0;

  constructor(
    public sequence: Sequence,
    private readonly options: ForwardOptions,
    private readonly onDispose: () => void,
  ) {}

  async propose(request: DraftRequest): Promise<Draw[]> {
    const { sequence, options } = this;
    const [grown] = await growAll(
      sequence.model,
      [{ sequence, request: { ...request, branching: undefined } }],
      options,
    );
    this.grew(grown);
    return grown.tree.map(({ draw }) => draw);
  }

  grew(grown: Grown): void {
    this.proposed = grown;
    this.calls += depthOf(grown.tree);
  }

  rewind(length: number, path: readonly number[] = []): void {
    const { lines } = this.proposed;
    let taken = this.sequence;
    let held = length;
    // A line that nothing followed has no state of its own: the next call feeds its last token again.
    for (const [depth, candidate] of path.entries()) {
      const line = lines[candidate];
      if (line) taken = line;
      else held = Math.min(held, length - path.length + depth);
    }
    for (const line of new Set([this.sequence, ...lines])) if (line !== taken) line?.dispose();
    this.proposed = { tree: [], lines: [] };
    this.sequence = taken;
    taken.rewind(held);
  }

  dispose(): void {
    for (const line of new Set([this.sequence, ...this.proposed.lines])) line?.dispose();
    this.onDispose();
  }
}

function depthOf(tree: readonly Candidate[]): number {
  const depths: number[] = [];
  for (const { parent } of tree) depths.push(parent < 0 ? 1 : depths[parent] + 1);
  return Math.max(0, ...depths);
}
