import type { Counts, Proof, ProofRequest } from './proof/prove';
import type {
  AttendRequest,
  DecodeRequest,
  EngineInfo,
  Finished,
  FromEngine,
  Inspected,
  LoadRequest,
  MeasuredCosts,
  MeasuredKernel,
  OwnModel,
  Progressed,
  SampleRequest,
  ShownAttention,
  ToEngine,
} from './protocol';

/** An error that the worker told of. */
export class EngineFailure extends Error {
  override readonly name = 'EngineFailure';

  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

interface Waiting {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
  readonly hear: (event: Progressed) => void;
}

export interface Ways {
  readonly signal?: AbortSignal;
  readonly hear?: (event: Progressed) => void;
}

type Asked = Exclude<ToEngine, { kind: 'cancel' }>;
type Unnumbered = Asked extends infer One ? (One extends Asked ? Omit<One, 'id'> : never) : never;

/** The worker, as the page calls it. */
export class Engine {
  private readonly worker = new Worker(new URL('./engine/worker.ts', import.meta.url), {
    type: 'module',
    name: 'engine',
  });
  private readonly waiting = new Map<number, Waiting>();
  private count = 0;

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<FromEngine>) => this.receive(data);
    this.worker.onerror = (event) => {
      for (const { reject } of this.waiting.values()) reject(new EngineFailure('unknown', event.message));
      this.waiting.clear();
    };
  }

  load(request: LoadRequest, ways?: Ways): Promise<EngineInfo> {
    return this.ask({ kind: 'load', request }, ways);
  }

  inspect(model: OwnModel, ways?: Ways): Promise<Inspected> {
    return this.ask({ kind: 'inspect', model }, ways);
  }

  decode(request: DecodeRequest, ways?: Ways): Promise<Finished> {
    return this.ask({ kind: 'decode', request }, ways);
  }

  measure(request: Pick<DecodeRequest, 'text' | 'draft'>, ways?: Ways): Promise<MeasuredCosts> {
    return this.ask({ kind: 'measure', request }, ways);
  }

  /** Times kernels on the target's shapes. */
  kernels(ways?: Ways): Promise<MeasuredKernel[]> {
    return this.ask({ kind: 'kernels' }, ways);
  }

  attend(request: AttendRequest, ways?: Ways): Promise<ShownAttention> {
    return this.ask({ kind: 'attend', request }, ways);
  }

  prove(request: ProofRequest, ways?: Ways): Promise<Proof> {
    return this.ask({ kind: 'prove', request }, ways);
  }

  sample(request: SampleRequest, ways?: Ways): Promise<Counts> {
    return this.ask({ kind: 'sample', request }, ways);
  }

  private ask<T>(message: Unnumbered, { signal, hear = () => undefined }: Ways = {}): Promise<T> {
    const id = this.count++;
    const post = (said: ToEngine) => this.worker.postMessage(said);
    return new Promise<T>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject, hear });
      post({ ...message, id } as ToEngine);
      signal?.addEventListener('abort', () => this.waiting.has(id) && post({ id, kind: 'cancel' }));
    });
  }

  private receive(data: FromEngine): void {
    const waiting = this.waiting.get(data.id);
    if (waiting === undefined) return;
    if (data.kind !== 'done' && data.kind !== 'failed') {
      waiting.hear(data);
      return;
    }
    this.waiting.delete(data.id);
    if (data.kind === 'done') waiting.resolve(data.value as never);
    else waiting.reject(new EngineFailure(data.code, data.message));
  }
}
