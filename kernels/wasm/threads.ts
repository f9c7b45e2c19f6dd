import type { Thread } from './threadProgram';
import { sharingRefused, startThread } from './threads.node';

/** How long a thread may take to start. On a busy machine that is seconds. */
const START_TIMEOUT_MS = 20_000;

/** The helping threads that run, and why some that were asked for do not. */
export interface StartedThreads {
  readonly helpers: readonly Thread[];
  readonly refused: string | null;
}

/** Starts helping threads and waits until each runs or is known not to. It never rejects. */
export async function startThreads(count: number): Promise<StartedThreads> {
  const sharing = sharingRefused();
  if (sharing !== null) return { helpers: [], refused: count === 0 ? null : sharing };
  const outcomes = await Promise.all(Array.from({ length: count }, startOne));
  const reasons = outcomes.filter((outcome): outcome is string => typeof outcome === 'string');
  const helpers = outcomes.filter((outcome): outcome is Thread => typeof outcome !== 'string');
  return { helpers, refused: reasons.length === 0 ? null : reasons[0] };
}

/** A thread that runs, or the reason why it does not. */
async function startOne(): Promise<Thread | string> {
  let thread: Thread;
  try {
    thread = startThread();
  } catch (error) {
    return messageOf(error);
  }
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const refuse = () => reject(new Error(`a thread did not start within ${START_TIMEOUT_MS / 1000} seconds`));
    timer = setTimeout(refuse, START_TIMEOUT_MS);
  });
  try {
    await Promise.race([thread.started, late]);
    return thread;
  } catch (error) {
    void thread.end();
    return messageOf(error);
  } finally {
    clearTimeout(timer);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
