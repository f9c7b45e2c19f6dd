import { buildCommand, expectOneLine, removeCommand, tandem } from './command';

describe('the program', () => {
  beforeAll(() => buildCommand());
  afterAll(() => removeCommand());

  it('takes the words after its own name, and ends with the exit code of what they ask for', () => {
    expect(tandem(['--version'])).toEqual({
      status: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      stderr: '',
    });
    const wrong = tandem(['genrate', 'Amen.']);
    expect([wrong.status, wrong.stdout]).toEqual([2, '']);
    expectOneLine(wrong, /unknown command 'genrate'/);
  });
});
