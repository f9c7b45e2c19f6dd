import type { DecoderRow, DecoderStream, Encoded, SequenceModel } from '../engine';
import { extend, OwnedStreams, type Prefix, rootsOf } from './beam-prefixes';
import { continuations } from './beam-scores';
import { type Beam, rank } from './beam-selection';
import type { BeamRules } from './beam-settings';

/** A hypothesis of the draft's search, and its place in the tree. */
interface Reached {
  readonly prefix: Prefix;
  readonly beam: Beam;
}

/**
 * The draft's own beam search, of the target's width or wider, from where the target's stands: what Leviathan et al. 2023
 * sketch in appendix A.4. Its streams are kept for every prefix it runs, so that it goes on from whichever of them survive.
 */
export class BeamDraft {
  private readonly owned = new OwnedStreams();
  /** Draft streams of the target's hypotheses; each may lag behind, the next call feeds what is missing. */
  private heads: readonly DecoderStream[];
  /** Draft streams of this round: all of the prefix, once it has been run. */
  private held = new Map<Prefix, DecoderStream>();
  calls = 0;

  private constructor(
    private readonly model: SequenceModel,
    private readonly encoded: Encoded,
    private readonly width: number,
    private readonly rules: BeamRules,
  ) {
    this.heads = [this.owned.add(encoded.open())];
  }

  static async open(
    model: SequenceModel,
    source: readonly number[],
    width: number,
    rules: BeamRules,
  ): Promise<BeamDraft> {
    const [encoded] = await model.encode([source]);
    return new BeamDraft(model, encoded, width, rules);
  }

  /** Roots of trees that hold every hypothesis of the draft's search at each of the next `levels` lengths. */
  async propose(beams: readonly Beam[], levels: number): Promise<Prefix[]> {
    const roots = rootsOf(beams);
    this.held = new Map(roots.map((root, i) => [root, this.heads[i]]));
    let reached: Reached[] = roots.map((prefix, i) => ({ prefix, beam: beams[i] }));
    for (let level = 0; level < levels && reached.length > 0; level++) reached = await this.deeper(reached);
    return roots;
  }

  /** Goes on from the prefixes that the target's new hypotheses continue, each by one token. */
  settle(survivors: readonly Prefix[]): void {
    this.heads = survivors.map((prefix) => this.owned.add(this.nearest(prefix).fork()));
    this.owned.keepOnly(this.heads);
    this.held.clear();
  }

  release(): void {
    this.owned.keepOnly([]);
    this.encoded.release();
  }

  /** One step: runs each hypothesis's newest token, and keeps the `width` best that do not end. */
  private async deeper(reached: readonly Reached[]): Promise<Reached[]> {
    const { eosTokens, processing } = this.rules;
    const { rows, last } = this.rowsOf(reached);
    this.calls++;
    const view = await this.model.forward(rows);
    try {
      const lists = [];
      for (const [i, { beam }] of reached.entries()) {
        const context = { ids: beam.ids, eosTokens };
        const found = await continuations(view, last[i], this.width + eosTokens.length, context, processing);
        lists.push(found.filter(({ token }) => !eosTokens.includes(token)));
      }
      const beams = reached.map(({ beam }) => beam);
      return rank(beams, lists, this.width).map(({ parent, token, logProb }) => ({
        prefix: extend(reached[parent].prefix, token, logProb),
        beam: { ids: [...beams[parent].ids, token], logProb },
      }));
    } finally {
      view.release();
    }
  }

  /** Rows of every id that the draft has not seen, and the last one of each hypothesis. */
  private rowsOf(reached: readonly Reached[]): { rows: DecoderRow[]; last: number[] } {
    const rows: DecoderRow[] = [];
    const last = reached.map(({ prefix, beam: { ids } }) => {
      const stream = this.streamOf(prefix);
      const seen = stream.length;
      for (let position = seen; position < ids.length; position++) {
        rows.push({ stream, position, token: ids[position], parent: position === seen ? -1 : rows.length - 1 });
      }
      return rows.length - 1;
    });
    return { rows, last };
  }

  /** The prefix's own stream; made from its parent's. */
  private streamOf(prefix: Prefix): DecoderStream {
    const own = this.held.get(prefix) ?? this.owned.add(this.nearest(prefix).fork());
    this.held.set(prefix, own);
    return own;
  }

  /** The stream of the longest part of the prefix that has one. */
  private nearest(prefix: Prefix): DecoderStream {
    for (let at: Prefix | null = prefix; at; at = at.parent) {
      const stream = this.held.get(at);
      if (stream) return stream;
    }
    throw new Error('beam draft: a prefix of another round'); // roots always have one
  }
}
