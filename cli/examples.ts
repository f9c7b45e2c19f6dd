/** Examples for the help of commands that do not state their own, each with what it does. */
const EXAMPLES: Readonly<Record<string, readonly (readonly [command: string, does: string])[]>> = {
  generate: [
    ['tandem generate "Thou art my rock and my fortress."', 'the bundled pair: King James English to modern English'],
    ['tandem generate --file verses.txt --json', 'each line of a file, as JSON'],
    ['tandem generate -m google/flan-t5-small --draft self "Translate to German: Good morning."', 'a model of the hub'],
    ['tandem generate -t 1 --top-p 0.9 --num-return-sequences 3 "Jesus wept."', 'three samples'],
    ['tandem generate --compare "Thou art the man."', 'with and without the draft: equal, and how much faster'],
  ],
  embed: [
    ['tandem embed -m sentence-transformers/sentence-t5-base "Jesus wept."', 'the vector of a text, as JSON'],
    ['tandem embed -m path/to/sentence-t5 --file verses.txt', 'of each line of a file'],
  ],
  score: [
    ['tandem score "Thou art the man." --target "You are the man." --target "No."', 'log-probabilities, as JSON'],
  ],
  inspect: [
    ['tandem inspect models/modernize-target', 'tensors, types and sizes of a directory'],
    ['tandem inspect google/flan-t5-small', 'of a model of the hub; loads no weights'],
  ],
  quantize: [
    ['tandem quantize google/flan-t5-small --dtype q8 --out flan-q8', 'a checkpoint of a quarter of the bytes'],
  ],
  'ngram build': [
    ['tandem ngram build text.txt --out table.json', 'counts n-grams of a text'],
    ['tandem generate --draft ngram:table.json "Thou art the man."', 'drafts with them'],
  ],
  paper: [
    ['tandem paper', 'the paper’s tables beside what this machine measures'],
    ['tandem paper --passages 5', 'on fewer passages, in less time'],
  ],
  doctor: [
    ['tandem doctor', 'which backend this machine gets, and why'],
    ['tandem doctor --json', 'the same as one JSON object'],
  ],
};

/** The examples of a command as they stand in its help; '' for a command that has them elsewhere. */
export function examplesOf(path: string): string {
  const examples = EXAMPLES[path] ?? [];
  if (examples.length === 0) return '';
  const width = Math.max(...examples.map(([command]) => command.length));
  return `\nExamples:\n${examples.map(([command, does]) => `  ${command.padEnd(width)}   ${does}`).join('\n')}\n`;
}
