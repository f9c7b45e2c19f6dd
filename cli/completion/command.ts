import { Argument, type Command } from 'commander';
import { nearest, quoted } from '../../common';
import { CommandError } from '../failure';
import { bashScript } from './bash';
import { fishScript } from './fish';
import { type CommandWords, wordsOf } from './words';
import { zshScript } from './zsh';

const SCRIPTS: Readonly<Record<string, (commands: readonly CommandWords[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};
const SHELLS = Object.keys(SCRIPTS);

const EXAMPLES = `
Examples:
  source <(tandem completion bash)                                      in ~/.bashrc
  tandem completion zsh > "\${fpath[1]}/_tandem"
  tandem completion fish > ~/.config/fish/completions/tandem.fish`;

/** Puts the argument of `tandem completion` on a command. */
export function addCompletion(command: Command): Command {
  const shell = new Argument('<shell>', SHELLS.join(', '));
  shell.argChoices = SHELLS; // for the completion of the command itself; what is wrong is refused below
  return command
    .description('print a script that completes commands, flags and their values in a shell')
    .addArgument(shell)
    .addHelpText('after', EXAMPLES);
}

/** `tandem completion`: the script comes from the same tables as the flags and the help. */
export function completion(program: Command, shell: string): void {
  if (!Object.hasOwn(SCRIPTS, shell)) {
    const near = nearest(shell, SHELLS);
    const hint = near ? `; did you mean '${near}'?` : '';
    const expected = `completion: expected one of ${SHELLS.join(', ')}`;
    throw new CommandError('argument-invalid', `${expected}, found ${quoted(shell)}${hint}`);
  }
  process.stdout.write(SCRIPTS[shell](wordsOf(program)));
}
