import fc from 'fast-check';
import { columns, facts, table } from '../../cli/table';

const word = fc.stringMatching(/^[a-zé×0-9]{0,12}$/);
const rows = fc
  .integer({ min: 1, max: 5 })
  .chain((width) => fc.array(fc.array(word, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }));
const left = { align: 'left' } as const;
const right = { align: 'right' } as const;
const linesOf = (text: string) => text.slice(0, -1).split('\n');

describe('columns', () => {
  it('start at the same place in every line when they align to the left, and two spaces after the widest cell before', () => {
    fc.assert(
      fc.property(rows, (cells) => {
        const lines = linesOf(
          columns(
            cells,
            cells[0].map(() => left),
          ),
        );
        expect(lines).toHaveLength(cells.length);
        for (const [r, row] of cells.entries()) {
          let start = 0;
          for (const [c, cell] of row.entries()) {
            expect(lines[r].padEnd(200).slice(start, start + cell.length)).toBe(cell);
            start += Math.max(...cells.map((other) => other[c].length)) + 2;
          }
        }
      }),
    );
  });

  it('end at the same place in every line when they align to the right', () => {
    fc.assert(
      fc.property(rows, (cells) => {
        const layout = cells[0].map(() => right);
        const lines = linesOf(columns(cells, layout)).map((line) => line.padEnd(200));
        for (const [r, row] of cells.entries()) {
          let end = -2;
          for (const [c, cell] of row.entries()) {
            end += Math.max(...cells.map((other) => other[c].length)) + 2;
            expect(lines[r].slice(end - cell.length, end)).toBe(cell);
          }
        }
      }),
    );
  });

  it('leave no space at the end of a line, and count characters and not UTF-16 units', () => {
    fc.assert(
      fc.property(rows, (cells) => {
        for (const line of linesOf(
          columns(
            cells,
            cells[0].map(() => left),
            '  ',
          ),
        ))
          expect(line).toBe(line.trimEnd());
      }),
    );
    expect(
      facts([
        ['👍', 'a'],
        ['bb', 'c'],
      ]),
    ).toBe('👍   a\nbb  c\n');
  });

  it('are padded before they are painted, so that colour codes take no room', () => {
    expect(
      facts(
        [
          ['a', 'x'],
          ['long', 'y'],
        ],
        (label) => `<${label}>`,
      ),
    ).toBe('<a   >  x\n<long>  y\n');
    expect(
      facts(
        [
          ['a', ''],
          ['long', 'y'],
        ],
        (label) => `<${label}>`,
      ),
    ).toBe('<a>\n<long>  y\n'); // nothing stands behind it
  });
});

describe('a table', () => {
  it('has its first column to the left, figures to the right, and is indented', () => {
    expect(
      table(
        ['task', 'α'],
        [
          ['EnDe', 0.75],
          ['CNN/DM', 1],
        ],
      ),
    ).toBe('  task       α\n  EnDe    0.75\n  CNN/DM     1\n');
  });
});
