import { type FileHandle, mkdir, open, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { quoted } from '../common';
import type { CheckpointFile } from '../weights';
import { yieldToEventLoop } from './event-loop';
import { CommandError, systemCode } from './failure';

/** A directory with one of these is a checkpoint. The second is of weights in shards. */
const MAIN_FILES: readonly string[] = ['model.safetensors', 'model.safetensors.index.json'];

/**
 * Writes the files of a checkpoint into a directory, all of them or none. Every file is written beside its place first, and what makes the
 * directory a checkpoint comes to its place last.
 *
 * @returns the bytes that were written
 * @throws CommandError `io-failed`; what `signal` was aborted with; what making the files throws
 */
export async function writeCheckpoint(
  out: string,
  files: readonly CheckpointFile[],
  signal: AbortSignal,
): Promise<number> {
  const partial = (file: string) => join(out, `${file}.${process.pid}.part`);
  const created = await mkdir(out, { recursive: true });
  let bytes = 0;
  try {
    for (const file of files) {
      await mkdir(dirname(partial(file.name)), { recursive: true });
      bytes += await writeFile(partial(file.name), file, signal);
    }
    const main = files.filter(({ name }) => MAIN_FILES.includes(name));
    const others = files.filter((file) => !main.includes(file));
    for (const { name } of main) await rm(join(out, name), { force: true });
    for (const { name } of [...others, ...main]) await rename(partial(name), join(out, name));
    return bytes;
  } catch (error) {
    for (const { name } of files) await rm(partial(name), { force: true });
    if (created !== undefined) await rmdir(out).catch(() => undefined);
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new CommandError('io-failed', `${quoted(out)}: expected to write, found ${systemCode(error)}`);
  }
}

async function writeFile(path: string, file: CheckpointFile, signal: AbortSignal): Promise<number> {
  const handle = await open(path, 'w');
  try {
    let bytes = 0;
    for await (const chunk of file.chunks()) {
      await yieldToEventLoop(signal);
      await writeAll(handle, chunk);
      bytes += chunk.length;
    }
    await handle.sync();
    return bytes;
  } finally {
    await handle.close();
  }
}

/** One write may take a part of the bytes. */
async function writeAll(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length; ) at += (await handle.write(chunk, at)).bytesWritten;
}
