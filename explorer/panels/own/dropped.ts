type Files = Record<string, Blob>;

/** Files of an input, by the path below the directory that was chosen. */
export function filesOfInput(files: FileList | null): Files {
  return Object.fromEntries([...(files ?? [])].map((file) => [file.webkitRelativePath || file.name, file]));
}

/** Files of a drop: of directories, all that are in them. */
export async function filesOfDrop({ dataTransfer }: DragEvent): Promise<Files> {
  const entries = [...(dataTransfer?.items ?? [])].flatMap((item) => item.webkitGetAsEntry() ?? []);
  const files: Files = {};
  for (const entry of entries) await collect(entry, files);
  return files;
}

async function collect(entry: FileSystemEntry, into: Files): Promise<void> {
  if (entry.isFile) {
    into[entry.fullPath.slice(1)] = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const next = () => new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
  for (let some = await next(); some.length > 0; some = await next()) for (const one of some) await collect(one, into);
}
