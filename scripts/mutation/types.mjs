/** Which mutants are no valid TypeScript: the type check of CI refuses such a change, whatever the specs say. */
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import ts from 'typescript';
import { mutated } from './nearest.mjs';

/** @returns the keys of those mutants for which the compiler finds an error in the file that they change */
export function withTypeErrors(mutants) {
  const config = resolve('tsconfig.json');
  const { fileNames, options: stated } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(config, ts.sys.readFile).config,
    ts.sys,
    dirname(config),
  );
  // Names that nobody uses any more are no error here: whoever makes such a change removes them too.
  const options = { ...stated, noUnusedLocals: false, noUnusedParameters: false, allowUnreachableCode: true };
  const changed = new Map();
  const host = {
    ...ts.sys,
    useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
    getCompilationSettings: () => options,
    getScriptFileNames: () => fileNames,
    getScriptVersion: (name) => String(changed.get(name)?.version ?? 0),
    getScriptSnapshot: (name) => {
      const text = changed.get(name)?.text ?? ts.sys.readFile(name);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => process.cwd(),
    getDefaultLibFileName: ts.getDefaultLibFilePath,
  };
  const service = ts.createLanguageService(host);
  const change = (name, text) => changed.set(name, { text, version: (changed.get(name)?.version ?? 0) + 1 });
  return mutants
    .filter((mutant) => {
      const name = resolve(mutant.file);
      const source = readFileSync(name, 'utf8');
      change(name, mutated(source, mutant));
      const found = [...service.getSyntacticDiagnostics(name), ...service.getSemanticDiagnostics(name)];
      change(name, source);
      return found.length > 0;
    })
    .map(({ key }) => key);
}
