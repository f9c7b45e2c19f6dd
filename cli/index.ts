import { guarded } from './guard';
import { runCommand } from './program';

/** Runs the command on its arguments; sets the process's exit code and never throws. */
export async function main(args: readonly string[]): Promise<void> {
  await guarded((signal, patience) => runCommand(args, signal, patience));
}

if (require.main === module) void main(process.argv.slice(2));
